//! What every address makes of parameters, cursors and rows that are not what Tessera gives out itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use reqwest::Method;
use tessera::access::{Principal, Role};
use tessera::store::actions::{ActionRequest, ActionResult};
use tessera::store::connection::transaction;
use tessera::store::printing::sheets;
use tessera::store::printing::sheets::Measures;
use tessera::store::{Connection, actions};
use tessera::token::action::Action;
use tessera::token::gate::GateRules;
use tessera::token::settings::Setting;
use tessera::token::{Micros, Uid};
use tessera::web::route::{Kind, RouteInfo};
use tessera::web::routes;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::forms::forms;
use crate::support::gates::add_gate;
use crate::support::imports::{check_file, send_file};
use crate::support::printing::{add_job, anna, keep_run_of, measures};
use crate::support::settings::save_setting;
use crate::support::tokens::MISSING_UID;

/// Parameters that no page gives out.
static VALUES: LazyLock<[String; 10]> = LazyLock::new(|| {
    [
        "\0",
        "a\0b",
        "-1",
        "99999999999999999999",
        "\\N\t\"😀\u{202e}",
        "😀\"><script",
        "9999-12-31",
        "{\"set_uses\":-5}",
        "{\"set_label\":\"a\\u0000\"}",
        &"9".repeat(300),
    ]
    .map(str::to_owned)
});
/// What stands in an address where a uid, a slug, a setting or a file's name should.
const PARTS: [&str; 8] = [MISSING_UID, "x", "-1", "%00", "..%2f..%2fetc", "%ff", "%F0%9F%98%80%22%3E%3Cscript", "a b"];
/// What a form is sent with, so that it gets as far as it can.
const USUAL: [(&str, &str); 10] = [
    ("do", "label"),
    ("step", "do"),
    ("count", "2"),
    ("usage_count", "1"),
    ("lock_time", "0"),
    ("name", "x"),
    ("role", "viewer"),
    ("action", "{\"set_uses\":5}"),
    ("sheet", "roll"),
    ("was", "400"),
];
/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

type Fields = Vec<(String, String)>;

/// An address of an existing thing for each placeholder of a route.
async fn existing(app: &App, route: &RouteInfo) -> Vec<String> {
    let token = async || app.add(&[("usage_count", "3")]).await;
    let one = |part: &str| vec![fill(route.path, part)];
    if route.path.contains("{setting}") {
        return Setting::ALL.iter().map(|setting| fill(route.path, setting.name())).collect();
    }
    if route.path.contains("{slug}") {
        return one(&add_sheet(app, &measures(&Uid::random().to_string())));
    }
    if route.path.contains("{address}") {
        let login = app.anonymous(Method::GET, "/login").send().await.unwrap().text().await.unwrap();
        return one(login.split("/static/").nth(1).unwrap().split('"').next().unwrap());
    }
    if !route.path.contains("{uid}") {
        return vec![route.path.to_owned()];
    }
    let uid = token().await;
    match route.path.split('/').nth(1).unwrap() {
        "actions" => {
            let by = Principal::user("manager");
            let wanted = ActionRequest::one(uid.parse().unwrap(), Action::SetUses(7));
            let perform = |c: &mut Connection| actions::perform(c, &wanted, &by, Micros::now());
            let ActionResult::Done(action) = transaction(&mut app.connection(), perform).unwrap() else { panic!() };
            one(&action.to_string())
        }
        "batches" => {
            let made = app.post("/add_tokens", &[("count", "1"), ("batch_name", "x")]).await;
            one(made.check_success().body["batch_uid"].as_str().unwrap())
        }
        "import" => {
            let file = send_file(app, "tokens.csv", b"label,usage_count\nA,x\n").await;
            check_file(app, &file, &[("mode", "add")]).await;
            one(&file)
        }
        "gates" => one(&add_gate(app, &Uid::random().to_string(), &GateRules::default()).to_string()),
        "print_jobs" => one(&add_job(app, 1, 1).uid),
        "print_runs" => one(&keep_run_of(app, &[uid.parse().unwrap()], 100, None).await.uid),
        _ => one(&uid),
    }
}

/// Adds a sheet of one's own, and returns its slug.
fn add_sheet(app: &App, sheet: &Measures) -> String {
    let add = |c: &mut Connection| sheets::add(c, sheet, |_| false, &anna(), Micros::now());
    transaction(&mut app.connection(), add).unwrap()
}

fn fill(path: &str, part: &str) -> String {
    let (before, rest) = path.split_once('{').unwrap();
    format!("{before}{part}{}", rest.split_once('}').unwrap().1)
}

