//! `query_tokens` by label, by the beginning of values and by validity; its orders and its total.

use serde_json::{Value, json};

use crate::support::app::App;

/// The values that a query finds, in its order, page by page.
async fn values(app: &App, query: &[(&str, &str)]) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let more = [("limit", "2"), ("cursor", cursor.as_str())];
        let answer = app.get("/query_tokens", &[query, &more].concat()).await;
        let tokens = answer.check_success().body["tokens"].as_array().unwrap();
        found.extend(tokens.iter().map(|token| token["value"].as_str().unwrap().to_owned()));
        match answer.body["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return found,
        }
    }
}

async fn total(app: &App, query: &[(&str, &str)]) -> Value {
    let answer = app.get("/query_tokens", &[query, &[("count", "1"), ("limit", "1")]].concat()).await;
    answer.check_success().body["total"].clone()
}

#[actix_web::test]
async fn a_label_is_exact() {
    let app = App::start().await;
    for (value, label) in [("1", "Anna"), ("2", "anna"), ("3", "Anna B."), ("4", ""), ("5", "Anna"), ("6", "An%")] {
        app.add(&[("value", value), ("label", label)]).await;
    }
    assert_eq!(values(&app, &[("label", "Anna")]).await, ["5", "1"]);
    assert_eq!(values(&app, &[("label", "An%")]).await, ["6"]);
    assert_eq!(values(&app, &[("label", "Ann")]).await, [""; 0]);
    assert_eq!(values(&app, &[("label", "")]).await.len(), 6, "an empty filter is none");
    let batch = app.post("/add_tokens", &[("count", "3"), ("label", "Anna"), ("batch_name", "B")]).await;
    let batch = batch.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    assert_eq!(values(&app, &[("label", "Anna"), ("batch", &batch)]).await.len(), 3);
    assert_eq!(values(&app, &[("label", "Anna"), ("q", "5")]).await, ["5"]);
    assert_eq!(values(&app, &[("label", "anna"), ("batch", &batch)]).await, [""; 0]);
    for bad in ["a\nb", &"x".repeat(201)] {
        app.get("/query_tokens", &[("label", bad)]).await.check_failure("TokenValueError").check_param("label");
    }
}

#[actix_web::test]
async fn a_value_begins_with_exactly_these_characters() {
    let app = App::start().await;
    for value in ["T-1", "T-10", "t-1", "T_1", "T%1", "T\\1", "Ä1", "A", "T"] {
        app.add(&[("value", value)]).await;
    }
    let uid = app.add(&[]).await;
    let gone = app.add(&[("value", "T-gone")]).await;
    app.post(&format!("/{gone}/delete_token"), &[]).await.check_success();
    let begins = async |prefix: &str| {
        let mut found = values(&app, &[("value_prefix", prefix)]).await;
        found.sort();
        found
    };
    assert_eq!(begins("T-").await, ["T-1", "T-10"]);
    assert_eq!(begins("T-1").await, ["T-1", "T-10"]);
    assert_eq!(begins("t").await, ["t-1"]);
    assert_eq!(begins("T_").await, ["T_1"]);
    assert_eq!(begins("T%").await, ["T%1"]);
    assert_eq!(begins("T\\").await, ["T\\1"]);
    assert_eq!(begins("%").await, [""; 0]);
    assert_eq!(begins("Ä").await, ["Ä1"]);
    assert_eq!(begins("T").await.len(), 6);
    assert_eq!(begins("").await.len(), 10);
    for length in [1, 8, 9, 36] {
        assert!(begins(&uid[..length]).await.contains(&uid), "{length}");
    }
    assert_eq!(
        begins(&uid.to_uppercase()[..9]).await,
        if uid[..9] == uid.to_uppercase()[..9] { vec![uid] } else { vec![] }
    );
    let bad = "x".repeat(1_001);
    for bad in ["a\u{0}", &bad] {
        let refused = app.get("/query_tokens", &[("value_prefix", bad)]).await;
        refused.check_failure("TokenValueError").check_param("value_prefix");
    }
}

