//! The pages over HTTP: every page, form, error and role.

use serde_json::json;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, PageAnswer};
use crate::support::forms::forms;
use crate::support::tokens::MISSING_UID;

#[actix_web::test]
async fn a_form_with_errors_comes_back_with_what_was_typed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    app.add(&[("value", "T-1")]).await;
    let uid = browser.get("/add").await.field("token_uid");
    let good = [
        ("token_uid", uid.as_str()),
        ("value", ""),
        ("label", "Anna"),
        ("valid_from", ""),
        ("valid_to", ""),
        ("usage_count", "1"),
        ("lock_time", "0"),
        ("lock_unit", "seconds"),
    ];
    for (field, text, says) in [
        ("value", "T-1", "“Value” is already in use"),
        ("value", " x", "white space"),
        ("value", MISSING_UID, "must not be the uid of another token"),
        ("label", "a\tb", "control characters"),
        ("valid_from", "2026-03-29T02:30", "does not exist in the time zone"),
        ("valid_to", "soon", "is not a time"),
        ("usage_count", "-5", "Uses must be a whole number"),
        ("usage_count", "", "Uses must be"),
        ("usage_count", "1.5", "Uses must be"),
        ("lock_time", "-1", "The lock must be"),
        ("lock_time", "9999999999", "The lock must be"),
    ] {
        let fields: Vec<_> =
            good.iter().map(|(name, value)| (*name, if *name == field { text } else { value })).collect();
        let page = browser.post("/add", &fields).await;
        page.check(
            422,
            &["The token was not saved", &format!("href=\"#{field}\""), &format!("id=\"{field}-error\""), says],
        );
        assert_eq!(page.field(field), text, "what was typed is kept");
        assert_eq!(page.field("token_uid"), uid);
    }
    let both = [("value", " x"), ("label", "a\tb"), ("usage_count", "x"), ("lock_time", ""), ("valid_from", "soon")];
    let page = browser.post("/add", &both).await;
    page.check(
        422,
        &["href=\"#value\"", "href=\"#label\"", "href=\"#usage_count\"", "href=\"#lock_time\"", "href=\"#valid_from\""],
    );
}

#[actix_web::test]
async fn a_time_later_than_the_field_can_show_is_said_and_kept() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let last = "9999-12-31T23:30:00Z";
    let uid = app.add(&[("valid_from", last)]).await;
    let page = browser.get(&format!("/{uid}/edit")).await;
    page.check(200, &[&format!("Valid from is {last}. The field can")]);
    let mut form = forms(&page.text).into_iter().find(|form| form.action.ends_with("/edit")).unwrap().fields;
    form.iter_mut().find(|(name, _)| name == "label").unwrap().1 = "Anna".into();
    let fields: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(&format!("/{uid}/edit"), &fields).await.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!((&token["label"], &token["valid_from"]), (&json!("Anna"), &json!(last)));
}

#[actix_web::test]
async fn an_edit_writes_only_what_was_changed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let exact = "2999-09-22T08:30:00.123456Z";
    let uid = app.add(&[("usage_count", "5"), ("valid_to", exact), ("label", "Anna")]).await;
    let opened = edit_fields(&mut browser, &uid).await;
    let path = format!("/{uid}/edit");
    // While the form is open, the token is used, and somebody changes its lock.
    app.consume(&uid).await.check_success();
    app.post(&format!("/{uid}/update_token"), &[("lock_time", "7")]).await.check_success();
    browser.post(&path, &with(&opened, &[("label", "Ben")])).await.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!((&token["label"], &token["usage_count"], &token["lock_time"]), (&json!("Ben"), &json!(4), &json!(7)));
    assert_eq!(token["valid_to"], exact, "no microsecond is lost");

    // Both changed the same: nothing is written, and both sides are shown.
    let conflict = browser.post(&path, &with(&opened, &[("usage_count", "10"), ("label", "Carl")])).await;
    conflict.check(
        409,
        &[
            "Someone else edited this token",
            "<strong>Now saved</strong> 4",
            "<strong>Your entry</strong> 10",
            "<strong>Now saved</strong> Ben",
        ],
    );
    assert_eq!(app.token(&uid).await["label"], "Ben");
    assert_eq!((conflict.field("usage_count"), conflict.field("was_usage_count")), ("10".into(), "4".into()));
    // Saved once more, it is known.
    let again = fields_of(&conflict);
    browser.post(&path, &with(&again, &[])).await.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!((&token["label"], &token["usage_count"], &token["lock_time"]), (&json!("Carl"), &json!(10), &json!(7)));
}

/// The fields of a token's edit form, as a browser sends them when nothing is changed.
async fn edit_fields(browser: &mut Browser<'_>, uid: &str) -> Vec<(&'static str, String)> {
    fields_of(&browser.get(&format!("/{uid}/edit")).await)
}

