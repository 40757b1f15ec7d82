//! Reads the command line, runs the command, and prints an error as one line.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use tessera::cli::Cli;
use tessera::{commands, log};

/// Pages and responses consist of many small strings; with glibc's allocator they take a sixth of a tile's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let _log = log::start(&cli.common.log);
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            commands::say(&format!("tessera: {failure}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Prints help and version to standard output, and a usage error as one line.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    // The invalid value may be a database URL with a password.
    let line = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if value.contains('@') => line.replace(value, "…"),
        _ => line,
    };
    let line = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => "a command is missing",
        _ => line.trim_start_matches("error: "),
    };
    commands::say(&format!("tessera: {line}; see tessera --help.\n"));
    ExitCode::from(2)
}
