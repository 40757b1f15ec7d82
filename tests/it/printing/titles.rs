//! What printed sheets and print jobs are called, and where the next print starts.

use reqwest::Method;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::printing::{fetch_pdf, runs_with_tokens};

/// Prints, and returns the file's name and the run's uid.
async fn print(app: &App, query: &[(&str, &str)]) -> (String, String) {
    let answer = app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(query).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    (name, runs_with_tokens(app)[0].0.uid.clone())
}

#[actix_web::test]
async fn a_run_is_called_by_its_first_and_last_label_or_its_batch() {
    let app = App::start().await;
    let one = app.add(&[("label", "Lockér \"1\"")]).await;
    let made = app.post("/add_tokens", &[("count", "3"), ("label", "Seat {n:03}"), ("batch_name", "Ünder")]).await;
    made.check_success();
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let (name, run) = print(&app, &[("all", "1")]).await;
    assert_eq!(name, "inline; filename=\"locker-1-seat-003.pdf\"");
    let title = "Lockér &#34;1&#34; – Seat 003";
    viewer.get("/print_runs").await.check(200, &[title]);
    viewer.get(&format!("/print_runs/{run}")).await.check(200, &[title, "4 tokens on Avery"]);
    viewer
        .get("/sheet")
        .await
        .check(200, &[title, "Print again", "Ünder", "3 tokens", "All tokens have been printed."]);
    let kept = viewer.request(Method::GET, &format!("/print_runs/{run}.pdf")).send().await.unwrap();
    let name = kept.headers()["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("inline; filename=\"locker-1-seat-003-2"), "{name}");

    let batch = made.body["batch_uid"].as_str().unwrap();
    let (name, run) = print(&app, &[("batch", batch)]).await;
    assert_eq!(name, "inline; filename=\"under.pdf\"");
    viewer.get(&format!("/print_runs/{run}")).await.check(200, &["<h1 dir=\"auto\">Ünder</h1>", "3 tokens on"]);
    let (name, run) = print(&app, &[("uid", &one)]).await;
    assert_eq!(name, "inline; filename=\"locker-1.pdf\"");
    viewer.get(&format!("/print_runs/{run}")).await.check(200, &["1 token on"]);
    // A job has the name before its first part is printed, and so has the audit log.
    let begun = viewer.post("/print_jobs", &[("batch", batch)]).await;
    viewer.get(&begun.location).await.check(200, &["<h1 dir=\"auto\">Ünder</h1>", "3 tokens on"]);
    let mut manager = Browser::of(&app, Role::Manager).await;
    manager.get("/audit").await.check(200, &["started a print job for", "Ünder", "3 labels"]);
}

#[actix_web::test]
async fn the_next_print_continues_or_starts_on_a_new_sheet() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let first = [("uid", &*uid), ("sheet", "avery-l7160"), ("start", "10")];
    fetch_pdf(viewer.request(Method::POST, "/sheet.pdf").form(&first)).await;
    let page = viewer.get("/sheet?all=1&sheet=avery-l7160").await;
    page.check(200, &["Your last sheet ended at label 10.", "aria-pressed=\"true\">Continue at label 11"]);
    assert_eq!(page.field("start"), "11");
    let page = viewer.get("/sheet?all=1&sheet=avery-l7160&start=5&start_on=new").await;
    page.check(200, &["aria-pressed=\"true\">Start on a new sheet", "aria-pressed=\"false\">Continue at label 11"]);
    assert_eq!(page.field("start"), "1");
    let page = viewer.get("/sheet?all=1&sheet=avery-l7160&start=5&start_on=next").await;
    assert_eq!(page.field("start"), "11");
    assert!(!viewer.get("/sheet?all=1&sheet=avery-l7163").await.text.contains("Your last sheet"));
    for (start_on, start) in [("next", 11), ("new", 1)] {
        let query = [("uid", &*uid), ("sheet", "avery-l7160"), ("start", "3"), ("start_on", start_on)];
        fetch_pdf(viewer.request(Method::GET, "/sheet.pdf").query(&query)).await;
        assert_eq!(runs_with_tokens(&app)[0].0.start, start);
    }
}