fn fields_of(form: &PageAnswer) -> Vec<(&'static str, String)> {
    let names = [
        "was_value",
        "was_label",
        "was_valid_from",
        "was_valid_to",
        "was_usage_count",
        "was_lock_time",
        "value",
        "label",
        "valid_from",
        "valid_to",
        "usage_count",
        "lock_time",
    ];
    names.into_iter().map(|name| (name, form.field(name))).chain([("lock_unit", "seconds".to_owned())]).collect()
}

fn with<'a>(fields: &'a [(&'static str, String)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.map(|(name, value)| (*name, value.as_str())).chain(changes.iter().copied()).collect()
}

#[actix_web::test]
async fn a_link_decides_nothing_of_what_a_form_writes() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let fields = edit_fields(&mut browser, &uid).await;
    let page = browser.get(&format!("/{uid}/edit?unlimited=1")).await;
    page.check(200, &[&format!("action=\"/{uid}/edit\"")]);
    let sent = browser.post(&format!("/{uid}/edit?unlimited=1&value=x"), &with(&fields, &[("label", "Anna")])).await;
    sent.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!((&token["usage_count"], &token["value"], &token["label"]), (&json!(3), &json!(uid), &json!("Anna")));
}

#[actix_web::test]
async fn an_edit_that_does_not_say_what_it_knew_is_refused() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("valid_to", "2999-01-01")]).await;
    let fields = edit_fields(&mut browser, &uid).await;
    let path = format!("/{uid}/edit");
    let without: Vec<_> = with(&fields, &[]).into_iter().filter(|(name, _)| *name != "was_valid_to").collect();
    browser.post(&path, &without).await.check(400, &["was_valid_to"]);
    for (name, text) in [("was_usage_count", "x"), ("was_lock_time", ""), ("was_valid_from", "soon")] {
        browser.post(&path, &with(&fields, &[(name, text)])).await.check(422, &[name]);
    }
    assert_eq!(app.token(&uid).await["valid_to"], "2999-01-01T22:59:59.999999Z");
}

#[actix_web::test]
async fn fields_that_do_not_agree_any_more_are_shown_as_they_are() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("valid_to", "2930-01-01")]).await;
    let fields = edit_fields(&mut browser, &uid).await;
    let path = format!("/{uid}/edit");
    app.post(&format!("/{uid}/update_token"), &[("valid_to", "2927-01-01")]).await.check_success();
    let refused = browser.post(&path, &with(&fields, &[("valid_from", "2928-01-01T00:00")])).await;
    refused.check(422, &["must be earlier than"]);
    assert_eq!(refused.field("valid_to"), "2927-01-01T23:59:59", "what stands in the way is seen");
    assert_eq!(refused.field("valid_from"), "2928-01-01T00:00");
}

#[actix_web::test]
async fn a_form_that_was_changed_after_going_back_says_that_its_token_exists_and_adds_another_when_sent_again() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = browser.get("/add").await.field("token_uid");
    let form = |uid: &str, label: &str| {
        [("token_uid", uid), ("label", label), ("usage_count", "1"), ("lock_time", "0")]
            .map(|(name, value)| (name, value.to_owned()))
    };
    let send = async |browser: &mut Browser<'_>, uid: &str, label: &str| {
        let form = form(uid, label);
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/add", &fields).await
    };
    let added = format!("/{uid}?done=added");
    for _ in 0..2 {
        send(&mut browser, &uid, "One").await.check_leads_to(&added);
    }
    let asked = send(&mut browser, &uid, "Two").await;
    asked.check(422, &["has other values now. Nothing was changed.", "value=\"Two\""]);
    assert_eq!(app.token(&uid).await["label"], "One");
    let other = asked.field("token_uid");
    assert_ne!(other, uid);
    send(&mut browser, &other, "Two").await.check_leads_to(&format!("/{other}?done=added"));

    browser.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    send(&mut browser, &uid, "One").await.check(422, &["was deleted since. Nothing was changed."]);
}

#[actix_web::test]
async fn contradictions_in_a_form_are_told() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    let fields = edit_fields(&mut browser, &uid).await;
    let path = format!("/{uid}/edit");
    browser
        .post(&path, &with(&fields, &[("unlimited", "1"), ("usage_count", "5")]))
        .await
        .check(422, &["href=\"#usage_count\""]);
    browser
        .post(&path, &with(&fields, &[("unlimited", "1"), ("lock_unit", "weeks"), ("lock_time", "5")]))
        .await
        .check(422, &["href=\"#lock_time\""]);
    browser
        .post(&path, &with(&fields, &[("unlimited", "1"), ("lock_unit", "days"), ("lock_time", "90000")]))
        .await
        .check(422, &["The lock must be"]);
    browser.post(&path, &with(&fields, &[("unlimited", "1")])).await.check_leads_to(&format!("/{uid}?done=saved"));
    assert_eq!(app.token(&uid).await["usage_count"], -1);
}
