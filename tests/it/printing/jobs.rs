//! More labels than one PDF can hold: one PDF after the other.

use std::cell::Cell;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::printing::jobs::PrintJob;
use tessera::store::printing::{jobs, labels, runs};
use tessera::store::search::SearchLimit;
use tessera::store::tokens::list::TokenFilter;
use tessera::store::tokens::selection::Selection;
use tessera::store::{Connection, tokens};
use tessera::token::{Micros, Token, Uid};

use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::printing::{fetch_pdf, runs_with_tokens};
use crate::support::tokens::token;

/// Adds tokens, oldest first, and returns their uids.
fn add_all(connection: &mut Connection, count: usize) -> Vec<String> {
    let start = Micros::now().get() - 60_000_000;
    let at = |number: usize| Micros::stored(start + i64::try_from(number / 3).unwrap());
    let made: Vec<Token> = (0..count).map(|number| Token { created: at(number), ..token(2) }).collect();
    for some in made.chunks(5_000) {
        transaction(connection, |connection| tokens::add_all(connection, some)).unwrap();
    }
    made.iter().map(|token| token.uid.to_string()).collect()
}

/// Waits until the job has ended; long, as its thread has the lowest priority and other tests want the cores.
async fn wait_for_job(app: &App, uid: &str) -> PrintJob {
    for _ in 0..6_000 {
        let job = jobs::find(&mut app.connection(), uid.parse().unwrap()).unwrap().unwrap();
        if job.ended.is_some() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job goes on and on");
}

/// How a job's parts follow each other: tokens and pages of each, and all its tokens.
fn parts(app: &App, job: &PrintJob) -> (Vec<(i32, i32, i32)>, Vec<String>) {
    let mut connection = app.connection();
    let parts = runs::of_job(&mut connection, job.id).unwrap();
    assert!(parts.iter().zip(1..).all(|(run, part)| run.part == part && run.principal == job.principal));
    let tokens = parts.iter().flat_map(|run| runs::labels(&mut connection, run.id, 0, 20_000).unwrap());
    let tokens = tokens.map(|label| label.token.uid.to_string()).collect();
    (parts.iter().map(|run| (run.start, run.count, run.pages)).collect(), tokens)
}

const SMALL: [(&str, &str); 4] = [("all", "1"), ("sheet", "avery-l4731"), ("dpi", "600"), ("text", "none")];

#[actix_web::test]
async fn more_than_a_pdf_holds_is_printed_in_parts_of_whole_pages() {
    let app = App::start().await;
    let uids = add_all(&mut app.connection(), 25_000);
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let asked = app.request(Role::Viewer, Method::GET, "/sheet.pdf").header("Accept", "application/json");
    let answer = send(asked.query(&[("all", "1")])).await;
    answer.check_failure("TokenValueError").check_param("uid");
    assert!(answer.body["message"].as_str().unwrap().contains("25,000"), "{answer:?}");
    viewer.post("/sheet.pdf", &SMALL).await.check(422, &["At most 10,000 labels", "Create 3 PDFs"]);
    viewer.post("/sheet/check", &SMALL).await.check(422, &["At most 10,000 labels"]);
    viewer.post("/sheet/browser", &SMALL).await.check(422, &["2,000"]);
    let page = viewer.get("/sheet?all=1&sheet=avery-l4731&dpi=600&text=none&start=100&page=3").await;
    page.check(200, &["25,000 tokens", "Create 3 PDFs", "Page 3 of"]);
    assert!(runs_with_tokens(&app).is_empty());

    let job_uid = page.field("job_uid");
    let form = [&SMALL[..], &[("start", "100"), ("job_uid", &job_uid)]].concat();
    let begun = viewer.post("/print_jobs", &form).await;
    begun.check_leads_to(&format!("/print_jobs/{job_uid}"));
    let twice = viewer.post("/print_jobs", &form).await;
    assert_eq!(twice.check_leads_to("/").location, begun.location);
    // Tokens that go meanwhile shift no others.
    let job = wait_for_job(&app, &job_uid).await;
    assert_eq!((job.failure.as_deref(), job.total, job.printed, job.parts), (None, 25_000, 25_000, 3));
    let (parts, tokens) = parts(&app, &job);
    assert!(tokens == uids, "each of them once, in their order");
    // 189 labels on a page: 90 on the first one, and 52 whole pages.
    assert_eq!(parts, [(100, 9_918, 53), (1, 9_828, 52), (1, 5_254, 28)]);
    assert_eq!(jobs::page(&mut app.connection(), None, 10).unwrap().len(), 1, "sent twice, and one job");
    assert_eq!(runs_with_tokens(&app).len(), 3);
    viewer.get(&begun.location).await.check(200, &["Part 3 of 3"]);
    for (run, _) in runs_with_tokens(&app) {
        fetch_pdf(viewer.request(Method::GET, &format!("/print_runs/{}.pdf", run.uid))).await;
    }
    // The sheet in hand is the last one's.
    assert_eq!(
        viewer.get("/sheet?all=1&sheet=avery-l4731&dpi=600").await.field("start"),
        (5_254 % 189 + 1).to_string()
    );
}

#[actix_web::test]
async fn one_more_than_a_pdf_holds_is_two_and_a_long_list_of_uids_keeps_its_order() {
    let app = App::start().await;
    let mut uids = add_all(&mut app.connection(), 10_000);
    uids.reverse();
    uids.push(uids[0].clone());
    let viewer = Browser::of(&app, Role::Viewer).await;
    let (list, job_uid) = (uids.join(" "), Uid::random().to_string());
    let form = [&SMALL[..], &[("uids", &list), ("job_uid", &job_uid)]].concat();
    let refused = viewer.request(Method::POST, "/sheet.pdf").form(&form).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("Create 2 PDFs"));
    let begun = viewer.request(Method::POST, "/print_jobs").form(&form).send().await.unwrap();
    assert_eq!(begun.status(), 303);
    let job = wait_for_job(&app, &job_uid).await;
    assert_eq!((job.failure.as_deref(), job.printed, job.parts), (None, 10_001, 2));
    let (parts, tokens) = parts(&app, &job);
    assert!(tokens == uids);
    assert_eq!(parts, [(1, 9_828, 52), (1, 173, 1)]);
}

