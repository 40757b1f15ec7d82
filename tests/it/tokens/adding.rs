//! The form for one token: the next one, named time ranges, a token like another one, and what is on paper.

use serde_json::json;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::forms::forms;
use crate::support::printing::keep_run_of;

const FIELDS: [(&str, &str); 7] = [
    ("label", "Anna"),
    ("value", "A-1"),
    ("valid_from", ""),
    ("valid_to", "2999-11-30T18:00"),
    ("usage_count", "3"),
    ("lock_time", "90"),
    ("lock_unit", "minutes"),
];

#[actix_web::test]
async fn the_next_token_is_added_at_once_with_the_same_times_uses_and_lock() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let form = browser.get("/add").await;
    form.check(200, &["Save and add another"]);
    assert!(form.text.find("for=\"label\"") < form.text.find("for=\"value\""), "the label comes first");
    let uid = form.field("token_uid");
    let fields = [&FIELDS[..], &[("token_uid", &*uid), ("another", "1")]].concat();
    let added = browser.post("/add", &fields).await;
    let next = browser.get(&added.check_leads_to("/add?").location).await;
    next.check(200, &["Token added.", &format!("<a dir=\"auto\" href=\"/{uid}\">Anna</a>"), "data-restore=\"no\""]);
    let kept = ["label", "value", "valid_to", "usage_count", "lock_time"].map(|name| next.field(name));
    assert_eq!(kept, ["", "", "2999-11-30T18:00", "3", "90"]);
    assert!(next.text.contains("<option value=\"minutes\" selected>"));
    assert_ne!(next.field("token_uid"), uid, "the next one is another token");
    let twice = browser.post("/add", &fields).await;
    assert_eq!(twice.location, added.location, "sent twice, it is one token");
    assert_eq!(app.token(&uid).await["lock_time"], 5_400);
}

#[actix_web::test]
async fn a_named_time_range_fills_in_both_times_and_saves_nothing() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("label", "Ben"), ("valid_to", "2999-01-01")]).await;
    for path in ["/add".to_owned(), format!("/{uid}/edit"), "/add_many".to_owned()] {
        let form = browser.get(&path).await;
        form.check(200, &["Set both times", "name=\"preset\" value=\"morning\""]);
        let sent = forms(&form.text).into_iter().find(|form| form.action == path).unwrap().fields;
        let mut fields: Vec<(&str, &str)> = sent.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        fields.retain(|(name, _)| !["label", "preset", "another", "preview"].contains(name));
        fields.extend([("label", "Carl"), ("preset", "morning")]);
        let filled = browser.post(&path, &fields).await;
        filled.check(200, &["data-restore=\"no\""]);
        assert_eq!(filled.field("label"), "Carl", "{path}: what was typed is kept");
        let times = [filled.field("valid_from"), filled.field("valid_to")];
        assert!(times[0].ends_with("T08:00") && times[1].ends_with("T12:00"), "{path}: {times:?}");
        assert_eq!(times[0][..10], times[1][..10]);
    }
    assert_eq!(app.token(&uid).await["label"], "Ben");
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_duplicate_has_all_but_the_value() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let fields = [
        ("value", "T-1"),
        ("label", "Locker & 1"),
        ("valid_from", "2030-06-02T09:00"),
        ("usage_count", "-1"),
        ("lock_time", "7200"),
    ];
    let uid = app.add(&fields).await;
    browser.get(&format!("/{uid}")).await.check(200, &[&format!("href=\"/add?like={uid}\""), "Duplicate"]);
    let form = browser.get(&format!("/add?like={uid}")).await;
    let fields = ["label", "value", "valid_from", "lock_time"].map(|name| form.field(name));
    assert_eq!(fields, ["Locker &#38; 1", "", "2030-06-02T09:00", "2"].map(|text| text.replace("&#38;", "&")));
    form.check(200, &["value=\"1\" data-disables=\"usage_count\" checked", "<option value=\"hours\" selected>"]);
    assert_ne!(form.field("token_uid"), uid);
    browser.get("/add?like=1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f").await.check(404, &[]);
}

#[actix_web::test]
async fn a_time_has_seconds_in_the_form_only_where_it_has_any() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("valid_from", "2030-06-02T09:00:00.5"), ("valid_to", "2030-06-02T18:00")]).await;
    let form = browser.get(&format!("/{uid}/edit")).await;
    let field = |name: &str, step: u8, value: &str| {
        format!("name=\"{name}\" type=\"datetime-local\" step=\"{step}\" value=\"{value}\"")
    };
    form.check(200, &[&field("valid_from", 1, "2030-06-02T09:00:00"), &field("valid_to", 60, "2030-06-02T18:00")]);
    browser.get("/add").await.check(200, &[&field("valid_from", 60, ""), &field("valid_to", 60, "")]);
}

#[actix_web::test]
async fn a_new_value_of_a_printed_token_is_warned_of() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("value", "T-1")]).await;
    let path = format!("/{uid}/edit");
    assert!(!browser.get(&path).await.text.contains("is printed"));
    keep_run_of(&app, &[uid.parse().unwrap()], 100, None).await;
    let form = browser.get(&path).await;
    form.check(200, &["A label with this value is printed. If you change the value, that label stops working."]);
    let sent = forms(&form.text).into_iter().find(|form| form.action == path).unwrap().fields;
    let send = |name: &'static str, text: &'static str| {
        let fields = sent.iter().filter(|(other, _)| other != "preset" && other != name);
        fields.map(|(name, text)| (name.as_str(), text.as_str())).chain([(name, text)]).collect::<Vec<_>>()
    };
    let labelled = browser.post(&path, &send("label", "Anna")).await;
    browser.get(&labelled.check_leads_to(&format!("/{uid}?done=saved")).location).await.check(200, &["Changes saved."]);
    assert!(!labelled.location.contains("printed"));
    let saved = browser.post(&path, &send("value", "T-2")).await;
    let tile = browser.get(&saved.check_leads_to(&format!("/{uid}?done=saved-printed")).location).await;
    tile.check(200, &["Changes saved. The printed label has the old value and no longer works."]);
    assert_eq!(app.token(&uid).await["value"], json!("T-2"));
}

#[actix_web::test]
async fn the_address_of_a_deleted_token_says_so_and_offers_to_restore_it() {
    let app = App::start().await;
    let mut admin = Browser::of(&app, Role::Admin).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let uid = app.add(&[("label", "Anna")]).await;
    admin.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    let restore = format!("action=\"/{uid}/restore\"");
    for path in ["", "/edit", "/delete", "/void"] {
        let page = admin.get(&format!("/{uid}{path}")).await;
        page.check(404, &["This token was deleted", "Anna", "admin", &restore]);
    }
    let page = viewer.get(&format!("/{uid}")).await;
    page.check(404, &["This token was deleted"]);
    assert!(!page.text.contains("/restore"), "who may not restore is not offered it");
    let json = app.request(Role::Viewer, reqwest::Method::GET, &format!("/{uid}")).header("Accept", "application/json");
    assert_eq!(json.send().await.unwrap().status(), 404);
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    scanner.get(&format!("/{uid}")).await.check(200, &[]);
    admin.get("/1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f").await.check(404, &["Page not found"]);
    admin.post(&format!("/{uid}/restore"), &[]).await.check_leads_to(&format!("/{uid}?done=restored"));
    admin.get(&format!("/{uid}?done=restored")).await.check(200, &["Token restored."]);
}