/// The route's path of an address, as in `/{uid}/edit`.
fn path_of(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap();
    let part = |part: &str| if part.parse::<Uid>().is_ok() { "{uid}".to_owned() } else { part.to_owned() };
    let path = path.split('/').map(part).collect::<Vec<_>>().join("/");
    let is_setting = path.starts_with("/settings/");
    if is_setting { "/settings/{setting}".to_owned() } else { path }
}

/// The forms of every page, by the path that they are sent to.
async fn all_forms(app: &App, browser: &mut Browser<'_>, routes: &[RouteInfo]) -> BTreeMap<String, Fields> {
    let mut all: BTreeMap<String, Fields> = BTreeMap::new();
    for route in routes.iter().filter(|route| route.is_shown() && route.kind != Kind::File) {
        for address in existing(app, route).await {
            for query in ["", "?name=x", "?name=HP", "?name=door"] {
                let page = browser.get(&format!("{address}{query}")).await;
                assert!(page.status == 200 || !route.path.contains('{'), "{address}: {}", page.text);
                for form in forms(&page.text) {
                    let is_sheet = path_of(&address) == form.action && route.path == "/sheets/{slug}";
                    let fields =
                        all.entry(if is_sheet { route.path.into() } else { path_of(&form.action) }).or_default();
                    let new =
                        form.fields.into_iter().filter(|(name, _)| !fields.iter().any(|(known, _)| known == name));
                    let new: Vec<_> = new.collect();
                    fields.extend(new);
                }
            }
        }
    }
    all
}

/// The parameters that a route takes by a method, as the table of routes has them; one that means many stands for itself.
fn own_parameters(route: &RouteInfo, method: &Method) -> Vec<String> {
    let names = route.parameters.iter().filter(|(by, _)| by.as_str() == method.as_str());
    names.flat_map(|(_, names)| names.iter().map(|name| name.replace('*', "new"))).collect()
}

/// Sends hostile requests, some at a time, and holds that none is a fault of the server or comes back as markup.
async fn check_all(app: &App, browser: &mut Browser<'_>, requests: Vec<(Method, String, Fields)>) {
    for some in requests.chunks(AT_ONCE) {
        if browser.cookie().is_none() {
            app.connection().batch_execute("DELETE FROM attempts").unwrap();
            browser.sign_in("manager").await.check_leads_to("/");
        }
        let check = async |(method, address, fields): &(Method, String, Fields)| {
            let request = browser.request(method.clone(), address);
            let request = if *method == Method::POST { request.form(fields) } else { request.query(fields) };
            let answer = request.send().await.unwrap();
            let (status, ends_session) = (answer.status(), answer.headers().contains_key("set-cookie"));
            let is_html =
                answer.headers().get("content-type").is_some_and(|kind| kind.to_str().unwrap().contains("html"));
            let body = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
            assert!(status.as_u16() < 500, "{method} {address} {fields:?}: {status} {body}");
            assert!(!is_html || !body.contains("\"><script"), "{method} {address} {fields:?}: {body}");
            ends_session
        };
        let ended = join_all(some.iter().map(check)).await;
        if ended.contains(&true) {
            browser.forget();
        }
    }
}

/// The requests to a route: every name of its own with every value; and the names of all others at once with every value,
/// in a long run each of these alone, too.
fn requests(
    method: &Method,
    route: &RouteInfo,
    addresses: &[String],
    (own, usual, others): (&Fields, &Fields, &[String]),
) -> Vec<(Method, String, Fields)> {
    let with = |name: &str, value: &str| -> Fields {
        let rest = usual.iter().filter(|(known, _)| known != name).cloned();
        rest.chain([(name.to_owned(), value.to_owned())]).collect()
    };
    let is_long = std::env::var_os("TESSERA_TEST_LONG").is_some();
    let mut all: Vec<(String, Fields)> = Vec::new();
    for part in PARTS.iter().filter(|_| route.path.contains('{')) {
        all.push((fill(route.path, part), usual.clone()));
    }
    for address in addresses {
        all.push((format!("{address}?q=%ff&%00=%"), usual.clone()));
        for (name, _) in own {
            // HEAD does what GET does.
            let values = if *method == Method::HEAD { &VALUES[..1] } else { &VALUES[..] };
            all.extend(values.iter().map(|value| (address.clone(), with(name, value))));
        }
        // Each value for all of them at once.
        let others = if *method == Method::HEAD { &[] } else { others };
        for value in VALUES.iter().filter(|_| !others.is_empty()) {
            let with_all = others.iter().map(|name| (name.clone(), value.clone()));
            let rest = usual.iter().filter(|(known, _)| !others.contains(known)).cloned();
            all.push((address.clone(), rest.chain(with_all).collect()));
        }
        for name in others.iter().filter(|_| is_long) {
            all.extend(VALUES.iter().map(|value| (address.clone(), with(name, value))));
        }
    }
    all.into_iter().map(|(address, fields)| (method.clone(), address, fields)).collect()
}

