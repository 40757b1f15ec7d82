//! `/settings` over HTTP: every setting, its limits, and two managers at once.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tessera::access::Role;
use tessera::store::schema::audit;
use tessera::token::settings::{Setting, Settings};

use crate::app::App;
use crate::browser::{Browser, PageAnswer};
use crate::process::{Place, Server};

/// What the form of a setting knows.
fn was(page: &PageAnswer, setting: &str) -> String {
    let start = page.text.find(&format!("/settings/{setting}#")).unwrap_or_else(|| panic!("no {setting}"));
    let text = page.text[start..].to_owned();
    PageAnswer { status: 200, location: String::new(), headers: HeaderMap::new(), text }.field("was")
}

/// Opens the page, and sends the form of a setting.
pub async fn save(browser: &mut Browser<'_>, setting: &str, fields: &[(&str, &str)]) -> PageAnswer {
    let page = browser.get("/settings").await;
    send(browser, setting, &was(page.check(200, &[]), setting), fields).await
}

async fn send(browser: &mut Browser<'_>, setting: &str, was: &str, fields: &[(&str, &str)]) -> PageAnswer {
    let form: Vec<(&str, &str)> = [("was", was)].into_iter().chain(fields.iter().copied()).collect();
    browser.post(&format!("/settings/{setting}"), &form).await
}

/// The fields of time ranges; those of the last row are called `new`.
fn rows(ranges: &[(&str, &str, &str)], new: (&str, &str, &str)) -> Vec<(String, String)> {
    let row = |row: String, (name, from, to): (&str, &str, &str)| {
        [("name", name), ("from", from), ("to", to)].map(|(part, text)| (format!("{part}-{row}"), text.to_owned()))
    };
    let known = ranges.iter().enumerate().flat_map(|(n, range)| row(n.to_string(), *range));
    known.chain(row("new".into(), new)).collect()
}

async fn save_ranges(
    browser: &mut Browser<'_>,
    ranges: &[(&str, &str, &str)],
    new: (&str, &str, &str),
    button: &str,
) -> PageAnswer {
    let rows = rows(ranges, new);
    let rows = rows.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    save(browser, "time_ranges", &rows.chain([("do", button)]).collect::<Vec<_>>()).await
}

fn settings(app: &App) -> Settings {
    tessera::store::settings::all(&mut app.connection()).unwrap().settings
}

fn names(app: &App) -> Vec<String> {
    settings(app).time_ranges.into_iter().map(|range| range.name).collect()
}

const DAY: [(&str, &str, &str); 3] =
    [("morning", "08:00", "12:00"), ("afternoon", "12:00", "18:00"), ("today", "08:00", "18:00")];
const NONE: (&str, &str, &str) = ("", "", "");

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
            page.check(403, &["for managers"]);
            let sent = browser.post("/settings/usage_days", &[("was", "400"), ("usage_days", "1")]).await;
            sent.check(403, &["for managers"]);
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
        ("default_usage_count", vec![("usage_count", "5")], "5"),
        ("default_usage_count", vec![("usage_count", ""), ("unlimited", "1")], "-1"),
        ("default_lock_time", vec![("lock_time", "2"), ("lock_unit", "hours")], "7200"),
        ("quick_counts", vec![("quick_counts", "3, Unlimited;0")], "[3,-1,0]"),
        ("usage_days", vec![("usage_days", "30")], "30"),
    ] {
        let setting_of = Setting::named(setting).unwrap();
        let before = settings(&app).json(setting_of);
        let to = format!("/settings?done={setting}#setting-{setting}");
        save(&mut browser, setting, &fields).await.check_leads_to(&to);
        assert_eq!(settings(&app).json(setting_of), json);
        let page = browser.get(&to).await;
        page.check(200, &["<p>Saved.</p>", "just now</time> by user:manager."]);
        let entries = audit::table.order(audit::id.desc()).filter(audit::action.eq("setting"));
        let entry = entries.select((audit::principal, audit::subject, audit::detail));
        let (who, subject, detail): (String, String, String) = entry.first(&mut app.connection()).unwrap();
        assert_eq!((who.as_str(), subject.as_str()), ("user:manager", setting));
        let detail: Value = serde_json::from_str(&detail).unwrap();
        let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(detail, json!({"before": value(&before), "after": value(json)}));
    }
    // What stays as it is leaves no trace.
    save(&mut browser, "usage_days", &[("usage_days", "30")]).await.check_leads_to("/settings?done=usage_days");
    let count: i64 =
        audit::table.filter(audit::action.eq("setting")).count().get_result(&mut app.connection()).unwrap();
    assert_eq!(count, 5);
}

