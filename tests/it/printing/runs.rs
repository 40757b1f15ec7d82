//! Print runs, print jobs, label sheets and printers over HTTP.

use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::printing::{add_labelled, keep_run_of, placeholder_pdf};

#[actix_web::test]
async fn a_run_tells_what_became_of_its_tokens_and_leads_to_them() {
    let app = App::start_at("/tickets").await;
    let mut admin = Browser::of(&app, Role::Admin).await;
    admin.get("/print_runs").await.check(200, &["Nothing printed yet"]);
    let uids = add_labelled(&app, 23).await;
    let run = keep_run_of(&app, &uids[..22], 600_000, None).await;
    app.consume(&uids[0].to_string()).await.check_success();
    app.post(&format!("/{}/delete_token", uids[1]), &[]).await.check_success();
    app.post(&format!("/{}/void_token", uids[2]), &[]).await.check_success();

    let path = format!("/print_runs/{}", run.uid);
    admin.get("/print_runs").await.check(
        200,
        &["Locker &#60;0&#62; – Locker &#60;21&#62;", "Käse &#60;1&#62;", &format!("href=\"/tickets{path}\""), "anna"],
    );
    let page = admin.get(&path).await;
    page.check(
        200,
        &[
            "Locker &#60;0&#62; – Locker &#60;21&#62;",
            "22 tokens on Käse",
            "<strong>22</strong> printed",
            "<strong>1</strong> used",
        ],
    );
    page.check(200, &["<strong>20</strong> never used", "<strong>1</strong> voided", "<strong>1</strong> deleted"]);
    page.check(200, &["HP &#34;Office&#34;", "-0.5 mm right", "600 dpi", "600 kB", "Value, medium"]);
    page.check(200, &["Locker &#60;0&#62;", "Show 2 more in the list", "Void 21 tokens …"]);
    assert!(!page.text.contains(&format!("href=\"/tickets/{}\"", uids[1])), "a deleted token has no tile");

    // The list and the tiles show them, with a chip to remove that; so does the log.
    let list = admin.get(&format!("/?print_run={}", run.uid)).await;
    list.check(200, &["21 tokens", "Printed sheet: Käse &#60;1&#62;", "Locker &#60;21&#62;"]);
    assert!(!list.text.contains("Locker &#60;22&#62;"));
    admin.get("/?printed=never").await.check(200, &["1 token", "Locker &#60;22&#62;"]);
    let never_used = admin.get(&format!("/?view=tiles&print_run={}&printed=never_used", run.uid)).await;
    never_used.check(200, &["20 tokens", "never_used\" selected"]);
    let nothing = admin.get(&format!("/?print_run={}&printed=never", run.uid)).await;
    nothing.check(200, &["No tokens match", "Printed sheet: ", "<bdi>Not printed</bdi>"]);
    admin.get("/?print_run=x&printed=y").await.check(422, &["is not a uid", "never_used"]);
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
    done.check_leads_to("/tickets/?");
    admin.get(&path).await.check(200, &["<strong>21</strong> voided"]);
    let action = format!("/actions/{}", done.location.split_once("changed=").unwrap().1);
    admin.post(&format!("{action}/undo"), &[]).await.check_leads_to("/tickets/actions/");
    admin.get(&path).await.check(200, &["<strong>1</strong> voided"]);
}

#[actix_web::test]
async fn a_runs_pdf_is_exactly_what_was_kept() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uids = add_labelled(&app, 2).await;
    let run = keep_run_of(&app, &uids, 700_000, None).await;
    let path = format!("/print_runs/{}.pdf", run.uid);
    let answer = viewer.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("content-type").as_str(), header("content-length").as_str()), ("application/pdf", "700000"));
    let (disposition, tag) = (header("content-disposition"), header("etag"));
    assert!(
        disposition.starts_with("inline; filename=\"locker-0-locker-1-2") && disposition.ends_with(".pdf\""),
        "{disposition}"
    );
    assert!(disposition.is_ascii() && header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(answer.bytes().await.unwrap() == placeholder_pdf(700_000));

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
    assert!(!page.text.contains("name=\"do\" value=\"void\""), "a viewer voids nothing");
}

#[actix_web::test]
async fn runs_are_listed_in_pages_newest_first() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uids = add_labelled(&app, 1).await;
    for size in 100..121 {
        keep_run_of(&app, &uids, size, None).await;
    }
    let first = viewer.get("/print_runs").await;
    let next = first.text.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(first.text.matches(">PDF<span").count(), 20);
    let last = viewer.get(&next).await;
    assert_eq!(last.check(200, &["Newest"]).text.matches(">PDF<span").count(), 1);
    viewer.get("/print_runs?after=AAAA").await.check(422, &[]);
}

#[actix_web::test]
async fn programs_find_tokens_by_what_was_printed() {
    let app = App::start().await;
    let uids = add_labelled(&app, 3).await;
    let run = keep_run_of(&app, &uids[..2], 100, None).await;
    app.consume(&uids[0].to_string()).await.check_success();
    let undone = app.consume(&uids[1].to_string()).await.body["usage_uid"].as_str().unwrap().to_owned();
    app.post("/undo_consume", &[("usage_uid", &undone)]).await.check_success();
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
    assert_eq!(used.check_success().body["usage"].as_array().unwrap().len(), 3);
    app.get("/query_tokens", &[("print_run", "x")]).await.check_failure("TokenValueError").check_param("print_run");
    app.get("/query_tokens", &[("printed", "x")]).await.check_failure("TokenValueError").check_param("printed");
}
