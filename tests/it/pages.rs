//! The pages over HTTP: every page, form, error and role.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use tessera::access::Role;

use crate::app::App;
use crate::browser::{Browser, PASSWORD, PageAnswer, add_user};

const NOBODY: &str = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";

#[actix_web::test]
async fn every_page_has_its_headers() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = app.add(&[]).await;
    let tile = format!("/{uid}");
    let (edit, delete) = (format!("/{uid}/edit"), format!("/{uid}/delete"));
    for path in ["/login", "/", "/add", &tile, &edit, &delete, "/deleted", "/account", "/nothing"] {
        let page = browser.get(path).await;
        let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert!(header("permissions-policy").contains("camera=(self)"));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("strict-transport-security"), "", "not without https");
        assert!(!page.text.contains("style=\"") && !page.text.contains("<script>") && !page.text.contains("onclick"));
    }
}

#[actix_web::test]
async fn https_has_hsts_and_a_cookie_of_this_host() {
    for (public, name) in
        [("https://example.org", "__Host-tessera="), ("https://example.org/tickets", "__Secure-tessera=")]
    {
        let app = App::start_as(public).await;
        add_user(&app, "anna", Role::Editor);
        let mut browser = Browser::new(&app);
        let page = browser.get("/login").await;
        assert!(page.headers["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
        let signed_in = browser.sign_in("anna").await;
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with(name) && cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    }
}

#[actix_web::test]
async fn static_files_are_kept_for_ever_and_packed() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::new(&app);
    let login = browser.get("/login").await;
    let path = login.text.split("href=\"/tickets").find(|part| part.starts_with("/static/style-")).unwrap();
    let path = path.split('"').next().unwrap();
    let packed = browser.request(Method::GET, path).header("Accept-Encoding", "br").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "br");
    let style = browser.get(path).await;
    style.check(200, &["--accent"]);
    assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    browser.get("/static/style-000000000000.css").await.check(404, &["Nothing is here"]);
    browser.get("/static/..%2fCargo.toml").await.check(404, &[]);
}

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
        &[
            "The token is added.",
            "Anna",
            "Active",
            "2 uses left, until 30 Nov 2999 18:00",
            "role=\"img\"",
            "never used",
        ],
    );

    let nonce = tile.field("nonce");
    for done in ["used", "replayed"] {
        let used = browser.post(&format!("/{uid}/use"), &[("nonce", &nonce)]).await;
        assert_eq!(used.check_leads_to("/").location, format!("/{uid}?done={done}"));
    }
    assert_eq!(app.token(&uid).await["usage_count"], 1, "two clicks are one use");
    browser.post(&format!("/{uid}/use"), &[]).await.check_leads_to(&format!("/{uid}?done=used"));
    browser.post(&format!("/{uid}/use"), &[]).await.check_leads_to(&format!("/{uid}?done=refused-2"));
    let tile = browser.get(&format!("/{uid}?done=refused-2")).await;
    tile.check(
        200,
        &["It was not used: it was used up.", "Used up", "last used", "Refused: it was used up", "user:admin"],
    );
    assert!(!tile.text.contains("Use once"));

    let edit = browser.get(&format!("/{uid}/edit")).await;
    edit.check(200, &["Edit token", "2999-11-30T18:00:00"]);
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
    list.check(200, &["The token is deleted.", "Undo", &format!("/{uid}/restore")]);
    browser.get(&format!("/{uid}")).await.check(404, &["Nothing is here", "Back to the tokens"]);
    let again = browser.post(&format!("/{uid}/delete"), &[]).await;
    assert_eq!(again.check_leads_to("/?done=deleted").location, deleted.location, "from two tabs it is deleted once");
    browser.get("/deleted").await.check(200, &["Ben", "user:admin", "Restore"]);
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to(&format!("/{uid}?done=restored"));
    browser.get(&format!("/{uid}")).await.check(200, &["Ben"]);
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to(&format!("/{uid}?done=restored"));
    browser.post(&format!("/{NOBODY}/restore"), &[]).await.check(404, &[]);
    browser.post(&format!("/{NOBODY}/delete"), &[]).await.check(404, &[]);
}

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
        ("value", "T-1", "in use by another token"),
        ("value", " x", "white space"),
        ("value", NOBODY, "own uid"),
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
            "Meanwhile the token was changed",
            "<strong>Now</strong> 4",
            "<strong>You</strong> 10",
            "<strong>Now</strong> Ben",
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

