//! Voiding in the browser: a token from its tile, and undoing it.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;

#[actix_web::test]
async fn a_token_is_voided_from_its_tile_and_it_is_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = app.add(&[("label", "Anna <b>"), ("usage_count", "3")]).await;
    let (tile, void) = (format!("/{uid}"), format!("/{uid}/void"));
    browser.get(&tile).await.check(200, &[&format!("href=\"{void}\""), "Use once"]);
    let form = browser.get(&void).await;
    form.check(200, &["Void this token?", "Anna &#60;b&#62;", "<option value=\"Stolen\">", "Void token"]);
    let nonce = form.field("nonce");

    let wrong = browser.post(&void, &[("nonce", &nonce), ("reason", &"<i>".repeat(100))]).await;
    wrong.check(422, &["The token was not voided", "“Reason” has at most 200 characters.", "aria-invalid=\"true\""]);
    assert_eq!(wrong.field("reason"), "<i>".repeat(100), "what was typed stays");

    let done = browser.post(&void, &[("nonce", &nonce), ("reason", " Lost & found ")]).await;
    let told = browser.get(&done.check_leads_to(&format!("{tile}?done=did-")).location).await;
    told.check(200, &["Token voided.", "Undo", "Lost &#38; found", "admin", "Restore", "is-voided"]);
    assert!(!told.text.contains("Use once") && !told.text.contains(&format!("href=\"{void}\"")));
    let again = browser.post(&void, &[("nonce", &nonce), ("reason", "Lost & found")]).await;
    assert_eq!(again.location, done.location, "sent twice, done once");
    browser.get(&void).await.check_leads_to(&format!("{tile}?done=same"));
    browser.post(&void, &[("reason", "Stolen")]).await.check_leads_to(&format!("{tile}?done=same"));
    assert_eq!(app.token(&uid).await["void_reason"], "Lost & found", "a form that is too late changes nothing");

    let used = browser.post(&format!("/{uid}/use"), &[]).await;
    let used = browser.get(&used.check_leads_to(&format!("{tile}?done=refused-7")).location).await;
    used.check(200, &["Not used: voided.", "Refused: voided"]);

    let action = done.location.split("did-").nth(1).unwrap();
    let undone = browser.post(&format!("/actions/{action}/undo"), &[]).await;
    browser.get(&undone.check_leads_to(&tile).location).await.check(200, &["Change undone.", "Use once"]);
    app.consume(&uid).await.check_success();
}

#[actix_web::test]
async fn a_voided_token_is_restored_from_its_tile_and_it_is_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uid = app.add(&[]).await;
    app.post(&format!("/{uid}/void_token"), &[("reason", "Misprinted")]).await.check_success();
    let before = app.token(&uid).await;
    let done = browser.post(&format!("/{uid}/unvoid"), &[]).await;
    let told = browser.get(&done.check_leads_to(&format!("/{uid}?done=did-")).location).await;
    told.check(200, &["Token restored.", "Undo", "Use once"]);
    browser.post(&format!("/{uid}/unvoid"), &[]).await.check_leads_to(&format!("/{uid}?done=same"));
    let action = done.location.split("did-").nth(1).unwrap();
    browser.post(&format!("/actions/{action}/undo"), &[]).await.check_leads_to(&format!("/{uid}?done=undone"));
    let after = app.token(&uid).await;
    for field in ["voided", "voided_by", "void_reason"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let recorded = browser.get("/audit").await;
    recorded.check(200, &["voided", "restored the voided token", &format!("href=\"/{uid}\""), "Misprinted"]);
    browser.get("/1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f/void").await.check(404, &[]);
    browser.post("/1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f/void", &[]).await.check(404, &[]);
}

#[actix_web::test]
async fn who_may_not_delete_may_neither_void_nor_restore_nor_undo_either() {
    let app = App::start().await;
    let mut admin = Browser::of(&app, Role::Admin).await;
    let mut editor = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let ticked = [("select", "ticked"), ("uid", uid.as_str())];
    for kind in ["void", "unvoid"] {
        editor.post("/bulk", &[&ticked[..], &[("do", kind)]].concat()).await.check(403, &["void, restore or delete"]);
    }
    for action in ["{\"void\":{\"reason\":null}}", "\"unvoid\"", "\"delete\""] {
        let smuggled = [("do", "lock"), ("step", "do"), ("seal", "x"), ("action", action)];
        editor.post("/bulk", &[&ticked[..], &smuggled].concat()).await.check(422, &[]);
    }
    let done = admin.post(&format!("/{uid}/void"), &[]).await;
    let action = done.check_leads_to(&format!("/{uid}?done=did-")).location.split("did-").nth(1).unwrap().to_owned();
    editor.post(&format!("/actions/{action}/undo"), &[]).await.check(403, &[]);
    let tile = editor.get(&done.location).await;
    tile.check(200, &["Token voided.", "is-voided", "Edit"]);
    assert!(!tile.text.contains("unvoid") && !tile.text.contains(">Undo<"), "{}", tile.text);
    let edited = editor.get(&format!("/{uid}/edit")).await;
    edited.check(200, &["Save"]);
    let typed = ["was_value", "was_label", "was_valid_from", "was_valid_to", "was_usage_count", "was_lock_time"];
    let known = typed.map(|name| (name, edited.field(name)));
    let known = known.iter().map(|(name, value)| (*name, value.as_str()));
    let form: Vec<_> =
        known.chain([("value", uid.as_str()), ("label", "x"), ("usage_count", "3"), ("lock_time", "0")]).collect();
    editor.post(&format!("/{uid}/edit"), &form).await.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!((&token["label"], &token["state"]), (&"x".into(), &"voided".into()), "it is edited, and stays voided");
}

#[actix_web::test]
async fn the_log_is_filtered_by_voided_tokens() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let uid = app.add(&[("value", "lost-1")]).await;
    app.post(&format!("/{uid}/void_token"), &[]).await.check_success();
    app.consume(&uid).await.check_failure("TokenVoided");
    let page = browser.get("/usage?outcome=TokenVoided").await;
    page.check(200, &["lost-1", "Refused: voided", "1 refusal"]);
    let csv = browser.get("/usage.csv?outcome=TokenVoided").await;
    csv.check(200, &["TokenVoided", ",7,"]);
}
