//! `/audit`: who did what, the newest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::entry_view::{EntryView, Known};
use crate::access::who_filter;
use crate::store::audit::{self, AuditFilter, Entry, Names};
use crate::store::cursor::Cursor;
use crate::token::input::read_time;
use crate::token::{Problem, TokenError};
use crate::web::choice::Choice;
use crate::web::cursor::{After, CursorCodec};
use crate::web::error::Error;
use crate::web::export::links::{ExportLink, export_links};
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::Section;
use crate::web::page::{Page, page};
use crate::web::paging::{cut, more_than};
use crate::web::pairs::pairs_of;
use crate::web::params::{Parts, Query, trimmed};
use crate::web::query_string;
use crate::web::state::App;
use crate::web::usage::choices;
use crate::web::words::audit as words;

/// Entries on a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "audit/list.html")]
struct AuditPage {
    page: Page,
    filter: AuditQuery,
    actions: Vec<Choice>,
    people: Vec<Choice>,
    errors: FormErrors,
    rows: Vec<EntryView>,
    newest: Option<String>,
    older: Option<String>,
    zone: String,
    exports: Vec<ExportLink>,
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
        !self.what.is_empty() && words::words(&self.what).is_none()
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
        let (principal, who) = who.map(who_filter).unwrap_or_default();
        AuditFilter { principal, who, what, from: day("from", &self.from), to: day("to", &self.to) }
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
    let found = if errors.is_empty() { find(&app, filter, after).await? } else { Found::default() };
    let gates = app.gates.get(&app.store).await?;
    let gates = gates.iter().map(|gate| (gate.name.clone(), gate.uid.clone())).collect();
    let known = Known { names: found.names, gates };
    let clock = app.time_formatter();
    let template = AuditPage {
        page: Page::new(&request, Section::Audit),
        actions: Choice::list(words::ACTIONS.map(|action| (action.name, action.choice)), &query.what),
        people: choices::users(&app, &query.who).await?,
        rows: found.entries.iter().map(|(_, entry)| EntryView::new(entry, &known, clock)).collect(),
        newest,
        older: found.last.map(|place| query.href(&app.base, Some(&cursors.write(&place)))),
        zone: app.zone.to_string(),
        exports: export_links(&format!("{}/export/audit", app.base), &pairs_of(&query)),
        errors,
        filter: query,
    };
    page(&app, template.errors.status(), &template)
}

/// The entries of a page, what they name, and the place of the last one if there are more.
#[derive(Default)]
struct Found {
    entries: Vec<(Cursor, Entry)>,
    names: Names,
    last: Option<Cursor>,
}

async fn find(app: &App, filter: AuditFilter, after: Option<Cursor>) -> Result<Found, Error> {
    let found = app.store.read(move |connection| {
        let page = audit::page(connection, &filter, after.as_ref(), more_than(ROWS))?;
        let (entries, last) = cut(page, ROWS);
        let names = audit::names(connection, &entries.iter().map(|(_, entry)| entry))?;
        Ok(Found { entries, names, last })
    });
    Ok(found.await?)
}