#[actix_web::test]
async fn the_list_searches_filters_orders_and_turns_its_pages() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    app.post("/add_tokens", &[("count", "120"), ("label", "Locker {n:03}")]).await.check_success();
    app.add(&[("value", "zz-last"), ("label", ""), ("valid_to", "2001-01-01")]).await;
    let labels = |text: &str| -> Vec<String> {
        text.split("<td class=\"label\">")
            .skip(1)
            .map(|cell| cell.split("</td>").next().unwrap().replace("<span>", "").replace("</span>", ""))
            .collect()
    };
    let link = |text: &str, words: &str| -> String {
        let end = text.find(&format!(">{words}</a>")).unwrap_or_else(|| panic!("{words} is not in {text}"));
        text[..end].rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&")
    };
    for (sort, first, last) in [
        ("newest", "", "Locker 001"),
        ("oldest", "Locker 001", ""),
        ("label", "", "Locker 120"),
        ("valid_to", "", "Locker 120"),
    ] {
        let mut page = browser.get(&format!("/?sort={sort}")).await;
        page.check(200, &["121 tokens"]);
        let mut seen = labels(&page.text);
        while page.text.contains(">Next</a>") {
            let before = labels(&page.text);
            page = browser.get(&link(&page.text, "Next")).await;
            let back = browser.get(&link(&page.text, "Back")).await;
            assert_eq!(labels(&back.text), before, "{sort}: back leads to where one was");
            seen.extend(labels(&page.text));
        }
        assert_eq!(seen.len(), 121, "{sort}");
        assert_eq!((seen[0].as_str(), seen[120].as_str()), (first, last), "{sort}");
        let start = browser.get(&format!("/?sort={sort}")).await;
        let end = browser.get(&link(&start.text, "Last")).await;
        assert_eq!(labels(&end.text), seen[71..], "{sort}: the last page");
        let first_again = browser.get(&link(&end.text, "First")).await;
        assert_eq!(labels(&first_again.text), seen[..50], "{sort}");
    }
    let found = browser.get("/?q=LOCKER+01").await;
    assert_eq!(labels(&found.check(200, &["10 tokens", "Show all tokens"]).text).len(), 10);
    browser.get("/?state=expired").await.check(200, &["1 token<", "zz-last", "Expired", "since 1 Jan 2001"]);
    browser
        .get("/?created_from=2001-01-01&created_to=2001-01-02")
        .await
        .check(200, &["Nothing is found", "Without the first day"]);
    let none = browser.get("/?q=nothing&state=locked").await;
    none.check(200, &["Nothing is found", "Without the search", "/?state=locked"]);
    browser.get("/?state=wrong").await.check(422, &["This filter cannot be used", "href=\"#state\""]);
    browser.get("/?created_to=soon").await.check(422, &["href=\"#created_to\""]);
    browser.get("/?after=made-up").await.check(422, &["cursor is not one"]);
    let today = "2999-01-01";
    browser.get(&format!("/?created_to={today}")).await.check(200, &["121 tokens"]);
}

#[actix_web::test]
async fn each_role_sees_its_buttons_and_no_others_doors() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "9")]).await;
    for (role, sees, edits, uses, deletes) in [
        (Role::Scanner, false, false, true, false),
        (Role::Viewer, true, false, false, false),
        (Role::Editor, true, true, true, false),
        (Role::Admin, true, true, true, true),
        (Role::Manager, true, true, true, true),
    ] {
        let mut browser = Browser::of(&app, role).await;
        let status = |allowed| if allowed { 200 } else { 403 };
        for (path, allowed) in [
            ("/".to_owned(), sees),
            (format!("/{uid}"), sees),
            (format!("/{uid}/qr_code"), sees),
            (format!("/{uid}/qr_code.svg"), sees),
            ("/add".into(), edits),
            (format!("/{uid}/edit"), edits),
            (format!("/{uid}/delete"), deletes),
            ("/deleted".into(), deletes),
            ("/account".into(), true),
        ] {
            let response = browser.request(Method::GET, &path).send().await.unwrap();
            assert_eq!(response.status().as_u16(), status(allowed), "{role} {path}");
        }
        let used = browser.post(&format!("/{uid}/use"), &[]).await;
        assert_eq!(used.status, if uses { 303 } else { 403 }, "{role}");
        for (path, allowed) in [
            ("/add".to_owned(), edits),
            (format!("/{uid}/edit"), edits),
            (format!("/{NOBODY}/delete"), deletes),
            (format!("/{NOBODY}/restore"), deletes),
        ] {
            assert_eq!(browser.post(&path, &[]).await.status != 403, allowed, "{role} {path}");
        }
        if sees {
            let tile = browser.get(&format!("/{uid}")).await;
            for (words, there) in [("Use once", uses), (">Edit<", edits), (">Delete<", deletes)] {
                assert_eq!(tile.text.contains(words), there, "{role} {words}");
            }
        }
    }
}

