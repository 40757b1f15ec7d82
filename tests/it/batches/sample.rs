//! The sample: for who has no tokens yet.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;

#[actix_web::test]
async fn samples_are_added_and_removed_by_one_click_each_and_both_can_be_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    browser.get("/").await.check(200, &["No tokens yet", "action=\"/batches/sample\"", "/import"]);
    let added = browser.post("/batches/sample", &[]).await;
    let page = browser.get(&added.check_leads_to("/batches/").location).await;
    let batch = added.location.split(['/', '?']).nth(2).unwrap().to_owned();
    let remove = format!("/batches/{batch}/remove");
    page.check(200, &["12 tokens created.", "Sample", &format!("action=\"{remove}\""), "Remove the sample"]);
    browser.get(&format!("/?batch={batch}")).await.check(200, &["Sample 01", "Sample 12"]);
    let again = browser.post("/batches/sample", &[]).await;
    assert_eq!(again.location, added.location, "there is one sample");

    let removed = browser.post(&remove, &[]).await;
    browser.get(&removed.check_leads_to("/actions/").location).await.check(200, &["12 tokens", "Undo"]);
    browser.get("/").await.check(200, &["No tokens yet"]);
    browser.post(&remove, &[]).await.check_leads_to(&format!("/batches/{batch}"));
    let action = removed.location.split('?').next().unwrap().to_owned();
    browser.post(&format!("{action}/undo"), &[]).await.check_leads_to("/actions/");
    browser.get(&format!("/batches/{batch}")).await.check(200, &["<strong>12</strong> tokens"]);
}

#[actix_web::test]
async fn only_the_sample_is_removed_without_a_look_at_it() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let many = [("count", "3"), ("batch_name", "Party"), ("usage_count", "1"), ("lock_time", "0")];
    let made = browser.post("/add_many", &many).await;
    let batch = made.check_leads_to("/batches/").location.split(['/', '?']).nth(2).unwrap().to_owned();
    browser.post(&format!("/batches/{batch}/remove"), &[]).await.check_leads_to(&format!("/batches/{batch}"));
    browser.get(&format!("/batches/{batch}")).await.check(200, &["<strong>3</strong> tokens", "Delete all tokens …"]);
    let mut editor = Browser::of(&app, Role::Editor).await;
    editor.post(&format!("/batches/{batch}/remove"), &[]).await.check(403, &[]);
}
