//! `delete_token` and `delete_tokens`.

use serde_json::{Value, json};

use crate::support::app::App;

#[actix_web::test]
async fn a_deleted_token_is_gone() {
    let app = App::start().await;
    for by_path in [true, false] {
        let uid = app.add(&[("value", "T-1")]).await;
        let answer = if by_path {
            app.post(&format!("/{uid}/delete_token"), &[]).await
        } else {
            app.post("/delete_token", &[("token_uid", &uid)]).await
        };
        assert_eq!(answer.check_success().body, json!({"success": true}));
        assert_eq!(app.token(&uid).await, Value::Null);
        assert_eq!(app.get("/query_token", &[("value", "T-1")]).await.check_success().body["token"], Value::Null);
        assert_eq!(app.get("/query_tokens", &[]).await.check_success().body["tokens"], json!([]));
        app.post(&format!("/{uid}/delete_token"), &[]).await.check_failure("TokenNotExists");
    }
    app.post("/delete_token", &[]).await.check_failure("TokenAPIError").check_param("token_uid");
    app.post("/x/delete_token", &[]).await.check_failure("TokenValueError").check_param("token_uid");
}

#[actix_web::test]
async fn a_list_is_deleted_whole_or_not_at_all() {
    let app = App::start().await;
    let uids = app.post("/add_tokens", &[("count", "5")]).await.body["token_uids"].clone();
    let uids: Vec<String> = serde_json::from_value(uids).unwrap();
    let nobody = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";

    let with_unknown: Vec<&str> = uids.iter().map(String::as_str).chain([nobody]).collect();
    app.post_json("/delete_tokens", json!({"token_uids": with_unknown})).await.check_failure("TokenNotExists");
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"].as_array().unwrap().len(), 5);

    let repeats = json!([uids[0], uids[0].to_uppercase(), uids[1]]);
    let answer = app.post_json("/delete_tokens", json!({"token_uids": repeats})).await;
    assert_eq!(answer.check_success().body, json!({"success": true, "count": 2}));
    let as_text = json!([uids[2]]).to_string();
    let answer = app.post("/delete_tokens", &[("token_uids", &as_text)]).await;
    assert_eq!(answer.check_success().body["count"], 1);
    assert_eq!(app.post_json("/delete_tokens", json!({"token_uids": []})).await.check_success().body["count"], 0);
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_list_that_is_none_is_refused() {
    let app = App::start().await;
    app.post_json("/delete_tokens", json!({})).await.check_failure("TokenAPIError").check_param("token_uids");
    for wrong in [json!(null), json!("x"), json!(1), json!("{}"), json!(["x"]), json!([1]), json!([null])] {
        let answer = app.post_json("/delete_tokens", json!({"token_uids": wrong})).await;
        answer.check_failure("TokenValueError").check_param("token_uids");
    }
    let many = vec!["1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"; 100_001];
    let answer = app.post_json("/delete_tokens", json!({"token_uids": many})).await;
    answer.check_failure("TokenValueError").check_param("token_uids");
}

#[actix_web::test]
async fn a_hundred_thousand_are_added_and_deleted() {
    let app = App::start().await;
    let added = app.post("/add_tokens", &[("count", "100000"), ("label", "{n}")]).await;
    let uids = added.check_success().body["token_uids"].clone();
    assert_eq!(uids.as_array().unwrap().len(), 100_000);
    let answer = app.post_json("/delete_tokens", json!({"token_uids": uids})).await;
    assert_eq!(answer.check_success().body["count"], 100_000);
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"], json!([]));
}
