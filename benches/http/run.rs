//! One run: everything that is measured of one database.

use std::io::{self, Write};
use std::time::Duration;

use crate::Options;
use crate::database::Kind;
use crate::load::{self, Samples};
use crate::machine::{self, Ticks};
use crate::scenarios::{self, Scenario};
use crate::server::{self, Server};

/// How often the start on a full database is measured.
const STARTS: usize = 7;
/// After a start, until memory is looked at: what is done on the side is done then.
const SETTLING: Duration = Duration::from_secs(1);

/// What was measured of one database.
pub struct Measured {
    pub name: &'static str,
    pub version: String,
    pub lines: Vec<Line>,
    /// How long its disk takes for a write.
    pub disk: Duration,
    /// How long each start took, the shortest first.
    pub starts: Vec<Duration>,
    /// Percents of the CPU that other programs took during each health check. What they took is missing in the figures.
    pub others: Vec<f64>,
    pub memory_at_rest: u64,
    /// The most memory under the load of that many connections.
    pub memory_peaks: Vec<(usize, u64)>,
}

/// A scenario with a number of connections.
pub struct Line {
    pub scenario: &'static str,
    pub connections: usize,
    pub samples: Samples,
}

/// Measures all that `options` ask for.
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

    let together = start(&[])?;
    std::thread::sleep(SETTLING);
    let mut measured = Measured {
        name: database.name,
        version: database.version.clone(),
        memory_at_rest: together.memory()?,
        disk,
        starts,
        lines: Vec::new(),
        others: Vec::new(),
        memory_peaks: Vec::new(),
    };
    let mut scenarios = scenarios::all(together.address, &key, &seed)?;
    scenarios.retain(|scenario| scenario.name.contains(&options.only));
    let servers = Servers { name: database.name, together, alone: start(&["--batch", "1"])? };
    for &connections in &options.connections {
        servers.round(&scenarios, connections.into(), options.seconds, &mut measured)?;
    }
    Ok(measured)
}

/// Two servers on one database. Both are there all the time, and whichever is not asked does nothing.
struct Servers {
    name: &'static str,
    /// Its consumes share commits, as usual.
    together: Server,
    /// Each of its consumes has a commit of its own.
    alone: Server,
}

impl Servers {
    /// Measures every scenario with that many connections; the health check before and after all others, as a machine
    /// may become slower meanwhile.
    fn round(&self, scenarios: &[Scenario], connections: usize, seconds: u64, into: &mut Measured) -> io::Result<()> {
        let health = scenarios::health(self.together.address);
        let measure_health = || {
            // A database that is a program of its own is at rest meanwhile, and no other then.
            let ours = [self.together.id(), self.alone.id()];
            let before = Ticks::read(&ours)?;
            let line = self.measure(&health, connections, seconds)?;
            Ok::<_, io::Error>((line, Ticks::read(&ours)?.of_others_since(before)))
        };
        self.together.forget_peak()?;
        let (mut line, before) = measure_health()?;
        for scenario in scenarios {
            into.lines.push(self.measure(scenario, connections, seconds)?);
        }
        let (again, after) = measure_health()?;
        line.samples.extend(&again.samples);
        into.lines.push(line);
        into.others.extend([before, after]);
        into.memory_peaks.push((connections, self.together.peak()?));
        Ok(())
    }

    fn measure(&self, scenario: &Scenario, connections: usize, seconds: u64) -> io::Result<Line> {
        self.together.empty_log()?;
        self.alone.empty_log()?;
        let server = if scenario.alone { &self.alone } else { &self.together };
        let samples = load::run(server.address, &scenario.requests, connections, seconds)
            .map_err(|error| server.explain(&io::Error::other(format!("{}: {error}", scenario.name))))?;
        say(&format!("{}, {connections} connections: {}: {:.0}/s", self.name, scenario.name, samples.rate()));
        Ok(Line { scenario: scenario.name, connections, samples })
    }
}

/// Starts and stops the server on a database that is there.
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

/// Says on standard error what is going on.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
