//! `/usage`: the log of attempts, as a chart and entry by entry.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::chart::Chart;
use super::chart_range::Range;
use super::choices;
use super::entry_view::EntryView;
use super::query::UsageQuery;
use crate::store;
use crate::store::cursor::Cursor;
use crate::store::printing::runs;
use crate::store::search::SearchLimit;
use crate::store::usage::list::{UsageScan, UsageSlice};
use crate::store::usage::{self, Entry, UsageFilter, list};
use crate::store::{Connection, batches, tokens};
use crate::token::calendar::Tally;
use crate::token::{Problem, TokenError, UsageOutcome};
use crate::web::choice::Choice;
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::export::links::{ExportLink, export_links};
use crate::web::form_errors::FormErrors;
use crate::web::format::TimeFormatter;
use crate::web::guard::{Allowed, See};
use crate::web::navigation::Section;
use crate::web::page::{Page, page};
use crate::web::paging::{PageQuery, PageRequest, more_than};
use crate::web::pairs::pairs_of;
use crate::web::params::{Parts, Query};
use crate::web::state::App;
use crate::web::tokens::view;
use crate::web::words::usage as words;

/// Entries on a page.
const ROWS: usize = 50;
/// Entries are counted up to this number.
const COUNTED: i64 = 10_000;

