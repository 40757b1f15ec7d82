//! One and two instances on one PostgreSQL: `cargo bench --bench http -- --instances`.
//!
//! Doors send each use with an idempotency key. What a use costs is read beside the load: processor time of each program,
//! transactions, and bytes and syncs of the write-ahead log. docs/SCALE.md shows the figures, and `benches/scale` uses them.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::Options;
use crate::client::post;
use crate::database::{Database, Kind};
use crate::figures::{duration, grouped};
use crate::load::{self, Samples, WARM_UP};
use crate::machine;
use crate::run::say;
use crate::scenarios;
use crate::server::{self, Server};

/// More uses in a second than any machine answers here: each needs a key of its own, made before it is measured.
const MOST_PER_SECOND: u64 = 60_000;

/// Measures each number of connections with one instance and with two, and prints it as Markdown.
pub fn report(options: &Options) -> ExitCode {
    let headings = [
        "tokens",
        "instances",
        "connections",
        "uses/s",
        "median",
        "99 %",
        "uses a transaction",
        "PostgreSQL: CPU a use",
        "Tessera: CPU a use",
        "clients: CPU a use",
        "log: bytes a use",
        "page images a use",
        "uses a sync",
        "a sync",
    ];
    let head = format!("| {} |\n| --- |{}\n", headings.join(" | "), " ---: |".repeat(headings.len() - 1));
    let written = measure(options).and_then(|rows| io::stdout().lock().write_all((head + &rows).as_bytes()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("http: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> io::Result<String> {
    let folder = tempfile::Builder::new().prefix("logs-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let database = Kind::Postgres.create()?;
    database.sql("ALTER SYSTEM SET track_wal_io_timing = on")?;
    database.sql("SELECT pg_reload_conf()")?;
    let key = server::key(&database.url)?;
    let first = Server::start(&database.url, folder.path(), &[])?;
    say(&format!("{}: adding a million tokens", database.version));
    let seed = scenarios::seed(first.address, &key).map_err(|error| first.explain(&error))?;
    database.settle();
    let mut bench = Bench { database, servers: vec![first], key, tokens: seed.many, runs: 0 };
    let mut rows = String::new();
    for instances in 1..=2 {
        while bench.servers.len() < instances {
            bench.start(folder.path())?;
        }
        for &connections in &options.connections {
            rows += &bench.row("in turn", connections.into(), options.seconds)?;
        }
    }
    // What a checkpoint costs: until the next one, the first change of each page writes the page whole.
    let all = bench.database.sql("SELECT uid FROM tokens ORDER BY random()")?;
    bench.tokens = all.lines().map(str::to_owned).collect();
    bench.servers.truncate(1);
    bench.database.sql("CHECKPOINT")?;
    for &connections in options.connections.iter().rev().take(1) {
        rows += &bench.row("each once", connections.into(), options.seconds)?;
    }
    Ok(rows)
}

struct Bench {
    database: Database,
    servers: Vec<Server>,
    key: String,
    tokens: Vec<String>,
    /// How many loads there were: no key is ever sent twice.
    runs: usize,
}

impl Bench {
    fn start(&mut self, folder: &Path) -> io::Result<()> {
        self.servers.push(Server::start(&self.database.url, folder, &[])?);
        Ok(())
    }

    /// Half of the connections go to each instance. With one instance, too, two threads send, so that only the instances
    /// differ.
    fn row(&mut self, tokens: &str, connections: usize, seconds: u64) -> io::Result<String> {
        let threads = connections.min(2).max(self.servers.len().min(connections));
        let loads: Vec<_> = (0..threads)
            .map(|thread| {
                self.runs += 1;
                let server = self.servers[thread % self.servers.len()].address;
                (server, self.requests(server, seconds), connections / threads)
            })
            .collect();
        for server in &self.servers {
            server.empty_log()?;
        }
        let (samples, cost) = thread::scope(|scope| {
            let send = |(server, requests, connections): &(_, Vec<Vec<u8>>, usize)| {
                load::run(*server, requests, *connections, seconds)
            };
            let senders: Vec<_> = loads.iter().map(|load| scope.spawn(move || send(load))).collect();
            thread::sleep(WARM_UP);
            let before = self.counters();
            thread::sleep(Duration::from_secs(seconds));
            let cost = before.and_then(|before| Ok(self.counters()?.since(before)));
            let panicked = || io::Error::other("a sender panicked");
            let samples = senders.into_iter().map(|sender| sender.join().map_err(|_| panicked())?);
            Ok::<_, io::Error>((samples.collect::<io::Result<Vec<Samples>>>()?, cost?))
        })?;
        let rate: f64 = samples.iter().map(Samples::rate).sum();
        let row = format!("| {tokens} {}", self.line(connections, rate, &samples, &cost, seconds));
        say(row.trim_end());
        Ok(row)
    }

    fn requests(&self, server: std::net::SocketAddr, seconds: u64) -> Vec<Vec<u8>> {
        let count = MOST_PER_SECOND * (seconds + WARM_UP.as_secs());
        let run = self.runs;
        // Two threads begin at opposite ends, and do not ask for the same token at once.
        let tokens = self.tokens.iter().cycle().skip(run * (self.tokens.len() / 2 - 1));
        let request = |(number, uid): (u64, &String)| {
            post(server, &self.key, &format!("/{uid}/consume_token"), &format!("nonce=bench-{run}-{number}"))
        };
        (0..count).zip(tokens).map(request).collect()
    }

    fn counters(&self) -> io::Result<Counters> {
        let statement = "SELECT pg_snapshot_xmax(pg_current_snapshot()), pg_current_wal_insert_lsn() - '0/0', \
                         wal_fpi, wal_sync, wal_sync_time FROM pg_stat_wal";
        let row = self.database.sql(statement)?;
        let numbers: Option<Vec<f64>> = row.split('|').map(|number| number.parse().ok()).collect();
        let Some(&[transactions, bytes, images, syncs, sync_time]) = numbers.as_deref() else {
            return Err(io::Error::other(format!("PostgreSQL's counters were {row}")));
        };
        let servers: Vec<u32> = self.servers.iter().map(Server::id).collect();
        Ok(Counters {
            transactions,
            bytes,
            images,
            syncs,
            sync_time,
            database: machine::cpu_seconds(&self.database.processes())?,
            instances: machine::cpu_seconds(&servers)?,
            clients: machine::cpu_seconds(&[std::process::id()])?,
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "seconds of a run")]
    fn line(&self, connections: usize, rate: f64, samples: &[Samples], cost: &Counters, seconds: u64) -> String {
        let uses = rate * seconds as f64;
        let mut all = Samples::default();
        for samples in samples {
            all.extend(samples);
        }
        let [median, high] = all.percentiles([50, 99]).map(|micros| duration(Duration::from_micros(micros.into())));
        let per_use = |number: f64| number / uses;
        let micros = |seconds: f64| format!("{:.1} µs", 1e6 * per_use(seconds));
        let cells = [
            self.servers.len().to_string(),
            connections.to_string(),
            grouped(&format!("{rate:.0}")),
            median,
            high,
            format!("{:.1}", uses / cost.transactions),
            micros(cost.database),
            micros(cost.instances),
            micros(cost.clients),
            grouped(&format!("{:.0}", per_use(cost.bytes))),
            format!("{:.3}", per_use(cost.images)),
            format!("{:.1}", uses / cost.syncs),
            format!("{:.0} µs", 1e3 * cost.sync_time / cost.syncs),
        ];
        format!("| {} |\n", cells.join(" | "))
    }
}

/// What PostgreSQL and the kernel have counted.
#[derive(Clone, Copy)]
struct Counters {
    transactions: f64,
    bytes: f64,
    images: f64,
    syncs: f64,
    /// In milliseconds.
    sync_time: f64,
    /// Seconds of processor time, as the two below.
    database: f64,
    instances: f64,
    clients: f64,
}

impl Counters {
    fn since(self, before: Self) -> Self {
        Self {
            transactions: self.transactions - before.transactions,
            bytes: self.bytes - before.bytes,
            images: self.images - before.images,
            syncs: self.syncs - before.syncs,
            sync_time: self.sync_time - before.sync_time,
            database: self.database - before.database,
            instances: self.instances - before.instances,
            clients: self.clients - before.clients,
        }
    }
}
