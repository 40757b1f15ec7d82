//! `query_usage`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use crate::store::cursor::Cursor;
use crate::store::usage::list::Entries;
use crate::store::usage::{self, Entry, UsageFilter, feed};
use crate::token::{Problem, TokenError, Uid, WrittenTime};
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::gates::named::by_name;
use crate::web::guard::{Allowed, See};
use crate::web::json::Tagged;
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::paging::{cut, more_than};
use crate::web::params::Params;
use crate::web::params::filters::{LIMIT, LIMIT_MAX, moment, shown};
use crate::web::state::App;

/// Lists the usage log, newest first if no other order is asked for: every attempt, refused or not.
///
/// Follow `next_cursor` for the next page, until it is null. To follow the log, ask with `order=oldest`: then there always is a
/// `next_cursor`. Keep it, and ask with it again whenever you like. Each entry comes once and none is skipped, whatever number of
/// instances write. A page may have fewer entries than `limit`, or none, although there are more: what is being written comes
/// later, and of a long log a filter looks at a part for each page. The log outlives tokens; the settings say for how long it is kept,
/// which is 400 days at first.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct QueryUsage {
    /// The uid of a token.
    token_uid: Option<Uid>,
    /// At this moment or later.
    from: Option<WrittenTime>,
    /// At this moment or earlier.
    to: Option<WrittenTime>,
    /// The uid of a batch.
    batch: Option<Uid>,
    /// The uid of a print run.
    print_run: Option<Uid>,
    /// The name of a gate. One that does not exist is a `TokenValueError`.
    gate: Option<String>,
    /// `newest`: newest first. `oldest`: in the order in which they were written, as far as all of them are there.
    #[schemars(extend("default" = "newest"))]
    order: Option<UsageOrder>,
    /// Most entries of a page.
    #[validate(range(min = 1, max = LIMIT_MAX))]
    #[schemars(extend("default" = LIMIT))]
    limit: Option<usize>,
    /// The `next_cursor` of the page before. It belongs to this view, filter and order; with others it is a `TokenValueError`.
    cursor: Option<String>,
}

impl ViewParams for QueryUsage {
    fn example() -> Value {
        json!({"token_uid": Uid::example(), "limit": 10})
    }

    fn errors() -> Vec<Error> {
        vec![
            TokenError::value("gate", Problem::NoSuchGate { gate: "South".into() }).into(),
            TokenError::value("cursor", Problem::ForeignCursor).into(),
            TokenError::value("cursor", Problem::LostCursor).into(),
            Error::TooSlow,
        ]
    }
}

/// An order of the usage log.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UsageOrder {
    /// From the newest to the oldest.
    Newest,
    /// From the oldest on.
    Oldest,
}

/// A page of the usage log.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Usage {
    /// The entries.
    usage: Vec<Entry>,
    /// Where the next page begins; null on the last one, but never with `order=oldest`.
    next_cursor: Option<String>,
}

impl ViewAnswer for Usage {
    fn example() -> Value {
        let entry = json!({
            "uid": "0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7",
            "token_uid": Uid::example(),
            "token_value": Uid::example(),
            "timestamp": "2026-09-22T08:30:00.123456Z",
            "user": "key:door-3",
            "error_code": null,
            "error": null,
            "gate": "North entrance",
            "uses": 1,
            "undoes": null
        });
        json!({"usage": [entry], "next_cursor": null})
    }
}

/// Attempts, newest first or as a feed.
pub(crate) async fn query_usage(
    _who: Allowed<See>,
    Params(params): Params<QueryUsage>,
    app: web::Data<App>,
) -> Result<Tagged<Usage>, Error> {
    let gate = match &params.gate {
        Some(name) => Some(by_name(&app, name).await?.name),
        None => None,
    };
    let filter = UsageFilter {
        token_uid: params.token_uid,
        from: moment("from", params.from.as_ref(), app.zone)?,
        to: moment("to", params.to.as_ref(), app.zone)?,
        batch: params.batch,
        print_run: params.print_run,
        gate,
        ..UsageFilter::default()
    };
    let (limit, order) = (params.limit.unwrap_or(LIMIT), params.order.unwrap_or(UsageOrder::Newest));
    let cursors = CursorCodec::new("query_usage", &filter_parts(&filter, order));
    let place = params.cursor.map(|text| cursors.read(&text)).transpose()?;
    let (rows, next) = match order {
        UsageOrder::Newest => newest(&app, filter, place, limit).await?,
        UsageOrder::Oldest => oldest(&app, filter, place, limit).await?,
    };
    let usage = rows.into_iter().map(|(_, entry)| entry).collect();
    Ok(Tagged(Usage { usage, next_cursor: next.map(|place| cursors.write(&place)) }))
}

/// A page, and where the next one begins.
type UsagePage = (Entries, Option<Cursor>);

async fn newest(app: &App, filter: UsageFilter, before: Option<Cursor>, limit: usize) -> Result<UsagePage, Error> {
    let page = app
        .store
        .search(move |connection, time| usage::page(connection, &filter, before.as_ref(), more_than(limit), time));
    Ok(cut(page.await?, limit))
}

async fn oldest(app: &App, filter: UsageFilter, after: Option<Cursor>, limit: usize) -> Result<UsagePage, Error> {
    let settled = app.log_end.settled(&app.store).await?;
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let page = app
        .store
        .search(move |connection, time| feed::page(connection, &filter, (after.as_ref(), settled), at_most, time));
    let page = page.await?;
    Ok((page.entries, Some(page.next)))
}

/// What a cursor of this filter and order is bound to.
fn filter_parts(filter: &UsageFilter, order: UsageOrder) -> [Option<String>; 7] {
    let uid = |uid: Option<Uid>| uid.map(|uid| uid.to_string());
    let (from, to) = (shown(filter.from), shown(filter.to));
    [
        uid(filter.token_uid),
        from,
        to,
        uid(filter.batch),
        uid(filter.print_run),
        filter.gate.clone(),
        Some(format!("{order:?}")),
    ]
}
