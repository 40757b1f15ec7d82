//! `/audit` over HTTP, and what is recorded there.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use tessera::access::{Principal, Role};
use tessera::store::audit;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::support::app::{App, send};
use crate::support::audit::{audited, check_audited};
use crate::support::browser::{Browser, PASSWORD, add_user};
use crate::support::export::exported;
use crate::support::printing::{add_labelled, keep_run_of};

/// Records as many entries as there are moments, in seconds since 1970.
fn record(app: &App, by: &Principal, action: &str, subject: &str, moments: impl IntoIterator<Item = i64>) {
    transaction(&mut app.connection(), |connection| {
        for seconds in moments {
            let at = Micros::stored(seconds * 1_000_000);
            audit::record(connection, by, action, subject, "", at)?;
        }
        Ok::<_, tessera::store::Error>(())
    })
    .unwrap();
}

/// What the page shows of whom or which.
fn subjects(text: &str) -> Vec<String> {
    let objects = text.split("class=\"whom\"").skip(1).map(|rest| rest.split_once('>').unwrap().1);
    objects.map(|object| object.split('<').next().unwrap().to_owned()).collect()
}

fn link(text: &str, words: &str) -> String {
    let end = text.find(&format!(">{words}</a>")).unwrap_or_else(|| panic!("{words} is not in {text}"));
    text[..end].rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&")
}

#[actix_web::test]
async fn sign_ins_and_failures_are_recorded_once() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    check_audited(&app, ["user:manager", "sign-in", "manager", "127.0.0.1"]);
    let before = audited(&app).len();
    let mut stranger = Browser::new(&app);
    stranger.post("/login", &[("name", "manager"), ("password", "wrong")]).await.check(422, &[]);
    check_audited(&app, ["nobody", "sign-in failed", "manager", "127.0.0.1"]);
    for name in ["my-secret-password", "x\0y", &"x".repeat(2_000), "<script>alert(1)</script>"] {
        stranger.post("/login", &[("name", name), ("password", PASSWORD)]).await.check(422, &[]);
        check_audited(&app, ["nobody", "sign-in failed", "an unknown name", "127.0.0.1"]);
    }
    add_user(&app, "gone", Role::Viewer);
    browser.post("/users/disable", &[("name", "gone")]).await.check_leads_to("/users");
    stranger.sign_in("gone").await.check(422, &[]);
    check_audited(&app, ["nobody", "sign-in failed", "gone", "127.0.0.1"]);
    assert_eq!(audited(&app).len(), before + 8, "one entry each");
    browser.post("/logout", &[]).await.check_leads_to("/login");
    check_audited(&app, ["user:manager", "sign-out", "manager", ""]);
}

#[actix_web::test]
async fn a_flood_of_guesses_does_not_fill_the_audit() {
    let app = App::start().await;
    add_user(&app, "anna", Role::Viewer);
    let browser = Browser::new(&app);
    let guess = || browser.request(Method::POST, "/login").form(&[("name", "anna"), ("password", "wrong")]).send();
    let answers = futures_util::future::join_all((0..40).map(|_| guess())).await;
    let tried = answers.into_iter().filter(|answer| answer.as_ref().unwrap().status() == 422).count();
    assert_eq!(audited(&app).iter().filter(|entry| entry[1] == "sign-in failed").count(), tried);
    assert_eq!(tried, 10);
}

#[actix_web::test]
async fn the_own_account_is_recorded() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let end = |session: &str| [("session", session.to_owned())];
    browser.post("/account/sessions/end", &[]).await.check_leads_to("/account");
    check_audited(&app, ["user:editor", "sign-in", "editor", "127.0.0.1"]);
    for _ in 0..2 {
        Browser::new(&app).sign_in("editor").await.check_leads_to("/");
    }
    let page = browser.get("/account").await;
    let [(name, id)] = end(&page.field("session"));
    browser.post("/account/sessions/end", &[(name, &id)]).await.check_leads_to("/account?done=ended");
    check_audited(&app, ["user:editor", "session end", "editor", "1 session"]);
    Browser::new(&app).sign_in("editor").await.check_leads_to("/");
    browser.post("/account/sessions/end", &[]).await.check_leads_to("/account?done=all-ended");
    check_audited(&app, ["user:editor", "session end", "editor", "2 sessions"]);
    let change = |current: &'static str| {
        [("current", current), ("password", "lantern under 7 bridges"), ("again", "lantern under 7 bridges")]
    };
    browser.post("/account/password", &change("wrong")).await.check(422, &[]);
    check_audited(&app, ["user:editor", "password refused", "editor", "127.0.0.1"]);
    browser.post("/account/password", &change(PASSWORD)).await.check_leads_to("/account?done=password");
    check_audited(&app, ["user:editor", "user passwd", "editor", ""]);
}