#[actix_web::test]
async fn a_time_range_has_a_moment() {
    let app = App::start().await;
    let (from, to) = ("2030-01-01T00:00:00Z", "2030-06-01T00:00:00Z");
    app.add(&[("value", "open")]).await;
    app.add(&[("value", "from"), ("valid_from", from)]).await;
    app.add(&[("value", "to"), ("valid_to", to)]).await;
    let both = app.add(&[("value", "both"), ("valid_from", from), ("valid_to", to), ("usage_count", "0")]).await;
    app.post(&format!("/{both}/void_token"), &[]).await.check_success();
    let at = async |at: &str| values(&app, &[("valid_at", at)]).await;
    assert_eq!(at("2029-12-31T23:59:59.999999Z").await, ["to", "open"]);
    assert_eq!(at(from).await, ["both", "to", "from", "open"]);
    assert_eq!(at(to).await, ["both", "to", "from", "open"]);
    assert_eq!(at("2030-06-01T00:00:00.000001Z").await, ["from", "open"]);
    // The first instant of the day, an hour before `from` in UTC.
    assert_eq!(at("2030-01-01").await, ["to", "open"]);
    assert_eq!(values(&app, &[("valid_at", from), ("state", "voided")]).await, ["both"]);
    app.get("/query_tokens", &[("valid_at", "soon")]).await.check_failure("TokenValueError").check_param("valid_at");
}

#[actix_web::test]
async fn each_order_has_its_pages() {
    let app = App::start().await;
    let days = ["2030-03-01", "", "2030-01-01", "2030-03-01", ""];
    for (n, (label, valid_to)) in ["b", "a", "", "B", "a"].into_iter().zip(days).enumerate() {
        app.add(&[("value", &n.to_string()), ("label", label), ("valid_to", valid_to)]).await;
    }
    let sorted = async |sort: &str| values(&app, &[("sort", sort)]).await.concat();
    for (sort, order) in [
        ("created", "01234"),
        ("-created", "43210"),
        ("", "43210"),
        ("label", "23140"),
        ("-label", "04132"),
        ("valid_to", "20314"),
        ("-valid_to", "41302"),
    ] {
        assert_eq!(sorted(sort).await, order, "{sort}");
    }
    assert_eq!(
        values(&app, &[("sort", "label"), ("valid_at", "2030-02-01"), ("value_prefix", "")]).await.concat(),
        "3140"
    );
    assert_eq!(values(&app, &[("sort", "-valid_to"), ("label", "a")]).await.concat(), "41");
    app.get("/query_tokens", &[("sort", "value")]).await.check_failure("TokenValueError").check_param("sort");
    let page = app.get("/query_tokens", &[("sort", "label"), ("limit", "2")]).await;
    let cursor = page.check_success().body["next_cursor"].as_str().unwrap();
    for other in [("sort", "-label"), ("sort", "valid_to"), ("sort", "created"), ("_", ""), ("label", "a")] {
        let refused = app.get("/query_tokens", &[other, ("cursor", cursor)]).await;
        refused.check_failure("TokenValueError").check_param("cursor");
    }
    let same = [("sort", "label"), ("limit", "1"), ("cursor", cursor)];
    assert_eq!(app.get("/query_tokens", &same).await.check_success().body["tokens"][0]["value"], "1");
}

#[actix_web::test]
async fn a_total_is_that_of_all_pages() {
    let app = App::start().await;
    assert_eq!(total(&app, &[]).await, 0);
    app.post("/add_tokens", &[("count", "250"), ("label", "Guest {n}")]).await.check_success();
    app.post("/add_tokens", &[("count", "50"), ("label", "Staff")]).await.check_success();
    assert_eq!(total(&app, &[]).await, 300);
    for (query, all) in [
        (("label", "Staff"), 50),
        (("label", "staff"), 0),
        (("q", "guest"), 250),
        (("state", "used_up"), 0),
        (("state", "active"), 300),
        (("valid_at", "2030-01-01"), 300),
        (("value_prefix", "x"), 0),
    ] {
        assert_eq!(total(&app, &[query]).await, all, "{query:?}");
    }
    let page = app.get("/query_tokens", &[("count", "1"), ("limit", "100")]).await;
    let cursor = page.check_success().body["next_cursor"].as_str().unwrap();
    assert_eq!(total(&app, &[("cursor", cursor)]).await, 300, "it is no part of the filter");
    assert_eq!(app.get("/query_tokens", &[]).await.check_success().body.get("total"), None);
    for bad in [json!("0"), json!("yes")] {
        let refused = app.get("/query_tokens", &[("count", bad.as_str().unwrap())]).await;
        refused.check_failure("TokenValueError").check_param("count");
    }
}