#[actix_web::test]
async fn a_new_token_gets_the_defaults_at_once() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for uses in ["7", "0", "2147483647"] {
        save(&mut browser, "default_usage_count", &[("usage_count", uses)]).await.check_leads_to("/settings");
        assert_eq!(app.token(&app.add(&[]).await).await["usage_count"].to_string(), uses);
        assert_eq!(browser.get("/add").await.field("usage_count"), uses);
    }
    save(&mut browser, "default_lock_time", &[("lock_time", "90"), ("lock_unit", "seconds")]).await;
    assert_eq!(app.token(&app.add(&[]).await).await["lock_time"], 90);
    assert_eq!(app.token(&app.add(&[("usage_count", "2"), ("lock_time", "0")]).await).await["lock_time"], 0);
}

#[actix_web::test]
async fn what_is_outside_the_limits_is_told_beside_its_field() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let many = (0..21).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for (setting, field, text, why) in [
        ("default_usage_count", "usage_count", "-1", "Uses must be a whole number"),
        ("default_usage_count", "usage_count", "", "Uses must be a whole number"),
        ("default_usage_count", "usage_count", "2147483648", "Uses must be a whole number"),
        ("default_lock_time", "lock_time", "1.5", "The lock must be a whole number"),
        ("default_lock_time", "lock_time", "-1", "The lock must be a whole number"),
        ("quick_counts", "quick_counts", "1, two", "&#34;two&#34; is no whole number"),
        ("quick_counts", "quick_counts", "-1", "&#34;-1&#34; is no whole number"),
        ("quick_counts", "quick_counts", "1, 2, 01", "1 stands there twice."),
        ("quick_counts", "quick_counts", &many, "at most 20 quick counts"),
        ("usage_days", "usage_days", "0", "from 1 to 36,500"),
        ("usage_days", "usage_days", "36501", "from 1 to 36,500"),
        ("code_holds", "code_holds", "", "Choose what codes hold"),
    ] {
        let page = save(&mut browser, setting, &[(field, text), ("lock_unit", "seconds")]).await;
        page.check(422, &["This was not saved", &format!("href=\"#{field}\""), &format!("{field}-error"), why]);
        assert!(field == "code_holds" || page.field(field) == text, "{field} is as it was typed");
    }
    assert_eq!(settings(&app), Settings::default());
}

#[actix_web::test]
async fn time_ranges_are_added_renamed_moved_and_removed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let night = ("night", "22:00", "06:00");
    save_ranges(&mut browser, &DAY, night, "").await.check_leads_to("/settings?done=time_ranges#name-new");
    assert_eq!(names(&app), ["morning", "afternoon", "today", "night"]);
    assert!(settings(&app).time_ranges[3].ends_next_day());

    // What was typed beside is saved with the move, and the focus goes along.
    let four = [(" early ", "06:30", "12:00"), DAY[1], DAY[2], night];
    save_ranges(&mut browser, &four, NONE, "up-3").await.check_leads_to("/settings?done=time_ranges#up-2");
    assert_eq!(names(&app), ["early", "afternoon", "night", "today"]);
    let four = [("early", "06:30", "12:00"), DAY[1], night, DAY[2]];
    save_ranges(&mut browser, &four, NONE, "down-0").await.check_leads_to("/settings?done=time_ranges#down-1");
    assert_eq!(names(&app), ["afternoon", "early", "night", "today"]);
    let four = [DAY[1], four[0], night, DAY[2]];
    save_ranges(&mut browser, &four, NONE, "up-1").await.check_leads_to("/settings?done=time_ranges#down-0");
    save_ranges(&mut browser, &[four[1], four[0], night, DAY[2]], NONE, "remove-3").await;
    assert_eq!(names(&app), ["early", "afternoon", "night"]);
    save_ranges(&mut browser, &[four[1], four[0], night], NONE, "up-9").await.check_leads_to("/settings");
    assert_eq!(names(&app), ["early", "afternoon", "night"], "there is no such row");
    for left in [&[four[1], four[0], night][..], &[four[0], night], &[night]] {
        save_ranges(&mut browser, left, NONE, "remove-0").await.check_leads_to("/settings");
    }
    assert_eq!(names(&app), [""; 0]);
    browser.get("/settings").await.check(200, &["id=\"name-new\""]);
}

