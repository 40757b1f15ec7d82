//! Requests that cannot be read, and addresses that are not there.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tessera::access::Role;

use crate::support::app::{App, send, with_required};

fn post(app: &App, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    app.request(Role::Manager, Method::POST, path).header("Content-Type", kind).body(body)
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[actix_web::test]
async fn bodies_that_cannot_be_read() {
    let app = App::start().await;
    let check = async |kind, body: &'static [u8], error| {
        send(post(&app, "/add_token", kind, body)).await.check_failure(error);
    };
    check(JSON, b"{", "TokenAPIError").await;
    check(JSON, b"[]", "TokenAPIError").await;
    check(JSON, b"\"x\"", "TokenAPIError").await;
    check(JSON, b"{\"value\": \"\xff\"}", "TokenAPIError").await;
    check(JSON, b"{\"value\": \"a\", \"value\": \"b\"}", "TokenAPIError").await;
    check(JSON, b"{\"value\": \"\\ud800\"}", "TokenAPIError").await;
    check(JSON, b"{\"valeu\": true}", "TokenAPIError").await;
    check(FORM, b"value=%ff", "TokenAPIError").await;
    check(FORM, b"value=\xff", "TokenAPIError").await;
    check(FORM, b"value=a&value=b", "TokenAPIError").await;
    check(FORM, b"_=1&_=2&valid_from=", "TokenAPIError").await;
    check("text/plain", b"value=a", "UnsupportedType").await;
    check("multipart/form-data; boundary=x", b"--x--", "UnsupportedType").await;
    for charset in ["application/json; charset=latin1", "application/x-www-form-urlencoded; charset=\"utf-16\""] {
        let refused = send(post(&app, "/add_token", charset, "{}")).await;
        refused.check_failure("UnsupportedType");
        assert!(refused.body["message"].as_str().unwrap().contains("names another charset"), "{refused:?}");
    }
    check("", b"{}", "UnsupportedType").await;
    let zipped = post(&app, "/add_token", JSON, "x").header("Content-Encoding", "gzip");
    send(zipped).await.check_failure("UnsupportedType");
    // Deep enough to overflow the stack of a parser that does not count.
    send(post(&app, "/add_token", JSON, "[".repeat(60_000))).await.check_failure("TokenAPIError");
    send(app.request(Role::Manager, Method::GET, "/query_tokens?q=%ff")).await.check_failure("TokenAPIError");
    send(app.request(Role::Manager, Method::GET, "/query_tokens?q=a&q=b"))
        .await
        .check_failure("TokenAPIError")
        .check_param("q");
}

#[actix_web::test]
async fn values_of_a_kind_that_no_view_takes() {
    let app = App::start().await;
    for wrong in [json!(true), json!({}), json!([])] {
        let body = json!({"valid_from": wrong, "valid_to": "", "usage_count": "", "lock_time": ""});
        app.post_json("/add_token", body).await.check_failure("TokenValueError").check_param("valid_from");
    }
}

#[actix_web::test]
async fn a_whole_number_may_have_a_fraction_of_zero_in_json() {
    let app = App::start().await;
    let add = async |count: &'static str| {
        let body = format!(r#"{{"valid_from": "", "valid_to": "", "usage_count": {count}, "lock_time": 1e1}}"#);
        send(post(&app, "/add_token", JSON, body)).await
    };
    for count in ["5.0", "0.5e1", "50e-1"] {
        let uid = add(count).await.check_success().body["token_uid"].as_str().unwrap_or_default().to_owned();
        let token = app.token(&uid).await;
        assert_eq!((&token["usage_count"], &token["lock_time"]), (&json!(5), &json!(10)), "{count}");
    }
    for count in ["1.5", "1e400", "2147483648.0", r#""5.0""#, r#""1e3""#] {
        add(count).await.check_failure("TokenValueError").check_param("usage_count");
    }
    let form = with_required(&[("usage_count", "5.0")]);
    app.post("/add_token", &form).await.check_failure("TokenValueError").check_param("usage_count");
}

#[actix_web::test]
async fn no_message_carries_the_body_back() {
    let app = App::start().await;
    let long = format!("\"{}\"", "x".repeat(1_000_000));
    let answer = send(post(&app, "/delete_tokens", JSON, long)).await;
    assert!(answer.check_failure("TokenAPIError").body["message"].as_str().unwrap().len() < 200);
}

