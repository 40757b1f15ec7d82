//! Print runs, print jobs, label sheets and printers over HTTP.

use diesel::prelude::*;
use reqwest::Method;
use tessera::access::{Principal, Role};
use tessera::store::connection::transaction;
use tessera::store::printing::jobs::{JobProgress, NewPrintJob, PrintJob};
use tessera::store::printing::runs::{NewPrintRun, PrintRun};
use tessera::store::printing::{jobs, sheets};
use tessera::store::schema::audit;
use tessera::store::tokens::selection::Selection;
use tessera::store::{Store, tokens};
use tessera::token::{Micros, Uid};
use tessera::work::printing::save_run::save_run;

use crate::app::App;
use crate::browser::Browser;
use crate::print_store::{new_run, pdf};
use crate::settings_page::save;

async fn add(app: &App, count: usize) -> Vec<Uid> {
    let mut uids = Vec::new();
    for n in 0..count {
        uids.push(app.add(&[("label", &format!("Locker <{n}>")), ("usage_count", "2")]).await.parse().unwrap());
    }
    uids
}

async fn keep(app: &App, uids: &[Uid], size: usize, job: Option<(i64, i32)>) -> PrintRun {
    let mut connection = app.connection();
    let id = |uid: &Uid| (tokens::id_of(&mut connection, *uid).unwrap().unwrap(), *uid);
    let tokens: Vec<_> = uids.iter().map(id).collect();
    let options = r#"{"sheet":{"slug":"avery-l7160","name":"Käse <1>","page_width":210000,"page_height":297000,
        "columns":3,"rows":7,"width":63500,"height":38100,"left":7200,"top":15150,"pitch_x":66040,"pitch_y":38100,
        "margin":5000},"start":1,"offset_x":-500,"offset_y":0,"text":"value","outline":false,"dpi":600,
        "printer":"HP \"Office\"","leave_out":false}"#;
    let new = NewPrintRun { options: options.into(), job, ..new_run(&tokens, pdf(size)) };
    let store = Store::start(&app.database.url).unwrap();
    save_run(&store, new).await.unwrap()
}

fn add_job(app: &App, total: i32, parts: i32) -> PrintJob {
    let (sheet, options, selection) = ("avery-l7160".to_owned(), "{}".to_owned(), Selection::Uids(Vec::new()));
    let new = NewPrintJob { uid: Uid::random(), sheet, options, selection, total, parts };
    let by = Principal::user("anna");
    transaction(&mut app.connection(), |c| jobs::add(c, &new, &by, Micros::now())).unwrap().0
}

fn audited(app: &App) -> Vec<(String, String)> {
    let rows = audit::table.order(audit::id.desc()).limit(1).select((audit::action, audit::subject));
    rows.load(&mut app.connection()).unwrap()
}

#[actix_web::test]
async fn a_run_tells_what_became_of_its_tokens_and_leads_to_them() {
    let app = App::start_at("/tickets").await;
    let mut admin = Browser::of(&app, Role::Admin).await;
    admin.get("/print_runs").await.check(200, &["Nothing was printed yet"]);
    let uids = add(&app, 23).await;
    let run = keep(&app, &uids[..22], 600_000, None).await;
    app.consume(&uids[0].to_string()).await.check_success();
    app.post(&format!("/{}/delete_token", uids[1]), &[]).await.check_success();
    app.post(&format!("/{}/void_token", uids[2]), &[]).await.check_success();

    let path = format!("/print_runs/{}", run.uid);
    admin.get("/print_runs").await.check(200, &["Käse &#60;1&#62;", &format!("href=\"/tickets{path}\""), "user:anna"]);
    let page = admin.get(&path).await;
    page.check(200, &["22 tokens on", "<strong>22</strong> printed", "<strong>1</strong> used"]);
    page.check(200, &["<strong>20</strong> never used", "<strong>1</strong> voided", "<strong>1</strong> deleted"]);
    page.check(200, &["HP &#34;Office&#34;", "-0.5 mm to the right", "600 dpi", "600 kB", "The value"]);
    page.check(200, &["Locker &#60;0&#62;", "And 2 more, in the list", "Void all 21 tokens of this run"]);
    assert!(!page.text.contains(&format!("href=\"/tickets/{}\"", uids[1])), "a deleted token has no tile");

    // The list and the overview show them, with a way to loosen it; so does the log.
    let list = admin.get(&format!("/?print_run={}", run.uid)).await;
    list.check(200, &["21 tokens", "Tokens of a printed sheet", "Käse &#60;1&#62;", "Locker &#60;21&#62;"]);
    assert!(!list.text.contains("Locker &#60;22&#62;"));
    admin.get("/?printed=never").await.check(200, &["1 token", "Locker &#60;22&#62;"]);
    let never_used = admin.get(&format!("/overview?print_run={}&printed=never_used", run.uid)).await;
    never_used.check(200, &["20 tokens", "never_used\" selected"]);
    let nothing = admin.get(&format!("/?print_run={}&printed=never", run.uid)).await;
    nothing.check(200, &["the print run", "whether it was printed"]);
    admin.get("/?print_run=x&printed=y").await.check(422, &["print run", "never_used"]);
    admin.get(&format!("/usage?print_run={}", run.uid)).await.check(200, &["Usage of a printed sheet", "1 entry"]);
    admin.get("/usage?print_run=x").await.check(422, &[]);

    // Voiding the whole run, and back.
    let form = [("print_run", run.uid.as_str()), ("select", "found"), ("do", "void")];
    let asked = admin.post("/bulk", &form).await;
    asked.check(200, &["21 tokens"]);
    let preview = [form.as_slice(), &[("step", "preview"), ("reason", "The box is lost")]].concat();
    let preview = admin.post("/bulk", &preview).await;
    let hidden = ["seal", "action", "action_uid"].map(|name| (name, preview.field(name)));
    let hidden = hidden.iter().map(|(name, value)| (*name, value.as_str()));
    let sent: Vec<(&str, &str)> = form.iter().copied().chain([("step", "do")]).chain(hidden).collect();
    let done = admin.post("/bulk", &sent).await;
    done.check_leads_to("/tickets/actions/");
    admin.get(&path).await.check(200, &["<strong>21</strong> voided"]);
    let action = done.location.trim_start_matches("/tickets").split('?').next().unwrap().to_owned();
    admin.post(&format!("{action}/undo"), &[]).await.check_leads_to("/tickets/actions/");
    admin.get(&path).await.check(200, &["<strong>1</strong> voided"]);
}

