//! What helps a print job that cannot go on: leaving labels or characters out, another sheet, or dismissing it.

use std::time::Duration;

use tessera::access::Role;
use tessera::store::printing::jobs::{self, JobStage, PrintJob};
use tessera::store::printing::runs;
use tessera::token::{Micros, Uid};

use crate::support::app::App;
use crate::support::browser::Browser;

async fn ended(app: &App, path: &str) -> PrintJob {
    let uid: Uid = path.rsplit('/').next().unwrap().parse().unwrap();
    for _ in 0..1_200 {
        let job = jobs::find(&mut app.connection(), uid).unwrap().unwrap();
        if job.ended.is_some() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end");
}

/// The labels that a job printed.
fn printed(app: &App, job: &PrintJob) -> Vec<String> {
    let mut connection = app.connection();
    let parts = runs::of_job(&mut connection, job.id).unwrap();
    let labels = parts.iter().flat_map(|run| runs::labels(&mut connection, run.id, 0, 100).unwrap());
    labels.map(|label| label.token.label.unwrap()).collect()
}

/// Starts a job over all tokens, and waits until it ends.
async fn start(app: &App, viewer: &mut Browser<'_>, form: &[(&str, &str)]) -> (String, PrintJob) {
    let form = [form, &[("sheet", "avery-l7160")]].concat();
    let path = viewer.post("/print_jobs", &form).await.check_leads_to("/print_jobs/").location.clone();
    let job = ended(app, &path).await;
    (path, job)
}

#[actix_web::test]
async fn characters_that_no_font_has_are_left_out_or_their_labels_are() {
    let app = App::start().await;
    for n in 1..=14 {
        app.add(&[("label", &format!("Party 🎉 {n:02}"))]).await;
    }
    app.add(&[("label", "Locker")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let (path, job) = start(&app, &mut viewer, &[("all", "1")]).await;
    assert!(matches!(job.stage(Micros::now()), JobStage::Failed(why) if why.contains("U+1F389")));
    let page = viewer.get(&path).await;
    page.check(200, &["14 labels can’t be printed", "“Party 🎉 10” and 4 more", "U+1F389", "0 of 15 tokens"]);
    page.check(200, &["Leave out these labels", "Leave out these characters", "Change the sheet or text", "Dismiss"]);
    assert!(!page.text.contains("“Party 🎉 11”"));
    viewer.get("/print_runs").await.check(200, &["14 labels can’t be printed", "Dismiss"]);
    // The way back has the same tokens and the same sheet.
    viewer
        .post("/sheet", &[("all", &page.field("all")), ("sheet", &page.field("sheet"))])
        .await
        .check(422, &["U+1F389"]);
    viewer.post(&format!("{path}/go_on"), &[("without", "x")]).await.check(422, &["without"]);
    viewer.post(&format!("{path}/go_on"), &[("without", "labels")]).await.check_leads_to(&path);
    let job = ended(&app, &path).await;
    assert_eq!((printed(&app, &job), job.printed), (vec!["Locker".to_owned()], 1));
    viewer.get(&path).await.check(200, &["14 labels were left out."]);

    let (path, _) = start(&app, &mut viewer, &[("q", "Party"), ("start", "2")]).await;
    viewer.post(&format!("{path}/go_on"), &[("without", "characters")]).await.check_leads_to(&path);
    let job = ended(&app, &path).await;
    assert_eq!((printed(&app, &job).len(), job.printed, job.failure), (14, 14, None));
}

#[actix_web::test]
async fn codes_that_do_not_fit_are_left_out_and_all_of_them_may_be() {
    let app = App::start().await;
    app.add(&[("value", &"x".repeat(1_000)), ("label", "Long one")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let (path, _) = start(&app, &mut viewer, &[("all", "1")]).await;
    let page = viewer.get(&path).await;
    page.check(200, &["1 label can’t be printed", "“Long one”", "too fine", "Leave out these labels"]);
    assert!(!page.text.contains("Leave out these characters"));
    viewer.post(&format!("{path}/go_on"), &[("without", "labels")]).await.check_leads_to(&path);
    let job = ended(&app, &path).await;
    assert_eq!((printed(&app, &job).len(), job.printed, job.failure), (0, 0, None));
    viewer.get(&path).await.check(200, &["1 label was left out."]);
}

#[actix_web::test]
async fn tokens_that_are_voided_or_deleted_are_named_and_left_out() {
    let app = App::start().await;
    let mut uids = Vec::new();
    for n in 1..=4 {
        uids.push(app.add(&[("label", &format!("Locker {n}"))]).await);
    }
    app.post(&format!("/{}/void_token", uids[1]), &[]).await.check_success();
    app.post(&format!("/{}/delete_token", uids[2]), &[]).await.check_success();
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    // Named, so that nobody prints others in their place without knowing.
    let list = uids[..].join(" ");
    let (path, _) = start(&app, &mut viewer, &[("uids", &list)]).await;
    let page = viewer.get(&path).await;
    page.check(
        200,
        &["2 labels can’t be printed", "Locker 2, Locker 3", "voided or deleted", "Leave out these labels"],
    );
    assert_eq!(page.field("uids"), list);
    viewer.post(&format!("{path}/go_on"), &[("without", "labels")]).await.check_leads_to(&path);
    let job = ended(&app, &path).await;
    assert_eq!(printed(&app, &job), ["Locker 1", "Locker 4"]);
}

#[actix_web::test]
async fn a_job_that_stopped_can_be_dismissed() {
    let app = App::start().await;
    app.add(&[("label", "Party 🎉")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let (path, job) = start(&app, &mut viewer, &[("all", "1")]).await;
    for _ in 0..2 {
        let done = viewer.post(&format!("{path}/dismiss"), &[]).await;
        done.check_leads_to("/print_runs?done=dismissed");
    }
    let list = viewer.get("/print_runs?done=dismissed").await;
    list.check(200, &["Print job dismissed."]);
    assert!(!list.text.contains(&path));
    let page = viewer.get(&path).await;
    page.check(200, &["This print job was dismissed.", "U+1F389"]);
    assert!(!page.text.contains("/dismiss"));
    let mut manager = Browser::of(&app, Role::Manager).await;
    let audit = manager.get("/audit").await;
    assert_eq!(audit.check(200, &["dismissed a print job"]).text.matches("0 of 1 labels printed").count(), 1);
    // It can still go on, and is listed again then.
    viewer.post(&format!("{path}/go_on"), &[("without", "characters")]).await.check_leads_to(&path);
    assert_eq!(ended(&app, &path).await.failure, None);
    viewer.post(&format!("/print_jobs/{}/dismiss", Uid::random()), &[]).await.check(404, &[]);
    viewer.post("/print_jobs/x/dismiss", &[]).await.check(404, &[]);
    // What is done cannot be dismissed, and neither can what is under way.
    viewer.post(&format!("{path}/dismiss"), &[]).await.check_leads_to("/print_runs");
    let after = jobs::find(&mut app.connection(), job.uid.parse().unwrap()).unwrap().unwrap();
    assert_eq!(after.stage(Micros::now()), JobStage::Done);
}
