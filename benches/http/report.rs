//! Formats the measurements as Markdown for docs/BENCHMARK.md.

use std::time::Duration;

use crate::figures::{duration, grouped, mebibytes};
use crate::machine;
use crate::run::{Line, Measured};
use crate::scenarios::HEALTH;

/// The whole report.
pub fn report(all: &[Measured], seconds: u64) -> String {
    let versions: Vec<&str> = all.iter().map(|measured| measured.version.as_str()).collect();
    let mut others: Vec<f64> = all.iter().flat_map(|measured| &measured.others).copied().collect();
    others.sort_unstable_by(f64::total_cmp);
    let median = others.get(others.len() / 2).copied().unwrap_or_default();
    let most = others.last().copied().unwrap_or_default();
    let mut text = format!(
        "{}; {}. Other programs took {median:.0} % of the CPU in the median, and {most:.0} % at most. \
         {seconds} seconds a line. {}, commit {}.\n\n",
        machine::name(),
        versions.join("; "),
        chrono::Local::now().format("%Y-%m-%d"),
        machine::commit(),
    );
    text += &table(all);
    text += "\n";
    for measured in all {
        text += &footing(measured);
    }
    text
}

fn table(all: &[Measured]) -> String {
    let mut headings = vec!["scenario".to_owned(), "connections".to_owned()];
    for measured in all {
        let columns = ["requests/s", "median", "99 %", "ratio"];
        headings.extend(
            columns.map(|column| if all.len() > 1 { format!("{}: {column}", measured.name) } else { column.into() }),
        );
    }
    let rule = (0..headings.len()).map(|column| if column == 0 { "---" } else { "---:" }.to_owned()).collect();
    let body = rows(all).into_iter().map(|(scenario, connections)| {
        let figures = all.iter().flat_map(|measured| figures(measured, scenario, connections));
        [scenario.to_owned(), connections.to_string()].into_iter().chain(figures).collect()
    });
    let lines = [headings, rule].into_iter().chain(body);
    lines.fold(String::new(), |text, cells: Vec<String>| text + "| " + &cells.join(" | ") + " |\n")
}

/// Scenarios with their connections: the health check first, then in the order of measurement.
fn rows(all: &[Measured]) -> Vec<(&'static str, usize)> {
    let lines = || all.iter().take(1).flat_map(|measured| &measured.lines);
    let mut names = vec![HEALTH];
    for line in lines() {
        if !names.contains(&line.scenario) {
            names.push(line.scenario);
        }
    }
    let with_connections =
        |name| lines().filter(move |line| line.scenario == name).map(move |line| (name, line.connections));
    names.into_iter().flat_map(with_connections).collect()
}

fn figures(measured: &Measured, scenario: &str, connections: usize) -> [String; 4] {
    let find = |name| {
        let matches = |line: &&Line| line.scenario == name && line.connections == connections;
        measured.lines.iter().find(matches).map(|line| &line.samples)
    };
    let Some(samples) = find(scenario) else { return Default::default() };
    let [median, high] = samples.percentiles([50, 99]).map(|micros| duration(Duration::from_micros(micros.into())));
    let ratio = find(HEALTH).map(|health| format!("{:.3}", samples.rate() / health.rate()));
    [grouped(&format!("{:.0}", samples.rate())), median, high, ratio.unwrap_or_default()]
}

fn footing(measured: &Measured) -> String {
    let Measured { name, disk, starts, memory_at_rest, memory_peaks, .. } = measured;
    let format = |time: Option<&Duration>| time.copied().map(duration).unwrap_or_default();
    let peaks: Vec<String> =
        memory_peaks.iter().map(|(connections, peak)| format!("{} with {connections}", mebibytes(*peak))).collect();
    format!(
        "- {name}: a write of 4 KiB is on its disk after {}. From its start until it listens, on a database with a \
         million tokens, the server takes {} (fastest) or {} (median of {}). It then has {} of memory (RSS), and at most {} connections under the load above.\n",
        duration(*disk),
        format(starts.first()),
        format(starts.get(starts.len() / 2)),
        starts.len(),
        mebibytes(*memory_at_rest),
        peaks.join(", "),
    )
}
