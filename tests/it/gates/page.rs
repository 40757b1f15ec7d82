//! `/gates`: made, changed, closed; what was used there; and the log at a gate.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;

use crate::support::app::{App, send};
use crate::support::audit::check_audited;
use crate::support::browser::Browser;
use crate::support::usage_log::{at, write_many};

#[actix_web::test]
async fn a_gate_is_added_changed_and_closed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/gates").await.check(200, &["No gates yet", "href=\"/gates/add\""]);
    let form = browser.get("/gates/add").await;
    form.check(200, &["Add a gate", "1 minute", "Not at all"]);
    let uid = form.field("gate_uid");
    let fields = [("gate_uid", uid.as_str()), ("name", " North "), ("undo", "300"), ("look_up", "1"), ("open", "1")];
    let added = browser.post("/gates/add", &fields).await;
    let page = browser.get(&added.check_leads_to(&format!("/gates/{uid}?done=added")).location).await;
    page.check(
        200,
        &["Gate North added.", "No scans today.", "value=\"300\" selected", "name=\"look_up\" value=\"1\" checked"],
    );
    assert!(!page.text.contains("name=\"typing\" value=\"1\" checked"));
    browser.post("/gates/add", &fields).await.check_leads_to(&format!("/gates/{uid}"));
    check_audited(&app, ["user:manager", "gate add", "North", ""]);
    browser.get("/gates").await.check(200, &["North", "Open"]);

    let other = Uid::random().to_string();
    let same = [("gate_uid", other.as_str()), ("name", "North"), ("undo", "60"), ("open", "1")];
    browser.post("/gates/add", &same).await.check(422, &["There is a gate North already", "href=\"#name\""]);
    for (name, undo, says) in
        [("", "60", "1 to 60 characters"), ("A", "0", "1 to 86400 seconds"), ("A", "x", "seconds")]
    {
        let wrong = [("name", name), ("undo", undo), ("open", "1")];
        browser.post("/gates/add", &wrong).await.check(422, &[says, "was not added"]);
    }

    let path = format!("/gates/{uid}");
    let renamed = [("name", "Nordtor"), ("undo", ""), ("several", "1")];
    let saved = browser.post(&path, &renamed).await;
    browser.get(&saved.check_leads_to(&format!("{path}?done=saved")).location).await.check(200, &["Nordtor", "Closed"]);
    check_audited(&app, ["user:manager", "gate close", "Nordtor", "was North"]);
    browser.post(&path, &[&renamed[..], &[("open", "1")]].concat()).await.check_leads_to(&path);
    browser.post(&path, &[("name", "Nordtor"), ("undo", "60"), ("open", "1")]).await.check_leads_to(&path);
    let audit = browser.get("/audit").await;
    audit.check(200, &["added the gate", "closed the gate", "opened the gate", "changed the gate"]);
    browser.post("/gates/not-a-gate", &renamed).await.check(404, &[]);
    browser.get(&format!("/gates/{other}")).await.check(404, &[]);
    for role in [Role::Scanner, Role::Viewer, Role::Editor, Role::Admin] {
        assert_eq!(send(app.request(role, Method::GET, "/gates")).await.status, 403);
    }
}

#[actix_web::test]
async fn a_gates_page_shows_its_scans_and_the_log_finds_them() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for name in ["North", "South"] {
        let added =
            browser.post("/gates/add", &[("name", name), ("undo", "60"), ("several", "1"), ("open", "1")]).await;
        added.check_leads_to("/gates/");
    }
    let uid = app.add(&[("usage_count", "4"), ("label", "Anna")]).await;
    let at = |gate: &'static str, uses: &'static str| {
        let form = [("token_uid", uid.clone()), ("gate", gate.to_owned()), ("uses", uses.to_owned())];
        send(app.request(Role::Scanner, Method::POST, "/consume_token").form(&form))
    };
    at("North", "3").await.check_success();
    at("North", "9").await.check_failure("TokenUsageCountExceeded");
    let undone = at("South", "1").await;
    let entry = [("usage_uid", undone.check_success().body["usage_uid"].as_str().unwrap())];
    send(app.request(Role::Scanner, Method::POST, "/undo_consume").form(&entry)).await.check_success();

    let list = browser.get("/gates").await;
    list.check(200, &["data-name=\"Used today\">3<", "data-name=\"Refused today\">1<", "data-name=\"Used today\">0<"]);
    let north = list.text.split("/gates/").find(|rest| rest.contains(">North<")).unwrap();
    let page = browser.get(&format!("/gates/{}", &north[..36])).await;
    page.check(200, &["Anna", "Used 3 times", "Refused: used up", "/usage?gate=North", "<strong>3</strong> used"]);
    assert!(!page.text.contains("Undone"));
    let log = browser.get("/usage?gate=South").await;
    log.check(
        200,
        &["2 entries", "Undone", "at South", "<option value=\"South\" selected>", "<strong>0</strong> used"],
    );
    browser.get("/usage?outcome=undone").await.check(200, &["1 entry", "Undone"]);
    browser.get("/usage?outcome=used&gate=South").await.check(200, &["1 entry"]);
    browser.get("/usage?gate=nowhere&outcome=used").await.check(200, &["Nothing is found", "Without the gate"]);
    let csv = send_text(&app, "/usage.csv?gate=North").await;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.lines().nth(2).unwrap().ends_with(",North,3,"), "{csv}");
    browser.get(&format!("/{uid}")).await.check(200, &["Used 3 times", "at North", "Undone"]);
}

#[actix_web::test]
async fn what_was_used_at_a_busy_gate_is_counted_whole() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for name in ["North", "South"] {
        browser.post("/gates/add", &[("name", name), ("undo", "60"), ("open", "1")]).await.check_leads_to("/gates/");
    }
    // Two of three at the northern gate, more than a search collects before it walks the log, over four hours.
    let at_gate = "UPDATE usage SET gate = (SELECT id FROM gates WHERE name = 'North') WHERE id % 3 > 0;
        UPDATE usage SET gate = (SELECT id FROM gates WHERE name = 'South') WHERE id % 3 = 0";
    let time = format!("{} + CAST(i AS BIGINT) * 400000", at("2026-10-01").get());
    write_many(&mut app.connection(), 36_000, &time, "NULL", "CASE WHEN i % 10 = 0 THEN 2 END");
    app.connection().batch_execute(at_gate).unwrap();
    let north = browser.get("/usage?from=2026-10-01&to=2026-10-01&gate=North").await;
    north.check(200, &["<strong>21,600</strong> used", "<strong>2,400</strong> refused"]);
    let used = browser.get("/usage?from=2026-10-01T01:00&to=2026-10-01T01:59:59.999999&gate=North&outcome=used").await;
    used.check(200, &["<strong>5,400</strong> used", "<strong>0</strong> refused"]);
}

async fn send_text(app: &App, path: &str) -> String {
    app.request(Role::Viewer, Method::GET, path).send().await.unwrap().text().await.unwrap()
}
