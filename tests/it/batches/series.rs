//! Many tokens with labels from any number.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;

async fn labels(app: &App) -> Vec<String> {
    let found = app.get("/query_tokens", &[("limit", "1000")]).await;
    let tokens = found.check_success().body["tokens"].as_array().unwrap().clone();
    let mut labels: Vec<String> =
        tokens.iter().map(|token| token["label"].as_str().unwrap_or("-").to_owned()).collect();
    labels.sort_unstable();
    labels
}

fn with<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("usage_count", "1"), ("lock_time", "0"), ("lock_unit", "seconds")], fields].concat()
}

#[actix_web::test]
async fn a_series_begins_at_any_number_with_so_many_digits() {
    for (label, start, digits, count, first_and_last) in [
        ("Locker", "1", "3", "300", ("Locker 001", "Locker 300")),
        (" Locker ", "0", "2", "12", ("Locker 00", "Locker 11")),
        ("Locker", "995", "3", "10", ("Locker 1000", "Locker 999")),
        ("{n:04} ש 😀", "7", "1", "3", ("0007 ש 😀", "0009 ש 😀")),
        ("VIP", "1", "", "2", ("VIP", "VIP")),
        ("", "5", "3", "2", ("-", "-")),
    ] {
        let app = App::start().await;
        let mut browser = Browser::of(&app, Role::Editor).await;
        let form = browser.get("/add_many").await;
        let uid = form.field("batch_uid");
        assert_eq!(form.field("start_number"), "1");
        form.check(200, &["<option value=\"3\" selected>", "Create tokens"]);
        let fields =
            [("label", label), ("start_number", start), ("digits", digits), ("count", count), ("batch_uid", &uid)];
        let preview = browser.post("/add_many", &[with(&fields), vec![("preview", "1")]].concat()).await;
        preview.check(200, &[&format!("Create {count} tokens")]);
        assert_eq!(labels(&app).await.len(), 0, "nothing is created by looking");
        let made = browser.post("/add_many", &with(&fields)).await;
        browser
            .get(&made.check_leads_to("/batches/").location)
            .await
            .check(200, &[&format!("{count} tokens created.")]);
        let labels = labels(&app).await;
        let (first, last) = (labels.first().unwrap(), labels.last().unwrap());
        assert_eq!(
            (first.as_str(), last.as_str(), labels.len().to_string().as_str()),
            (first_and_last.0, first_and_last.1, count)
        );
    }
}

#[actix_web::test]
async fn the_first_and_the_last_label_are_shown_before() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let fields =
        with(&[("label", "Locker"), ("start_number", "1"), ("digits", "3"), ("count", "300"), ("preview", "1")]);
    let page = browser.post("/add_many", &fields).await;
    page.check(200, &["<bdi>Locker 001</bdi> … <bdi>Locker 300</bdi>", "value=\"300\""]);
}

#[actix_web::test]
async fn a_number_that_is_none_is_told_beside_its_field() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    for (field, text, says) in [
        ("start_number", "-1", "“Start at” must be a whole number from 0 to 999999999."),
        ("start_number", "1000000000", "“Start at” must be"),
        ("start_number", "x", "“Start at” must be"),
        ("digits", "7", "“Digits” must be a whole number from 0 to 6."),
    ] {
        let page = browser.post("/add_many", &with(&[("count", "2"), ("label", "A"), (field, text)])).await;
        page.check(
            422,
            &["No tokens were created", &format!("href=\"#{field}\""), &format!("id=\"{field}-error\""), says],
        );
    }
    assert_eq!(labels(&app).await.len(), 0);
}
