//! What the audit log holds.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::support::app::App;

/// What the audit holds: who, what, of whom, and its detail, the last first.
pub fn audited(app: &App) -> Vec<[String; 4]> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        principal: String,
        #[diesel(sql_type = Text)]
        action: String,
        #[diesel(sql_type = Text)]
        subject: String,
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let query = "SELECT principal, action, subject, detail FROM audit ORDER BY id DESC";
    let rows: Vec<Row> = diesel::sql_query(query).load(&mut app.connection()).unwrap();
    rows.into_iter().map(|row| [row.principal, row.action, row.subject, row.detail]).collect()
}

/// Holds that the last thing audited is this.
#[track_caller]
pub fn check_audited(app: &App, entry: [&str; 4]) {
    assert_eq!(audited(app)[0], entry.map(str::to_owned));
}
