//! Voiding and restoring many tokens from the list.

use tessera::access::Role;

use super::change::action_of;
use crate::support::app::App;
use crate::support::browser::Browser;

/// Previews, confirms, and answers with the address of the action.
async fn confirm(browser: &mut Browser<'_>, form: &[(&str, &str)], says: &[&str]) -> String {
    let preview = browser.post("/bulk", &[form, &[("step", "preview")]].concat()).await;
    preview.check(200, says);
    let fields = ["action", "action_uid", "seal"].map(|name| (name, preview.field(name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = browser.post("/bulk", &[form, &fields, &[("step", "do")]].concat()).await;
    let path = done.check_leads_to("/").location.clone();
    format!("/actions/{}?done=done", action_of(&path))
}

#[actix_web::test]
async fn many_are_voided_and_restored_from_the_list() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let made = app.post("/add_tokens", &[("count", "5"), ("label", "Box {n}"), ("batch_name", "Box")]).await;
    let batch = made.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    let stolen = made.body["token_uids"][0].as_str().unwrap().to_owned();
    app.post(&format!("/{stolen}/void_token"), &[("reason", "Stolen")]).await.check_success();
    let page = browser.get("/?view=tiles").await;
    page.check(200, &["value=\"void\">Void<", "value=\"unvoid\">Restore<", "is-voided", "(Stolen)"]);

    let all = [("select", "found"), ("batch", batch.as_str())];
    let void = [&all[..], &[("do", "void")]].concat();
    browser.post("/bulk", &void).await.check(200, &["Reason", "<option value=\"Lost\">", "5 tokens selected."]);
    let long = "x".repeat(201);
    let wrong = browser.post("/bulk", &[&void[..], &[("step", "preview"), ("reason", &long)]].concat()).await;
    wrong.check(422, &["“Reason” has at most 200 characters.", &long]);
    let void = [&void[..], &[("reason", "Lost")]].concat();
    let says = ["Will void 4 tokens", "No change needed</dt><dd>1 token", "Voided (Lost)"];
    let action = confirm(&mut browser, &void, &says).await;
    browser.get(&action).await.check(
        200,
        &[
            "4 tokens voided.",
            "<h1 dir=\"auto\">Box 2 – Box 5</h1>",
            "Voided: “Lost”",
            "Voided</dt><dd><strong>4 tokens",
        ],
    );
    browser.get("/?state=voided").await.check(200, &["5 tokens", "Voided", "(Lost)"]);
    browser.get(&format!("/batches/{batch}")).await.check(200, &["<strong>5</strong> voided"]);
    browser.get(&format!("/sheet?batch={batch}")).await.check(422, &["Voided tokens are not printed"]);

    let restore = [&all[..], &[("do", "unvoid")]].concat();
    let restored = confirm(&mut browser, &restore, &["Will restore 5 tokens", "Voided (Stolen)", "Active"]).await;
    browser.get("/?state=voided").await.check(200, &["No tokens match", "State: Voided"]);
    browser.get("/actions").await.check(200, &[">Box</a>", ">Box 2 – Box 5</a>"]);
    for (path, voided) in [(&restored, "5 tokens"), (&action, "1 token")] {
        let undo = path.split('?').next().unwrap();
        browser.post(&format!("{undo}/undo"), &[]).await.check_leads_to(&format!("{undo}?done=undone"));
        browser.get("/?state=voided").await.check(200, &[voided]);
    }
    assert_eq!(app.token(&stolen).await["void_reason"], "Stolen");
}
