//! The chart of `/usage`.

use tessera::access::Role;

use super::page::app_with_log;
use crate::support::browser::Browser;

/// What the chart's table says: when, uses, refusals.
fn numbers(text: &str) -> Vec<(&str, &str, &str)> {
    let rows = text.split("<th scope=\"row\">").skip(1);
    rows.map(|row| {
        let when = row.split('>').nth(1).unwrap().split('<').next().unwrap();
        let mut numbers = row.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().unwrap());
        (when, numbers.next().unwrap(), numbers.next().unwrap())
    })
    .collect()
}

#[actix_web::test]
async fn the_chart_counts_by_hour_day_week_and_month_of_the_zone() {
    let app = app_with_log().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let days = viewer.get("/usage?from=2026-10-22&to=2026-10-26").await;
    let counted = numbers(&days.text);
    assert_eq!(
        counted,
        [
            ("Thu 22 Oct 2026", "0", "0"),
            ("Fri 23 Oct 2026", "0", "0"),
            ("Sat 24 Oct 2026", "1", "1"),
            ("Sun 25 Oct 2026", "2", "2"),
            ("Mon 26 Oct 2026", "0", "1"),
        ]
    );
    days.check(
        200,
        &[
            "<h2>22 Oct 2026 – 26 Oct 2026</h2>",
            "role=\"img\"",
            "22 Oct 2026 – 26 Oct 2026: 3 uses and 4 refusals. Most: Sun 25 Oct 2026, 2 uses and 2 refusals.",
            "<title>Sun 25 Oct 2026: 2 used, 2 refused</title>",
            "href=\"/usage?from=2026%2D10%2D25&#38;to=2026%2D10%2D25\"",
        ],
    );
    assert!(!days.text.contains("style="), "no inline style");
    let hours = viewer.get("/usage?from=2026-10-25&to=2026-10-25").await;
    let counted = numbers(&hours.text);
    assert_eq!(counted.len(), 25);
    assert_eq!(
        counted[..4],
        [
            ("Sun 25 Oct 2026, 00:00", "1", "0"),
            ("Sun 25 Oct 2026, 01:00", "0", "0"),
            ("Sun 25 Oct 2026, 02:00 CEST", "0", "1"),
            ("Sun 25 Oct 2026, 02:00 CET", "0", "1"),
        ]
    );
    let refusals = viewer.get("/usage?from=2026-10-22&to=2026-10-26&outcome=refused&q=b").await;
    assert_eq!(numbers(&refusals.text)[3..], [("Sun 25 Oct 2026", "0", "2"), ("Mon 26 Oct 2026", "0", "1")]);
    // A long time is charted as far as the log reaches, until now.
    let long = viewer.get("/usage?from=2020-01-01&to=2026-10-26").await;
    assert_eq!(numbers(&long.text).iter().map(|row| row.1.parse::<i64>().unwrap()).sum::<i64>(), 3);
    let before = viewer.get("/usage?to=2026-10-25").await;
    assert_eq!((numbers(&before.text).len(), numbers(&before.text)[29]), (30, ("Sun 25 Oct 2026", "2", "2")));
    before.check(200, &["<h2>30 days: 26 Sep 2026 – 25 Oct 2026</h2>"]);
}
