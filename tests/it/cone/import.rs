//! What is moved in: tokens, their log, their order, and what doors then say.

use serde_json::{Value, json};

use super::fixture::{Cone, Row, Use, clock, hyphenated, quote, row};
use crate::support::app::send;
use crate::support::database::number;
use crate::support::process::{Place, Server, text};
use crate::support::usage_log::keep_all;

/// Tokens of every sort, and the code with which cone.tokens would refuse each; none if it would consume it.
fn sorts() -> Vec<(Row, Option<i64>)> {
    let value = |text: &str| quote(text);
    let past = || (clock(-7_200), clock(-3_600));
    vec![
        (Row { value: value("Straße 7"), creator: quote("Jürgen O'Neil"), ..row(1) }, None),
        (Row { usage_count: "-1".into(), ..row(2) }, None),
        (Row { usage_count: "0".into(), value: value("used-up"), last_used: clock(-9), ..row(3) }, Some(2)),
        (Row { last_used: clock(-100), lock_time: "3600".into(), value: value("locked"), ..row(4) }, Some(3)),
        (Row { last_used: clock(-100), lock_time: "90".into(), value: value("open again"), ..row(5) }, None),
        (Row { valid_from: clock(3_600), value: value("too early"), ..row(6) }, Some(4)),
        (Row { valid_from: past().0, valid_to: past().1, value: value("too late"), ..row(7) }, Some(4)),
        (Row { valid_from: clock(-60), valid_to: clock(3_600), value: value("in time"), ..row(8) }, None),
        // The order of the rule: used up, then locked, then out of time.
        (Row { usage_count: "0".into(), lock_time: "99".into(), last_used: clock(-1), ..row(9) }, Some(2)),
        (Row { lock_time: "99".into(), last_used: clock(-1), valid_to: past().1, ..row(10) }, Some(3)),
        (Row { value: "NULL".into(), creator: "NULL".into(), ..row(11) }, None),
        (Row { value: value(""), ..row(12) }, None),
    ]
}

async fn token(server: &Server, key: &str, value: &str) -> Value {
    let answer = send(server.get(key, "/query_token").query(&[("value", value)])).await;
    answer.check_success().body["token"].clone()
}

#[actix_web::test]
async fn each_code_says_what_it_said() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        for (row, _) in sorts() {
            cone.add(&row);
        }
        let dry = cone.imports(&place, &["--dry-run"]);
        assert!(
            dry.contains("Tokens without a value: 2 (for information; they get their uid)")
                && dry.contains("Nothing was written"),
            "{dry}"
        );
        let said = cone.imports(&place, &[]);
        assert!(said.contains("Each token was then found by its value"), "{said}");

        let (server, key) = (place.serve(), place.key("manager"));
        for (row, refusal) in sorts() {
            let value = row.value.trim_matches('\'').replace("''", "'");
            let value = if value.is_empty() || value == "NULL" { hyphenated(row.uid) } else { value };
            let before = token(&server, &key, &value).await;
            assert_eq!(before["uid"], json!(hyphenated(row.uid)), "{value}");
            assert_eq!(before["usage_count"].to_string(), row.usage_count, "{value}");
            assert_eq!(before["lock_time"].to_string(), row.lock_time, "{value}");
            let answer = send(server.post(&key, "/consume_token").form(&[("value", &value)])).await;
            assert_eq!(answer.body["error_code"].as_i64(), refusal, "{row:?} {answer:?}");
            let left = token(&server, &key, &value).await["usage_count"].as_i64().unwrap();
            let was = row.usage_count.parse::<i64>().unwrap();
            assert_eq!(left, if refusal.is_some() || was < 0 { was } else { was - 1 }, "{value}");
        }
        let first = token(&server, &key, "Straße 7").await;
        assert_eq!((&first["creator"], &first["label"]), (&json!("cone:Jürgen O'Neil"), &json!(null)));
        assert_eq!(first["created"], json!("2026-01-02T02:04:05.678901Z"));
        assert_eq!(first["modified"], json!("2026-01-02T02:04:06Z"));
        assert_eq!(token(&server, &key, &hyphenated(11)).await["creator"], json!("nobody"));
        let audit = "SELECT count(*) FROM audit WHERE action = 'import cone' AND detail = '12 tokens, 0 log entries'";
        assert_eq!(number(&mut place.connection(), audit), 1);
    }
}

