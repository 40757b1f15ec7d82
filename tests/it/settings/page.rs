//! `/settings` over HTTP: every setting, its limits, and two managers at once.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::{Principal, Role};
use tessera::store::connection::transaction;
use tessera::store::schema::audit;
use tessera::store::settings::{SaveResult, change};
use tessera::token::Micros;
use tessera::token::settings::{Setting, Settings};

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::process::{Place, Server};
use crate::support::settings::{known_value, save_setting, send_setting, settings};

#[actix_web::test]
async fn the_settings_are_for_managers() {
    let app = App::start().await;
    for role in Role::ALL {
        let mut browser = Browser::of(&app, role).await;
        let (page, list) = (browser.get("/settings").await, browser.get("/").await);
        if role == Role::Manager {
            page.check(200, &["Never changed.", "08:00", "unlimited, 0, 1, 10, 20, 50, 100", "value=\"400\""]);
            list.check(200, &["href=\"/settings\""]);
            browser.post("/settings/cookie_key", &[("was", "")]).await.check(404, &[]);
            browser.post("/settings/usage_days", &[("usage_days", "1")]).await.check(400, &["was"]);
        } else {
            page.check(403, &["Only managers"]);
            let sent = browser.post("/settings/usage_days", &[("was", "400"), ("usage_days", "1")]).await;
            sent.check(403, &["Only managers"]);
            assert!(!list.text.contains("href=\"/settings\""), "{role:?}");
        }
    }
    Browser::new(&app).get("/settings").await.check_leads_to("/login?next=");
    assert_eq!(settings(&app), Settings::default());
}

#[actix_web::test]
async fn each_setting_is_saved_by_itself_and_says_who_changed_it() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for (setting, fields, json) in [
        ("organisation", vec![("organisation", " Museum of Modern Art ")], "\"Museum of Modern Art\""),
        ("default_usage_count", vec![("usage_count", "5")], "5"),
        ("default_usage_count", vec![("usage_count", ""), ("unlimited", "1")], "-1"),
        ("default_lock_time", vec![("lock_time", "2"), ("lock_unit", "hours")], "7200"),
        ("quick_counts", vec![("quick_counts", "3, Unlimited;0")], "[3,-1,0]"),
        ("usage_days", vec![("usage_days", "30")], "30"),
        ("print_run_days", vec![("print_run_days", "31")], "31"),
        ("labels_per_day", vec![("labels_per_day", "2000")], "2000"),
    ] {
        let setting_of = Setting::named(setting).unwrap();
        let before = settings(&app).json(setting_of);
        let to = format!("/settings?done={setting}#setting-{setting}");
        save_setting(&mut browser, setting, &fields).await.check_leads_to(&to);
        assert_eq!(settings(&app).json(setting_of), json);
        let page = browser.get(&to).await;
        page.check(200, &["<p>Saved.</p>", "just now</time> by manager."]);
        let entries = audit::table.order(audit::id.desc()).filter(audit::action.eq("setting"));
        let entry = entries.select((audit::principal, audit::subject, audit::detail));
        let (who, subject, detail): (String, String, String) = entry.first(&mut app.connection()).unwrap();
        assert_eq!((who.as_str(), subject.as_str()), ("user:manager", setting));
        let detail: Value = serde_json::from_str(&detail).unwrap();
        let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(detail, json!({"before": value(&before), "after": value(json)}));
    }
    // What stays as it is leaves no trace.
    save_setting(&mut browser, "usage_days", &[("usage_days", "30")]).await.check_leads_to("/settings?done=usage_days");
    let count: i64 =
        audit::table.filter(audit::action.eq("setting")).count().get_result(&mut app.connection()).unwrap();
    assert_eq!(count, 8);
}

