//! Characters that show nothing: no new value has them, and a label of white space is none.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::imports::paste;

const UNSEEN: [&str; 8] =
    ["A\u{200b}1", "\u{feff}A1", "A\u{ad}1", "A\u{2060}", "\u{202e}1A", "A\u{200d}1", "A\u{e0041}", "A\u{2028}1"];

#[actix_web::test]
async fn a_new_value_has_no_characters_that_show_nothing() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("value", "A1")]).await;
    for value in UNSEEN {
        let form = [("value", value), ("usage_count", "1"), ("lock_time", "0"), ("valid_from", ""), ("valid_to", "")];
        let added = app.post("/add_token", &form).await;
        added.check_failure("TokenValueError").check_param("value");
        assert_eq!(added.body["detail"]["reason"], "invisible_characters", "{added:?}");
        let many = app.post_json("/add_tokens", json!({"tokens": [{"value": "ok"}, {"value": value}]})).await;
        many.check_failure("TokenValueError").check_param("tokens[1].value");
        let updated = app.post(&format!("/{uid}/update_token"), &[("value", value)]).await;
        updated.check_failure("TokenValueError").check_param("value");
        let listed = json!({"tokens": [{"token_uid": uid, "value": value}]});
        app.post_json("/update_tokens", listed).await.check_failure("TokenValueError");
        let form = [("value", value), ("usage_count", "1"), ("lock_time", "0"), ("lock_unit", "seconds")];
        browser.post("/add", &form).await.check(422, &["invisible characters", "href=\"#value\""]);
        let (page, _) = paste(&app, Role::Editor, &format!("value;label\nB1;b\n{value};c\n")).await;
        assert!(page.contains("1 error in 2 lines") && page.contains("invisible characters"), "{value:?}: {page}");
        app.get("/query_token", &[("value", value)]).await.check_success();
    }
    assert_eq!(app.token(&uid).await["value"], "A1");
}

#[actix_web::test]
async fn a_value_that_was_there_before_stays_in_use_and_its_token_can_be_edited() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("value", "old"), ("usage_count", "3")]).await;
    let old = "A\u{200b}1";
    app.connection().batch_execute(&format!("UPDATE tokens SET value = '{old}' WHERE uid = '{uid}'")).unwrap();
    app.post("/consume_token", &[("value", old)]).await.check_success();
    app.get("/query_token", &[("value", old)]).await.check_success();
    app.post(&format!("/{uid}/update_token"), &[("label", "Anna"), ("value", old)]).await.check_success();
    let form = browser.get(&format!("/{uid}/edit")).await;
    let was = ["value", "label", "valid_from", "valid_to", "usage_count", "lock_time"];
    let known: Vec<(String, String)> =
        was.iter().map(|name| (format!("was_{name}"), form.field(&format!("was_{name}")))).collect();
    let mut fields: Vec<(&str, &str)> = known.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    fields.extend([
        ("value", old),
        ("label", "Ben"),
        ("usage_count", "2"),
        ("lock_time", "0"),
        ("lock_unit", "seconds"),
    ]);
    browser.post(&format!("/{uid}/edit"), &fields).await.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!((&token["label"], &token["value"]), (&json!("Ben"), &json!(old)));
}

#[actix_web::test]
async fn letters_of_several_characters_are_taken_and_warned_of() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    for (value, is_warned) in [("Tu\u{308}r 3", true), ("\u{212b}-1", true), ("Tür 3", false), ("T-1", false)] {
        let uid = app.add(&[("value", value)]).await;
        let tile = browser.get(&format!("/{uid}")).await;
        assert_eq!(tile.text.contains("made of several characters"), is_warned, "{value:?}");
        assert_eq!(app.token(&uid).await["value"], value);
    }
    let (page, _) = paste(&app, Role::Editor, "value,label\ne\u{301}-1,a\n").await;
    assert!(page.contains("made of several characters") && page.contains("Create 1 token?"), "{page}");
}

#[actix_web::test]
async fn a_label_of_white_space_is_none_wherever_it_comes_from() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let label = async |uid: &str| app.token(uid).await["label"].clone();
    for blank in [" ", "   ", "\u{a0}\u{3000}"] {
        let uid = app.add(&[("label", blank)]).await;
        assert_eq!(label(&uid).await, Value::Null, "add_token");
        app.post(&format!("/{uid}/update_token"), &[("label", "Anna")]).await.check_success();
        app.post(&format!("/{uid}/update_token"), &[("label", blank)]).await.check_success();
        assert_eq!(label(&uid).await, Value::Null, "update_token");
        let listed = app.post_json("/add_tokens", json!({"tokens": [{"label": blank}], "label": "x"})).await;
        assert_eq!(label(listed.body["token_uids"][0].as_str().unwrap()).await, Value::Null, "a list");
        let counted = app.post("/add_tokens", &[("count", "1"), ("label", blank)]).await;
        assert_eq!(label(counted.body["token_uids"][0].as_str().unwrap()).await, Value::Null, "add_tokens");
        app.post(&format!("/{uid}/update_token"), &[("label", "Anna")]).await.check_success();
        app.post_json("/update_tokens", json!({"tokens": [{"token_uid": uid, "label": blank}]})).await.check_success();
        assert_eq!(label(&uid).await, Value::Null, "update_tokens");
        let form = [("label", blank), ("usage_count", "1"), ("lock_time", "0"), ("lock_unit", "seconds")];
        let added = browser.post("/add", &form).await;
        assert_eq!(label(&added.check_leads_to("/").location[1..37]).await, Value::Null, "the form");
        app.post(&format!("/{uid}/update_token"), &[("label", "Anna")]).await.check_success();
        let preview = [("uid", &*uid), ("select", "ticked"), ("do", "label"), ("label", blank), ("step", "preview")];
        let preview = browser.post("/bulk", &preview).await;
        let (action, seal) = (preview.field("action"), preview.field("seal"));
        let done = [
            ("uid", &*uid),
            ("select", "ticked"),
            ("do", "label"),
            ("step", "do"),
            ("action", &*action),
            ("seal", &*seal),
        ];
        browser.post("/bulk", &done).await.check_leads_to("/?done=changed");
        assert_eq!(label(&uid).await, Value::Null, "a change of many");
        let (page, file) = paste(&app, Role::Editor, &format!("label;usage_count\n{blank};9\n")).await;
        assert!(page.contains("Create 1 token?"), "{page}");
        crate::support::imports::run_file(&app, Role::Editor, &file).await;
    }
    let found = app.get("/query_tokens", &[("limit", "100")]).await;
    let tokens = found.body["tokens"].as_array().unwrap();
    let imported: Vec<&Value> = tokens.iter().filter(|token| token["usage_count"] == 9).collect();
    assert_eq!(imported.len(), 3);
    assert!(imported.iter().all(|token| token["label"].is_null()), "an import");
    app.post("/add_token", &crate::support::app::with_required(&[("label", "\n")])).await.check_param("label");
}
