//! n instances over m databases: `cargo bench --bench scale`. docs/SCALE.md explains what it simulates and how to read it.

#[path = "../http/figures.rs"]
#[allow(dead_code, reason = "the other benchmark has more figures")]
mod figures;
mod measured;
mod simulation;
mod tables;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use simulation::scenario::Queues;

/// Simulates Tessera with several databases, and prints tables in Markdown. Without options: all tables of docs/SCALE.md.
#[derive(Parser)]
#[command(bin_name = "cargo bench --bench scale --")]
struct Options {
    /// Only one scenario: so many instances
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), requires = "databases")]
    instances: Option<u8>,
    /// So many databases
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), requires = "instances")]
    databases: Option<u8>,
    /// Doors, each of which sends a use as often as `--every` says
    #[arg(long, default_value_t = 100_000)]
    doors: u32,
    /// Seconds between two uses at a door, in the mean
    #[arg(long, default_value_t = 2.0)]
    every: f64,
    /// For how many seconds uses begin, after one to warm up
    #[arg(long, default_value_t = 10)]
    seconds: u16,
    /// The first database is lost from one second to another, as in 5-10
    #[arg(long, value_name = "FROM-TO", value_parser = span)]
    lost: Option<(u16, u16)>,
    /// The lost database's machine refuses connections; without this, it is gone without a word
    #[arg(long)]
    refuses: bool,
    /// Where uses wait in an instance
    #[arg(long, value_enum, default_value_t = Queues::Database)]
    queues: Queues,
    /// Cores of an instance, and of a database
    #[arg(long, default_value_t = 4)]
    instance_cores: u8,
    #[arg(long, default_value_t = 8)]
    database_cores: u8,
    /// The same seed has the same result
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What cargo says to a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn span(text: &str) -> Result<(u16, u16), String> {
    let span = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    span.filter(|(from, to)| from < to).ok_or_else(|| "write two seconds, as in 5-10".into())
}

fn main() -> ExitCode {
    // `cargo test --benches` starts it without `--bench`, and only wants to know that it starts.
    let mut out = io::stdout().lock();
    if !std::env::args().any(|argument| argument == "--bench" || argument == "--help") {
        let _ = writeln!(io::stderr(), "The simulation takes minutes; `cargo bench --bench scale` runs it.");
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    let done = match (options.instances, options.databases) {
        (Some(instances), Some(databases)) => tables::one(&options, instances.into(), databases.into())
            .and_then(|text| out.write_all(text.as_bytes()).map_err(|error| error.to_string())),
        _ => tables::all(options.seed, &mut out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "scale: {why}");
            ExitCode::FAILURE
        }
    }
}

/// A whole number of seconds.
fn seconds(seconds: u16) -> Duration {
    Duration::from_secs(seconds.into())
}
