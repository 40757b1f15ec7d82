//! The tables of docs/SCALE.md.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use crate::figures::grouped;
use crate::simulation::outcome::{Group, Outcome, Phase};
use crate::simulation::run;
use crate::simulation::scenario::{BATCH, Load, Loss, Machines, Queues, Scenario, Tokens};
use crate::{Options, measured, seconds};

/// A table of Markdown, line by line.
struct Table(String);

impl Table {
    fn new(headings: &[&str]) -> Self {
        Self(format!("| {} |\n| --- |{}\n", headings.join(" | "), " ---: |".repeat(headings.len() - 1)))
    }

    fn add(&mut self, cells: &[String]) {
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }
}

/// Makes a table with a seed.
type Part = fn(u64) -> Result<String, String>;

/// Writes all tables, each when it is ready.
///
/// # Errors
/// The books of a simulation are wrong.
pub fn all(seed: u64, out: &mut impl Write) -> Result<(), String> {
    let parts: [(&str, Part); 4] = [
        ("The model against what was measured", checked),
        ("Instances and databases", rates),
        ("100,000 doors", doors),
        ("A lost database", losses),
    ];
    for (title, part) in parts {
        let table = part(seed)?;
        writeln!(out, "## {title}\n\n{table}").map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Where it was measured, simulated.
fn checked(seed: u64) -> Result<String, String> {
    let headings = [
        "instances, connections",
        "measured",
        "simulated",
        "deviation",
        "uses a transaction",
        "simulated",
        "median",
        "simulated",
    ];
    let mut table = Table::new(&headings);
    for point in measured::POINTS {
        let outcome = run(&Scenario { seed, ..point.scenario() })?;
        let deviation = 100.0 * (outcome.rate / point.rate - 1.0);
        table.add(&[
            format!("{}, {}", point.instances, point.connections),
            format!("{}/s", whole(point.rate)),
            format!("{}/s", whole(outcome.rate)),
            format!("{deviation:+.0} %"),
            format!("{:.1}", point.uses_a_transaction),
            format!("{:.1}", outcome.uses_a_transaction()),
            time(Duration::from_micros(point.median)),
            time(outcome.group(Phase::Before, false).quantile(500)),
        ]);
    }
    Ok(table.0)
}

/// What n instances over m databases answer at most, and how long a use takes at half of that.
fn rates(seed: u64) -> Result<String, String> {
    let headings = [
        "instances",
        "databases",
        "most uses/s",
        "uses a transaction",
        "instance CPU",
        "database CPU",
        "median at half",
        "99 % at half",
    ];
    let mut table = Table::new(&headings);
    for (instances, databases) in [(1, 1), (2, 1), (4, 1), (8, 1), (4, 2), (8, 2), (8, 4), (16, 4), (16, 8), (32, 8)] {
        let (warm_up, duration) = (Duration::from_millis(300), Duration::from_millis(1_300));
        let base = Scenario { duration, warm_up, seed, ..apart(instances, databases) };
        // Two batches for each writer: one under way, one that waits.
        let connections = u32::try_from(2 * BATCH * instances * databases).unwrap_or(u32::MAX);
        let most =
            run(&Scenario { load: Load::Closed(connections), tokens: Tokens::InTurn(10_000_000), ..base.clone() })?;
        let half = run(&Scenario { load: Load::Open(most.rate / 2.0), ..base })?;
        let waits = half.group(Phase::Before, false);
        table.add(&[
            instances.to_string(),
            databases.to_string(),
            whole(most.rate),
            format!("{:.0}", most.uses_a_transaction()),
            percent(most.instance_cpu),
            percent(most.database_cpu),
            time(waits.quantile(500)),
            time(waits.quantile(990)),
        ]);
    }
    Ok(table.0)
}

/// A use every two seconds at each of 100,000 doors, and how many instances and databases it takes.
fn doors(seed: u64) -> Result<String, String> {
    let mut table = Table::new(&[
        "instances, databases",
        "uses/s",
        "median",
        "99 %",
        "99.9 %",
        "instance CPU",
        "database CPU",
        "log",
        "refused tries",
    ]);
    for (instances, databases) in [(4, 1), (4, 2), (6, 3), (8, 4)] {
        let outcome =
            run(&Scenario { seed, load: Load::Open(50_000.0), duration: seconds(4), ..apart(instances, databases) })?;
        let waits = outcome.group(Phase::Before, false);
        table.add(&[
            format!("{instances}, {databases}"),
            whole(outcome.rate),
            time(waits.quantile(500)),
            time(waits.quantile(990)),
            time(waits.quantile(999)),
            percent(outcome.instance_cpu),
            percent(outcome.database_cpu),
            percent(outcome.log),
            (waits.refused + waits.unanswered).to_string(),
        ]);
    }
    Ok(table.0)
}

/// One of four databases is away for eight seconds, under the load of 100,000 doors.
fn losses(seed: u64) -> Result<String, String> {
    let mut text = Table::new(&LOSS_HEADINGS);
    let [from, to] = [3, 11].map(seconds);
    let (instance, shared, own) = (Queues::Instance, Queues::Shared, Queues::Database);
    for (refuses, queues) in [(false, instance), (false, shared), (false, own), (true, instance), (true, own)] {
        let loss = Some(Loss { database: 0, from, to, refuses });
        let load = Load::Open(50_000.0);
        let outcome = run(&Scenario { seed, queues, loss, load, duration: seconds(15), ..apart(8, 4) })?;
        let how = if refuses { "refuses" } else { "gone" };
        add_phases(&mut text, &format!("{how}, {}", name(queues)), &outcome);
    }
    Ok(text.0)
}

const LOSS_HEADINGS: [&str; 8] =
    ["scenario", "began", "tokens", "uses", "within 0.4 s", "median", "99 %", "503 and no answer, tries"];

fn add_phases(table: &mut Table, scenario: &str, outcome: &Outcome) {
    let phases = [(Phase::Before, "before"), (Phase::During, "during"), (Phase::After, "after")];
    for (is_lost, tokens) in [(false, "others"), (true, "its own")] {
        for (phase, began) in phases {
            let group: &Group = outcome.group(phase, is_lost);
            if group.begun == 0 {
                continue;
            }
            table.add(&[
                scenario.to_owned(),
                began.to_owned(),
                tokens.to_owned(),
                whole(f64::from(group.begun)),
                format!("{:.1} %", 100.0 * group.in_time()),
                time(group.quantile(500)),
                time(group.quantile(990)),
                format!("{} and {}", whole(f64::from(group.refused)), whole(f64::from(group.unanswered))),
            ]);
        }
    }
}

/// The scenario of the options.
///
/// # Errors
/// Its books are wrong.
pub fn one(options: &Options, instances: usize, databases: usize) -> Result<String, String> {
    let loss = options.lost.map(|(from, to)| Loss {
        database: 0,
        from: seconds(from),
        to: seconds(to),
        refuses: options.refuses,
    });
    let machines = Machines::Apart { instance: options.instance_cores.into(), database: options.database_cores.into() };
    let load = Load::Open(f64::from(options.doors) / options.every);
    let duration = seconds(options.seconds + 1);
    let (queues, seed) = (options.queues, options.seed);
    let outcome = run(&Scenario { machines, load, queues, loss, duration, seed, ..apart(instances, databases) })?;
    let mut table = Table::new(&LOSS_HEADINGS);
    add_phases(&mut table, &format!("{instances}, {databases}, {}", name(queues)), &outcome);
    let footing = format!(
        "\n{}/s answered, {:.1} uses a transaction. CPU: instances {}, databases {}; log {}. {} done, {} replayed, {} refused \
         by the rule, {} without an answer at the end, {} skipped.\n",
        whole(outcome.rate),
        outcome.uses_a_transaction(),
        percent(outcome.instance_cpu),
        percent(outcome.database_cpu),
        percent(outcome.log),
        outcome.done,
        outcome.replayed,
        outcome.turned_down,
        outcome.open,
        outcome.skipped,
    );
    Ok(table.0 + &footing)
}

/// Machines of their own, and doors that scan ten million tickets; one use in a hundred is of a token with many.
fn apart(instances: usize, databases: usize) -> Scenario {
    Scenario {
        instances,
        databases,
        machines: Machines::Apart { instance: 4, database: 8 },
        load: Load::Open(1_000.0),
        tokens: Tokens::Tickets { count: 10_000_000, hot: 100, share: 0.01, uses: 10_000 },
        queues: Queues::Database,
        loss: None,
        costs: measured::apart(),
        duration: seconds(5),
        warm_up: seconds(1),
        seed: 1,
    }
}

fn name(queues: Queues) -> &'static str {
    match queues {
        Queues::Instance => "one queue",
        Queues::Shared => "a queue each, one limit",
        Queues::Database => "a queue and a limit each",
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.001 => format!("{:.0} µs", seconds * 1e6),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{seconds:.1} s"),
    }
}

/// A whole number.
fn whole(number: f64) -> String {
    grouped(&format!("{number:.0}"))
}
