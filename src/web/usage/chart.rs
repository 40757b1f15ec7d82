//! The chart of the log: what was counted, as bars, numbers and words. What it looks like is the template's.

use chrono::Timelike;
use chrono_tz::Tz;

use super::chart_range::Range;
use super::chart_words::{by, link, name_of};
use super::query::UsageQuery;
use crate::token::calendar::{Span, Step, Tally, fold, spans};
use crate::web::format::grouped;
use crate::web::words::usage as words;

/// Pixels from the top of the chart to the greatest number, and to the line on which bars stand.
const TOP: f64 = 12.0;
const BASE: f64 = 180.0;
/// About how many words stand under the chart, and on a phone.
const LABELS: usize = 8;
const LABELS_NARROW: usize = 4;

/// A chart, ready to be drawn: lengths along it in percent, so that it is as wide as its place; heights in pixels.
pub(crate) struct Chart {
    /// What it is.
    pub(crate) title: String,
    /// Which time it shows.
    pub(crate) time: String,
    /// What it shows, in words.
    pub(crate) words: String,
    /// How many uses.
    pub(crate) used: String,
    /// How many refusals.
    pub(crate) refused: String,
    /// What a bar is, as in `Day`.
    pub(crate) unit: &'static str,
    /// One for each part of the time, the earliest first.
    pub(crate) bars: Vec<Bar>,
    /// Numbers at the side.
    pub(crate) lines: Vec<Line>,
    /// Words under it.
    pub(crate) labels: Vec<Label>,
}

/// A bar and its numbers.
pub(crate) struct Bar {
    /// Which part of the time it is.
    pub(crate) when: String,
    /// How many uses.
    pub(crate) used: String,
    /// How many refusals.
    pub(crate) refused: String,
    /// The address of its entries.
    pub(crate) href: String,
    /// From where to where its part of the chart goes.
    pub(crate) slot: Along,
    /// From where to where the bar goes.
    pub(crate) column: Along,
    /// The uses' part, from its top on.
    pub(crate) uses: Option<Upright>,
    /// The refusals' part.
    pub(crate) refusals: Option<Upright>,
}

/// Along the chart, in percent.
pub(crate) struct Along {
    /// The left end.
    pub(crate) x: String,
    /// The width.
    pub(crate) width: String,
}

/// Up the chart, in pixels.
pub(crate) struct Upright {
    /// The upper end.
    pub(crate) y: String,
    /// The height.
    pub(crate) height: String,
}

/// A line across the chart.
pub(crate) struct Line {
    /// Its height, in pixels.
    pub(crate) y: String,
    /// Its number.
    pub(crate) number: String,
}

/// Words under the chart.
pub(crate) struct Label {
    /// Where, in percent.
    pub(crate) x: String,
    /// `middle` or `end`: which part of the words is there.
    pub(crate) anchor: &'static str,
    /// What they say.
    pub(crate) words: String,
    /// Only where there is room.
    pub(crate) is_extra: bool,
}

impl Chart {
    /// The chart of what was counted in quarters of hours.
    pub(crate) fn new(range: &Range, quarters: &[(i64, Tally)], query: &UsageQuery, path: &str, zone: Tz) -> Self {
        let spans = spans(range.from, range.to, zone, range.step);
        let tallies = fold(&spans, quarters);
        let mut total = Tally::default();
        for tally in &tallies {
            total.add(*tally);
        }
        let most = tallies.iter().map(|tally| tally.all()).max().unwrap_or(0);
        let (step, top) = scale(most);
        let count = spans.len();
        let bars = spans.iter().zip(&tallies).enumerate();
        let bars: Vec<Bar> = bars
            .map(|(n, (span, tally))| {
                let href = link(query, *span, range, zone).href(path, "");
                Bar::new(*tally, top, (n, count), name_of(&spans, n, range.step, zone), href)
            })
            .collect();
        let time = if range.step == Step::Hour {
            format!("{} – {}", by(range.from, zone, "%-d %b %Y %H:%M"), by(range.to, zone, "%-d %b %Y %H:%M"))
        } else {
            format!("{} – {}", by(range.from, zone, "%-d %b %Y"), by(range.to, zone, "%-d %b %Y"))
        };
        let unit = words::unit(range.step);
        let title = words::chart_title(unit);
        let most = tallies.iter().zip(&bars).max_by_key(|(tally, _)| tally.all());
        let words = words::chart(&time, total, most.map(|(tally, bar)| (*tally, bar.when.as_str())));
        let lines = (0..=top / step).map(|n| Line { y: px(height(n * step, top)), number: short(n * step) }).collect();
        let time = format!("{}{time}", range.name);
        let (used, refused) = (grouped(total.used), grouped(total.refused));
        Self { title, time, words, used, refused, unit, bars, lines, labels: labels(&spans, range.step, zone) }
    }
}

