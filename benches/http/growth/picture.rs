//! The costs as a picture: a small chart for each, all sizes from left to right, both databases in one.

use std::fmt::Write as _;

use super::Grown;
use super::costs::Figure;
use crate::figures::grouped;

/// What is drawn, and how it is called there.
const CHARTS: [(&str, &str); 9] = [
    ("bytes written for a token", "bytes written for a token"),
    ("bytes written for such a use", "bytes written for a use"),
    ("consume tokens from all over, in turn", "uses a second, in turn"),
    ("query 10,000 tokens by value in turn", "query by value, ratio"),
    ("tile pages of 10,000 tokens in turn", "tile, ratio"),
    ("list, first page", "list, ratio"),
    ("search: nothing is found", "search that finds nothing"),
    ("search: a word that only the first 5,000 have", "search for a word of old tokens"),
    ("expired, none is", "a state that nobody is in"),
];
/// In pixels, as the rest.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 190.0;
const COLUMNS: usize = 3;
/// Around the plot of a chart: above it are its name and the highest figure, below it the sizes.
const LEFT: f64 = 26.0;
const RIGHT: f64 = 64.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 34.0;
const LEGEND: f64 = 40.0;
/// Less than this between two figures at the end of a chart, and one would stand on the other.
const LINE: f64 = 13.0;

const STYLE: &str = "text { font: 11px system-ui, sans-serif; fill: #333 } .name { font-weight: 600; fill: #111 } \
    .axis { stroke: #bbb } path { fill: none; stroke-width: 2 } .c0 { stroke: #1f6f5c } .c1 { stroke: #a3482a } \
    circle { stroke: none } .c0 circle, .t0 { fill: #1f6f5c } .c1 circle, .t1 { fill: #a3482a } .ground { fill: #fff } \
    @media (prefers-color-scheme: dark) { text { fill: #ccc } .name { fill: #fff } .axis { stroke: #555 } \
    .c0 { stroke: #63c7ac } .c1 { stroke: #ee9a78 } .c0 circle, .t0 { fill: #63c7ac } .c1 circle, .t1 { fill: #ee9a78 } \
    .ground { fill: #161616 } }";

/// Draws an SVG.
#[allow(clippy::cast_precision_loss, reason = "a handful of charts")]
pub fn draw(all: &[Grown]) -> String {
    let rows = CHARTS.len().div_ceil(COLUMNS);
    let (width, height) = (WIDTH * COLUMNS as f64, HEIGHT * rows as f64 + LEGEND);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"How each cost grows with the number of tokens\">\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    for (number, grown) in all.iter().enumerate() {
        let x = LEFT + 110.0 * number as f64;
        let _ = writeln!(text, "<text class=\"name t{number}\" x=\"{x}\" y=\"24\">{}</text>", grown.database);
    }
    for (number, (cost, name)) in CHARTS.iter().enumerate() {
        let (x, y) = ((number % COLUMNS) as f64 * WIDTH, (number / COLUMNS) as f64 * HEIGHT + LEGEND);
        let _ = write!(text, "<g transform=\"translate({x} {y})\">\n{}</g>\n", chart(all, cost, name));
    }
    text + "</svg>\n"
}

/// A chart from 0 to the highest figure; the distance between sizes is that of their logarithms.
#[allow(clippy::cast_precision_loss, reason = "nobody makes 2^53 tokens")]
fn chart(all: &[Grown], cost: &str, name: &str) -> String {
    let mut text = format!("<text class=\"name\" x=\"{LEFT}\" y=\"16\">{name}</text>\n");
    let lines: Vec<Vec<(usize, Figure)>> = all.iter().map(|grown| line(grown, cost)).collect();
    let sizes: Vec<usize> = lines.iter().flatten().map(|(size, _)| *size).collect();
    let (Some(least), Some(most)) = (sizes.iter().min(), sizes.iter().max()) else { return text };
    let highest = lines.iter().flatten().map(|(_, figure)| figure.height()).fold(f64::MIN_POSITIVE, f64::max);
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let span = (*most as f64 / *least as f64).ln().max(f64::MIN_POSITIVE);
    let across = |size: usize| LEFT + (right - LEFT) * (size as f64 / *least as f64).ln() / span;
    let up = |figure: Figure| bottom - (bottom - TOP) * figure.height() / highest;
    let _ = writeln!(text, "<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>");
    for (size, _) in lines.first().into_iter().flatten() {
        let (x, label) = (across(*size), grouped(&size.to_string()));
        let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>", bottom + 17.0);
    }
    let mut ends: Vec<f64> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let points: Vec<(f64, f64)> = line.iter().map(|(size, figure)| (across(*size), up(*figure))).collect();
        let Some(((x, y), (_, figure))) = points.last().zip(line.last()) else { continue };
        text += &curve(number, &points);
        // Beside the other's figure, not on it.
        let near = ends.iter().find(|end| (*end - y).abs() < LINE);
        let beside = near.map_or(*y, |end| if y < end { end - LINE } else { end + LINE });
        ends.push(beside);
        let (x, y, label) = (x + 8.0, beside + 4.0, figure.text());
        let _ = writeln!(text, "<text class=\"t{number}\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>");
    }
    text
}

/// A database's line through its points.
fn curve(number: usize, points: &[(f64, f64)]) -> String {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let mut text = format!("<g class=\"c{number}\"><path d=\"M{}\"/>", path.join("L"));
    for (x, y) in points {
        let _ = write!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }
    text + "</g>\n"
}

fn line(grown: &Grown, cost: &str) -> Vec<(usize, Figure)> {
    let figure =
        |(size, costs): &(usize, Vec<super::Cost>)| Some((*size, costs.iter().find(|one| one.name == cost)?.figure));
    grown.sizes.iter().filter_map(figure).collect()
}
