//! Every printed sheet is kept, so that nobody may print without end, and old ones are removed.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::printing::{jobs, runs};
use tessera::token::{Micros, Uid};

use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::database::number;
use crate::support::printing::{add_job, add_labelled, fetch_pdf, keep_run_of, runs_with_tokens};
use crate::support::settings::save_setting;

const DAY: i64 = 24 * 3_600 * 1_000_000;

fn order(uids: &[String], from: usize, to: usize) -> Vec<(&str, &str)> {
    let uids = uids[from..to].iter().map(|uid| ("uid", uid.as_str()));
    uids.chain([("sheet", "avery-l7160")]).collect()
}

#[actix_web::test]
async fn who_has_printed_as_many_labels_as_one_may_in_a_day_waits() {
    let app = App::start().await;
    let uids: Vec<String> = add_labelled(&app, 9).await.iter().map(Uid::to_string).collect();
    let mut manager = Browser::of(&app, Role::Manager).await;
    save_setting(&mut manager, "labels_per_day", &[("labels_per_day", "5")]).await.check_leads_to("/settings");
    let print = |role, from, to| app.request(role, Method::POST, "/sheet.pdf").form(&order(&uids, from, to));
    fetch_pdf(print(Role::Viewer, 0, 3)).await;
    fetch_pdf(print(Role::Viewer, 3, 5)).await;
    let refused = send(print(Role::Viewer, 5, 6).header("Accept", "application/json")).await;
    refused.check_failure("TooManyRequests");
    let message = refused.body["message"].as_str().unwrap();
    assert!(
        message.contains("5 labels in 24 hours, and 5 are printed") && message.contains("24 hours, or ask"),
        "{message}"
    );
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((86_300..=86_400).contains(&wait), "{wait}");
    fetch_pdf(print(Role::Editor, 0, 5)).await;
    assert_eq!(runs_with_tokens(&app).len(), 3, "and nothing of it was kept");

    // People read a page, also when they print from the browser or begin a job.
    for path in ["/sheet.pdf", "/sheet/browser"] {
        fetch_page(&mut manager, path, &order(&uids, 0, 6)).await;
    }
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let job = viewer.post("/print_jobs", &order(&uids, 0, 6)).await;
    job.check(429, &["5 labels in 24 hours, and 0 are printed"]);
    assert!(jobs::page(&mut app.connection(), None, 9).unwrap().is_empty());

    // What was printed a day ago does not count.
    app.connection().batch_execute(&format!("UPDATE print_runs SET timestamp = timestamp - {DAY}")).unwrap();
    fetch_pdf(print(Role::Viewer, 5, 6)).await;
}

async fn fetch_page(browser: &mut Browser<'_>, path: &str, order: &[(&str, &str)]) {
    browser.post(path, order).await.check(429, &["Please wait", "labels in 24 hours", "ask a manager"]);
}

#[actix_web::test]
async fn labels_that_a_job_has_still_to_print_count_as_well() {
    let app = App::start().await;
    add_labelled(&app, 1).await;
    let (now, new) = (Micros::now(), |total| jobs::NewPrintJob {
        uid: Uid::random(),
        sheet: "avery-l7160".into(),
        options: "{}".into(),
        selection: tessera::store::tokens::selection::Selection::Uids(Vec::new()),
        title: String::new(),
        total,
        parts: 1,
    });
    let mut connection = app.connection();
    let by = crate::support::printing::anna();
    let mut add = |total| transaction(&mut connection, |c| jobs::add(c, &new(total), &by, now));
    add(300_000).unwrap();
    assert!(add(200_001).unwrap_err().to_string().contains("500000 labels a day, and 300000"));
    add(200_000).unwrap();
    app.connection().batch_execute("UPDATE print_jobs SET ended = 1").unwrap();
    add(500_000).unwrap();
}

#[actix_web::test]
async fn old_runs_and_jobs_are_removed_with_all_that_belongs_to_them() {
    let app = App::start().await;
    let uids = add_labelled(&app, 3).await;
    let job = add_job(&app, 3, 1);
    for size in [300_000, 400_000] {
        keep_run_of(&app, &uids, size, Some((job.id, 1))).await;
    }
    let young = add_job(&app, 3, 1);
    let mut connection = app.connection();
    let old = 401 * DAY;
    let age = format!(
        "UPDATE print_runs SET timestamp = timestamp - {old};
         UPDATE print_jobs SET timestamp = timestamp - {old}, seen = seen - {old} WHERE id = {}",
        job.id
    );
    connection.batch_execute(&age).unwrap();
    keep_run_of(&app, &uids, 500, None).await;
    let now = Micros::now();
    let mut step = || {
        transaction(&mut connection, |connection| {
            Ok(runs::remove_old(connection, now)? | runs::remove_abandoned(connection, now)?)
        })
        .unwrap()
    };
    while step() {}
    assert_eq!(runs_with_tokens(&app).len(), 1);
    let mut connection = app.connection();
    let left: Vec<i64> = jobs::page(&mut connection, None, 9).unwrap().iter().map(|(_, job)| job.id).collect();
    assert_eq!(left, [young.id]);
    let rows = |table: &str| number(&mut app.connection(), &format!("SELECT COUNT(*) FROM {table}"));
    assert_eq!((rows("print_runs"), rows("print_run_parts"), rows("print_run_tokens")), (1, 1, 3));
}