#[actix_web::test]
async fn the_organisations_name_is_in_the_head_of_every_page() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for page in ["/login", "/"] {
        assert!(!browser.get(page).await.text.contains("organisation"), "{page}: there is none at first");
    }
    for (name, shown) in [("Kunst & Co", "Kunst &#38; Co"), ("Museum", "Museum")] {
        save_setting(&mut browser, "organisation", &[("organisation", name)]).await.check_leads_to("/settings");
        let head = format!("{shown}</span></span></a>");
        for page in ["/", "/settings", "/scan", "/nothing-here/at-all"] {
            let page = browser.get(page).await;
            assert!(page.text.contains(&head), "{}", page.text);
        }
        Browser::new(&app).get("/login").await.check(200, &[&head, &format!("dir=\"auto\">{shown}</p>")]);
        let scan = browser.get("/scan").await;
        scan.check(200, &[&head, &format!("<p class=\"scan-organisation\" dir=\"auto\">{shown}</p>")]);
    }
    save_setting(&mut browser, "organisation", &[("organisation", "")]).await.check_leads_to("/settings");
    assert!(!browser.get("/").await.text.contains("organisation"));
}

#[actix_web::test]
async fn a_name_of_the_organisation_that_another_server_saved_is_shown_within_a_second() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    browser.get("/").await.check(200, &[]);
    // As another server on this database does.
    let wanted = Settings { organisation: "Elsewhere".into(), ..settings(&app) };
    let by = Principal::user("other");
    let save = transaction(&mut app.connection(), |connection| {
        change(connection, Setting::Organisation, ("\"\"", &wanted), &by, Micros::now())
    });
    assert!(matches!(save.unwrap(), SaveResult::Saved));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    browser.get("/").await.check(200, &["Elsewhere</span></span></a>"]);
}

#[actix_web::test]
async fn a_new_token_gets_the_defaults_at_once() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for uses in ["7", "0", "2147483647"] {
        save_setting(&mut browser, "default_usage_count", &[("usage_count", uses)]).await.check_leads_to("/settings");
        assert_eq!(app.token(&app.add(&[]).await).await["usage_count"].to_string(), uses);
        assert_eq!(browser.get("/add").await.field("usage_count"), uses);
    }
    save_setting(&mut browser, "default_lock_time", &[("lock_time", "90"), ("lock_unit", "seconds")]).await;
    assert_eq!(app.token(&app.add(&[]).await).await["lock_time"], 90);
    assert_eq!(app.token(&app.add(&[("usage_count", "2"), ("lock_time", "0")]).await).await["lock_time"], 0);
}

#[actix_web::test]
async fn what_is_outside_the_limits_is_told_beside_its_field() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let long = "x".repeat(61);
    let many = (0..21).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for (setting, field, text, why) in [
        ("organisation", "organisation", long.as_str(), "60 characters at most"),
        ("organisation", "organisation", "North\u{202e}", "invisible characters"),
        ("default_usage_count", "usage_count", "-1", "Uses must be a whole number"),
        ("default_usage_count", "usage_count", "", "Uses must be a whole number"),
        ("default_usage_count", "usage_count", "2147483648", "Uses must be a whole number"),
        ("default_lock_time", "lock_time", "1.5", "The lock must be a whole number"),
        ("default_lock_time", "lock_time", "-1", "The lock must be a whole number"),
        ("quick_counts", "quick_counts", "1, two", "&#34;two&#34; must be a whole number"),
        ("quick_counts", "quick_counts", "-1", "&#34;-1&#34; must be a whole number"),
        ("quick_counts", "quick_counts", "1, 2, 01", "1 is listed twice."),
        ("quick_counts", "quick_counts", &many, "20 quick counts at most"),
        ("usage_days", "usage_days", "0", "from 1 to 36,500"),
        ("usage_days", "usage_days", "36501", "from 1 to 36,500"),
        ("print_run_days", "print_run_days", "0", "from 1 to 36,500"),
        ("labels_per_day", "labels_per_day", "many", "from 1 to 100,000,000"),
        ("code_holds", "code_holds", "", "Choose what QR codes contain"),
    ] {
        let page = save_setting(&mut browser, setting, &[(field, text), ("lock_unit", "seconds")]).await;
        page.check(422, &["Not saved", &format!("href=\"#{field}\""), &format!("{field}-error"), why]);
        assert!(field == "code_holds" || page.field(field) == text, "{field} is as it was typed");
    }
    assert_eq!(settings(&app), Settings::default());
}

