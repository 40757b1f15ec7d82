//! How far a print job is, and how it ended: on the store and on its page.

use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::printing::jobs;
use tessera::store::printing::jobs::{JobProgress, JobStage, NewPrintJob};
use tessera::store::tokens::selection::Selection;
use tessera::token::{Micros, Uid};

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::printing::{add_job, add_labelled, anna, keep_run_of};

#[test]
fn a_job_goes_on_ends_and_is_told_as_lost_when_nobody_works_on_it() {
    let database = Database::new();
    let mut connection = database.connect();
    let options = r#"{"sheet":{}}"#.to_owned();
    let new = NewPrintJob {
        uid: Uid::random(),
        sheet: "a".into(),
        options,
        selection: Selection::Uids(Vec::new()),
        title: "Locker 1 – Locker 9".into(),
        total: 25_000,
        parts: 3,
    };
    let now = Micros::now();
    let (job, is_new) = transaction(&mut connection, |c| jobs::add(c, &new, &anna(), now)).unwrap();
    assert!(is_new);
    assert_eq!(
        (job.total, job.printed, job.parts, job.cursor.as_str(), job.stage(now)),
        (25_000, 0, 3, "", JobStage::UnderWay)
    );
    let again = transaction(&mut connection, |c| jobs::add(c, &new, &anna(), now)).unwrap();
    assert_eq!(again, (job.clone(), false));

    let after = |seconds: i64| now.plus_micros(seconds * 1_000_000);
    let part = |was: &str, printed, cursor: &str| JobProgress {
        uid: new.uid,
        previous_cursor: was.into(),
        printed,
        cursor: cursor.into(),
    };
    jobs::advance(&mut connection, &part("", 10_000, "10000"), after(60)).unwrap();
    assert!(jobs::advance(&mut connection, &part("", 9_000, "9000"), after(61)).is_err(), "another one goes on");
    let found = jobs::find(&mut connection, new.uid).unwrap().unwrap();
    assert_eq!((found.printed, found.cursor.as_str(), found.stage(after(170))), (10_000, "10000", JobStage::UnderWay));
    assert_eq!(found.stage(after(181)), JobStage::Lost);
    jobs::touch(&mut connection, new.uid, after(170)).unwrap();
    let found = jobs::by_id(&mut connection, job.id).unwrap().unwrap();
    assert_eq!(found.stage(after(181)), JobStage::UnderWay);

    jobs::end(&mut connection, new.uid, "", Some("Somebody else has gone on."), after(190)).unwrap();
    let found = jobs::find(&mut connection, new.uid).unwrap().unwrap();
    assert_eq!(found.stage(after(191)), JobStage::UnderWay, "of two workers, the loser changes nothing");
    jobs::end(&mut connection, new.uid, "10000", Some("The disk is full."), after(200)).unwrap();
    jobs::end(&mut connection, new.uid, "10000", None, after(300)).unwrap();
    let found = jobs::find(&mut connection, new.uid).unwrap().unwrap();
    assert_eq!(found.stage(after(9_999)), JobStage::Failed("The disk is full.".into()));
    assert!(jobs::advance(&mut connection, &part("10000", 20_000, ""), after(400)).is_err(), "it has ended");

    let other = NewPrintJob { uid: Uid::random(), ..new };
    transaction(&mut connection, |c| jobs::add(c, &other, &anna(), now)).unwrap();
    jobs::end(&mut connection, other.uid, "", None, after(1)).unwrap();
    let page = jobs::page(&mut connection, None, 1).unwrap();
    assert_eq!(page[0].1.stage(after(9_999)), JobStage::Done);
    assert_eq!(jobs::page(&mut connection, Some(&page[0].0), 9).unwrap().len(), 1);
}

#[actix_web::test]
async fn a_job_tells_how_far_it_is_and_why_it_ended() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uids = add_labelled(&app, 2).await;
    let job = add_job(&app, 25_000, 3);
    let uid = job.uid.parse().unwrap();
    let path = format!("/print_jobs/{}", job.uid);
    viewer
        .get(&path)
        .await
        .check(200, &["25,000 tokens on", "Creating 3 PDFs", "0 of 25,000", "http-equiv=\"refresh\""]);
    let run = keep_run_of(&app, &uids, 500, Some((job.id, 1))).await;
    let progress = JobProgress { uid, previous_cursor: String::new(), printed: 10_000, cursor: "x".into() };
    jobs::advance(&mut app.connection(), &progress, Micros::now()).unwrap();
    viewer.get(&path).await.check(200, &["10,000 of 25,000", "Part 1 of 3", &format!("/print_runs/{}.pdf", run.uid)]);
    viewer.get("/print_runs").await.check(200, &["Print job", "25,000 tokens on", &path]);
    viewer.get(&format!("/print_runs/{}", run.uid)).await.check(200, &["All 3 parts", "1 of 3"]);

    jobs::touch(&mut app.connection(), uid, Micros::stored(0)).unwrap();
    let lost = viewer.get(&path).await;
    lost.check(200, &["Printing stopped", "The server stopped before all labels were printed.", "Part 1 of 3"]);
    assert!(!lost.text.contains("refresh"));
    jobs::touch(&mut app.connection(), uid, Micros::now()).unwrap();
    jobs::end(&mut app.connection(), uid, "x", Some("The character <😀> has no glyph."), Micros::now()).unwrap();
    viewer.get(&path).await.check(200, &["The character &#60;😀&#62; has no glyph."]);
    viewer.get("/print_runs").await.check(200, &["Printing stopped"]);

    let done = add_job(&app, 20_000, 2);
    jobs::end(&mut app.connection(), done.uid.parse().unwrap(), "", None, Micros::now()).unwrap();
    viewer.get(&format!("/print_jobs/{}?done=printed", done.uid)).await.check(200, &["All labels are ready"]);
    assert!(!viewer.get("/print_runs").await.text.contains("20,000 tokens"), "what is done is in the list");
}