impl Bar {
    fn new(tally: Tally, top: i64, (n, count): (usize, usize), when: String, href: String) -> Self {
        let slot = 100.0 / real(count);
        let x = real(n) * slot;
        // More may have been given back than was used, of what was used earlier.
        let uses = height(tally.used.max(0), top);
        // A single refusal among thousands of uses must be seen.
        let refusals = (BASE - height(tally.refused, top)).max(2.0);
        Self {
            when,
            used: grouped(tally.used),
            refused: grouped(tally.refused),
            href,
            slot: Along { x: percent(x), width: percent(slot) },
            column: Along { x: percent(x + slot * 0.14), width: percent(slot * 0.72) },
            uses: (tally.used > 0).then(|| Upright { y: px(uses.min(BASE - 1.0)), height: px((BASE - uses).max(1.0)) }),
            refusals: (tally.refused > 0).then(|| Upright { y: px((uses - refusals).max(1.0)), height: px(refusals) }),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a pixel is far coarser")]
fn real(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss, reason = "a pixel is far coarser")]
fn height(number: i64, top: i64) -> f64 {
    BASE - (BASE - TOP) * number as f64 / top as f64
}

fn percent(x: f64) -> String {
    format!("{x:.3}%")
}

fn px(y: f64) -> String {
    format!("{y:.1}")
}

/// The distance of the lines, a round number, and the greatest of them.
fn scale(most: i64) -> (i64, i64) {
    let mut decade = 1;
    loop {
        for round in [1, 2, 5] {
            let step = round * decade;
            if step * 4 >= most {
                let lines = (most + step - 1) / step;
                return (step, step * lines.max(1));
            }
        }
        decade *= 10;
    }
}

/// A round number in little room.
fn short(number: i64) -> String {
    match number {
        0..10_000 => grouped(number),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        _ if number % 1_000_000 == 0 => format!("{}M", grouped(number / 1_000_000)),
        _ => format!("{}.{}M", grouped(number / 1_000_000), number / 100_000 % 10),
    }
}

/// At which bars words stand: few enough, and hours at noon and midnight rather than anywhere.
fn places(spans: &[Span], step: Step, zone: Tz) -> Vec<usize> {
    let all = 0..spans.len();
    if step != Step::Hour {
        return all.step_by(spans.len().div_ceil(LABELS).max(1)).collect();
    }
    let every = |hours: u32| -> Vec<usize> {
        let is_round = |n: &usize| {
            let local = spans[*n].from.local(zone);
            local.minute() == 0 && local.hour().is_multiple_of(hours)
        };
        all.clone().filter(is_round).collect()
    };
    let places = [1, 3, 6, 12].map(every).into_iter().find(|places| places.len() <= LABELS);
    places.filter(|places| !places.is_empty()).unwrap_or_else(|| vec![0])
}

/// Words under the bars, at some of them.
fn labels(spans: &[Span], step: Step, zone: Tz) -> Vec<Label> {
    let places = places(spans, step, zone);
    let narrow = places.len().div_ceil(LABELS_NARROW).max(1);
    let label = |(place, n): (usize, &usize)| {
        let from = spans[*n].from;
        let is_new_day = *n == 0 || from.local(zone).date() != spans[*n - 1].from.local(zone).date();
        let format = match step {
            Step::Hour if is_new_day => "%-d %b",
            Step::Hour => "%H:%M",
            Step::Day | Step::Week => "%-d %b",
            Step::Month => "%b %Y",
            Step::Year => "%Y",
        };
        let x = (real(*n) + 0.5) * 100.0 / real(spans.len());
        // The first may reach out to the left, where nothing stands at its height.
        let anchor = if x > 95.0 { "end" } else { "middle" };
        Label { x: percent(x), anchor, words: by(from, zone, format), is_extra: place % narrow != 0 }
    };
    places.iter().enumerate().map(label).collect()
}

#[cfg(test)]
#[path = "chart_tests.rs"]
mod tests;