const LOG: [Use; 9] = [
    Use { uid: 101, token: 1, at: "2026-03-01 10:00:00.000001", code: None },
    Use { uid: 102, token: 2, at: "2026-03-01 10:00:00", code: Some(2) },
    Use { uid: 103, token: 1, at: "2026-03-01 10:00:07.500000", code: Some(3) },
    // Both hours of the day on which clocks are put back are taken for the first one.
    Use { uid: 104, token: 1, at: "2025-10-26 01:30:00.000000", code: None },
    Use { uid: 105, token: 2, at: "2025-10-26 02:30:00.000000", code: None },
    Use { uid: 106, token: 1, at: "2025-10-26 03:30:00.000000", code: Some(4) },
    Use { uid: 107, token: 99, at: "2025-12-31 23:59:59.999999", code: None },
    Use { uid: 108, token: 2, at: "2026-03-29 01:59:59.000000", code: None },
    Use { uid: 109, token: 2, at: "2026-03-29 03:00:00.000000", code: None },
];

#[actix_web::test]
async fn the_whole_log_comes_in_the_order_of_time() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        cone.add(&Row { last_used: quote("2026-03-01 10:00:00.000001"), ..row(1) });
        cone.add(&Row { usage_count: "-1".into(), last_used: quote("2026-03-29 03:00:00"), ..row(2) });
        cone.add(&row(3));
        for entry in LOG {
            cone.log(&entry);
        }
        let said = cone.imports(&place, &[]);
        assert!(said.contains("Log entries of tokens that are not there: 1 (for information)"), "{said}");
        for counts in ["log entries", "refused with 4", "uses made"] {
            let line = said.lines().find(|line| line.trim_start().starts_with(counts)).unwrap();
            let [read, written] = line.split_whitespace().rev().take(2).collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            assert_eq!(read, written, "{line}");
        }
        let mut connection = place.connection();
        let mut is_true = |what: &str| {
            let holds = number(&mut connection, &format!("SELECT CASE WHEN {what} THEN 1 ELSE 0 END"));
            assert_eq!(holds, 1, "{what}");
        };
        is_true("(SELECT count(*) FROM usage) = 9 AND (SELECT sum(uses) FROM usage) = 9");
        is_true("(SELECT used FROM tokens WHERE id = 1) = 2 AND (SELECT used FROM tokens WHERE id = 2) = 3");
        // What is unlimited loses nothing, nor does a refusal take anything.
        is_true("(SELECT sum(taken) FROM usage) = 3 AND (SELECT sum(taken) FROM usage WHERE token = 2) = 0");
        is_true(
            "NOT EXISTS (SELECT 1 FROM (SELECT previous, LAG(id) OVER (PARTITION BY token ORDER BY id) AS right_one, token
             FROM usage) AS n WHERE token IS NOT NULL AND COALESCE(previous, 0) <> COALESCE(right_one, 0))",
        );
        is_true(
            "NOT EXISTS (SELECT 1 FROM tokens WHERE COALESCE(last_entry, 0) <>
             (SELECT COALESCE(max(usage.id), 0) FROM usage WHERE usage.token = tokens.id))",
        );
        is_true(
            "NOT EXISTS (SELECT 1 FROM usage AS a JOIN usage AS b ON b.id = a.id + 1 WHERE b.timestamp < a.timestamp)",
        );
        is_true(
            "(SELECT lock_before FROM usage WHERE uid LIKE '%65') = (SELECT timestamp FROM usage WHERE uid LIKE '%68')",
        );
        is_true("(SELECT entry FROM index_progress) = 9 AND (SELECT count(*) FROM index_queue) = 3");

        keep_all(&mut place.connection());
        let (server, key) = (place.serve(), place.key("manager"));
        let newest_first: Vec<Value> = server.usage(&key, "").await;
        let times: Vec<&str> = newest_first.iter().map(|entry| entry["timestamp"].as_str().unwrap()).collect();
        assert_eq!(
            times,
            [
                "2026-03-29T01:00:00Z",
                "2026-03-29T00:59:59Z",
                "2026-03-01T09:00:07.500Z",
                "2026-03-01T09:00:00.000001Z",
                "2026-03-01T09:00:00Z",
                "2025-12-31T22:59:59.999999Z",
                "2025-10-26T02:30:00Z",
                "2025-10-26T00:30:00Z",
                "2025-10-25T23:30:00Z",
            ]
        );
        let first = &newest_first[3];
        let right = json!({"uid": hyphenated(101), "token_uid": hyphenated(1), "token_value": "T-1", "user": "cone:ben",
            "timestamp": times[3], "error_code": null, "error": null, "uses": 1, "gate": null, "undoes": null});
        assert_eq!(*first, right);
        assert_eq!(newest_first[2]["error"], json!("TokenLockTimeViolation"));
        assert_eq!(server.usage(&key, &hyphenated(1)).await.len(), 4);
        assert_eq!(server.usage(&key, &hyphenated(99)).await[0]["token_value"], json!("T-99"));
        // What comes afterwards follows.
        send(server.post(&key, &format!("/{}/consume_token", hyphenated(1)))).await.check_success();
        assert_eq!(server.usage(&key, &hyphenated(1)).await.len(), 5);
        send(server.post(&key, "/add_tokens").form(&[("count", "2")])).await.check_success();
        assert_eq!(token(&server, &key, &hyphenated(1)).await["usage_count"], json!(2));
    }
}