#[actix_web::test]
async fn of_two_managers_the_second_is_shown_both_sides() {
    let app = App::start().await;
    let mut anna = Browser::of(&app, Role::Manager).await;
    let seen = anna.get("/settings").await;
    save_setting(&mut anna, "usage_days", &[("usage_days", "100")]).await.check_leads_to("/settings");
    save_setting(&mut anna, "quick_counts", &[("quick_counts", "")]).await.check_leads_to("/settings");
    let mut ben = Browser::new(&app);
    crate::support::browser::add_user(&app, "ben", Role::Manager);
    ben.sign_in("ben").await;

    // Another setting is no conflict, and neither is what both want.
    send_setting(&mut ben, "default_usage_count", &known_value(&seen, "default_usage_count"), &[("usage_count", "2")])
        .await
        .check_leads_to("/settings");
    let known = known_value(&seen, "usage_days");
    send_setting(&mut ben, "usage_days", &known, &[("usage_days", "100")]).await.check_leads_to("/settings");
    let both = send_setting(&mut ben, "usage_days", &known, &[("usage_days", "200")]).await;
    both.check(
        409,
        &["Someone else changed this setting", "Saved by manager</strong> 100 days", "Your entry</strong> 200 days"],
    );
    assert_eq!((both.field("usage_days"), known_value(&both, "usage_days")), ("200".into(), "100".into()));
    assert_eq!(settings(&app).usage_days, 100);
    let known = known_value(&seen, "quick_counts");
    let both_counts = send_setting(&mut ben, "quick_counts", &known, &[("quick_counts", "5, unlimited")]).await;
    both_counts.check(409, &["</strong> none", "</strong> 5, unlimited"]);
    // A mistake comes first, and what the form knew stays.
    let wrong = send_setting(&mut ben, "quick_counts", &known, &[("quick_counts", "x")]).await;
    assert_eq!(known_value(wrong.check(422, &[]), "quick_counts"), known);
    // Saved once more, it is written over what is now known.
    send_setting(&mut ben, "usage_days", &known_value(&both, "usage_days"), &[("usage_days", "200")])
        .await
        .check_leads_to("/settings");
    assert_eq!(settings(&app).usage_days, 200);
}

#[actix_web::test]
async fn of_many_saves_at_once_one_is_done() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let page = browser.get("/settings").await;
    for (setting, field) in [("usage_days", "usage_days"), ("default_usage_count", "usage_count")] {
        let known = known_value(&page, setting);
        let sends = (10..18).map(|n: i32| {
            let form = [("was", known.clone()), (field, n.to_string())];
            browser.request(Method::POST, &format!("/settings/{setting}")).form(&form).send()
        });
        let answers = futures_util::future::join_all(sends).await;
        let mut statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409, 409, 409, 409, 409, 409, 409]);
    }
}

#[actix_web::test]
async fn a_row_that_cannot_be_read_counts_as_none() {
    let app = App::start().await;
    let rows = "INSERT INTO settings VALUES ('usage_days', '0', 0, 'x'), ('quick_counts', 'x', 0, 'x'), \
                ('default_lock_time', '5', 0, 'shell:test'), ('of_a_later_version', '{}', 0, 'x')";
    app.connection().batch_execute(rows).unwrap();
    assert_eq!(settings(&app), Settings { default_lock_time: 5, ..Settings::default() });
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/settings").await.check(200, &["by test (command line)."]);
    save_setting(&mut browser, "usage_days", &[("usage_days", "9")]).await.check_leads_to("/settings");
    assert_eq!(settings(&app).usage_days, 9);
}

#[actix_web::test]
async fn every_instance_knows_of_a_change_within_a_second() {
    let place = Place::new();
    let (one, other) = (place.serve(), place.serve());
    let key = place.key("manager");
    let uses = async |server: &Server| {
        let uid = server.add_tokens(&key, &[("count", "1")]).await.remove(0);
        let token = crate::support::app::send(server.get(&key, &format!("/query_token?token_uid={uid}"))).await;
        token.body["token"]["usage_count"].clone()
    };
    assert_eq!((uses(&one).await, uses(&other).await), (json!(1), json!(1)));
    let form = [("was", "1"), ("usage_count", "7")];
    let saved = one.post(&key, "/settings/default_usage_count").form(&form).send().await.unwrap();
    let since = std::time::Instant::now();
    assert_eq!((saved.status().as_u16(), uses(&one).await), (200, json!(7)));
    while uses(&other).await != 7 {
        assert!(since.elapsed().as_millis() < 1_500, "less than a second, and time for a slow machine");
    }
}
