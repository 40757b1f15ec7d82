//! What is done from the list to many tokens: over HTTP, as a browser does.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, PageAnswer};
use crate::support::tokens::MISSING_UID;

/// The hidden fields of the form that does what was previewed.
pub(super) fn confirmation(preview: &PageAnswer) -> Vec<(&'static str, String)> {
    let form = preview.text.split("value=\"do\"").nth(1).unwrap_or_else(|| panic!("no confirmation: {}", preview.text));
    let form = PageAnswer { text: form.to_owned(), ..PageAnswer { headers: preview.headers.clone(), ..empty() } };
    let mut fields = vec![("step", "do".to_owned())];
    fields.extend(["action", "action_uid", "seal"].map(|name| (name, form.field(name))));
    fields
}

fn empty() -> PageAnswer {
    PageAnswer { status: 0, location: String::new(), headers: reqwest::header::HeaderMap::new(), text: String::new() }
}

/// Previews a change, and then does it; answers with the page of the action.
pub(super) async fn change(browser: &mut Browser<'_>, form: &[(&str, &str)]) -> PageAnswer {
    let preview = browser.post("/bulk", &[form, &[("step", "preview")]].concat()).await;
    preview.check(200, &["All are changed together. You can undo this for 30 days."]);
    let fields = confirmation(&preview);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = browser.post("/bulk", &[form, &fields].concat()).await;
    let path = done.check_leads_to("/").location.clone();
    let action = action_of(&path);
    // A short change leads back to the list, a long one to its own page.
    if path.contains("changed=") {
        browser.get(&path).await.check(200, &["role=\"status\"", &format!("action=\"/actions/{action}/undo\"")]);
    }
    let path = format!("/actions/{action}?done=done");
    let since = Instant::now();
    loop {
        let page = browser.get(&path).await;
        if !page.text.contains("data-poll") || since.elapsed() > Duration::from_mins(1) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The uid of the action that an address is about.
pub(super) fn action_of(path: &str) -> &str {
    let of_list = path.split_once("changed=").map(|(_, uid)| uid);
    of_list.unwrap_or_else(|| path.trim_start_matches("/actions/").split('?').next().unwrap())
}

pub(super) async fn undo(browser: &mut Browser<'_>, action: &PageAnswer) -> PageAnswer {
    let path = action.text.split("action=\"/actions/").nth(1).unwrap().split('"').next().unwrap();
    let undone = browser.post(&format!("/actions/{path}"), &[]).await;
    let location = undone.location.clone();
    undone.check_leads_to("/");
    browser.get(&location).await
}

#[actix_web::test]
async fn tiles_show_code_label_and_state() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    browser.get("/?view=tiles").await.check(200, &["No tokens yet"]);
    let uid = app.add(&[("label", "Anna & <b>Ben</b>"), ("usage_count", "0")]).await;
    let page = browser.get("/?view=tiles").await;
    page.check(200, &["Anna &#38; &#60;b&#62;Ben", "Used up", &format!("href=\"/{uid}\""), "class=\"qr\"", "1 token"]);
    assert!(!page.text.contains("value=\"delete\""), "an editor may not delete");
    browser.get("/?view=tiles&state=active").await.check(200, &["No tokens match", "<bdi>State: Active</bdi>"]);
    browser.get("/?view=tiles&state=lost").await.check(422, &["These filters can’t be used"]);
    browser.get("/?view=tiles&batch=lost").await.check(422, &["These filters can’t be used"]);
    browser.get(&format!("/?view=tiles&batch={MISSING_UID}")).await.check(200, &["Batch: "]);
    browser.get("/?view=tiles&show=7&size=99").await.check(200, &["class=\"tiles\""]);
    browser.get("/?view=mosaic").await.check(200, &["<table class=\"tokens\">"]);
}

#[actix_web::test]
async fn a_tile_size_is_kept_for_the_next_visit() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::new(&app);
    crate::support::browser::add_user(&app, "anna", Role::Viewer);
    browser.sign_in("anna").await;
    app.add(&[]).await;
    let sized = browser.request(Method::GET, "/?view=tiles&size=5").send().await.unwrap();
    let cookie = sized.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("tile_size=5;") && cookie.contains("Path=/tickets/"), "{cookie}");
    let session = browser.cookie().unwrap().to_owned();
    browser.set_cookie(&format!("{session}; tile_size=5"));
    browser.get("/?view=tiles").await.check(200, &["data-size=\"5\""]);
    browser.set_cookie(&format!("{session}; tile_size=<b>"));
    browser.get("/?view=tiles").await.check(200, &["data-size=\"3\""]);
}

