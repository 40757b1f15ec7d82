//! `query_token`, `query_tokens` and `query_usage`: filters, pages and cursors.

use serde_json::Value;

use crate::support::app::App;

/// The values that a query finds, in its order.
async fn values(app: &App, query: &[(&str, &str)]) -> Vec<String> {
    let answer = app.get("/query_tokens", query).await;
    let tokens = answer.check_success().body["tokens"].as_array().unwrap();
    tokens.iter().map(|token| token["value"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn one_token_or_null() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1")]).await;
    assert_eq!(app.get("/query_token", &[("value", "T-1")]).await.check_success().body["token"]["uid"], uid);
    assert_eq!(app.get("/query_token", &[("value", "t-1")]).await.check_success().body["token"], Value::Null);
    app.get("/query_token", &[]).await.check_failure("TokenAPIError").check_param("token_uid");
    app.get("/query_token", &[("q", "x")]).await.check_failure("TokenAPIError").check_param("q");
}

#[actix_web::test]
async fn q_finds_parts_in_either_case_and_takes_no_wildcards() {
    let app = App::start().await;
    app.add(&[("value", "Ärger 100%"), ("label", "straße_1")]).await;
    let plain = app.add(&[("value", "plain\\x"), ("label", "Strasse 1")]).await;
    assert_eq!(values(&app, &[("q", "ärGER")]).await, ["Ärger 100%"]);
    assert_eq!(values(&app, &[("q", "STRAßE")]).await, ["plain\\x", "Ärger 100%"]);
    assert_eq!(values(&app, &[("q", "100%")]).await, ["Ärger 100%"]);
    assert_eq!(values(&app, &[("q", "%  arg")]).await, ["Ärger 100%"], "words in any order, accents or not");
    assert_eq!(values(&app, &[("q", "%")]).await, ["Ärger 100%"]);
    assert_eq!(values(&app, &[("q", "ä")]).await, ["plain\\x", "Ärger 100%"]);
    app.add(&[("value", "greek"), ("label", "ΟΔΥΣΣΕΑΣ")]).await;
    assert_eq!(values(&app, &[("q", "ΟΔΥΣ")]).await, ["greek"]);
    assert_eq!(values(&app, &[("q", "σεας")]).await, ["greek"]);
    assert_eq!(values(&app, &[("q", "_")]).await, ["Ärger 100%"]);
    assert_eq!(values(&app, &[("q", "n\\x")]).await, ["plain\\x"]);
    assert_eq!(values(&app, &[("q", &plain.to_uppercase())]).await, ["plain\\x"]);
    assert_eq!(values(&app, &[("q", &plain[..8])]).await, [""; 0], "a uid is found whole");
    assert_eq!(values(&app, &[("q", "")]).await, ["greek", "plain\\x", "Ärger 100%"]);
    app.get("/query_tokens", &[("q", "a\u{0}b")]).await.check_failure("TokenValueError").check_param("q");
    app.get("/query_tokens", &[("q", &"x".repeat(1_001))]).await.check_failure("TokenValueError").check_param("q");
}

#[actix_web::test]
async fn each_state_is_a_filter() {
    let app = App::start().await;
    app.add(&[("value", "active")]).await;
    app.add(&[("value", "used_up"), ("usage_count", "0")]).await;
    let locked = app.add(&[("value", "locked"), ("usage_count", "2"), ("lock_time", "3600")]).await;
    app.consume(&locked).await.check_success();
    app.add(&[("value", "pending"), ("valid_from", "2999-01-01")]).await;
    app.add(&[("value", "expired"), ("valid_to", "2001-01-01")]).await;
    let voided = app.add(&[("value", "voided"), ("usage_count", "0")]).await;
    app.post(&format!("/{voided}/void_token"), &[]).await.check_success();
    for state in ["active", "voided", "used_up", "locked", "pending", "expired"] {
        assert_eq!(values(&app, &[("state", state)]).await, [state]);
    }
    assert_eq!(values(&app, &[("state", "")]).await.len(), 6);
    app.get("/query_tokens", &[("state", "Active")]).await.check_failure("TokenValueError").check_param("state");
}

#[actix_web::test]
async fn creation_bounds_are_inclusive() {
    let app = App::start().await;
    let mut created = Vec::new();
    for value in ["a", "b", "c"] {
        let uid = app.add(&[("value", value)]).await;
        created.push(app.token(&uid).await["created"].as_str().unwrap().to_owned());
    }
    let range = [("created_from", created[0].as_str()), ("created_to", created[1].as_str())];
    assert_eq!(values(&app, &range).await, ["b", "a"]);
    assert_eq!(values(&app, &[("created_from", &created[1])]).await, ["c", "b"]);
    let today = chrono::DateTime::parse_from_rfc3339(&created[0]).unwrap();
    let today = today.with_timezone(&chrono_tz::Europe::Vienna).date_naive();
    let days = |from: chrono::NaiveDate, to: chrono::NaiveDate| {
        [("created_from", from.to_string()), ("created_to", to.to_string())]
    };
    for (from, to, found) in [(today, today, 3), (today.pred_opt().unwrap(), today.pred_opt().unwrap(), 0)] {
        let range = days(from, to);
        assert_eq!(values(&app, &range.each_ref().map(|(name, day)| (*name, day.as_str()))).await.len(), found);
    }
    for name in ["created_from", "created_to"] {
        app.get("/query_tokens", &[(name, "soon")]).await.check_failure("TokenValueError").check_param(name);
    }
}

#[actix_web::test]
async fn pages_are_whole_whatever_is_added_meanwhile() {
    let app = App::start().await;
    // All of one batch have one moment of creation: the number decides.
    app.post("/add_tokens", &[("count", "7"), ("label", "x{n}")]).await.check_success();
    let all = values(&app, &[]).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = app.get("/query_tokens", &[("limit", "3"), ("q", "x"), ("cursor", &cursor)]).await;
        let tokens = answer.check_success().body["tokens"].as_array().unwrap().clone();
        seen.extend(tokens.iter().map(|token| token["value"].as_str().unwrap().to_owned()));
        app.add(&[("label", "x later")]).await;
        match answer.body["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);

    app.get("/query_tokens", &[("cursor", &cursor)]).await.check_failure("TokenValueError").check_param("cursor");
    let made_up = ["x", "AAAA", "%F0%9F%98%80", &cursor[1..]];
    for cursor in made_up {
        let answer = app.get("/query_tokens", &[("q", "x"), ("cursor", cursor)]).await;
        answer.check_failure("TokenValueError").check_param("cursor");
    }
    app.get("/query_usage", &[("cursor", &cursor)]).await.check_failure("TokenValueError").check_param("cursor");
}

#[actix_web::test]
async fn limits_are_limits() {
    let app = App::start().await;
    app.post("/add_tokens", &[("count", "1001")]).await.check_success();
    assert_eq!(values(&app, &[]).await.len(), 100);
    assert_eq!(values(&app, &[("limit", "1000")]).await.len(), 1_000);
    for view in ["/query_tokens", "/query_usage"] {
        for limit in ["0", "1001", "-1", "1.5", "x"] {
            app.get(view, &[("limit", limit)]).await.check_failure("TokenValueError").check_param("limit");
        }
        app.get(view, &[("offset", "3")]).await.check_failure("TokenAPIError").check_param("offset");
    }
}
