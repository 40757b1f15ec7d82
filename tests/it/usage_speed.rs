//! A log of a million entries: how long its page and its parts take. Takes a while itself, so it is run by hand.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::token::Micros;

use crate::app::App;
use crate::database::on_postgres;
use crate::usage_log::write_many;

#[actix_web::test]
#[ignore = "writes a million entries"]
async fn a_million_entries_are_charted_in_under_a_second() {
    let app = App::start().await;
    let first = Micros::now().get() - 29 * 24 * 3_600 * 1_000_000;
    let mut connection = app.connection();
    let code = "CASE WHEN i % 9 = 0 THEN 2 END";
    write_many(&mut connection, 1_000_000, &format!("{first} + i * CAST(2500000 AS BIGINT)"), "i % 5000", code);
    if on_postgres() {
        connection.batch_execute("ANALYZE usage").unwrap();
    }
    let day = |days: i64| Micros::stored(first + days * 24 * 3_600 * 1_000_000).to_string();
    let (early, late) = (day(2), day(3));
    for query in [
        String::new(),
        "outcome=refused".into(),
        format!("from={early}&to={late}"),
        format!("from={early}"),
        "last=1".into(),
        "q=T-77&user=door-3".into(),
        "q=nowhere".into(),
        format!("from={early}&to={}", day(25)),
    ] {
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let since = Instant::now();
            let answer = app.request(Role::Viewer, Method::GET, &format!("/usage?{query}")).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.text().await.unwrap();
            best = best.min(since.elapsed());
        }
        println!("/usage?{query}: {best:?}");
        assert!(best < Duration::from_secs(1), "{query}: {best:?}");
    }
    let since = Instant::now();
    let table = app.request(Role::Viewer, Method::GET, "/usage.csv").send().await.unwrap().bytes().await.unwrap();
    println!("/usage.csv: {} MB in {:?}", table.len() / 1_000_000, since.elapsed());
}