#[actix_web::test]
async fn ticked_tokens_are_changed_and_all_of_it_is_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let mut uids = Vec::new();
    for count in ["3", "1", "-1"] {
        uids.push(app.add(&[("usage_count", count), ("label", count)]).await);
    }
    let ticked = [("select", "ticked"), ("uid", &uids[0]), ("uid", &uids[1]), ("uid", &uids[2]), ("do", "add_uses")];
    browser.post("/bulk", &ticked).await.check(200, &["Uses to add", "Preview", "3 tokens selected."]);
    let form = [&ticked[..], &[("add_uses", "-2")]].concat();
    let preview = browser.post("/bulk", &[&form[..], &[("step", "preview")]].concat()).await;
    preview.check(
        200,
        &[
            "3 tokens",
            "Will change 1 token<",
            ">Change 1 token<",
            "1 token would have fewer than 0 uses left",
            "1 token has unlimited uses",
            ">Before<",
            ">After<",
        ],
    );
    let action = change(&mut browser, &form).await;
    action.check(200, &["1 token changed. 2 refused.", "2 uses removed", "Refused", "2, not changed"]);
    assert_eq!(app.token(&uids[0]).await["usage_count"], 1);
    assert_eq!(app.token(&uids[1]).await["usage_count"], 1);
    app.consume(&uids[0]).await.check_success();
    // Of one token, on its tile.
    undo(&mut browser, &action).await.check(200, &["undone.", "Use once"]);
    assert_eq!(app.token(&uids[0]).await["usage_count"], 2, "the use stays used");
}

#[actix_web::test]
async fn everything_that_a_filter_finds_is_changed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let made = app.post("/add_tokens", &[("count", "70"), ("label", "Gate {n}"), ("batch_name", "Gates")]).await;
    let batch = made.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    let other = app.add(&[]).await;
    let all = [("select", "found"), ("batch", batch.as_str())];

    let validity =
        [&all[..], &[("do", "validity"), ("valid_to", "2999-12-31T18:00"), ("change_from", "open")]].concat();
    let action = change(&mut browser, &validity).await;
    action.check(200, &["Validity set to no start date, end 31 Dec 2999 18:00", "70 tokens"]);
    let found = app.get("/query_tokens", &[("batch", &batch)]).await;
    let tokens = found.check_success().body["tokens"].as_array().unwrap().clone();
    assert_eq!(tokens.len(), 70);
    assert!(tokens.iter().all(|token| token["valid_to"] == "2999-12-31T17:00:00Z"));
    assert_eq!(app.token(&other).await["valid_to"], json!(null), "and no other");

    for (form, told) in [
        (vec![("do", "uses"), ("unlimited", "1")], "Uses set to unlimited"),
        (vec![("do", "lock"), ("lock_time", "2"), ("lock_unit", "minutes")], "Lock set to 2 minutes"),
        (vec![("do", "label"), ("label", "תור {n:03} 😀")], "Label set to"),
    ] {
        change(&mut browser, &[&all[..], &form].concat()).await.check(200, &[told, "70 tokens"]);
    }
    let found = app.get("/query_tokens", &[("q", "תור 070 😀")]).await;
    assert_eq!(found.check_success().body["tokens"].as_array().unwrap().len(), 1);

    let action = change(&mut browser, &[&all[..], &[("do", "delete")]].concat()).await;
    action.check(200, &["Deleted", "70 tokens"]);
    browser.get(&format!("/?batch={batch}")).await.check(200, &["No tokens match", "Batch: Gates"]);
    let undone = undo(&mut browser, &action).await;
    undone.check(200, &["Change undone.", "Undone"]);
    let found = app.get("/query_tokens", &[("batch", &batch), ("limit", "100")]).await;
    assert_eq!(found.check_success().body["tokens"].as_array().unwrap().len(), 70);
    browser.get("/actions").await.check(200, &["Deleted", "Lock set to 2 minutes", "undone"]);
}