#[actix_web::test]
async fn the_newest_tokens_come_first() {
    let (mut cone, place) = (Cone::file(), Place::new());
    let made = ["2026-01-03 00:00:00", "2024-12-31 23:59:59.5", "2026-01-02 00:00:00.000001", "2026-01-02 00:00:00"];
    for (uid, created) in (1..).zip(made) {
        cone.add(&Row { created: quote(created), ..row(uid) });
    }
    cone.imports(&place, &[]);
    let (server, key) = (place.serve(), place.key("viewer"));
    let found = send(server.get(&key, "/query_tokens")).await.check_success().body["tokens"].clone();
    let uids: Vec<&str> = found.as_array().unwrap().iter().map(|token| token["uid"].as_str().unwrap()).collect();
    assert_eq!(uids, [1, 3, 4, 2].map(hyphenated));
}

#[actix_web::test]
async fn settings_come_too() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&row(1));
    let file = place.path("tokens.json");
    let settings = file.to_str().unwrap();
    for (json, words) in [
        ("{", "this is no settings file"),
        ("{}", "none of cone.tokens' settings"),
        (r#"{"defaults": 1}"#, "unknown field"),
        (r#"{"default_locktime": -1}"#, "lock must be"),
        (r#"{"default_usage_count": 99999999999}"#, "this is no settings file"),
        (r#"{"today": {"start": "8 am", "end": "18:00"}}"#, "no time of a day"),
        (r#"{"today": {"start": "08:00", "end": "08:00"}}"#, "Nothing was imported"),
    ] {
        std::fs::write(&file, json).unwrap();
        cone.refuses(&place, &["--settings", settings], words);
    }
    cone.refuses(&place, &["--settings", "nowhere.json"], "nowhere.json");
    let json = r#"{"morning": {"start": "07:30", "end": "11:00"}, "afternoon": {"start": "12:00", "end": "18:00"},
        "today": {"start": "07:30", "end": "18:00"}, "default_locktime": 30, "default_usage_count": 0}"#;
    std::fs::write(&file, json).unwrap();
    cone.imports(&place, &["--settings", settings]);
    let set =
        |name: &str, value: &str| format!("SELECT count(*) FROM settings WHERE name = '{name}' AND value {value}");
    let mut connection = place.connection();
    for (name, value) in [
        ("default_usage_count", "= '0'"),
        ("default_lock_time", "= '30'"),
        ("time_ranges", r#"LIKE '%morning","from":"07:30","to":"11:00"%'"#),
    ] {
        assert_eq!(number(&mut connection, &set(name, value)), 1, "{name}");
    }
}

/// A command that is killed leaves nothing, and the next one does all of it.
#[test]
fn killed_at_any_moment_it_is_all_or_nothing() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.sql(
        "INSERT INTO tokens WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
         SELECT printf('%032x', i * 7919), 'T-' || i, NULL, NULL, NULL, i % 5, 0, 'anna', '2026-01-02 03:04:05.000006',
             '2026-01-02 03:04:05.000006' FROM n;
         INSERT INTO token_usage WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
         SELECT printf('%032x', i), printf('%032x', (i % 4500) * 7919), 'T', '2026-02-03 04:05:06.000007', NULL, 'ben' FROM n;",
    );
    place.works(&["migrate"]);
    let (mut killed, mut wait) = (0, 20);
    loop {
        let command = ["import-cone", &cone.url, "--source-timezone", "Europe/Vienna"];
        let mut running = place.spawn(&command);
        std::thread::sleep(std::time::Duration::from_millis(wait));
        if running.try_wait().unwrap().is_some() {
            break;
        }
        running.kill().unwrap();
        running.wait().unwrap();
        killed += 1;
        wait += wait / 3;
        let count = |table: &str| number(&mut place.connection(), &format!("SELECT count(*) FROM {table}"));
        if count("tokens") > 0 {
            // It was killed between its commit and its end.
            break;
        }
        assert_eq!((count("usage"), count("audit"), count("index_queue")), (0, 0, 0));
    }
    assert!(killed > 3, "{killed}");
    let mut connection = place.connection();
    let mut count = |table: &str| number(&mut connection, &format!("SELECT count(*) FROM {table}"));
    assert_eq!((count("tokens"), count("usage"), count("index_queue")), (4_000, 8_000, 4_000));
    let again = cone.import(&place, &[]);
    assert!(text(&again.stderr).contains("there are tokens in it already"), "{}", text(&again.stderr));
}
