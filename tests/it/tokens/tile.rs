//! `/{uid}`: a token's page, and what is done from it.

use serde_json::json;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::tokens::MISSING_UID;

#[actix_web::test]
async fn a_token_is_added_shown_edited_used_deleted_and_restored() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    browser.get("/").await.check(200, &["No tokens yet", "Add the first token"]);
    let form = browser.get("/add").await;
    form.check(200, &["Add token", "Time in Europe/Vienna"]);
    let uid = form.field("token_uid");
    let fields = [
        ("token_uid", uid.as_str()),
        ("value", ""),
        ("label", "Anna"),
        ("valid_from", ""),
        ("valid_to", "2999-11-30T18:00"),
        ("usage_count", "2"),
        ("lock_time", "0"),
        ("lock_unit", "minutes"),
    ];
    let added = browser.post("/add", &fields).await;
    assert_eq!(added.check_leads_to("/").location, format!("/{uid}?done=added"));
    let twice = browser.post("/add", &fields).await;
    assert_eq!(twice.check_leads_to("/").location, added.location, "the same form is the same token");

    let tile = browser.get(&added.location).await;
    tile.check(
        200,
        &["Token added.", "Anna", "Active", "2 uses left, until 30 Nov 2999 18:00", "role=\"img\"", "Not used yet"],
    );

    let nonce = tile.field("nonce");
    for done in ["used-", "replayed"] {
        let used = browser.post(&format!("/{uid}/use"), &[("nonce", &nonce)]).await;
        used.check_leads_to(&format!("/{uid}?done={done}"));
    }
    assert_eq!(app.token(&uid).await["usage_count"], 1, "two clicks are one use");
    for (wrong, says) in [("a\0b", "line breaks or control characters"), (&"9".repeat(256), "at most 255 characters")] {
        let refused = browser.post(&format!("/{uid}/use"), &[("nonce", wrong)]).await;
        refused.check(422, &[says]);
    }
    browser.post(&format!("/{uid}/use"), &[]).await.check_leads_to(&format!("/{uid}?done=used-"));
    browser.post(&format!("/{uid}/use"), &[]).await.check_leads_to(&format!("/{uid}?done=refused-2"));
    let tile = browser.get(&format!("/{uid}?done=refused-2")).await;
    tile.check(200, &["Not used: used up.", "Used up", "last used", "Refused: used up", "admin"]);
    assert!(!tile.text.contains("Use once"));

    let edit = browser.get(&format!("/{uid}/edit")).await;
    edit.check(200, &["Edit token", "value=\"2999-11-30T18:00\""]);
    let was = ["was_value", "was_label", "was_valid_from", "was_valid_to", "was_usage_count", "was_lock_time"];
    let was: Vec<(&str, String)> = was.iter().map(|name| (*name, edit.field(name))).collect();
    let mut fields: Vec<(&str, &str)> = was.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend([
        ("value", uid.as_str()),
        ("label", "Ben"),
        ("valid_from", ""),
        ("valid_to", "2999-11-30T18:00:00"),
        ("usage_count", "0"),
        ("unlimited", "1"),
        ("lock_time", "2"),
        ("lock_unit", "hours"),
    ]);
    browser.post(&format!("/{uid}/edit"), &fields).await.check_leads_to(&format!("/{uid}?done=saved"));
    let token = app.token(&uid).await;
    assert_eq!(
        (&token["label"], &token["usage_count"], &token["lock_time"]),
        (&json!("Ben"), &json!(-1), &json!(7200))
    );

    browser.get(&format!("/{uid}/delete")).await.check(200, &["Delete this token?", "Ben"]);
    let deleted = browser.post(&format!("/{uid}/delete"), &[]).await;
    let list = browser.get(&deleted.check_leads_to("/?done=deleted").location).await;
    list.check(200, &["Token deleted.", "Undo", &format!("/{uid}/restore")]);
    browser.get(&format!("/{uid}")).await.check(404, &["This token was deleted", "Restore"]);
    let again = browser.post(&format!("/{uid}/delete"), &[]).await;
    assert_eq!(again.check_leads_to("/?done=deleted").location, deleted.location, "from two tabs it is deleted once");
    browser.get("/deleted").await.check(200, &["Ben", "admin", "Restore"]);
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to(&format!("/{uid}?done=restored"));
    browser.get(&format!("/{uid}")).await.check(200, &["Ben"]);
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to(&format!("/{uid}?done=restored"));
    browser.post(&format!("/{MISSING_UID}/restore"), &[]).await.check(404, &[]);
    browser.post(&format!("/{MISSING_UID}/delete"), &[]).await.check(404, &[]);
}

#[actix_web::test]
async fn what_people_typed_comes_out_as_text() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    for hostile in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{ 1234567*2 }}",
        "'; DROP TABLE tokens; --",
        "</title><b>",
    ] {
        let uid = app.add(&[("value", hostile), ("label", hostile)]).await;
        let (edit, delete) = (format!("/{uid}/edit"), format!("/{uid}/delete"));
        let search =
            format!("/?q={}", percent_encoding::utf8_percent_encode(hostile, percent_encoding::NON_ALPHANUMERIC));
        for path in ["/", &search, &format!("/{uid}"), &edit, &delete] {
            let page = browser.get(path).await;
            assert!(
                !page.text.contains("<script>alert")
                    && !page.text.contains("<img src=x")
                    && !page.text.contains("</title><b>"),
                "{path}"
            );
            assert!(!page.text.contains("2469134"), "{path}: nothing is computed");
        }
        assert_eq!(browser.get(&edit).await.field("value"), hostile);
        browser.post(&delete, &[]).await.check_leads_to("/");
        let deleted = browser.get("/deleted").await;
        assert!(!deleted.text.contains("<script>alert") && !deleted.text.contains("<img src=x"));
    }
}

#[actix_web::test]
async fn values_at_their_limits_have_a_tile() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    for value in ["x".repeat(1_000), "😀".repeat(300), "ä".repeat(600), "\u{5d0}\u{5d1} abc".into()] {
        let uid = app.add(&[("value", &value), ("label", &"ß".repeat(200))]).await;
        browser.get(&format!("/{uid}")).await.check(200, &[&value]);
        browser.get(&format!("/{uid}/edit")).await.check(200, &[&value]);
    }
    browser.get("/").await.check(200, &["4 tokens"]);
}
