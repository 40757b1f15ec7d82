use super::*;

const VIENNA: Tz = Tz::Europe__Vienna;

fn at(text: &str, zone: Tz) -> Micros {
    Micros::read(text, zone).unwrap()
}

fn cut(from: &str, to: &str, zone: Tz) -> (Step, Vec<Span>) {
    let (from, to) = (at(from, zone), at(to, zone));
    let step = Step::fitting(from, to);
    (step, spans(from, to, zone, step))
}

/// The length of each span in minutes.
fn minutes(spans: &[Span]) -> Vec<i64> {
    spans.iter().map(|span| (span.end.get() - span.from.get()) / 60_000_000).collect()
}

#[track_caller]
fn check_whole(spans: &[Span], from: Micros, to: Micros) {
    assert!(spans.first().unwrap().from <= from && spans.last().unwrap().end > to);
    assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].from), "no gaps");
    assert!(spans.iter().all(|span| span.from < span.end));
}

#[test]
fn a_range_gets_a_fitting_number_of_spans() {
    for (from, to, step, count) in [
        ("2026-11-24T10:07", "2026-11-24T10:08", Step::Hour, 1),
        ("2026-11-24", "2026-11-24T23:59:59.999999", Step::Hour, 24),
        ("2026-11-22", "2026-11-24T23:59:59.999999", Step::Hour, 72),
        ("2026-11-21", "2026-11-24T23:59:59.999999", Step::Day, 4),
        ("2026-10-26", "2026-11-24T12:00", Step::Day, 30),
        ("2026-07-28", "2026-11-24T23:59:59", Step::Day, 120),
        ("2026-07-01", "2026-11-24", Step::Week, 22),
        ("2025-01-01", "2026-11-24", Step::Week, 100),
        ("2020-02-15", "2026-11-24", Step::Month, 82),
        ("2000-01-01", "2026-11-24", Step::Year, 27),
        ("1970-01-02", "9999-12-31", Step::Year, SPANS_MAX),
    ] {
        let (got, spans) = cut(from, to, VIENNA);
        assert_eq!((got, spans.len()), (step, count), "{from} {to}");
        if count < SPANS_MAX {
            check_whole(&spans, at(from, VIENNA), at(to, VIENNA));
        }
    }
}

#[test]
fn days_of_23_and_25_hours_are_single_spans() {
    let (_, spring) = cut("2026-03-27", "2026-03-31", VIENNA);
    assert_eq!(minutes(&spring), [1_440, 1_440, 23 * 60, 1_440, 1_440]);
    let (_, autumn) = cut("2026-10-23", "2026-10-27", VIENNA);
    assert_eq!(minutes(&autumn), [1_440, 1_440, 25 * 60, 1_440, 1_440]);
    let (step, hours) = cut("2026-10-25", "2026-10-25T23:59", VIENNA);
    assert_eq!((step, hours.len()), (Step::Hour, 25), "the hour that comes twice is two");
    let (_, hours) = cut("2026-03-29", "2026-03-29T23:59", VIENNA);
    assert_eq!(hours.len(), 23);
}

#[test]
fn zones_with_offsets_of_half_or_quarter_hours() {
    let (_, kathmandu) = cut("2026-11-24", "2026-11-24T23:59", Tz::Asia__Kathmandu);
    assert_eq!((kathmandu.len(), kathmandu[0].from.get() % HOUR), (24, QUARTER));
    // Lord Howe Island puts its clock back by half an hour, from 02:00 to 01:30.
    let (_, howe) = cut("2026-04-05", "2026-04-05T23:59", Tz::Australia__Lord_Howe);
    assert_eq!(minutes(&howe).iter().sum::<i64>(), 24 * 60 + 30);
    check_whole(&howe, at("2026-04-05", Tz::Australia__Lord_Howe), at("2026-04-05T23:59", Tz::Australia__Lord_Howe));
}

#[test]
fn a_skipped_day_has_no_span() {
    let (_, samoa) = cut("2011-12-28", "2012-01-02", Tz::Pacific__Apia);
    assert_eq!(minutes(&samoa), [1_440; 5]);
}

#[test]
fn quarters_are_summed_by_span() {
    let (_, days) = cut("2026-10-24", "2026-10-28", VIENNA);
    let quarter = |text| at(text, VIENNA).get() / QUARTER;
    let one = |used, refused| Tally { used, refused };
    let folded = fold(
        &days,
        &[
            (quarter("2026-10-24"), one(1, 0)),
            (quarter("2026-10-24T23:45"), one(0, 2)),
            (quarter("2026-10-25"), one(4, 0)),
            (quarter("2026-10-25T23:45"), one(8, 1)),
            (quarter("2026-10-28T10:00"), one(0, 16)),
        ],
    );
    assert_eq!(folded, [one(1, 2), one(12, 1), one(0, 0), one(0, 0), one(0, 16)]);
    assert_eq!(fold(&[], &[(1, one(1, 1))]), []);
}

#[test]
fn the_last_days_end_with_today() {
    let now = at("2026-11-24T15:30", VIENNA);
    assert_eq!(days_before(now, 30, VIENNA), at("2026-10-26", VIENNA));
    assert_eq!(days_before(now, 1, VIENNA), at("2026-11-24", VIENNA));
}