#[actix_web::test]
async fn bodies_that_are_read_all_the_same() {
    let app = App::start().await;
    let empty = "{\"valid_from\":null,\"valid_to\":null,\"usage_count\":null,\"lock_time\":null}";
    for kind in [
        "application/json; charset=UTF-8",
        "Application/JSON",
        "application/json;charset=\"utf-8\"",
        "application/json; charset=utf8",
        "application/json; charset = \"UTF8\"",
    ] {
        send(post(&app, "/add_token", kind, empty)).await.check_success();
    }
    send(post(&app, "/add_token", JSON, format!("\u{feff}{empty}"))).await.check_success();
    let form = "\u{feff}valid_from=&valid_to=&usage_count=&lock_time=";
    send(post(&app, "/add_token", "application/x-www-form-urlencoded; charset=UTF8", form)).await.check_success();
    let query = "/add_token?valid_from=&valid_to=&usage_count=&lock_time=&_=1&_=2";
    send(post(&app, query, JSON, "")).await.check_success();
    send(app.request(Role::Manager, Method::POST, query)).await.check_success();
}

#[actix_web::test]
async fn bodies_that_are_too_large() {
    let app = App::start().await;
    let fields = "valid_from=&valid_to=&usage_count=&lock_time=&_=";
    let at_most = format!("{fields}{}", "x".repeat(64 * 1024 - fields.len()));
    send(post(&app, "/add_token", FORM, at_most.clone())).await.check_success();
    send(post(&app, "/add_token", FORM, format!("{at_most}x"))).await.check_failure("TooLarge");
    send(post(&app, "/delete_tokens", JSON, " ".repeat(8 * 1024 * 1024 + 1))).await.check_failure("TooLarge");
    send(post(&app, "/delete_tokens", JSON, " ".repeat(8 * 1024 * 1024))).await.check_failure("TokenAPIError");
    app.get("/query_tokens", &[]).await.check_success();
}

#[actix_web::test]
async fn methods_and_addresses() {
    let app = App::start().await;
    for (method, path, allow) in [
        ("GET", "/add_token", "POST"),
        ("PUT", "/x/edit_token", "POST"),
        ("DELETE", "/x/delete_token", "POST"),
        ("HEAD", "/consume_token", "GET, POST"),
        ("PUT", "/x/consume_token", "GET, POST"),
        ("POST", "/query_tokens", "GET"),
        ("OPTIONS", "/query_usage", "GET"),
    ] {
        let answer = send(app.request(Role::Manager, method.parse().unwrap(), path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
        if method != "HEAD" {
            answer.check_failure("MethodNotAllowed");
        }
    }
    let nothing = |accept: &str| app.request(Role::Manager, Method::GET, "/nothing").header("Accept", accept);
    send(nothing("application/json")).await.check_failure("NotFound");
    let page = send(nothing("text/html")).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

#[actix_web::test]
async fn hostile_text_comes_back_as_it_was_and_breaks_nothing() {
    let app = App::start().await;
    for value in ["<script>alert(1)</script>", "'; DROP TABLE tokens; --", "{{7*7}}", "😀abc", "%00", "\"\\\""] {
        let uid = app.add(&[("value", value), ("label", value)]).await;
        let token = app.get("/query_token", &[("value", value)]).await.check_success().body["token"].clone();
        assert_eq!((&token["uid"], &token["label"]), (&uid.into(), &value.into()));
    }
}

/// PostgreSQL stores no NUL; nobody may learn that by a 500.
#[actix_web::test]
async fn a_nul_is_refused_or_found_nowhere() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "5")]).await;
    let nul = "a\0b";
    for (path, name) in [("/add_token", "value"), ("/add_token", "label"), ("/consume_token", "value")] {
        let form = if path == "/add_token" { with_required(&[(name, nul)]) } else { vec![(name, nul)] };
        app.post(path, &form).await.check_failure("TokenValueError").check_param(name);
    }
    app.post("/consume_token", &[("token_uid", &uid), ("nonce", nul)])
        .await
        .check_failure("TokenValueError")
        .check_param("nonce");
    app.get("/query_tokens", &[("q", nul)]).await.check_failure("TokenValueError").check_param("q");
    app.get("/query_token", &[("value", nul)]).await.check_failure("TokenValueError").check_param("value");
    let sign_in = app.anonymous(Method::POST, "/login").form(&[("name", nul), ("password", nul)]);
    assert_eq!(sign_in.send().await.unwrap().status(), 422);
    assert_eq!(app.consume(&uid).await.check_success().body["usage_count"], 4);
}
