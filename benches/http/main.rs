//! The whole server under load: `cargo bench --bench http`. docs/BENCHMARK.md explains what it measures and how to read
//! it.

mod answer;
mod beside;
mod client;
mod database;
mod figures;
mod growth;
mod instances;
mod load;
mod machine;
mod printing;
mod report;
mod run;
mod scenarios;
mod server;
mod works;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use database::Kind;
use run::say;

/// Measures Tessera over HTTP, and prints a table in Markdown.
#[derive(Parser)]
#[command(bin_name = "cargo bench --bench http --")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Options {
    /// What is measured
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    database: Databases,
    /// Seconds for which each line is measured, after one to warm up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Numbers of connections, divided by commas
    #[arg(long, default_values_t = [1, 8, 64, 256], value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    connections: Vec<u16>,
    /// Only scenarios whose name contains this, and the health check
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    only: String,
    /// Only how much slower consumes are while labels are printed
    #[arg(long)]
    printing: bool,
    /// Only how long a door waits while others work
    #[arg(long)]
    beside: bool,
    /// Only what a use costs with one and with two instances on one PostgreSQL
    #[arg(long)]
    instances: bool,
    /// Only how each cost grows with the number of tokens
    #[arg(long)]
    growth: bool,
    /// Numbers of tokens for --growth, divided by commas, the smallest first
    #[arg(long, default_values_t = [10_000, 1_000_000], value_delimiter = ',', requires = "growth")]
    tokens: Vec<usize>,
    /// Where --growth draws its picture (SVG)
    #[arg(long, value_name = "FILE", requires = "growth")]
    picture: Option<std::path::PathBuf>,
    /// What cargo says to a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

impl Databases {
    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Sqlite => &[Kind::Sqlite],
            Self::Postgres => &[Kind::Postgres],
            Self::Both => &[Kind::Sqlite, Kind::Postgres],
        }
    }
}

fn main() -> ExitCode {
    // `cargo test --benches` starts it without `--bench`, and only wants to know that it starts.
    if !std::env::args().any(|argument| argument == "--bench" || argument == "--help") {
        say("The benchmark takes minutes; `cargo bench --bench http` runs it.");
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    if options.growth {
        return growth::report(&options);
    }
    if options.instances {
        return instances::report(&options);
    }
    if options.beside {
        return beside::report(&options);
    }
    if options.printing {
        return printing::report(&options);
    }
    let (mut all, mut code) = (Vec::new(), ExitCode::SUCCESS);
    for kind in options.database.kinds() {
        match run::run(*kind, &options) {
            Ok(measured) => all.push(measured),
            // Earlier measurements are still reported.
            Err(error) => {
                say(&format!("http: {error}"));
                if error.kind() != io::ErrorKind::Unsupported || all.is_empty() {
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    let report = if all.is_empty() { String::new() } else { report::report(&all, options.seconds) };
    let written = io::stdout().lock().write_all(report.as_bytes());
    if written.is_ok() { code } else { ExitCode::FAILURE }
}
