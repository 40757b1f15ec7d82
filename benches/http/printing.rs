//! How much slower consumes are while a print job runs: `cargo bench --bench http -- --printing`.
//!
//! The same load with the job and without it, by turns, as a machine may become slower meanwhile.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::Options;
use crate::client::{Client, post};
use crate::database::Kind;
use crate::load::{self, Samples};
use crate::report::{duration, grouped};
use crate::run::say;
use crate::server::{self, Server};

/// Labels of a job: ten PDFs.
const LABELS: usize = 100_000;
/// How often each load is measured with a job and without.
const ROUNDS: usize = 5;
/// Between two looks whether a job has ended.
const LOOK: Duration = Duration::from_millis(200);
/// From the beginning of a job until it is measured: until its first pages are made.
const BEGINNING: Duration = Duration::from_millis(300);

/// Measures all that `options` ask for, and prints it as Markdown.
pub fn report(options: &Options) -> ExitCode {
    let heads = ["database", "connections", "requests/s", "99 %", "with a job", "99 % with a job", "ratio", "lowest"];
    let mut text = format!("| {} |\n| --- |{}\n", heads.join(" | "), " ---: |".repeat(heads.len() - 1));
    let mut code = ExitCode::SUCCESS;
    for kind in options.database.kinds() {
        match measure(*kind, options) {
            Ok(rows) => text += &rows,
            Err(error) => {
                say(&format!("http: {error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    if io::stdout().lock().write_all(text.as_bytes()).is_ok() { code } else { ExitCode::FAILURE }
}

fn measure(kind: Kind, options: &Options) -> io::Result<String> {
    let folder = tempfile::Builder::new().prefix("logs-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let database = kind.create()?;
    let key = server::key(&database.url)?;
    let server = Server::start(&database.url, folder.path(), &[])?;
    let bench = Bench::new(&server, &key).map_err(|error| server.explain(&error))?;
    let mut rows = String::new();
    for &connections in &options.connections {
        let mut pairs = Vec::new();
        for _ in 0..ROUNDS {
            server.empty_log()?;
            let pair = bench.pair(connections.into(), options.seconds).map_err(|error| server.explain(&error))?;
            say(&format!(
                "{}, {connections} connections: {:.0}/s, with a job {:.0}/s",
                database.name,
                pair[0].rate(),
                pair[1].rate()
            ));
            pairs.push(pair);
        }
        rows += &row(database.name, connections.into(), &pairs);
    }
    Ok(rows)
}

/// A server with a hundred thousand tokens.
struct Bench<'a> {
    server: &'a Server,
    key: &'a str,
    /// The batch that is printed.
    batch: String,
    /// The token that is consumed.
    consume: Vec<u8>,
}

impl<'a> Bench<'a> {
    fn new(server: &'a Server, key: &'a str) -> io::Result<Self> {
        let mut client = Client::connect(server.address, key)?;
        let form = format!("count={LABELS}&usage_count=-1&label=Locker+%7Bn%3A06%7D&batch_name=Lockers");
        let made = client.post("/add_tokens", &form)?;
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let found = text(&made["batch_uid"]).zip(text(&made["token_uids"][0]));
        let (batch, uid) = found.ok_or_else(|| io::Error::other("no tokens were made"))?;
        let consume = post(server.address, key, &format!("/{uid}/consume_token"), "");
        Ok(Self { server, key, batch, consume })
    }

    /// Without a job, and with one.
    fn pair(&self, connections: usize, seconds: u64) -> io::Result<[Samples; 2]> {
        let load = || load::run(self.server.address, std::slice::from_ref(&self.consume), connections, seconds);
        let without = load()?;
        let job = format!("{:08x}-0000-4000-8000-{:012x}", rand::random::<u32>(), rand::random::<u32>());
        let form = format!("sheet=avery-l7651&batch={}&job_uid={job}", self.batch);
        // A connection of its own each time, as an idle one is closed meanwhile.
        let client = || Client::connect(self.server.address, self.key);
        client()?.send("/print_jobs", &form)?;
        thread::sleep(BEGINNING);
        let with = load()?;
        let goes_on = || Ok::<_, io::Error>(client()?.get(&format!("/print_jobs/{job}"))?.contains("<progress"));
        if !goes_on()? {
            return Err(io::Error::other("the job ended before it was measured: give fewer --seconds"));
        }
        while goes_on()? {
            thread::sleep(LOOK);
        }
        Ok([without, with])
    }
}

fn row(database: &str, connections: usize, pairs: &[[Samples; 2]]) -> String {
    let mut ratios: Vec<f64> = pairs.iter().map(|[without, with]| with.rate() / without.rate()).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let figures = |which: usize| {
        let mut all = Samples::default();
        for pair in pairs {
            all.extend(&pair[which]);
        }
        let [high] = all.percentiles([99]);
        [grouped(&format!("{:.0}", all.rate())), duration(Duration::from_micros(high.into()))]
    };
    let ratio = |at: usize| format!("{:.3}", ratios.get(at).copied().unwrap_or_default());
    let [rate, high] = figures(0);
    let [with, with_high] = figures(1);
    let cells = [rate, high, with, with_high, ratio(ratios.len() / 2), ratio(0)];
    format!("| {database} | {connections} | {} |\n", cells.join(" | "))
}