#[actix_web::test]
async fn what_does_not_fit_ends_a_job_with_the_reason() {
    let app = App::start().await;
    add_all(&mut app.connection(), 10_001);
    app.add(&[("value", &"x".repeat(1_000)), ("label", "Long one")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let job_uid = Uid::random().to_string();
    let form = [&SMALL[..], &[("job_uid", &job_uid)]].concat();
    viewer.post("/print_jobs", &form).await.check_leads_to(&format!("/print_jobs/{job_uid}"));
    let job = wait_for_job(&app, &job_uid).await;
    let failure = job.failure.as_deref().unwrap();
    assert!(failure.contains("“Long one” (1000 characters) is too fine"), "{failure}");
    assert_eq!((parts(&app, &job).0, job.printed), (vec![(1, 9_828, 52)], 9_828));
    viewer.get(&format!("/print_jobs/{job_uid}")).await.check(200, &["is too fine for Avery", "Part 1 of"]);
    // What can be told at once is told at once.
    for (name, value) in
        [("start", "0"), ("start", "190"), ("start", "x"), ("dpi", "x"), ("sheet", "x"), ("q", "none such")]
    {
        let rest = SMALL.into_iter().filter(|(known, _)| *known != name);
        let form: Vec<(&str, &str)> = rest.chain([(name, value)]).collect();
        viewer.post("/print_jobs", &form).await.check(422, &["These labels can’t be printed yet"]);
        let program = app.request(Role::Viewer, Method::POST, "/print_jobs").header("Accept", "application/json");
        send(program.form(&form)).await.check_failure("TokenValueError");
    }
    viewer.post("/print_jobs", &[("job_uid", "x")]).await.check(422, &[]);
    assert_eq!(jobs::page(&mut app.connection(), None, 10).unwrap().len(), 1);
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    scanner.post("/print_jobs", &SMALL).await.check(403, &[]);
}

/// The parts of a job over all tokens, with something that happens behind each.
fn walk(
    connection: &mut Connection,
    limit: usize,
    mut meanwhile: impl FnMut(&mut Connection, usize),
) -> Vec<Vec<String>> {
    let (all, now) = (Selection::Filter(TokenFilter::default()), Micros::now());
    let (mut parts, mut cursor) = (Vec::new(), String::new());
    let search = SearchLimit::new(Duration::from_secs(5));
    loop {
        let (tokens, next) = labels::part(connection, &all, now, (&cursor, limit), &search).unwrap();
        if tokens.is_empty() {
            return parts;
        }
        parts.push(tokens.iter().map(|(_, token)| token.uid.to_string()).collect());
        cursor = next;
        meanwhile(connection, parts.len());
    }
}

fn change(connection: &mut Connection, what: &str, uids: &[String]) {
    let uids = uids.iter().map(|uid| format!("'{uid}'")).collect::<Vec<_>>().join(",");
    connection.batch_execute(&format!("UPDATE tokens SET {what} WHERE uid IN ({uids})")).unwrap();
}

#[test]
fn tokens_that_are_deleted_or_voided_shift_no_others_and_parts_stay_full() {
    let database = Database::new();
    let mut connection = database.connect();
    let uids = add_all(&mut connection, 100);
    assert_eq!(walk(&mut connection, 30, |_, _| ()).iter().map(Vec::len).collect::<Vec<_>>(), [30, 30, 30, 10]);
    // Voided ones before, in and behind a part: more of them than a part has.
    change(&mut connection, "voided_at = 1", &uids[..45]);
    change(&mut connection, "voided_at = 1", &uids[50..55]);
    let parts = walk(&mut connection, 30, |connection, part| {
        if part == 1 {
            // Printed already, the last one of the part, and the next one.
            change(connection, "deleted_at = 1", &uids[60..61]);
            change(connection, "deleted_at = 1", &uids[79..82]);
        }
    });
    let told: Vec<String> = [&uids[45..50], &uids[55..80], &uids[82..]].concat();
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [30, 18]);
    assert_eq!(parts.concat(), told);
}

#[actix_web::test]
async fn consumes_go_on_while_a_long_pdf_is_made() {
    let app = App::start().await;
    let uids = add_all(&mut app.connection(), 10_000);
    let is_made = Cell::new(false);
    let printing = async {
        let query = [&SMALL[..], &[("state", "active")]].concat();
        fetch_pdf(app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&query)).await;
        is_made.set(true);
    };
    let consuming = async {
        for uid in &uids[..10] {
            app.consume(uid).await.check_success();
        }
        assert!(!is_made.get(), "they are answered before the PDF is");
    };
    futures_util::join!(printing, consuming);
    assert!(is_made.get());
    assert_eq!(runs_with_tokens(&app)[0].0.count, 10_000);
}