#[actix_web::test]
async fn a_selection_that_changed_meanwhile_is_a_409_with_the_new_count() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    for _ in 0..3 {
        app.add(&[]).await;
    }
    let form = [("select", "found"), ("state", "active"), ("do", "delete")];
    let preview = browser.post("/bulk", &form).await;
    preview.check(200, &["Will delete 3 tokens<", ">Delete 3 tokens<"]);
    let fields = confirmation(&preview);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    app.add(&[]).await;
    let stale = browser.post("/bulk", &[&form[..], &fields].concat()).await;
    stale.check(409, &["Nothing was changed", "4 tokens", "Will delete 4 tokens"]);
    let fields = confirmation(&stale);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = browser.post("/bulk", &[&form[..], &fields].concat()).await;
    let again = browser.post("/bulk", &[&form[..], &fields].concat()).await;
    assert_eq!(done.check_leads_to("/?").location, again.location, "sent twice, it is done once");
    // Back to the list as it was, with what was done, and the way to undo it.
    let list = browser.get(&done.location).await;
    list.check(200, &["4 tokens deleted.", ">Undo<", "data-forget-selection", "No tokens match", "State: Active"]);
    browser.get("/").await.check(200, &["No tokens yet"]);
    let viewers = Browser::of(&app, Role::Viewer).await.get(&done.location).await;
    assert!(viewers.text.contains("4 tokens deleted.") && !viewers.text.contains(">Undo<"), "{}", viewers.text);
}

#[actix_web::test]
async fn what_cannot_be_done_to_many_is_said() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("label", "x"), ("valid_to", "2026-01-01")]).await;
    let of = |fields: &[(&'static str, &'static str)]| {
        let mut form = vec![("uid".to_owned(), uid.clone()), ("step".to_owned(), "preview".to_owned())];
        form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        form
    };
    let cases: [(&[(&str, &str)], &str); 11] = [
        (&[("do", "validity")], "“Valid from” would change nothing"),
        (
            &[("do", "validity"), ("valid_from", "2026-03-01T10:00"), ("valid_to", "2026-03-01T10:00")],
            "must be later than",
        ),
        (&[("do", "validity"), ("valid_from", "yesterday")], "is not a time"),
        (&[("do", "validity"), ("change_to", "at")], "“Valid to” must not be empty"),
        (&[("do", "uses"), ("usage_count", "-5")], "Refused"),
        (&[("do", "uses"), ("usage_count", "many")], "whole number"),
        (&[("do", "add_uses"), ("add_uses", "0")], "would change nothing"),
        (&[("do", "add_uses"), ("add_uses", "1.5")], "is not a whole number"),
        (&[("do", "lock"), ("lock_time", "99999999999")], "seconds"),
        (&[("do", "label"), ("label", "{n:x}")], "Write a running number as"),
        (&[("do", "label"), ("label", "x")], "Nothing to change"),
    ];
    for (fields, told) in cases {
        let form = of(fields);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = browser.post("/bulk", &form).await;
        assert!(page.text.contains(told), "{fields:?}: {}", page.text);
        assert!([200, 422].contains(&page.status), "{fields:?}: {}", page.status);
    }
    browser.post("/bulk", &[("do", "lock")]).await.check(422, &["No tokens selected"]);
    browser.post("/bulk", &[("do", "lock"), ("uid", "x")]).await.check(422, &["is not a uid"]);
    browser.post("/bulk", &[("do", "lock"), ("select", "found"), ("state", "x")]).await.check(422, &["state"]);
    browser.post("/bulk", &[("do", "melt"), ("uid", &uid)]).await.check(422, &[]);
    browser.post("/bulk", &[("do", "delete"), ("uid", &uid)]).await.check(403, &["can’t void, restore or delete"]);
    let smuggled = [("do", "lock"), ("uid", uid.as_str()), ("step", "do"), ("action", "\"delete\"")];
    browser.post("/bulk", &smuggled).await.check(422, &[]);
    let too_few = [("do", "uses"), ("uid", uid.as_str()), ("step", "do"), ("action", "{\"set_uses\":-7}")];
    browser.post("/bulk", &too_few).await.check(409, &["Nothing was changed"]);
    assert_eq!(app.token(&uid).await["usage_count"], 1);
    for path in ["/actions/x", "/batches/x", &format!("/actions/{MISSING_UID}"), &format!("/batches/{MISSING_UID}")] {
        browser.get(path).await.check(404, &[]);
    }
    browser.post(&format!("/actions/{MISSING_UID}/undo"), &[]).await.check(404, &[]);
}

