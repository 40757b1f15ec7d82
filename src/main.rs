//! Reads the command line, runs the command, and prints an error as one line.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tessera::cli::Cli;
use tessera::commands;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        // The server library tells of each of its threads; what a person wants to know, we say ourselves.
        .with_env_filter(EnvFilter::new(format!("actix_server=warn,{}", cli.common.log)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tessera: {failure}");
            ExitCode::FAILURE
        }
    }
}