#[actix_web::test]
async fn a_runs_pdf_is_exactly_what_was_kept() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uids = add(&app, 2).await;
    let run = keep(&app, &uids, 700_000, None).await;
    let path = format!("/print_runs/{}.pdf", run.uid);
    let answer = viewer.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("content-type").as_str(), header("content-length").as_str()), ("application/pdf", "700000"));
    let (disposition, tag) = (header("content-disposition"), header("etag"));
    assert!(
        disposition.starts_with("inline; filename=\"avery-l7160-") && disposition.ends_with(".pdf\""),
        "{disposition}"
    );
    assert!(disposition.is_ascii() && header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(answer.bytes().await.unwrap() == pdf(700_000));

    let again = viewer.request(Method::GET, &path).header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    let head = viewer.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "700000"));
    assert!(head.bytes().await.unwrap().is_empty());
    for wrong in [&format!("/print_runs/{}.pdf", Uid::random()), "/print_runs/x.pdf", "/print_runs/x", "/print_jobs/x"]
    {
        viewer.get(wrong).await.check(404, &[]);
    }
    Browser::new(&app).get(&path).await.check_leads_to("/login?next=");
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    scanner.get(&path).await.check(403, &[]);
    scanner.get("/print_runs").await.check(403, &[]);
    let page = viewer.get(path.trim_end_matches(".pdf")).await;
    assert!(!page.text.contains("Void all"), "a viewer voids nothing");
}

#[actix_web::test]
async fn runs_are_listed_in_pages_newest_first() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uids = add(&app, 1).await;
    for size in 100..121 {
        keep(&app, &uids, size, None).await;
    }
    let first = viewer.get("/print_runs").await;
    let next = first.text.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(first.text.matches(">PDF<span").count(), 20);
    let last = viewer.get(&next).await;
    assert_eq!(last.check(200, &["Newest"]).text.matches(">PDF<span").count(), 1);
    viewer.get("/print_runs?after=AAAA").await.check(422, &[]);
}

