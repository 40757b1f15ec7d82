//! How long a door waits while others work: `cargo bench --bench http -- --beside`.
//!
//! A door is four connections, each of which asks for a use every 10 ms, of tokens from all over the million. It is measured
//! alone, and beside each kind of work that the office can do.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Options;
use crate::client::{Client, post};
use crate::database::{Database, Kind};
use crate::figures::{duration, mebibytes};
use crate::run::say;
use crate::server::{self, Server};
use crate::works::{Office, Work, all};

/// The connections of a door, and how often each asks for a use.
const DOOR: usize = 4;
const INTERVAL: Duration = Duration::from_millis(10);
/// How long it is quiet between two kinds of work, for what they leave behind.
const REST: Duration = Duration::from_secs(3);

/// Measures a door beside each kind of work, and prints it as Markdown.
pub fn report(options: &Options) -> ExitCode {
    let headings = ["beside", "took", "median", "99 %", "longest", "failures", "uses", "memory"];
    let mut code = ExitCode::SUCCESS;
    let mut text = String::new();
    for kind in options.database.kinds() {
        match measure(*kind, options) {
            Ok((name, rows)) => {
                let rule = " ---: |".repeat(headings.len() - 1);
                let _ = write!(text, "{name}:\n\n| {} |\n| --- |{rule}\n", headings.join(" | "));
                text += &rows;
                text += "\n";
            }
            Err(error) => {
                say(&format!("http: {error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    if io::stdout().lock().write_all(text.as_bytes()).is_ok() { code } else { ExitCode::FAILURE }
}

fn measure(kind: Kind, options: &Options) -> io::Result<(&'static str, String)> {
    let folder = tempfile::Builder::new().prefix("logs-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let database = kind.create()?;
    let key = server::key(&database.url)?;
    let server = Server::start(&database.url, folder.path(), &[])?;
    say(&format!("{}: making a million tokens", database.name));
    let office = Office::open(server.address, &key).map_err(|error| server.explain(&error))?;
    database.settle();
    let bench = Bench { server: &server, database: &database, office: &office, key: &key, options };
    let mut rows = String::new();
    for work in all().into_iter().filter(|work| work.name.contains(&options.only)) {
        rows += &bench.row(&work)?;
        thread::sleep(REST);
    }
    Ok((database.name, rows))
}

struct Bench<'a> {
    server: &'a Server,
    database: &'a Database,
    office: &'a Office,
    key: &'a str,
    options: &'a Options,
}

impl Bench<'_> {
    /// A line of the table, or none if there is no such work on this database.
    fn row(&self, work: &Work) -> io::Result<String> {
        if !work.is_for(self.database) {
            return Ok(String::new());
        }
        // A log that nobody reads needs a server of its own.
        let blocked = if work.blocks_log { Some(Server::start_unread(&self.database.url)?) } else { None };
        let server = blocked.as_ref().unwrap_or(self.server);
        self.server.empty_log()?;
        server.forget_peak()?;
        let door = Door::new(server.address, self.key, &self.office.door);
        let is_over = AtomicBool::new(false);
        let (waits, took) = thread::scope(|scope| {
            let clerks: Vec<_> = (0..DOOR)
                .map(|n| {
                    scope.spawn({
                        let (door, is_over) = (&door, &is_over);
                        move || door.stand(n, is_over)
                    })
                })
                .collect();
            let start = Instant::now();
            let done = work.run(self.office, self.database, server.address, Duration::from_secs(self.options.seconds));
            let took = start.elapsed();
            is_over.store(true, Ordering::Relaxed);
            let waits: Vec<Wait> = clerks.into_iter().flat_map(|clerk| clerk.join().unwrap_or_default()).collect();
            done.map(|()| (waits, took))
        })
        .map_err(|error| server.explain(&error))?;
        let row = line(work.name, took, &waits, server.peak()?);
        say(&format!("{}: {}", self.database.name, row.trim_end()));
        Ok(row)
    }
}

/// How long a use was waited for, and whether there was one.
struct Wait {
    time: Duration,
    is_used: bool,
}

fn line(name: &str, took: Duration, waits: &[Wait], memory: u64) -> String {
    let mut times: Vec<Duration> = waits.iter().map(|wait| wait.time).collect();
    times.sort_unstable();
    let rank = |percent: usize| (times.len() * percent).div_ceil(100).saturating_sub(1);
    let [median, high, longest] = [50, 99, 100].map(|percent| times.get(rank(percent)).copied().unwrap_or_default());
    let failures = waits.iter().filter(|wait| !wait.is_used).count();
    let cells = [
        name.to_owned(),
        duration(took),
        duration(median),
        duration(high),
        duration(longest),
        failures.to_string(),
        waits.len().to_string(),
        mebibytes(memory),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// Where people are let in.
struct Door<'a> {
    server: SocketAddr,
    key: &'a str,
    tokens: &'a [String],
}

impl<'a> Door<'a> {
    fn new(server: SocketAddr, key: &'a str, tokens: &'a [String]) -> Self {
        Self { server, key, tokens }
    }

    /// Asks for a use every 10 ms until it is over. A use that takes longer delays the next one, and is waited for.
    fn stand(&self, n: usize, is_over: &AtomicBool) -> Vec<Wait> {
        let mut waits = Vec::new();
        let mut client: Option<Client> = None;
        for uid in self.tokens.iter().cycle().skip(n * 97).step_by(DOOR) {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let start = Instant::now();
            let connected = client.take().map_or_else(|| Client::connect(self.server, self.key), Ok);
            let used = connected.and_then(|mut client| {
                client.exchange(&post(self.server, self.key, &format!("/{uid}/consume_token"), ""), 200)?;
                Ok(client)
            });
            let time = start.elapsed();
            waits.push(Wait { time, is_used: used.is_ok() });
            client = used.ok();
            thread::sleep(INTERVAL.saturating_sub(time));
        }
        waits
    }
}
