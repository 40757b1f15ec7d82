//! What managers see of backups.

use diesel::connection::SimpleConnection;
use tessera::access::Role;
use tessera::token::Micros;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::process::Place;
use crate::support::settings::settings;

#[actix_web::test]
async fn the_settings_show_the_last_backup_and_warn_when_it_is_old() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let page = browser.get("/settings").await;
    assert!(!page.check(200, &["Settings"]).text.contains("backup"), "there was never any");

    let place = Place::new();
    app.add(&[]).await;
    place.works(&["--database-url", &app.database.text, "backup", "b.db"]);
    browser.get("/settings").await.check(200, &["Last backup: <time", "just now</time>, 1 token."]);

    let hours_ago = |hours: i64| Micros::now().plus_micros(-hours * 3_600_000_000);
    for (hours, is_old) in [(23, false), (25, true), (24 * 90, true)] {
        let moment = hours_ago(hours);
        let row = format!(
            r#"UPDATE settings SET value = '{{"taken":"{moment}","finished":"{moment}","bytes":1,"tokens":2,"entries":3}}'
            WHERE name = 'last_backup'"#
        );
        app.connection().batch_execute(&row).unwrap();
        let page = browser.get("/settings").await;
        let warning = "<p class=\"warning\">The last backup is more than a day old";
        assert_eq!(page.check(200, &[]).text.contains(warning), is_old, "{hours} hours: {}", page.text);
        assert_eq!(page.text.contains("Last backup: <time"), !is_old);
    }
    // It is no setting, and what is no backup is none.
    browser.post("/settings/last_backup", &[("was", "")]).await.check(404, &[]);
    app.connection().batch_execute("UPDATE settings SET value = 'x' WHERE name = 'last_backup'").unwrap();
    assert!(!browser.get("/settings").await.check(200, &[]).text.contains("ackup"));
    assert_eq!(settings(&app), tessera::token::settings::Settings::default());
}