#[actix_web::test]
async fn a_job_whose_server_ended_goes_on_behind_its_last_part() {
    let app = App::start().await;
    let uids = add_all(&mut app.connection(), 10_300);
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let job_uid = Uid::random();
    let uid_text = job_uid.to_string();
    let form = [&SMALL[..], &[("job_uid", &*uid_text)]].concat();
    viewer.post("/print_jobs", &form).await.check_leads_to("/print_jobs/");
    let job = wait_for_job(&app, &job_uid.to_string()).await;
    let first = runs::of_job(&mut app.connection(), job.id).unwrap().remove(0);
    // As a server leaves it that dies behind the first part: what was printed behind it is nobody's.
    let mut connection = app.connection();
    for table in ["print_run_tokens", "print_run_parts"] {
        let gone = format!("DELETE FROM {table} WHERE run IN (SELECT id FROM print_runs WHERE part = 2)");
        connection.batch_execute(&gone).unwrap();
    }
    connection.batch_execute("DELETE FROM print_runs WHERE part = 2").unwrap();
    let after = runs::labels(&mut connection, first.id, first.count - 1, 1).unwrap().remove(0).token;
    let id = format!("(SELECT id FROM tokens WHERE uid = '{}')", after.uid);
    let cursor = format!("'{{\"key\":{},\"id\":' || {id} || '}}'", after.created.get());
    let count = first.count;
    let left = format!("UPDATE print_jobs SET ended = NULL, seen = 0, printed = {count}, cursor = {cursor}");
    connection.batch_execute(&left).unwrap();
    viewer.get(&format!("/print_jobs/{job_uid}")).await.check(200, &["Continue printing", "9,828 of 10,300"]);

    for _ in 0..2 {
        viewer.post(&format!("/print_jobs/{job_uid}/go_on"), &[]).await.check_leads_to("/print_jobs/");
    }
    let job = wait_for_job(&app, &job_uid.to_string()).await;
    assert_eq!((job.failure.as_deref(), job.printed), (None, 10_300));
    let (parts, tokens) = parts(&app, &job);
    assert_eq!(parts, [(1, 9_828, 52), (1, 472, 3)]);
    assert!(tokens == uids, "each of them once, in their order");
    viewer.post(&format!("/print_jobs/{}/go_on", Uid::random()), &[]).await.check(404, &[]);
}
