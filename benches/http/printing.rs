//! How much slower consumes are while a print job runs: `cargo bench --bench http -- --printing`.
//!
//! The same load is measured alternately with and without a job, since the machine may become slower over time.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::Options;
use crate::client::{Client, post};
use crate::database::Kind;
use crate::figures::{duration, grouped};
use crate::load::{self, Samples};
use crate::run::say;
use crate::server::{self, Server};

/// Labels of a job: ten PDFs.
const LABELS: usize = 100_000;
/// How often each load is measured with and without a job.
const ROUNDS: usize = 5;
/// How often to check whether a job has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// From the start of a job until it is measured, so that it has begun to render pages.
const WARM_UP: Duration = Duration::from_millis(300);

/// Runs the measurements in `options`, and prints them as Markdown.
pub fn report(options: &Options) -> ExitCode {
    let headings =
        ["database", "connections", "requests/s", "99 %", "with a job", "99 % with a job", "ratio", "lowest"];
    let mut text = format!("| {} |\n| --- |{}\n", headings.join(" | "), " ---: |".repeat(headings.len() - 1));
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
    /// The batch to print.
    batch: String,
    /// The request that consumes a token.
    consume: Vec<u8>,
}

impl<'a> Bench<'a> {
    fn new(server: &'a Server, key: &'a str) -> io::Result<Self> {
        let mut client = Client::connect(server.address, key)?;
        let form = format!("count={LABELS}&usage_count=-1&label=Locker+%7Bn%3A06%7D&batch_name=Lockers");
        let made = client.post("/add_tokens", &form)?;
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let ids = text(&made["batch_uid"]).zip(text(&made["token_uids"][0]));
        let (batch, uid) = ids.ok_or_else(|| io::Error::other("no tokens were made"))?;
        let consume = post(server.address, key, &format!("/{uid}/consume_token"), "");
        Ok(Self { server, key, batch, consume })
    }

    /// Without a job, and with one.
    fn pair(&self, connections: usize, seconds: u64) -> io::Result<[Samples; 2]> {
        let load = || load::run(self.server.address, std::slice::from_ref(&self.consume), connections, seconds);
        let without = load()?;
        let job = format!("{:08x}-0000-4000-8000-{:012x}", rand::random::<u32>(), rand::random::<u32>());
        let form = format!("sheet=avery-l7651&batch={}&job_uid={job}", self.batch);
        // A new connection each time, because an idle one would be closed meanwhile.
        let client = || Client::connect(self.server.address, self.key);
        client()?.send("/print_jobs", &form)?;
        thread::sleep(WARM_UP);
        let with = load()?;
        let is_running = || Ok::<_, io::Error>(client()?.get(&format!("/print_jobs/{job}"))?.contains("<progress"));
        if !is_running()? {
            return Err(io::Error::other("the job ended before it was measured: give fewer --seconds"));
        }
        while is_running()? {
            thread::sleep(POLL_INTERVAL);
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
