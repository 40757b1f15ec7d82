//! Saves settings as a browser does.

use reqwest::header::HeaderMap;
use tessera::token::settings::Settings;

use crate::support::app::App;
use crate::support::browser::{Browser, PageAnswer};

/// What the form of a setting knows.
pub fn known_value(page: &PageAnswer, setting: &str) -> String {
    let start = page.text.find(&format!("/settings/{setting}#")).unwrap_or_else(|| panic!("no {setting}"));
    let text = page.text[start..].to_owned();
    PageAnswer { status: 200, location: String::new(), headers: HeaderMap::new(), text }.field("was")
}

/// Opens the page, and sends the form of a setting.
pub async fn save_setting(browser: &mut Browser<'_>, setting: &str, fields: &[(&str, &str)]) -> PageAnswer {
    let page = browser.get("/settings").await;
    send_setting(browser, setting, &known_value(page.check(200, &[]), setting), fields).await
}

pub async fn send_setting(browser: &mut Browser<'_>, setting: &str, was: &str, fields: &[(&str, &str)]) -> PageAnswer {
    let form: Vec<(&str, &str)> = [("was", was)].into_iter().chain(fields.iter().copied()).collect();
    browser.post(&format!("/settings/{setting}"), &form).await
}

/// What the store holds.
pub fn settings(app: &App) -> Settings {
    tessera::store::settings::all(&mut app.connection()).unwrap().settings
}
