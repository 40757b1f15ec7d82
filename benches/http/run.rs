//! One run: all measurements of one database.

use std::io::{self, Write};
use std::time::Duration;

use crate::Options;
use crate::database::{Database, Kind};
use crate::load::{self, Samples};
use crate::machine::{self, Ticks};
use crate::scenarios::{self, Scenario};
use crate::server::{self, Server};

/// How often the start on a full database is measured.
const STARTS: usize = 7;
/// From a start until memory is measured, so that start-up work is finished.
const SETTLE_TIME: Duration = Duration::from_secs(1);

/// The measurements of one database.
pub struct Measured {
    pub name: &'static str,
    pub version: String,
    pub lines: Vec<Line>,
    /// The time of a disk write.
    pub disk: Duration,
    /// The duration of each start, shortest first.
    pub starts: Vec<Duration>,
    /// Per cent of the CPU used by other programs during each health check, and therefore missing from the
    /// measurements.
    pub others: Vec<f64>,
    pub memory_at_rest: u64,
    /// The most memory under load, by number of connections.
    pub memory_peaks: Vec<(usize, u64)>,
}

/// A scenario with a number of connections.
pub struct Line {
    pub scenario: &'static str,
    pub connections: usize,
    pub samples: Samples,
}

/// Runs the measurements in `options`.
pub fn run(kind: Kind, options: &Options) -> io::Result<Measured> {
    let folder = tempfile::Builder::new().prefix("logs-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let database = kind.create()?;
    let start = |options: &[&str]| Server::start(&database.url, folder.path(), options);

    say(&format!("{}: adding a million tokens", database.version));
    let disk = machine::disk(database.folder())?;
    let key = server::key(&database.url)?;
    let first = start(&[])?;
    let seed = scenarios::seed(first.address, &key).map_err(|error| first.explain(&error))?;
    first.stop()?;
    database.settle();
    let starts = starts(start)?;

    let shared_commits = start(&[])?;
    std::thread::sleep(SETTLE_TIME);
    let mut measured = Measured {
        name: database.name,
        version: database.version.clone(),
        memory_at_rest: shared_commits.memory()?,
        disk,
        starts,
        lines: Vec::new(),
        others: Vec::new(),
        memory_peaks: Vec::new(),
    };
    let mut scenarios = scenarios::all(shared_commits.address, &key, &seed)?;
    scenarios.retain(|scenario| scenario.name.contains(&options.only));
    let servers = Servers { database: &database, shared_commits, single_commits: start(&["--batch", "1"])? };
    for &connections in &options.connections {
        servers.round(&scenarios, connections.into(), options.seconds, &mut measured)?;
    }
    Ok(measured)
}

/// Two servers on one database. Both run all the time; the one that gets no requests is idle.
struct Servers<'a> {
    database: &'a Database,
    /// Its consumes share commits, as usual.
    shared_commits: Server,
    /// Each of its consumes has a commit of its own.
    single_commits: Server,
}

impl Servers<'_> {
    /// Measures every scenario with this many connections. The health check is measured before and after the others,
    /// since the machine may become slower over time.
    fn round(
        &self,
        scenarios: &[Scenario],
        connections: usize,
        seconds: u64,
        measured: &mut Measured,
    ) -> io::Result<()> {
        let health = scenarios::health(self.shared_commits.address);
        let measure_health = || {
            // A database server is a separate program, but is idle during a health check.
            let ours = [self.shared_commits.id(), self.single_commits.id()];
            let before = Ticks::read(&ours)?;
            let line = self.measure(&health, connections, seconds)?;
            Ok::<_, io::Error>((line, Ticks::read(&ours)?.of_others_since(before)))
        };
        self.shared_commits.forget_peak()?;
        let (mut line, before) = measure_health()?;
        for scenario in scenarios {
            measured.lines.push(self.measure(scenario, connections, seconds)?);
        }
        let (again, after) = measure_health()?;
        line.samples.extend(&again.samples);
        measured.lines.push(line);
        measured.others.extend([before, after]);
        measured.memory_peaks.push((connections, self.shared_commits.peak()?));
        Ok(())
    }

    fn measure(&self, scenario: &Scenario, connections: usize, seconds: u64) -> io::Result<Line> {
        self.shared_commits.empty_log()?;
        self.single_commits.empty_log()?;
        self.database.wait_for_index()?;
        let server = if scenario.single_commits { &self.single_commits } else { &self.shared_commits };
        let samples = load::run(server.address, &scenario.requests, connections, seconds)
            .map_err(|error| server.explain(&io::Error::other(format!("{}: {error}", scenario.name))))?;
        say(&format!("{}, {connections} connections: {}: {:.0}/s", self.database.name, scenario.name, samples.rate()));
        Ok(Line { scenario: scenario.name, connections, samples })
    }
}

/// Starts and stops the server on an existing database.
fn starts(start: impl Fn(&[&str]) -> io::Result<Server>) -> io::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let server = start(&[])?;
        times.push(server.started_in);
        server.stop()?;
    }
    times.sort_unstable();
    Ok(times)
}

/// Reports progress on standard error.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