#[actix_web::test]
async fn errors_have_pages_with_a_way_back() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    browser.get("/add").await.check(403, &["This is not for you", "Back to the tokens", "Sign out"]);
    for path in ["/nothing", "/not-a-uid/edit", &format!("/{NOBODY}"), &format!("/{NOBODY}/qr_code")] {
        let page = browser.get(path).await;
        assert!(matches!(page.status, 403 | 404), "{path}");
    }
    browser.get("/not-a-uid").await.check(404, &["Nothing is here"]);
    let post = browser.post("/", &[]).await;
    post.check(405, &["Not in this way"]);
    assert_eq!(post.headers["allow"], "GET, HEAD");
    let head = browser.request(Method::HEAD, "/").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (200, String::new()));
    app.connection().batch_execute("ALTER TABLE usage RENAME TO gone").unwrap();
    let uid = app.add(&[]).await;
    let fault = browser.get(&format!("/{uid}")).await;
    fault.check(500, &["Something went wrong", "under request"]);
    assert!(!fault.text.contains("relation") && !fault.text.contains("no such table"), "{}", fault.text);
}

#[actix_web::test]
async fn whoever_asks_for_json_gets_json() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let json = browser.request(Method::GET, "/nothing").header("Accept", "application/json").send().await.unwrap();
    assert!(json.status() == 404 || json.headers()["content-type"] == "application/json");
    let view = browser.get("/query_tokens").await;
    assert_eq!(view.check(200, &["\"tokens\""]).headers["content-type"], "application/json");
    let denied = browser.post(&format!("/{NOBODY}/delete_token"), &[]).await;
    denied.check(403, &["\"error\":\"Forbidden\""]);
    let mut nobody = Browser::new(&app);
    nobody.get("/query_tokens").await.check(401, &["\"error\":\"Unauthorized\""]);
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
    for value in ["x".repeat(1_000), "😀".repeat(300), "ä".repeat(600), "\u{5d0}\u{5d1} \u{202e}abc".into()] {
        let uid = app.add(&[("value", &value), ("label", &"ß".repeat(200))]).await;
        browser.get(&format!("/{uid}")).await.check(200, &[&value]);
        browser.get(&format!("/{uid}/edit")).await.check(200, &[&value]);
    }
    browser.get("/").await.check(200, &["4 tokens"]);
}

#[actix_web::test]
async fn a_restored_token_does_not_take_a_value_away() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = app.add(&[("value", "T-1")]).await;
    browser.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    app.add(&[("value", "T-1")]).await;
    browser.post(&format!("/{uid}/restore"), &[]).await.check(409, &["another token has its value now"]);
    let old = app.add(&[]).await;
    browser.post(&format!("/{old}/delete"), &[]).await.check_leads_to("/");
    let month = format!("UPDATE tokens SET deleted_at = deleted_at - 2592001000000 WHERE uid = '{old}'");
    app.connection().batch_execute(&month).unwrap();
    browser.post(&format!("/{old}/restore"), &[]).await.check(404, &[]);
    assert!(!browser.get("/deleted").await.text.contains(&old), "30 days are over");
}

