//! What is measured at each size.

use std::io;
use std::time::{Duration, Instant};

use super::Bench;
use super::fill::{Made, Tokens};
use crate::client::{Client, post};
use crate::figures::{duration, grouped, mebibytes};
use crate::load;
use crate::run::say;
use crate::scenarios::{self, HEALTH, ROTATION, Scenario, Seed};

/// Connections of a load, and of that which measures bytes: as many uses as share a commit there.
const CONNECTIONS: usize = 64;
const BATCH: usize = 128;
/// Requests of a search, of which the median is taken.
const TIMES: usize = 7;
const IN_TURN: &str = "consume tokens from all over, in turn";

/// A figure with its name.
pub struct Cost {
    pub name: &'static str,
    pub figure: Figure,
}

/// A figure with its unit.
#[derive(Clone, Copy)]
pub enum Figure {
    Bytes(f64),
    Memory(u64),
    PerSecond(f64),
    /// To the health check in the same run.
    Ratio(f64),
    Time(Duration),
}

impl Figure {
    /// As people read it.
    pub fn text(self) -> String {
        match self {
            Self::Bytes(bytes) => grouped(&format!("{bytes:.0}")),
            Self::Memory(bytes) => mebibytes(bytes),
            Self::PerSecond(rate) => format!("{}/s", grouped(&format!("{rate:.0}"))),
            Self::Ratio(ratio) => format!("{ratio:.2}"),
            Self::Time(time) => duration(time),
        }
    }

    /// As a picture shows it: bytes, requests a second, a ratio, or milliseconds.
    #[allow(clippy::cast_precision_loss, reason = "nobody has 2^53 bytes of memory")]
    pub fn height(self) -> f64 {
        match self {
            Self::Bytes(number) | Self::PerSecond(number) | Self::Ratio(number) => number,
            Self::Memory(bytes) => bytes as f64,
            Self::Time(time) => time.as_secs_f64() * 1e3,
        }
    }
}

/// Measures all costs at the present size.
#[allow(clippy::cast_precision_loss, reason = "nobody makes 2^53 tokens")]
pub fn measure(bench: &Bench, tokens: &Tokens, made: &Made) -> io::Result<Vec<Cost>> {
    let mut costs = Costs { bench, all: Vec::new() };
    let per_100_000 = |took: Duration| took.mul_f64(100_000.0 / made.tokens as f64);
    costs.add("make 100,000 tokens", Figure::Time(per_100_000(made.took)));
    costs.add("until the search index has them", Figure::Time(per_100_000(made.indexed)));
    costs.add("bytes written for a token", Figure::Bytes(made.written as f64 / made.tokens as f64));
    costs.add("bytes kept for a token", Figure::Bytes(bench.database.size()? as f64 / tokens.count() as f64));
    let asked = tokens.asked();
    costs.searches(tokens)?;
    bench.server.forget_peak()?;
    costs.loads(&asked)?;
    costs.uses(&asked)?;
    costs.add("memory under these loads", Figure::Memory(bench.server.peak()?));
    Ok(costs.all)
}

struct Costs<'a> {
    bench: &'a Bench<'a>,
    all: Vec<Cost>,
}

impl Costs<'_> {
    fn add(&mut self, name: &'static str, figure: Figure) {
        say(&format!("{}: {name}: {}", self.bench.database.name, figure.text()));
        self.all.push(Cost { name, figure });
    }

    /// Searches and state filters, each alone on one connection.
    fn searches(&mut self, tokens: &Tokens) -> io::Result<()> {
        let made = tokens.count() / 100_000 * 100_000;
        let rare = format!("/query_tokens?q=ticket+{:06}", if made == 0 { tokens.count() / 3 } else { 77_777 });
        let last = self.last("/?state=active")?;
        let searches = [
            ("search: nothing is found", "/query_tokens?q=nothingatall"),
            ("search: two words that few have", rare.as_str()),
            ("search: a word that all have", "/query_tokens?q=ticket"),
            ("search: a word that only the first 5,000 have", "/query_tokens?q=room"),
            ("search: that, by label", "/?q=room&sort=label"),
            ("search: a word that all have, by label", "/?q=ticket&sort=label"),
            ("expired, none is", "/query_tokens?state=expired"),
            ("used up, none is, by label", "/?state=used_up&sort=label"),
            ("locked, none is", "/query_tokens?state=locked"),
            ("voided, none is, by end", "/?state=voided&sort=valid_to"),
            ("page of all, with its number", "/"),
            ("last page of the active", last.as_str()),
        ];
        for (name, address) in searches {
            let time = self.median(address)?;
            self.add(name, Figure::Time(time));
        }
        Ok(())
    }

    fn last(&self, address: &str) -> io::Result<String> {
        let page = Client::connect(self.bench.server.address, self.bench.key)?.get(address)?;
        scenarios::link(&page, "Last").ok_or_else(|| io::Error::other(format!("the page {address} has no last one")))
    }

    fn median(&self, address: &str) -> io::Result<Duration> {
        let mut client = Client::connect(self.bench.server.address, self.bench.key)?;
        client.get(address)?;
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let start = Instant::now();
            client.get(address)?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        Ok(times[TIMES / 2])
    }

    /// The scenarios of the benchmark that ask for tokens from all over.
    fn loads(&mut self, asked: &[String]) -> io::Result<()> {
        let Bench { server, key, options, .. } = *self.bench;
        let seed = Seed { many: asked[..asked.len().min(ROTATION)].to_vec(), one: asked[0].clone() };
        let rate = |scenario: &Scenario| {
            let samples = load::run(server.address, &scenario.requests, CONNECTIONS, options.seconds)?;
            Ok::<_, io::Error>(samples.rate())
        };
        let health = scenarios::health(server.address);
        let before = rate(&health)?;
        let mut rates = Vec::new();
        for scenario in scenarios::all(server.address, key, &seed)? {
            if scenario.single_commits || !scenario.name.contains(&options.only) {
                continue;
            }
            server.empty_log()?;
            self.bench.database.wait_for_index()?;
            let rate = rate(&scenario)?;
            say(&format!("{}: {}: {rate:.0}/s", self.bench.database.name, scenario.name));
            rates.push((scenario.name, rate));
        }
        let health = f64::midpoint(before, rate(&health)?);
        self.add(HEALTH, Figure::PerSecond(health));
        for (name, rate) in rates {
            self.add(name, Figure::Ratio(rate / health));
        }
        Ok(())
    }

    /// Uses of tokens from all over, in batches, and what they write.
    #[allow(clippy::cast_precision_loss, reason = "nobody counts 2^53 bytes")]
    fn uses(&mut self, asked: &[String]) -> io::Result<()> {
        let Bench { server, key, options, database } = *self.bench;
        let requests: Vec<Vec<u8>> =
            asked.iter().map(|uid| post(server.address, key, &format!("/{uid}/consume_token"), "")).collect();
        server.empty_log()?;
        database.wait_for_index()?;
        database.settle();
        let (before, uses) = (self.bench.written()?, database.uses()?);
        let samples = load::run(server.address, &requests, BATCH, options.seconds)?;
        database.settle();
        let (written, uses) = (self.bench.written()? - before, database.uses()? - uses);
        self.add(IN_TURN, Figure::PerSecond(samples.rate()));
        self.add("bytes written for such a use", Figure::Bytes(written as f64 / uses as f64));
        Ok(())
    }
}