#[actix_web::test]
async fn deletions_and_restores_are_recorded_whole_or_not_at_all() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uid = app.add(&[]).await;
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    check_audited(&app, ["key:manager", "token delete", &uid, ""]);
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to("/");
    check_audited(&app, ["user:manager", "token restore", &uid, ""]);
    browser.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    check_audited(&app, ["user:manager", "token delete", &uid, ""]);
    let count = audited(&app).len();
    browser.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to("/");
    browser.post(&format!("/{uid}/restore"), &[]).await.check_leads_to("/");
    assert_eq!(audited(&app).len(), count + 1, "what was done already is not done again");

    let uids = app.post("/add_tokens", &[("count", "5")]).await.body["token_uids"].clone();
    let count = audited(&app).len();
    let with_unknown = json!({"token_uids": [uids[0], "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"]});
    app.post_json("/delete_tokens", with_unknown).await.check_failure("TokenNotExists");
    app.post_json("/delete_tokens", json!({"token_uids": []})).await.check_success();
    assert_eq!(audited(&app).len(), count);
    app.post_json("/delete_tokens", json!({"token_uids": [uids[0], uids[0]]})).await.check_success();
    check_audited(&app, ["key:manager", "token delete", uids[0].as_str().unwrap(), ""]);
    app.post_json("/delete_tokens", json!({"token_uids": [uids[1], uids[2], uids[3]]})).await.check_success();
    check_audited(&app, ["key:manager", "token delete", "", "3 tokens"]);
    assert_eq!(audited(&app).len(), count + 2);
}

#[actix_web::test]
async fn an_entry_is_told_in_words_and_an_unknown_one_as_it_stands() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.post("/users/add", &[("name", "anna"), ("role", "viewer"), ("password", "")]).await.check(200, &[]);
    let hostile = "\"><img src=x onerror=alert(1)> {{ 1234567*2 }}";
    record(&app, &Principal::shell(hostile), hostile, hostile, [1]);
    record(&app, &Principal::shell("root"), "settings restore", "zone", [2]);
    let page = browser.get("/audit").await;
    page.check(
        200,
        &["added the user <a class=\"whom\"", "href=\"/tickets/users/edit?name=anna\"", ">manager<", "viewer"],
    );
    page.check(200, &["signed in", "Europe/Vienna"]);
    page.check(200, &[">settings restore <bdi", "root (command line)", "1 Jan 1970"]);
    assert!(!page.text.contains("<img src=x") && !page.text.contains("2469134"));
    browser.get("/").await.check(200, &["href=\"/tickets/audit\""]);
    let chosen = browser.get("/audit?what=settings%20restore").await;
    chosen.check(200, &["<option selected>settings restore</option>"]);
    assert_eq!(subjects(&chosen.text), ["zone"]);
}

#[actix_web::test]
async fn printing_exports_and_changes_are_recorded_with_links() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uids = add_labelled(&app, 3).await;
    let run = keep_run_of(&app, &uids, 100, None).await;
    check_audited(&app, ["user:anna", "print run", &run.uid, "3 labels: avery-l7160"]);
    let batch = [("count", "1200"), ("batch_name", "Party"), ("label", "Seat {n}")];
    let batch = app.post("/add_tokens", &batch).await.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    browser
        .post(&format!("/batches/{batch}/rename"), &[("batch_name", "Gala")])
        .await
        .check_leads_to(&format!("/batches/{batch}?done=renamed"));
    check_audited(&app, ["user:manager", "batch rename", &batch, "Gala"]);
    exported(&app, "/export/tokens?state=active&format=excel").await;
    check_audited(&app, ["key:manager", "export", "tokens", "CSV for Excel; state=active"]);
    let before = audited(&app).len();
    let head = app.request(Role::Manager, Method::HEAD, "/export/tokens").send().await.unwrap();
    assert_eq!((head.status().as_u16(), audited(&app).len()), (200, before), "nothing was sent");
    app.post("/void_token", &[("token_uid", &uids[0].to_string()), ("reason", "Lost")]).await.check_success();

    let page = browser.get("/audit").await;
    page.check(
        200,
        &[
            &format!("printed <a class=\"whom\" dir=\"auto\" href=\"/print_runs/{}\">3 labels</a>", run.uid),
            &format!("created the batch <a class=\"whom\" dir=\"auto\" href=\"/batches/{batch}\">Party</a>"),
            "1,200 tokens",
            &format!("renamed a batch to <a class=\"whom\" dir=\"auto\" href=\"/batches/{batch}\">Gala</a>"),
            "exported <bdi class=\"whom\">tokens</bdi>",
            &format!("voided <a class=\"whom\" dir=\"auto\" href=\"/{}\">", uids[0]),
            ">API key manager</td>",
        ],
    );
    for href in
        page.text.split("class=\"whom\" dir=\"auto\" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap())
    {
        browser.get(href).await.check(200, &[]);
    }
}

