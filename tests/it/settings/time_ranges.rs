//! The time ranges in `/settings`.

use tessera::access::Role;
use tessera::token::settings::Settings;

use crate::support::app::App;
use crate::support::browser::{Browser, PageAnswer};
use crate::support::settings::{save_setting, settings};

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
    save_setting(browser, "time_ranges", &rows.chain([("do", button)]).collect::<Vec<_>>()).await
}

fn names(app: &App) -> Vec<String> {
    settings(app).time_ranges.into_iter().map(|range| range.name).collect()
}

const DAY: [(&str, &str, &str); 3] =
    [("morning", "08:00", "12:00"), ("afternoon", "12:00", "18:00"), ("today", "08:00", "18:00")];
const NONE: (&str, &str, &str) = ("", "", "");

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
        (("", "08:00", "09:00"), "name-new", "Enter a name for this time range."),
        (("Morning", "08:00", "09:00"), "name-new", "already has this name"),
        (("a\u{7}b", "08:00", "09:00"), "name-new", "line breaks, invisible characters"),
        (("a\0b", "08:00", "09:00"), "name-new", "line breaks, invisible characters"),
        ((&"x".repeat(41), "08:00", "09:00"), "name-new", "40 characters at most"),
        (("x", "08:00", "08:00"), "to-new", "t end at the time it starts."),
        (("x", "", "00:00"), "from-new", "such as 08:00"),
        (("x", "00:00", "24:00"), "to-new", "such as 08:00"),
    ] {
        for button in ["", "up-1"] {
            let page = save_ranges(&mut browser, &DAY, new, button).await;
            page.check(422, &["Not saved", why, &format!("href=\"#{field}\"")]);
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
    save_ranges(&mut browser, &twenty[..20], ("y", "08:00", "09:00"), "").await.check(422, &["20 time ranges at most"]);
    save_ranges(&mut browser, &twenty, NONE, "").await.check(422, &["20 time ranges at most"]);
    assert_eq!(names(&app).len(), 20);
}