#[actix_web::test]
async fn a_viewer_prints_and_changes_nothing() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let uid = app.add(&[("label", "For paper")]).await;
    let page = browser.get("/").await;
    page.check(200, &["formaction=\"/sheet\"", "Your role can print tokens, not change them."]);
    assert!(!page.text.contains("name=\"do\""), "{}", page.text);
    browser.post("/bulk", &[("do", "lock"), ("uid", &uid)]).await.check(403, &[]);
    browser.get("/add_many").await.check(403, &[]);
    app.add(&[("label", "Another")]).await;
    browser.post("/sheet", &[("select", ""), ("uid", &uid)]).await.check(200, &["<strong>1 token</strong>"]);
    browser.post("/sheet", &[("select", "page"), ("page", &uid)]).await.check(200, &["<strong>1 token</strong>"]);
    browser.post("/sheet", &[("select", "found"), ("q", "")]).await.check(200, &["<strong>2 tokens</strong>"]);
    browser.get("/sheet?q=paper").await.check(200, &["<strong>1 token</strong>"]);
    browser.get(&format!("/sheet?uid={uid}")).await.check(200, &["<strong>1 token</strong>"]);
    browser.get("/sheet?uid=x").await.check(422, &["is not a uid"]);
    browser.get("/sheet?q=nothing").await.check(422, &["No tokens to print"]);
    browser.post("/sheet", &[("select", "ticked")]).await.check(422, &["No tokens selected"]);
    browser.get("/print").await.check(404, &[]);
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    for path in ["/sheet", "/actions", "/batches"] {
        scanner.get(path).await.check(403, &[]);
    }
}

#[actix_web::test]
async fn others_consume_while_many_are_changed() {
    let app = App::start().await;
    let made = app.post("/add_tokens", &[("count", "200"), ("usage_count", "5")]).await;
    let uids: Vec<String> = serde_json::from_value(made.check_success().body["token_uids"].clone()).unwrap();
    let mut browser = Browser::of(&app, Role::Editor).await;
    let form = [("select", "found"), ("do", "add_uses"), ("add_uses", "10")];
    let consuming = async {
        for uid in &uids {
            app.consume(uid).await.check_success();
        }
    };
    let (action, ()) = futures_util::join!(change(&mut browser, &form), consuming);
    action.check(200, &["10 uses added", "200 tokens"]);
    for uid in &uids {
        assert_eq!(app.token(uid).await["usage_count"], 14, "no use is lost or given twice");
    }
    undo(&mut browser, &action).await.check(200, &["Change undone."]);
    for uid in &uids {
        assert_eq!(app.token(uid).await["usage_count"], 4);
    }
}