#[actix_web::test]
async fn the_audit_is_filtered() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    app.connection().batch_execute("DELETE FROM audit").unwrap();
    // 1 and 2 July 2026 in Vienna meet at 22:00 in UTC.
    let midnight = Micros::read("2026-07-01T22:00Z", chrono_tz::Tz::UTC).unwrap().get() / 1_000_000;
    record(&app, &Principal::user("Anna"), "user add", "first", [midnight - 1]);
    record(&app, &Principal::key("door_3"), "gate open", "second", [midnight]);
    record(&app, &Principal::user("ben"), "gate open", "third", [midnight + 1]);
    for (query, found) in [
        ("", &["third", "second", "first"][..]),
        ("who=ANNA", &["first"]),
        ("who=user%3A", &["third", "first"]),
        ("who=r_3", &["second"]),
        ("who=API+key+door", &["second"]),
        ("who=user%3AAnna", &["first"]),
        ("who=user%3AAnn", &[]),
        ("who=%25", &[]),
        ("who=+ben+", &["third"]),
        ("what=gate+open", &["third", "second"]),
        ("what=gate", &[]),
        ("what=gate+open&who=ben", &["third"]),
        ("from=2026-07-02", &["third", "second"]),
        ("to=2026-07-01", &["first"]),
        ("from=2026-07-01&to=2026-07-02", &["third", "second", "first"]),
        ("from=2026-07-03", &[]),
        ("to=9999-12-31", &["third", "second", "first"]),
    ] {
        let page = browser.get(&format!("/audit?{query}")).await;
        assert_eq!(subjects(&page.check(200, &[]).text), found, "{query}");
        if found.is_empty() {
            page.check(200, &["No entries match", "Show all entries"]);
        }
    }
    for (query, field) in [
        ("from=soon", "from"),
        ("to=2026-13-01", "to"),
        ("to=2026-7-1", "to"),
        ("from=-999-01-01", "from"),
        ("from=1969-12-31", "from"),
        ("who=a%00b", "who"),
        ("what=a%00b", "what"),
    ] {
        browser.get(&format!("/audit?{query}")).await.check(422, &["can&#39;t be used", &format!("href=\"#{field}\"")]);
    }
    app.connection().batch_execute("DELETE FROM audit").unwrap();
    browser.get("/audit").await.check(200, &["will be shown here"]);
}

#[actix_web::test]
async fn the_audit_turns_its_pages_while_it_grows() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    app.connection().batch_execute("DELETE FROM audit").unwrap();
    let by = Principal::user("anna");
    for number in 0..120 {
        // At one moment: only their numbers order them.
        record(&app, &by, "user add", &number.to_string(), [1_000_000]);
    }
    let mut page = browser.get("/audit?who=anna").await;
    let first = subjects(&page.text);
    let mut seen = first.clone();
    while page.text.contains(">Older</a>") {
        record(&app, &by, "user add", "new", [1_000_001]);
        page = browser.get(&link(&page.text, "Older")).await;
        seen.extend(subjects(&page.text));
    }
    assert_eq!(seen, (0..120).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(first.len(), 50);
    let newest = browser.get(&link(&page.text, "Newest")).await;
    assert_eq!(subjects(&newest.text)[..3], ["new", "new", "119"]);
    // A place belongs to its filter.
    let other = link(&newest.text, "Older").replace("who=anna", "who=ann");
    browser.get(&other).await.check(422, &["cursor was not given by this view"]);
    browser.get("/audit?after=made-up").await.check(422, &["cursor was not given by this view"]);
}

#[actix_web::test]
async fn the_audit_is_for_managers_and_only_read() {
    let app = App::start().await;
    for role in Role::ALL {
        let mut browser = Browser::of(&app, role).await;
        let allowed = role == Role::Manager;
        assert_eq!(browser.get("/audit").await.status, if allowed { 200 } else { 403 }, "{role}");
        let by_key = app.request(role, Method::GET, "/audit").send().await.unwrap();
        assert_eq!(by_key.status(), if allowed { 200 } else { 403 }, "{role}");
    }
    Browser::new(&app).get("/audit").await.check_leads_to("/login?next=%2Faudit");
    let post = app.request(Role::Manager, Method::POST, "/audit").header("Accept", "application/json");
    send(post).await.check_failure("MethodNotAllowed");
}