#[actix_web::test]
async fn the_account_changes_the_password_and_ends_sessions() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let mut other = Browser::new(&app);
    other.sign_in("editor").await.check_leads_to("/");
    let page = browser.get("/account").await;
    page.check(200, &["editor", "This one", "Sign out everywhere else"]);
    let session = page.field("session");
    browser.post("/account/sessions/end", &[("session", &session)]).await.check_leads_to("/account?done=ended");
    browser.get("/account?done=ended").await.check(200, &["That session is signed out"]);
    other.get("/").await.check_leads_to("/login");
    browser.get("/").await.check(200, &[]);
    browser.post("/account/sessions/end", &[("session", "x")]).await.check(422, &[]);

    let change = |current, password, again| [("current", current), ("password", password), ("again", again)];
    let wrong = browser.post("/account/password", &change("wrong", "short", "other")).await;
    wrong.check(422, &["This is not your password", "12 to 1000 characters", "not what you typed above"]);
    let common = browser.post("/account/password", &change(PASSWORD, "password1234", "password1234")).await;
    common.check(422, &["among the common ones"]);
    other.sign_in("editor").await.check_leads_to("/");
    let new = "another-tile-of-1888";
    browser.post("/account/password", &change(PASSWORD, new, new)).await.check_leads_to("/account?done=password");
    browser.get("/account?done=password").await.check(200, &["Your password is changed"]);
    other.get("/").await.check_leads_to("/login");
    other.sign_in("editor").await.check(422, &[]);
    other.post("/login", &[("name", "editor"), ("password", new)]).await.check_leads_to("/");
}

#[actix_web::test]
async fn a_session_that_ended_in_a_form_comes_back_to_it() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let mut browser = Browser::new(&app);
    for (path, next) in [
        (format!("/{uid}/edit"), format!("%2F{}%2Fedit", uid.replace('-', "%2D"))),
        (format!("/{uid}/use"), format!("%2F{}", uid.replace('-', "%2D"))),
        ("/add".into(), "%2Fadd".into()),
        ("/account/password".into(), "%2Faccount".into()),
        ("/logout".into(), "%2F".into()),
    ] {
        assert_eq!(browser.post(&path, &[]).await.check_leads_to("/login").location, format!("/login?next={next}"));
    }
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
    assert_eq!(app.token(&uid).await["valid_to"], "2998-12-31T23:00:00Z");
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
    refused.check(422, &["must be later than"]);
    assert_eq!(refused.field("valid_to"), "2927-01-01T00:00:00", "what stands in the way is seen");
    assert_eq!(refused.field("valid_from"), "2928-01-01T00:00");
}

#[actix_web::test]
async fn a_form_that_was_changed_after_going_back_makes_another_token() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = browser.get("/add").await.field("token_uid");
    let add = |label: &'static str| {
        [("token_uid", uid.clone()), ("label", label.into()), ("usage_count", "1".into()), ("lock_time", "0".into())]
    };
    let mut made = Vec::new();
    for label in ["One", "One", "Two"] {
        let form = add(label);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        made.push(browser.post("/add", &form).await.check_leads_to("/").location.clone());
    }
    assert_eq!(made[0], made[1]);
    assert_ne!(made[1], made[2]);
    browser.get(&made[2]).await.check(200, &["Two", "The token is added."]);
    browser.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    let form = add("One");
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let third = browser.post("/add", &form).await.check_leads_to("/").location.clone();
    browser.get(&third).await.check(200, &["One"]);
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

#[actix_web::test]
async fn a_database_that_is_away_is_a_page_that_says_so() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    app.database.take_away();
    let page = browser.get("/").await;
    page.check(503, &["Not at the moment", "Back to the tokens"]);
    assert_eq!(page.headers["retry-after"], "1");
    app.database.bring_back();
    browser.get("/").await.check(200, &["Tokens"]);
}

#[actix_web::test]
async fn every_answer_says_what_other_sites_may_not_do() {
    let app = App::start_as("https://example.org").await;
    let mut browser = Browser::new(&app);
    let uid = app.add(&[]).await;
    for path in ["/", "/login", "/healthz", "/query_tokens", &format!("/{uid}/qr_code"), "/static/none"] {
        let answer = browser.get(path).await;
        for name in [
            "content-security-policy",
            "cross-origin-resource-policy",
            "cross-origin-opener-policy",
            "permissions-policy",
            "referrer-policy",
            "x-content-type-options",
            "strict-transport-security",
        ] {
            assert!(answer.headers.contains_key(name), "{name} of {path}");
        }
    }
}
