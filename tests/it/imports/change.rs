//! A file changes tokens that there are, as one action, which can be undone.

use reqwest::Method;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::imports::{check_file, run_file, send_file, step};

async fn token(app: &App, value: &str) -> serde_json::Value {
    app.get("/query_token", &[("value", value)]).await.check_success().body["token"].clone()
}

async fn add(app: &App, value: &str, uses: &str) -> String {
    let form = [("value", value), ("usage_count", uses), ("lock_time", "0"), ("valid_from", ""), ("valid_to", "")];
    app.post("/add_token", &form).await.check_success().body["token_uid"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn tokens_are_changed_as_the_file_says_and_that_is_undone() {
    let app = App::start().await;
    for (value, uses) in [("A", "5"), ("B", "5"), ("C", "5")] {
        add(&app, value, uses).await;
    }
    app.post("/consume_token", &[("value", "C")]).await.check_success();
    let file = "value,label,usage_count,lock_time,valid_to\nA,Anna,9,60,2030-01-01\nB,,5,0,\nC,Carl,5,0,\n";
    let uid = send_file(&app, "changes.csv", file.as_bytes()).await;
    let page = check_file(&app, &uid, &[("mode", "value")]).await;
    for words in ["Change 2 tokens?", "<del><bdi>5</bdi></del> → <bdi>9</bdi>", "No change needed", "Carl"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("2 tokens changed") && page.contains(&format!("/actions/{uid}")), "{page}");
    let (a, c) = (token(&app, "A").await, token(&app, "C").await);
    assert_eq!((a["label"].clone(), a["usage_count"].clone()), ("Anna".into(), 9.into()));
    assert_eq!((a["lock_time"].clone(), a["valid_to"].clone()), (60.into(), "2030-01-01T22:59:59.999999Z".into()));
    assert_eq!((c["label"].clone(), c["usage_count"].clone()), ("Carl".into(), 5.into()));
    // Uses since then stay used.
    app.post("/consume_token", &[("value", "A")]).await.check_success();
    let undo = app.request(Role::Editor, Method::POST, &format!("/actions/{uid}/undo")).send().await.unwrap();
    assert_eq!(undo.status(), 200);
    let (a, c) = (token(&app, "A").await, token(&app, "C").await);
    assert_eq!((a["label"].clone(), a["usage_count"].clone()), (serde_json::Value::Null, 4.into()));
    assert_eq!((a["lock_time"].clone(), a["valid_to"].clone()), (0.into(), serde_json::Value::Null));
    assert_eq!((c["label"].clone(), c["usage_count"].clone()), (serde_json::Value::Null, 4.into()));
}

#[actix_web::test]
async fn a_token_that_somebody_changes_meanwhile_stops_the_whole_import() {
    let app = App::start().await;
    let uids = [add(&app, "A", "1").await, add(&app, "B", "1").await];
    let file = format!("uid,label\n{},x\n{},y\n", uids[0], uids[1].to_uppercase());
    let uid = send_file(&app, "changes.csv", file.as_bytes()).await;
    let page = check_file(&app, &uid, &[("mode", "uid")]).await;
    assert!(page.contains("Change 2 tokens?"), "{page}");
    app.post("/update_token", &[("token_uid", &uids[1]), ("label", "z")]).await.check_success();
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("Someone changed these tokens"), "{page}");
    assert!(token(&app, "A").await["label"].is_null());
    check_file(&app, &uid, &[("mode", "uid")]).await;
    run_file(&app, Role::Editor, &uid).await;
    assert_eq!(
        (token(&app, "A").await["label"].clone(), token(&app, "B").await["label"].clone()),
        ("x".into(), "y".into())
    );
}

#[actix_web::test]
async fn numbers_and_times_of_json_are_read_as_views_read_them() {
    let app = App::start().await;
    let line = r#"{"value": "A", "usage_count": 5.0, "lock_time": 1e1, "valid_from": "2030-01-01T00:00:00.1234567Z", "label": 5.0}"#;
    let uid = send_file(&app, "tokens.jsonl", line.as_bytes()).await;
    check_file(&app, &uid, &[]).await;
    run_file(&app, Role::Editor, &uid).await;
    let a = token(&app, "A").await;
    assert_eq!((a["usage_count"].clone(), a["lock_time"].clone()), (5.into(), 10.into()));
    assert_eq!((a["valid_from"].clone(), a["label"].clone()), ("2030-01-01T00:00:00.123456Z".into(), "5.0".into()));
}

#[actix_web::test]
async fn what_an_import_cannot_change_is_told_by_line() {
    let app = App::start().await;
    let uid = add(&app, "A", "1").await;
    let file = format!(
        "uid,value,batch\n{uid},other,\n{uid},A,\n{},A,\n,A,\n{uid},A,Summer\n",
        crate::support::tokens::MISSING_UID
    );
    let sent = send_file(&app, "changes.csv", file.as_bytes()).await;
    let page = check_file(&app, &sent, &[("mode", "uid")]).await;
    for words in ["change values", "Line 2 changes the same token", "no token with this", "has no "] {
        assert!(page.contains(words), "{words}: {page}");
    }
    app.post("/void_token", &[("token_uid", &uid)]).await.check_success();
    let sent = send_file(&app, "changes.csv", format!("uid,label\n{uid},x\n").as_bytes()).await;
    let page = check_file(&app, &sent, &[("mode", "uid")]).await;
    assert!(page.contains("Only an admin or a manager can change voided tokens"), "{page}");
    let page = step(&app, Role::Admin, &sent, ("check", &[("mode", "uid")])).await;
    assert!(page.contains("Change 1 token?"), "{page}");
    run_file(&app, Role::Admin, &sent).await;
    assert_eq!(token(&app, "A").await["label"], "x");
    let undo = |role| app.request(role, Method::POST, &format!("/actions/{sent}/undo")).send();
    assert_eq!(undo(Role::Editor).await.unwrap().status(), 403);
    assert_eq!(undo(Role::Admin).await.unwrap().status(), 200);
    assert!(token(&app, "A").await["label"].is_null());
}

/// Whoever exports, edits labels and imports again, must not give back what was used meanwhile.
#[actix_web::test]
async fn what_was_used_since_the_export_stays_used() {
    let app = App::start().await;
    for value in ["A", "B", "C"] {
        add(&app, value, "2").await;
    }
    app.post("/consume_token", &[("value", "C")]).await.check_success();
    let export = app.request(Role::Editor, Method::GET, "/export/tokens").send().await.unwrap().text().await.unwrap();
    // Labels, and two more uses for B.
    let edited = export.replace("A,,", "A,Anna,").replace("B,,,,2,", "B,Berta,,,4,").replace("C,,", "C,Carl,");
    assert_ne!(edited.lines().nth(2), export.lines().nth(2), "{export}");
    app.post("/consume_token", &[("value", "A")]).await.check_success();
    let uid = send_file(&app, "edited.csv", edited.as_bytes()).await;
    let page = check_file(&app, &uid, &[("mode", "uid")]).await;
    for words in ["Change 3 tokens?", "Label 3, Uses left 1", "This gives uses back"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for value in ["A", "B"] {
        app.post("/consume_token", &[("value", value)]).await.check_success();
    }
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("3 tokens changed"), "{page}");
    let (a, b, c) = (token(&app, "A").await, token(&app, "B").await, token(&app, "C").await);
    let left = |token: &serde_json::Value| token["usage_count"].as_i64().unwrap();
    assert_eq!((left(&a), left(&b), left(&c)), (0, 3, 1));
    assert_eq!((a["label"].clone(), b["label"].clone()), ("Anna".into(), "Berta".into()));
}

/// A file that says how many uses are to be left, and not of which moment, is not taken over a use that came after its check.
#[actix_web::test]
async fn a_use_after_the_check_stops_a_file_that_sets_uses() {
    let app = App::start().await;
    add(&app, "A", "1").await;
    let uid = send_file(&app, "uses.csv", b"value,usage_count,label\nA,1,x\n").await;
    check_file(&app, &uid, &[("mode", "value")]).await;
    app.post("/consume_token", &[("value", "A")]).await.check_success();
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("Someone changed these tokens"), "{page}");
    assert_eq!(token(&app, "A").await["usage_count"], 0);
}
