//! `query_usage`: filters, pages and cursors.

use serde_json::json;

use crate::support::app::App;

#[actix_web::test]
async fn usage_is_filtered_and_paged() {
    let app = App::start().await;
    let (one, two) = (app.add(&[("usage_count", "-1")]).await, app.add(&[("usage_count", "-1")]).await);
    for _ in 0..3 {
        app.consume(&one).await.check_success();
        app.consume(&two).await.check_success();
    }
    let all = app.usage(None).await;
    assert_eq!((all.len(), app.usage(Some(&one)).await.len()), (6, 3));
    let stamps: Vec<&str> = all.iter().map(|entry| entry["timestamp"].as_str().unwrap()).collect();
    assert!(stamps.is_sorted_by(|newer, older| newer >= older));
    let range = [("from", stamps[3]), ("to", stamps[1])];
    let answer = app.get("/query_usage", &range).await;
    assert_eq!(answer.check_success().body["usage"], json!(all[1..=3]));

    let first = app.get("/query_usage", &[("limit", "4"), ("token_uid", "")]).await;
    let cursor = first.check_success().body["next_cursor"].as_str().unwrap();
    let second = app.get("/query_usage", &[("limit", "4"), ("cursor", cursor)]).await;
    assert_eq!(second.check_success().body, json!({"success": true, "usage": all[4..], "next_cursor": null}));
    app.get("/query_usage", &[("token_uid", &one), ("cursor", cursor)])
        .await
        .check_failure("TokenValueError")
        .check_param("cursor");
    app.get("/query_usage", &[("token_uid", "x")]).await.check_failure("TokenValueError").check_param("token_uid");
    for name in ["from", "to"] {
        app.get("/query_usage", &[(name, "soon")]).await.check_failure("TokenValueError").check_param(name);
    }
}
