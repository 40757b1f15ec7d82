//! `/gates`: made, changed, closed; what was used there; and the log at a gate.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;

use crate::support::app::{App, send};
use crate::support::audit::check_audited;
use crate::support::browser::{Browser, PageAnswer};
use crate::support::forms::forms;
use crate::support::usage_log::{at, write_many};

#[actix_web::test]
async fn a_gate_is_added_changed_and_closed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/gates").await.check(200, &["No gates yet", "href=\"/gates/add\""]);
    let form = browser.get("/gates/add").await;
    form.check(200, &["Add gate", "1 minute", "No undo"]);
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
    browser.post("/gates/add", &same).await.check(422, &["name is already in use", "href=\"#name\""]);
    for (name, undo, says) in [
        ("", "60", "1 to 60 characters"),
        ("North\u{200b}", "60", "invisible"),
        ("\u{202e}htroN", "60", "invisible"),
        ("A", "0", "“Undo a scan within” must be a whole number from 1 to 86400."),
        ("A", "x", "must be a whole number"),
    ] {
        let wrong = [("name", name), ("undo", undo), ("open", "1")];
        browser.post("/gates/add", &wrong).await.check(422, &[says, "Gate not added"]);
    }

    // Gone back, and another name typed: it could mean the same gate or another one.
    let back = [("gate_uid", uid.as_str()), ("name", "South"), ("undo", "300"), ("look_up", "1"), ("open", "1")];
    let asked = browser.post("/gates/add", &back).await;
    asked.check(422, &["already added a gate, which has other values now", "value=\"South\""]);
    let new = asked.field("gate_uid");
    let fields = [&[("gate_uid", new.as_str())], &back[1..]].concat();
    browser.post("/gates/add", &fields).await.check_leads_to(&format!("/gates/{new}?done=added"));

    let path = format!("/gates/{uid}");
    let mut form = GateForm::open(&mut browser, &path).await;
    form.set("name", "Nordtor").set("undo", "").set("look_up", "").set("several", "1").set("open", "");
    let saved = form.save(&mut browser).await;
    browser.get(&saved.check_leads_to(&format!("{path}?done=saved")).location).await.check(200, &["Nordtor", "Closed"]);
    check_audited(&app, ["user:manager", "gate close", "Nordtor", "was North"]);
    let mut form = GateForm::open(&mut browser, &path).await;
    form.set("open", "1").save(&mut browser).await.check_leads_to(&path);
    GateForm::open(&mut browser, &path).await.set("undo", "60").save(&mut browser).await.check_leads_to(&path);
    let renamed = [("name", "Nordtor"), ("undo", ""), ("several", "1")];
    let blind = browser.post(&path, &renamed).await;
    blind.check(400, &["was_name"]);
    let audit = browser.get("/audit").await;
    audit.check(200, &["added the gate", "closed the gate", "opened the gate", "changed the gate"]);
    browser.post("/gates/not-a-gate", &renamed).await.check(404, &[]);
    browser.get(&format!("/gates/{other}")).await.check(404, &[]);
    for role in [Role::Scanner, Role::Viewer, Role::Editor, Role::Admin] {
        assert_eq!(send(app.request(role, Method::GET, "/gates")).await.status, 403);
    }
}

/// The form of a gate, as a browser holds it from when it was opened.
#[derive(Clone)]
struct GateForm {
    path: String,
    fields: Vec<(String, String)>,
}

impl GateForm {
    async fn open(browser: &mut Browser<'_>, path: &str) -> Self {
        let page = browser.get(path).await;
        page.check(200, &[]);
        Self::of(path, &page)
    }

    fn of(path: &str, page: &PageAnswer) -> Self {
        let form = forms(&page.text).into_iter().find(|form| form.action.ends_with(path)).unwrap();
        let mut fields: Vec<(String, String)> =
            form.fields.into_iter().filter(|(name, _)| name.starts_with("was_")).collect();
        for name in ["look_up", "typing", "several", "open"] {
            let is_ticked = page.text.contains(&format!("name=\"{name}\" value=\"1\" checked"));
            fields.push((name.into(), if is_ticked { "1".into() } else { String::new() }));
        }
        let chosen = page.text.split("<select id=\"undo\"").nth(1).unwrap().split(" selected").next().unwrap();
        let undo = chosen.rsplit("value=\"").next().unwrap().split('"').next().unwrap().to_owned();
        fields.extend([("name".into(), page.field("name")), ("undo".into(), undo)]);
        Self { path: path.to_owned(), fields }
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        let field = self.fields.iter_mut().find(|(known, _)| *known == name).unwrap();
        value.clone_into(&mut field.1);
        self
    }

    async fn save(&self, browser: &mut Browser<'_>) -> PageAnswer {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(&self.path, &fields).await
    }
}

#[actix_web::test]
async fn what_another_manager_has_changed_meanwhile_is_not_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let added = browser.post("/gates/add", &[("name", "North"), ("undo", "60"), ("typing", "1"), ("open", "1")]).await;
    let path = added.location.split('?').next().unwrap().to_owned();
    let opened = GateForm::open(&mut browser, &path).await;
    let (mut first, mut second, mut third, mut other) =
        (opened.clone(), opened.clone(), opened.clone(), opened.clone());
    other.set("name", "Nordtor").set("open", "").set("several", "1").save(&mut browser).await.check_leads_to(&path);

    first.set("undo", "300").set("typing", "").save(&mut browser).await.check_leads_to(&path);
    let page = browser.get(&path).await;
    page.check(200, &["<h1 dir=\"auto\">Nordtor</h1>", "Closed", "value=\"300\" selected"]);
    let now = GateForm::of(&path, &page);
    let ticked = |name| now.fields.iter().any(|(known, value)| *known == name && value == "1");
    assert!(ticked("several") && !ticked("open") && !ticked("typing"), "{:?}", now.fields);

    let both = second.set("name", "Tür").set("undo", "3600").set("look_up", "1").save(&mut browser).await;
    both.check(409, &["Someone else changed this gate", "Nordtor", "value=\"Tür\"", "5 minutes", "1 hour"]);
    browser.get(&path).await.check(200, &["<h1 dir=\"auto\">Nordtor</h1>", "value=\"300\" selected"]);
    // What it now shows is saved by saving it once more.
    GateForm::of(&path, &both).save(&mut browser).await.check_leads_to(&path);
    browser.get(&path).await.check(200, &["<h1 dir=\"auto\">Tür</h1>", "Closed", "value=\"3600\" selected"]);

    // A form with a mistake still knows what it knew.
    let wrong = third.set("name", " ").save(&mut browser).await;
    wrong.check(422, &["Gate not saved"]);
    assert_eq!((wrong.field("was_name"), wrong.field("was_open")), ("North".into(), "1".into()));
    // Sent as it was opened, it changes nothing.
    opened.save(&mut browser).await.check_leads_to(&path);
    browser.get(&path).await.check(200, &["<h1 dir=\"auto\">Tür</h1>"]);
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
    browser
        .get("/usage?gate=Nope")
        .await
        .check(422, &["These filters can&#39;t be used", "There is no gate &#34;Nope&#34;."]);
    let log = browser.get("/usage?gate=South").await;
    log.check(
        200,
        &["2 entries", "Undone", "at South", "<option value=\"South\" selected>", "<strong>0</strong> used"],
    );
    browser.get("/usage?outcome=undone").await.check(200, &["1 entry", "Undone"]);
    browser.get("/usage?outcome=used&gate=South").await.check(200, &["1 entry"]);
    browser.get("/usage?gate=South&outcome=refused").await.check(200, &["No entries match", ">Gate</a>"]);
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