#[derive(Template)]
#[template(path = "usage/log.html")]
struct UsagePage {
    page: Page,
    filter: UsageQuery,
    outcomes: Vec<Choice>,
    users: Vec<Choice>,
    gates: Vec<Choice>,
    periods: Vec<(&'static str, String)>,
    errors: FormErrors,
    /// What the token or the batch is called that the filter names.
    token: Option<String>,
    batch: Option<String>,
    /// Whether the print run is there that the filter names.
    print_run: bool,
    untouched: bool,
    chart: Option<Chart>,
    rows: Vec<EntryView>,
    count: String,
    zone: String,
    loosen: Vec<(&'static str, String)>,
    exports: Vec<ExportLink>,
    all: String,
    first: String,
    newer: Option<String>,
    older: Option<String>,
    last: String,
}

/// What a page reads from the database.
struct UsageResults {
    entries: Vec<(Cursor, Entry)>,
    labels: HashMap<String, Option<String>>,
    count: Option<i64>,
    range: Range,
    quarters: Vec<(i64, Tally)>,
    names: Names,
}

/// What the token and the batch of the filter are called.
#[derive(Default)]
struct Names {
    token: Option<String>,
    batch: Option<String>,
    print_run: bool,
}

/// Shows the log.
pub(crate) async fn show(
    _who: Allowed<See>,
    request: HttpRequest,
    Query(Parts((query, place))): Query<Parts<(UsageQuery, PageQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut errors = FormErrors::default();
    let filter = query.filter(&app, &mut errors).await?;
    let cursors = CursorCodec::new("usage", &[Some(query.href("", ""))]);
    let page_request =
        errors.note_without_field(PageRequest::read(&place, &cursors).map(Some)).unwrap_or(PageRequest::First);
    let clock = app.time_formatter();
    let results = if errors.is_empty() {
        let (filter, page_request) = (filter, page_request.clone());
        let found = app.store.search(move |connection, limit| find(connection, &filter, &page_request, clock, limit));
        match found.await {
            Err(store::Error::TooSlow) => {
                errors.note_without_field::<()>(Err(TokenError::value("", Problem::SearchTooSlow)));
                None
            }
            found => Some(found?),
        }
    } else {
        None
    };
    let status = if results.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let choices = (choices::users(&app, &query.user).await?, choices::gates(&app, &query.gate).await?);
    let page_of = Page::new(&request, Section::Usage);
    let page_of = UsagePage::new(page_of, (query, choices), errors, results, (&page_request, &cursors), clock);
    page(&app, status, &page_of)
}

fn find(
    connection: &mut Connection,
    filter: &UsageFilter,
    page_request: &PageRequest,
    clock: TimeFormatter,
    limit: &SearchLimit,
) -> Result<UsageResults, store::Error> {
    let filter = &filter.resolved(connection, limit)?;
    let plan = UsageScan::new(connection, filter, page_request.place())?;
    let part = UsageSlice {
        oldest_first: page_request.is_backwards(),
        after: page_request.place().cloned(),
        limit: more_than(ROWS),
    };
    let entries = list::slice(connection, filter, &plan, &part, limit)?;
    let newest = match (page_request, filter.from.or(filter.to)) {
        (_, Some(_)) => None,
        (PageRequest::First, None) => entries.first().map(|(_, entry)| entry.timestamp),
        (_, None) => {
            let first = UsageSlice { oldest_first: false, after: None, limit: 1 };
            list::slice(connection, filter, &plan, &first, limit)?.first().map(|(_, entry)| entry.timestamp)
        }
    };
    let range = Range::new(filter, newest, usage::chart::time_span(connection)?, clock.now, clock.zone);
    let is_whole = *page_request == PageRequest::First && entries.len() <= ROWS;
    let count = match (is_whole, filter.reads_texts()) {
        (true, _) => Some(i64::try_from(entries.len()).unwrap_or(COUNTED)),
        (false, false) => Some(list::count(connection, filter, &plan, (COUNTED + 1, limit))?),
        // Counting would take as long as finding the page.
        (false, true) => None,
    };
    let uids: Vec<String> = entries.iter().filter_map(|(_, entry)| entry.token_uid.clone()).collect();
    Ok(UsageResults {
        labels: usage::labels(connection, uids)?,
        quarters: usage::chart::quarters(connection, &range.of(filter), &plan, limit)?,
        names: names(connection, filter)?,
        entries,
        count,
        range,
    })
}

fn names(connection: &mut Connection, filter: &UsageFilter) -> Result<Names, store::Error> {
    let token = match filter.token_uid {
        Some(uid) => {
            tokens::by_uid(connection, uid)?.map(|(_, token)| view::title(token.label.as_deref(), &token.value))
        }
        None => None,
    };
    let batch = filter.batch.map(|batch| batches::find(connection, batch)).transpose()?.flatten();
    let run = filter.print_run.map(|run| runs::find(connection, run)).transpose()?.flatten();
    Ok(Names { token, batch: batch.map(|batch| batch.name), print_run: run.is_some() })
}

impl UsagePage {
    fn new(
        page: Page,
        (query, (users, gates)): (UsageQuery, (Vec<Choice>, Vec<Choice>)),
        errors: FormErrors,
        results: Option<UsageResults>,
        (page_request, cursors): (&PageRequest, &CursorCodec),
        clock: TimeFormatter,
    ) -> Self {
        let path = format!("{}/usage", page.base);
        let link = |name: &str, place: Option<Cursor>| {
            place.map(|place| query.href(&path, &format!("{name}={}", cursors.write(&place))))
        };
        let mut chart = None;
        let (mut rows, mut count, mut names) = (Vec::new(), String::new(), Names::default());
        let (mut newer, mut older) = (None, None);
        if let Some(results) = results {
            let (entries, before, behind) = page_request.cut(results.entries, ROWS);
            (newer, older) = (link("before", before), link("after", behind));
            rows = entries.into_iter().map(|entry| EntryView::new(entry, &results.labels, clock)).collect();
            if !rows.is_empty() {
                chart = Some(Chart::new(&results.range, &results.quarters, &query, &path, clock.zone));
            }
            count = results.count.map(|count| words::entries(count, COUNTED)).unwrap_or_default();
            names = results.names;
        }
        let is_first = *page_request == PageRequest::First;
        Self {
            outcomes: Choice::list(UsageOutcome::ALL.map(|outcome| (outcome.word(), outcome.words())), &query.outcome),
            users,
            gates,
            periods: periods(&query, &path, clock),
            token: names.token,
            batch: names.batch,
            print_run: names.print_run,
            untouched: rows.is_empty() && is_first && !query.is_set() && errors.is_empty(),
            chart,
            rows,
            count,
            zone: clock.zone.to_string(),
            loosen: query.loosen(&path),
            exports: export_links(&format!("{}/export/usage", page.base), &pairs_of(&query)),
            first: query.href(&path, ""),
            newer,
            older,
            last: query.href(&path, "last=1"),
            all: path,
            errors,
            filter: query,
            page,
        }
    }
}

/// Links to usual periods.
fn periods(query: &UsageQuery, path: &str, clock: TimeFormatter) -> Vec<(&'static str, String)> {
    let first = |days| crate::token::calendar::days_before(clock.now, days, clock.zone).local(clock.zone).date();
    let since = |days| query.within(&first(days).to_string(), "").href(path, "");
    let is_now = |days: u64| query.from == first(days).to_string() && query.to.is_empty();
    words::PERIODS.into_iter().filter(|(_, days)| !is_now(*days)).map(|(words, days)| (words, since(days))).collect()
}
