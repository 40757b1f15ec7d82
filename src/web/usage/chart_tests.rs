use super::*;
use crate::store::usage::UsageFilter;
use crate::token::Micros;
use crate::token::calendar::QUARTER;

const VIENNA: Tz = Tz::Europe__Vienna;

fn at(text: &str) -> Micros {
    Micros::read(text, VIENNA).unwrap()
}

fn filter(from: Option<&str>, to: Option<&str>) -> UsageFilter {
    UsageFilter { from: from.map(at), to: to.map(at), ..UsageFilter::default() }
}

#[track_caller]
fn check(query: &UsageFilter, newest: Option<&str>, reach: Option<(&str, &str)>, from: &str, to: &str, step: Step) {
    let reach = reach.map(|(earliest, latest)| (at(earliest), at(latest)));
    let range = Range::new(query, newest.map(at), reach, at("2026-11-24T12:00"), VIENNA);
    assert_eq!((range.from, range.to, range.step), (at(from), at(to), step));
}

#[test]
fn what_is_charted_is_what_is_asked_for_or_thirty_days() {
    check(&filter(None, None), None, None, "2026-10-26", "2026-11-24T12:00", Step::Day);
    check(&filter(None, None), Some("2026-11-20"), None, "2026-10-26", "2026-11-24T12:00", Step::Day);
    check(&filter(None, None), Some("2025-03-12T10:00"), None, "2025-02-11", "2025-03-12T10:00", Step::Day);
    check(&filter(Some("2026-11-23"), None), Some("2025-03-12"), None, "2026-11-23", "2026-11-24T12:00", Step::Hour);
    check(&filter(None, Some("2026-01-30T23:59")), None, None, "2026-01-01", "2026-01-30T23:59", Step::Day);
    check(&filter(Some("2030-01-01"), None), None, None, "2030-01-01", "2030-01-01", Step::Hour);
}

#[test]
fn a_long_time_is_charted_as_far_as_the_log_reaches() {
    let long = || filter(Some("1970-01-02"), Some("9999-12-31"));
    let reach = Some(("2026-11-01T10:00", "2026-11-20"));
    check(&long(), None, reach, "2026-11-01T10:00", "2026-11-24T12:00", Step::Day);
    check(&long(), None, None, "1970-01-02", "9999-12-31", Step::Year);
    check(&filter(Some("2026-11-01"), Some("2026-11-23")), None, reach, "2026-11-01", "2026-11-23", Step::Day);
}

fn chart(query: &UsageQuery, from: &str, to: &str, counted: &[(&str, i64, i64)]) -> Chart {
    let range = Range::new(&filter(Some(from), Some(to)), None, None, at("2026-11-24T12:00"), VIENNA);
    let quarter =
        |(when, used, refused): &(&str, i64, i64)| (at(when).get() / QUARTER, Tally { used: *used, refused: *refused });
    let quarters: Vec<_> = counted.iter().map(quarter).collect();
    Chart::new(&range, &quarters, query, "/usage", VIENNA)
}

#[test]
fn bars_have_their_numbers_words_and_links() {
    let query = UsageQuery {
        user: "key:a".into(),
        from: "2026-11-20".into(),
        to: "2026-11-24T11:00".into(),
        ..UsageQuery::default()
    };
    let chart = chart(&query, "2026-11-20", "2026-11-24T11:00", &[("2026-11-21T10:00", 30, 4), ("2026-11-24", 1, 0)]);
    let numbers: Vec<_> = chart.bars.iter().map(|bar| (&*bar.used, &*bar.refused)).collect();
    assert_eq!(numbers, [("0", "0"), ("30", "4"), ("0", "0"), ("0", "0"), ("1", "0")]);
    assert_eq!(chart.bars[1].when, "Sat 21 Nov 2026");
    assert_eq!(chart.bars[1].href, "/usage?user=key%3Aa&from=2026%2D11%2D21&to=2026%2D11%2D21");
    assert!(chart.bars[4].href.ends_with("&from=2026%2D11%2D24&to=2026%2D11%2D24T11%3A00"), "no more than was counted");
    assert_eq!(
        chart.words,
        "20 Nov 2026 – 24 Nov 2026: 31 uses and 4 refusals. Most: Sat 21 Nov 2026, 30 uses and 4 refusals."
    );
    let numbers: Vec<_> = chart.lines.iter().map(|line| (&*line.number, &*line.y)).collect();
    assert_eq!(numbers, [("0", "180.0"), ("10", "138.0"), ("20", "96.0"), ("30", "54.0"), ("40", "12.0")]);
    let bar = &chart.bars[1];
    let (uses, refusals) = (bar.uses.as_ref().unwrap(), bar.refusals.as_ref().unwrap());
    assert_eq!((&*uses.y, &*uses.height, &*refusals.y, &*refusals.height), ("54.0", "126.0", "37.2", "16.8"));
    assert!(chart.bars[0].uses.is_none() && chart.bars[0].refusals.is_none());
}

#[test]
fn the_hour_that_comes_twice_is_two_bars_with_links_of_their_own() {
    let chart = chart(
        &UsageQuery::default(),
        "2026-10-25",
        "2026-10-25T23:59",
        &[("2026-10-25T02:00+02:00", 1, 0), ("2026-10-25T02:30+01:00", 0, 2)],
    );
    assert_eq!(chart.bars.len(), 25);
    let (first, second) = (&chart.bars[2], &chart.bars[3]);
    assert_eq!((&*first.when, &*second.when), ("Sun 25 Oct 2026, 02:00 CEST", "Sun 25 Oct 2026, 02:00 CET"));
    assert_eq!((&*first.used, &*second.refused), ("1", "2"));
    assert_eq!(
        first.href,
        "/usage?from=2026%2D10%2D25T02%3A00%2B02%3A00&to=2026%2D10%2D25T02%3A59%3A59%2E999999%2B02%3A00"
    );
    assert!(second.href.contains("T02%3A00%2B01%3A00&"));
}

#[test]
fn the_scale_is_round_and_holds_the_greatest() {
    for (most, step, top) in
        [(0, 1, 1), (1, 1, 1), (3, 1, 3), (4, 1, 4), (5, 2, 6), (34, 10, 40), (1_000_000, 500_000, 1_000_000)]
    {
        assert_eq!(scale(most), (step, top), "{most}");
    }
    for (number, text) in [(0, "0"), (9_000, "9,000"), (20_000, "20k"), (1_500_000, "1.5M"), (20_000_000, "20M")] {
        assert_eq!(short(number), text);
    }
}

#[test]
fn labels_are_few() {
    let (from, to) = (at("2026-08-01"), at("2026-11-24"));
    let range = Range::new(&filter(Some("2026-08-01"), Some("2026-11-24")), None, None, to, VIENNA);
    let labels = labels(&spans(from, to, VIENNA, range.step), range.step, VIENNA);
    assert!(labels.len() <= LABELS && labels.iter().filter(|label| !label.is_extra).count() <= LABELS_NARROW);
    assert_eq!((&*labels[0].words, labels[0].anchor), ("1 Aug", "middle"));
    let (from, to) = (at("2026-11-22"), at("2026-11-24T23:59"));
    let hours: Vec<String> = super::labels(&spans(from, to, VIENNA, Step::Hour), Step::Hour, VIENNA)
        .into_iter()
        .map(|label| label.words)
        .collect();
    assert_eq!(hours, ["22 Nov", "12:00", "23 Nov", "12:00", "24 Nov", "12:00"]);
}