#[actix_web::test]
async fn a_job_tells_how_far_it_is_and_why_it_ended() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uids = add(&app, 2).await;
    let job = add_job(&app, 25_000, 3);
    let uid = job.uid.parse().unwrap();
    let path = format!("/print_jobs/{}", job.uid);
    viewer.get(&path).await.check(200, &["25,000 tokens on", "Making 3 PDFs", "0 of 25,000", "http-equiv=\"refresh\""]);
    let run = keep(&app, &uids, 500, Some((job.id, 1))).await;
    let progress = JobProgress { uid, previous_cursor: String::new(), printed: 10_000, cursor: "x".into() };
    jobs::advance(&mut app.connection(), &progress, Micros::now()).unwrap();
    viewer.get(&path).await.check(200, &["10,000 of 25,000", "Part 1 of 3", &format!("/print_runs/{}.pdf", run.uid)]);
    viewer.get("/print_runs").await.check(200, &["Being printed", "25,000 tokens on", &path]);
    viewer.get(&format!("/print_runs/{}", run.uid)).await.check(200, &["All 3 parts", "1 of 3"]);

    jobs::touch(&mut app.connection(), uid, Micros::stored(0)).unwrap();
    let lost = viewer.get(&path).await;
    lost.check(200, &["Not all of it was printed", "ended before it was done", "Part 1 of 3"]);
    assert!(!lost.text.contains("refresh"));
    jobs::touch(&mut app.connection(), uid, Micros::now()).unwrap();
    jobs::end(&mut app.connection(), uid, Some("The character <😀> has no glyph."), Micros::now()).unwrap();
    viewer.get(&path).await.check(200, &["The character &#60;😀&#62; has no glyph."]);
    viewer.get("/print_runs").await.check(200, &["Not all of it was printed."]);

    let done = add_job(&app, 20_000, 2);
    jobs::end(&mut app.connection(), done.uid.parse().unwrap(), None, Micros::now()).unwrap();
    viewer.get(&format!("/print_jobs/{}?done=printed", done.uid)).await.check(200, &["All of them are printed"]);
    assert!(!viewer.get("/print_runs").await.text.contains("20,000 tokens"), "what is done is in the list");
}

