//! `/audit`: who did what, the newest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::choice::Choice;
use super::cursor::{After, CursorCodec};
use super::form_errors::FormErrors;
use super::format::{FormattedTime, TimeFormatter};
use super::navigation::Section;
use super::page::{Page, page};
use super::paging::{cut, more_than};
use super::pairs::pairs_of;
use super::params::{Parts, Query, trimmed};
use super::query_string;
use crate::store::audit::{self, AuditFilter, Entry};
use crate::store::cursor::Cursor;
use crate::token::input::read_time;
use crate::token::{Problem, TokenError};
use crate::web::error::Error;
use crate::web::export::links::{ExportLink, export_links};
use crate::web::guard::{Allowed, Manage};
use crate::web::state::App;

/// Entries on a page.
const ROWS: usize = 50;

/// Every action that is recorded, and its words. Other actions are shown as they are stored.
const ACTIONS: [(&str, &str); 39] = [
    ("sign-in", "signed in"),
    ("sign-in failed", "failed to sign in"),
    ("sign-out", "signed out"),
    ("session end", "ended own sessions"),
    ("password refused", "mistyped the own password"),
    ("user add", "added the user"),
    ("user role", "changed the role of"),
    ("user passwd", "set the password of"),
    ("user disable", "disabled the user"),
    ("user enable", "enabled the user"),
    ("user remove", "removed the user"),
    ("key add", "made the key"),
    ("key revoke", "revoked the key"),
    ("gate add", "added the gate"),
    ("gate change", "changed the gate"),
    ("gate close", "closed the gate"),
    ("gate open", "opened the gate"),
    ("token delete", "deleted tokens"),
    ("token restore", "restored the token"),
    ("token void", "voided the token"),
    ("token unvoid", "restored the voided token"),
    ("batch add", "added the batch"),
    ("bulk change", "changed many tokens"),
    ("bulk delete", "deleted many tokens"),
    ("bulk void", "voided many tokens"),
    ("bulk unvoid", "restored many voided tokens"),
    ("bulk undo", "undid the change of many tokens"),
    ("import", "imported new tokens as"),
    ("import change", "changed tokens by the import"),
    ("import cone", "moved in from cone.tokens"),
    ("setting", "changed the setting"),
    ("print job", "printed many labels"),
    ("sheet add", "added the sheet"),
    ("sheet change", "changed the sheet"),
    ("sheet remove", "removed the sheet"),
    ("printer save", "saved the printer"),
    ("printer remove", "removed the printer"),
    ("usage retention", "removed old entries of"),
    ("restore", "restored the backup"),
];

/// What people call an action.
pub(crate) fn words(action: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(known, _)| *known == action).map(|(_, words)| *words)
}

#[derive(Template)]
#[template(path = "audit/list.html")]
struct AuditPage {
    page: Page,
    filter: AuditQuery,
    actions: Vec<Choice>,
    errors: FormErrors,
    rows: Vec<EntryView>,
    newest: Option<String>,
    older: Option<String>,
    zone: String,
    exports: Vec<ExportLink>,
}

struct EntryView {
    when: FormattedTime,
    by: String,
    words: Option<&'static str>,
    action: String,
    subject: String,
    /// Where the subject can be looked at, below the base path.
    path: Option<String>,
    detail: String,
}

/// The page of an action's subject, if it is a batch, a change of many tokens, a print job, or a token that exists.
fn path(action: &str, subject: &str) -> Option<String> {
    match action {
        "bulk change" | "bulk delete" | "bulk void" | "bulk unvoid" | "bulk undo" => {
            Some(format!("/actions/{subject}"))
        }
        "batch add" => Some(format!("/batches/{subject}")),
        "print job" => Some(format!("/print_jobs/{subject}")),
        "token restore" | "token void" | "token unvoid" => Some(format!("/{subject}")),
        _ => None,
    }
}

impl EntryView {
    fn new(entry: Entry, clock: TimeFormatter) -> Self {
        Self {
            when: FormattedTime { short: clock.to_the_second(entry.at), ..clock.format(entry.at) },
            by: entry.by,
            words: words(&entry.action),
            path: path(&entry.action, &entry.subject),
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
        }
    }
}

/// The filter, as the address has it.
#[derive(Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct AuditQuery {
    #[serde(deserialize_with = "trimmed")]
    who: String,
    #[serde(deserialize_with = "trimmed")]
    what: String,
    #[serde(deserialize_with = "trimmed")]
    from: String,
    #[serde(deserialize_with = "trimmed")]
    to: String,
}

impl AuditQuery {
    fn is_set(&self) -> bool {
        !pairs_of(self).is_empty()
    }

    /// An action that is none of ours, which an older or a newer version may have recorded.
    fn is_unknown_action(&self) -> bool {
        !self.what.is_empty() && words(&self.what).is_none()
    }

    /// The filter; errors are added.
    pub(crate) fn filter(&self, app: &App, errors: &mut FormErrors) -> AuditFilter {
        let mut text = |field, text: &str| {
            // PostgreSQL's texts cannot hold a NUL.
            let is_good = !text.contains('\0');
            errors
                .note(if is_good {
                    Ok(Some(text.to_owned()))
                } else {
                    Err(TokenError::value(field, Problem::ControlCharacters))
                })
                .filter(|text| !text.is_empty())
        };
        let (who, what) = (text("who", &self.who), text("what", &self.what));
        let mut day = |name, text: &String| {
            let day = Some(text).filter(|text| !text.is_empty());
            errors.note(day.map(|text| read_time(name, text, app.zone)).transpose())
        };
        AuditFilter { who, what, from: day("from", &self.from), to: day("to", &self.to) }
    }

    /// The address of this list, from `after` on.
    fn href(&self, base: &str, after: Option<&str>) -> String {
        let after = pairs_of(&After { after: after.map(str::to_owned) });
        query_string::with(&format!("{base}/audit"), pairs_of(self).into_iter().chain(after), "")
    }
}

/// Shows a page of the audit.
pub(crate) async fn show(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(Parts((query, after))): Query<Parts<(AuditQuery, After)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut errors = FormErrors::default();
    let filter = query.filter(&app, &mut errors);
    let cursors = CursorCodec::new("audit", &[Some(query.href("", None))]);
    let after = errors.note_without_field(cursors.after(&after));
    let newest = after.as_ref().map(|_| query.href(&app.base, None));
    let (entries, last) = if errors.is_empty() { find(&app, filter, after).await? } else { (Vec::new(), None) };
    let clock = app.time_formatter();
    let template = AuditPage {
        page: Page::new(&request, Section::Audit),
        actions: Choice::list(ACTIONS, &query.what),
        rows: entries.into_iter().map(|(_, entry)| EntryView::new(entry, clock)).collect(),
        newest,
        older: last.map(|place| query.href(&app.base, Some(&cursors.write(&place)))),
        zone: app.zone.to_string(),
        exports: export_links(&format!("{}/export/audit", app.base), &pairs_of(&query)),
        errors,
        filter: query,
    };
    page(&app, template.errors.status(), &template)
}

/// The entries of a page, and the place of the last one if there are more.
async fn find(
    app: &App,
    filter: AuditFilter,
    after: Option<Cursor>,
) -> Result<(Vec<(Cursor, Entry)>, Option<Cursor>), Error> {
    let page = move |connection: &mut _| Ok(audit::page(connection, &filter, after.as_ref(), more_than(ROWS))?);
    Ok(cut(app.store.read(page).await?, ROWS))
}