#[actix_web::test]
async fn a_wrong_time_range_is_told_and_nothing_is_saved() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for (new, field, why) in [
        (("", "08:00", "09:00"), "name-new", "needs a name"),
        (("Morning", "08:00", "09:00"), "name-new", "has this name already"),
        (("a\u{7}b", "08:00", "09:00"), "name-new", "no control characters"),
        (("a\0b", "08:00", "09:00"), "name-new", "no control characters"),
        ((&"x".repeat(41), "08:00", "09:00"), "name-new", "at most 40 characters"),
        (("x", "08:00", "08:00"), "to-new", "must not end when it begins"),
        (("x", "", "00:00"), "from-new", "as in 08:00"),
        (("x", "00:00", "24:00"), "to-new", "as in 08:00"),
    ] {
        for button in ["", "up-1"] {
            let page = save_ranges(&mut browser, &DAY, new, button).await;
            page.check(422, &["This was not saved", why, &format!("href=\"#{field}\"")]);
            assert!(page.text.matches("class=\"error\"").count() == 1, "{field}: {}", page.text);
        }
    }
    save_ranges(&mut browser, &[DAY[0], ("", "", ""), DAY[2]], NONE, "")
        .await
        .check(422, &["name-1-error", "from-1-error"]);
    assert_eq!(settings(&app), Settings::default());

    let twenty: Vec<(String, &str, &str)> = (0..21).map(|n| (format!("r{n}"), "08:00", "09:00")).collect();
    let twenty: Vec<(&str, &str, &str)> = twenty.iter().map(|(name, from, to)| (name.as_str(), *from, *to)).collect();
    save_ranges(&mut browser, &twenty[..20], NONE, "").await.check_leads_to("/settings");
    assert!(!browser.get("/settings").await.text.contains("id=\"name-new\""), "there are as many as there may be");
    save_ranges(&mut browser, &twenty[..20], ("y", "08:00", "09:00"), "").await.check(422, &["at most 20 time ranges"]);
    save_ranges(&mut browser, &twenty, NONE, "").await.check(422, &["at most 20 time ranges"]);
    assert_eq!(names(&app).len(), 20);
}

#[actix_web::test]
async fn of_two_managers_the_second_is_shown_both_sides() {
    let app = App::start().await;
    let mut anna = Browser::of(&app, Role::Manager).await;
    let seen = anna.get("/settings").await;
    save(&mut anna, "usage_days", &[("usage_days", "100")]).await.check_leads_to("/settings");
    save(&mut anna, "quick_counts", &[("quick_counts", "")]).await.check_leads_to("/settings");
    let mut ben = Browser::new(&app);
    crate::browser::add_user(&app, "ben", Role::Manager);
    ben.sign_in("ben").await;

    // Another setting is no conflict, and neither is what both want.
    send(&mut ben, "default_usage_count", &was(&seen, "default_usage_count"), &[("usage_count", "2")])
        .await
        .check_leads_to("/settings");
    let known = was(&seen, "usage_days");
    send(&mut ben, "usage_days", &known, &[("usage_days", "100")]).await.check_leads_to("/settings");
    let both = send(&mut ben, "usage_days", &known, &[("usage_days", "200")]).await;
    both.check(409, &["somebody else changed this", "Now, by user:manager</strong> 100 days", "You</strong> 200 days"]);
    assert_eq!((both.field("usage_days"), was(&both, "usage_days")), ("200".into(), "100".into()));
    assert_eq!(settings(&app).usage_days, 100);
    let known = was(&seen, "quick_counts");
    let both_counts = send(&mut ben, "quick_counts", &known, &[("quick_counts", "5, unlimited")]).await;
    both_counts.check(409, &["</strong> none", "</strong> 5, unlimited"]);
    // A mistake comes first, and what the form knew stays.
    let wrong = send(&mut ben, "quick_counts", &known, &[("quick_counts", "x")]).await;
    assert_eq!(was(wrong.check(422, &[]), "quick_counts"), known);
    // Saved once more, it is written over what is now known.
    send(&mut ben, "usage_days", &was(&both, "usage_days"), &[("usage_days", "200")]).await.check_leads_to("/settings");
    assert_eq!(settings(&app).usage_days, 200);
}

#[actix_web::test]
async fn of_many_saves_at_once_one_is_done() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let page = browser.get("/settings").await;
    for (setting, field) in [("usage_days", "usage_days"), ("default_usage_count", "usage_count")] {
        let known = was(&page, setting);
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
    browser.get("/settings").await.check(200, &["by shell:test."]);
    save(&mut browser, "usage_days", &[("usage_days", "9")]).await.check_leads_to("/settings");
    assert_eq!(settings(&app).usage_days, 9);
}

#[actix_web::test]
async fn every_instance_knows_of_a_change_within_a_second() {
    let place = Place::new();
    let (one, other) = (place.serve(), place.serve());
    let key = place.key("manager");
    let uses = async |server: &Server| {
        let uid = server.add_tokens(&key, &[("count", "1")]).await.remove(0);
        let token = crate::app::send(server.get(&key, &format!("/query_token?token_uid={uid}"))).await;
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