const SHEET: [(&str, &str); 12] = [
    ("name", "Kärtchen <\"7\">"),
    ("columns", "3"),
    ("rows", "7"),
    ("page_width", "210"),
    ("page_height", "297"),
    ("width", "63,5"),
    ("height", "38.1"),
    ("left", "7.2"),
    ("top", "15.15"),
    ("pitch_x", "66.04"),
    ("pitch_y", "38.1"),
    ("margin", "5"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let rest = SHEET.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    rest.chain(changes.iter().copied()).collect()
}

#[actix_web::test]
async fn own_sheets_are_added_changed_and_removed() {
    let app = App::start().await;
    let mut manager = Browser::of(&app, Role::Manager).await;
    manager.get("/sheets").await.check(200, &["Avery L7160", "None yet", "stroke-dasharray", "3 × 7"]);
    manager.get("/sheets/add?from=avery-l7160").await.check(200, &["mm (copy)", "value=\"66.04\""]);
    manager.get("/sheets/add?from=roll").await.check(200, &["value=\"Roll\"", "sheet-picture"]);
    manager.post("/sheets/add", &with(&[("do", "draw")])).await.check(200, &["3 by 7 labels", "value=\"63,5\""]);
    assert!(sheets::all(&mut app.connection()).unwrap().is_empty(), "it was only drawn");
    manager.post("/sheets/add", &with(&[])).await.check_leads_to("/sheets?done=added");
    assert_eq!(audited(&app), [("sheet add".to_owned(), "kartchen-7".to_owned())]);
    manager.post("/sheets/add", &with(&[])).await.check(422, &["There is a sheet Kärtchen"]);
    manager
        .get("/sheets?done=added")
        .await
        .check(200, &["Kärtchen &#60;&#34;7&#34;&#62;", "/sheets/kartchen-7/remove"]);

    let wrong = with(&[("columns", "4"), ("rows", "x"), ("pitch_y", ""), ("name", "")]);
    manager.post("/sheets/add", &wrong).await.check(422, &["rows-error", "pitch_y-error", "write millimetres"]);
    manager.post("/sheets/add", &with(&[("columns", "4")])).await.check(422, &["columns-error", "210 mm"]);
    manager.post("/sheets/add", &with(&[("width", "70")])).await.check(422, &["would overlap"]);
    let one = with(&[("name", "Add"), ("columns", "1"), ("rows", "1"), ("pitch_x", ""), ("pitch_y", "")]);
    manager.post("/sheets/add", &one).await.check_leads_to("/sheets?done=added");
    manager.get("/sheets/add-2").await.check(200, &["value=\"Add\""]);

    let form = manager.get("/sheets/kartchen-7").await;
    let known = form.field("known");
    let change = |margin| with(&[("known", known.as_str()), ("margin", margin)]);
    manager.post("/sheets/kartchen-7", &change("4")).await.check_leads_to("/sheets?done=changed");
    let late = manager.post("/sheets/kartchen-7", &change("3")).await;
    late.check(409, &["Meanwhile user:manager changed this sheet", "value=\"3\""]);
    let again = with(&[("known", &late.field("known")), ("margin", "3")])
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect::<Vec<_>>();
    let again: Vec<(&str, &str)> = again.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    manager.post("/sheets/kartchen-7", &again).await.check_leads_to("/sheets?done=changed");
    manager.post("/sheets/kartchen-7", &with(&[])).await.check(400, &["known"]);

    // As the default it is meant until it is removed; then another one is.
    save(&mut manager, "default_sheet", &[("default_sheet", "kartchen-7")]).await.check_leads_to("/settings?done=");
    save(&mut manager, "default_sheet", &[("default_sheet", "nothing")]).await.check(422, &["was removed"]);
    save(&mut manager, "default_dpi", &[("default_dpi", "100")]).await.check(422, &["from 150 to 1,200"]);
    save(&mut manager, "default_dpi", &[("default_dpi", "600")]).await.check_leads_to("/settings?done=default_dpi");
    manager.get("/sheets/kartchen-7/remove").await.check(200, &["Remove this sheet?"]);
    manager.post("/sheets/kartchen-7/remove", &[]).await.check_leads_to("/sheets?done=removed");
    manager.get("/settings").await.check(200, &["The sheet that was set was removed", "Avery L7160"]);
    for path in ["/sheets/kartchen-7", "/sheets/avery-l7160", "/sheets/avery-l7160/remove", "/sheets/%00"] {
        manager.get(path).await.check(404, &[]);
    }
    manager.get("/audit").await.check(200, &["added the sheet", "removed the sheet"]);
    let mut admin = Browser::of(&app, Role::Admin).await;
    admin.get("/sheets").await.check(403, &["for managers"]);
    admin.post("/sheets/add", &with(&[])).await.check(403, &[]);
}

#[actix_web::test]
async fn printers_are_for_whoever_may_print() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let name = "HP \"Office\" <2nd floor> & 'more'";
    let form = |offset, dpi| [("name", name), ("offset_x", offset), ("offset_y", "−1,25"), ("dpi", dpi)];
    viewer.post("/printers", &form("0.5", "600")).await.check_leads_to("/printers?done=saved");
    assert_eq!(audited(&app), [("printer save".to_owned(), name.to_owned())]);
    let list = viewer.get("/printers?done=saved").await;
    list.check(200, &["HP &#34;Office&#34; &#60;2nd floor&#62;", "-1.25 mm", "600 dpi", "The printer is saved."]);
    let edit = list.text.split("/printers/edit?name=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let edit = viewer.get(&format!("/printers/edit?name={edit}")).await;
    edit.check(200, &["value=\"0.5\""]);
    assert_eq!(edit.field("was"), name);
    for (offset, dpi, field) in [
        ("20.001", "600", "offset_x-error"),
        ("x", "600", "offset_x-error"),
        ("0", "149", "dpi-error"),
        ("0", "1201", "dpi-error"),
    ] {
        viewer.post("/printers", &form(offset, dpi)).await.check(422, &[field, "HP &#34;Office&#34;"]);
    }
    let nameless = [("name", " "), ("offset_x", "0"), ("offset_y", "0"), ("dpi", "300")];
    viewer.post("/printers", &nameless).await.check(422, &["name-error"]);
    let renamed = [("was", name), ("name", "Office"), ("offset_x", "-20"), ("offset_y", "20"), ("dpi", "300")];
    viewer.post("/printers", &renamed).await.check_leads_to("/printers?done=saved");
    viewer.post("/printers", &renamed).await.check_leads_to("/printers?done=saved");
    let late = [("was", name), ("name", "Late"), ("offset_x", "0"), ("offset_y", "0"), ("dpi", "300")];
    viewer.post("/printers", &late).await.check(422, &["was removed meanwhile"]);
    viewer.post("/printers/remove", &[("name", "Office")]).await.check_leads_to("/printers?done=removed");
    viewer.post("/printers/remove", &[("name", "Office")]).await.check_leads_to("/printers?done=removed");
    viewer.get("/printers/edit?name=Office").await.check(404, &[]);
    viewer.get("/printers/edit?name=%00").await.check(404, &[]);
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    scanner.get("/printers").await.check(403, &[]);
    scanner.post("/printers", &form("0", "300")).await.check(403, &[]);
}

#[actix_web::test]
async fn programs_find_tokens_by_what_was_printed() {
    let app = App::start().await;
    let uids = add(&app, 3).await;
    let run = keep(&app, &uids[..2], 100, None).await;
    app.consume(&uids[0].to_string()).await.check_success();
    for (query, found) in [
        (vec![("print_run", run.uid.as_str())], 2),
        (vec![("printed", "never_used")], 1),
        (vec![("printed", "never")], 1),
        (vec![("print_run", run.uid.as_str()), ("printed", "never")], 0),
    ] {
        let answer = app.get("/query_tokens", &query).await;
        assert_eq!(answer.check_success().body["tokens"].as_array().unwrap().len(), found, "{query:?}");
    }
    let used = app.get("/query_usage", &[("print_run", &run.uid)]).await;
    assert_eq!(used.check_success().body["usage"].as_array().unwrap().len(), 1);
    app.get("/query_tokens", &[("print_run", "x")]).await.check_failure("TokenValueError").check_param("print_run");
    app.get("/query_tokens", &[("printed", "x")]).await.check_failure("TokenValueError").check_param("printed");
}