/// What a route takes by a method, with the values that its forms have, and else none.
fn own_fields(route: &RouteInfo, method: &Method, form: Option<&Fields>) -> Fields {
    let mut own = form.filter(|_| *method == Method::POST).cloned().unwrap_or_default();
    for name in own_parameters(route, method) {
        if own.iter().all(|(known, _)| *known != name) {
            own.push((name, String::new()));
        }
    }
    own
}

/// Every route by each of its methods; with all names one by one when `TESSERA_TEST_LONG` is set.
#[actix_web::test]
async fn no_request_is_a_fault_of_the_server() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    app.add(&[("label", "Anna")]).await;
    browser.post("/users/add", &[("name", "x"), ("role", "viewer")]).await.check(200, &[]);
    browser.post("/keys/add", &[("name", "door"), ("role", "scanner")]).await.check(200, &[]);
    let printer = [("name", "HP"), ("offset_x", "0"), ("offset_y", "0"), ("dpi", "300")];
    browser.post("/printers", &printer).await.check_leads_to("/printers");

    // A small label is soon printed and read.
    let (page_width, page_height) = (57_000, 32_000);
    let one = Measures { across: 1, down: 1, from_left: 0, from_top: 0, margin: 0, ..measures("Roll") };
    let roll = Measures { page_width, page_height, width: page_width, height: page_height, ..one };
    assert_eq!(add_sheet(&app, &roll), "roll");
    save_setting(&mut browser, "default_sheet", &[("default_sheet", "roll")]).await.check_leads_to("/settings");
    save_setting(&mut browser, "default_dpi", &[("default_dpi", "150")]).await.check_leads_to("/settings");

    let routes: Vec<RouteInfo> = routes::table().iter().map(|route| route.info().clone()).collect();
    let forms = all_forms(&app, &mut browser, &routes).await;
    let methods = || [Method::GET, Method::POST].into_iter();
    let names: BTreeSet<String> = routes
        .iter()
        .flat_map(|route| methods().flat_map(|method| own_parameters(route, &method)))
        .chain(forms.values().flatten().map(|(name, _)| name.clone()))
        .collect();
    for route in &routes {
        // Sheets and lists show all tokens that there are; these take no longer with each route.
        let gone = "UPDATE tokens SET deleted_at = created, deleted_by = 'x' WHERE deleted_at IS NULL";
        app.connection().batch_execute(gone).unwrap();
        for method in route.methods.iter().map(|method| method.as_str().parse::<Method>().unwrap()) {
            let addresses = existing(&app, route).await;
            let own = own_fields(route, &method, forms.get(route.path));
            let is_page = !matches!(route.kind, Kind::View | Kind::File);
            // A page that is opened shows what one parameter does; a form and a view want all.
            let mut usual = if is_page && method != Method::POST { Vec::new() } else { own.clone() };
            let uid = app.add(&[("usage_count", "3")]).await;
            for (name, value) in USUAL.into_iter().chain([("uid", &*uid), ("token_uid", &*uid), ("usage_days", "400")])
            {
                if let Some((_, known)) =
                    usual.iter_mut().find(|(known, _)| known == name).filter(|(_, known)| known.is_empty())
                {
                    value.clone_into(known);
                }
            }
            let others: Vec<String> =
                names.iter().filter(|name| own.iter().all(|(known, _)| known != *name)).cloned().collect();
            let requests = requests(&method, route, &addresses, (&own, &usual, &others));
            check_all(&app, &mut browser, requests).await;
        }
    }
}

#[actix_web::test]
async fn what_another_version_wrote_breaks_no_page() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let done = browser.post(&format!("/{uid}/set_count"), &[("usage_count", "5")]).await;
    let action = done.location.rsplit('-').take(5).collect::<Vec<_>>();
    let action: Vec<&str> = action.into_iter().rev().collect();
    let action = action.join("-");
    let sql = "UPDATE actions SET what = '{\"paint\":\"blue\"}';
               INSERT INTO settings (name, value, changed, changed_by) VALUES ('quick_counts', '{}', 1, 'x'), ('colour', '1', 1, 'x')";
    app.connection().batch_execute(sql).unwrap();
    for path in ["/", "/?view=tiles", "/settings", "/actions", &done.location, &format!("/actions/{action}")] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path} {}", page.text);
    }
    browser.get("/actions").await.check(200, &["another version of Tessera"]);
    browser
        .post(&format!("/actions/{action}/undo"), &[])
        .await
        .check(403, &["Only the version of Tessera that did this"]);
    let again = [("usage_count", "7"), ("nonce", &*action)];
    browser.post(&format!("/{uid}/set_count"), &again).await.check_leads_to("/");
    assert_eq!(app.token(&uid).await["usage_count"], 7);
}
