//! The commands, one file each.

mod backup;
mod copy;
mod export;
mod import;
mod import_cone;
mod key;
mod migrate;
mod openapi;
mod restore;
mod serve;
mod shell;
mod user;

use crate::cli::{Cli, Command};
pub use shell::{Failure, say};

/// Runs a command to its end.
///
/// # Errors
/// One sentence for standard error.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(serve) => serve::run(&cli.common, serve),
        Command::User(command) => user::run(&cli.common, command),
        Command::Key(command) => key::run(&cli.common, command),
        Command::Export(wanted) => export::run(&cli.common, &wanted),
        Command::Openapi => openapi::run(),
        Command::Migrate => migrate::run(&cli.common),
        Command::Copy { to } => copy::run(&cli.common, &to),
        Command::Import(command) => import::run(&cli.common, command),
        Command::ImportCone(import) => import_cone::run(&cli.common, &import),
        Command::Backup(backup) => backup::run(&cli.common, &backup),
        Command::Restore { file } => restore::run(&cli.common, &file),
    }
}
