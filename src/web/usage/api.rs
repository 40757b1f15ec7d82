//! `query_usage`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use crate::store::usage::{self, Entry, UsageFilter};
use crate::token::{Problem, TokenError, Uid, WrittenTime};
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::gates::named::by_name;
use crate::web::guard::{Allowed, See};
use crate::web::json::Answer;
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::paging::{cut, more_than};
use crate::web::params::Params;
use crate::web::params::filters::{LIMIT, LIMIT_MAX, moment, shown};
use crate::web::state::App;

/// Lists the usage log, newest first: every attempt, refused or not.
///
/// Follow `next_cursor` for the next page, until it is null. The log outlives tokens; the settings say for how long it is kept,
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
    /// Most entries of a page.
    #[validate(range(min = 1, max = LIMIT_MAX))]
    #[schemars(extend("default" = LIMIT))]
    limit: Option<usize>,
    /// The `next_cursor` of the page before. It belongs to this view and filter; with another filter it is a `TokenValueError`.
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
            Error::TooSlow,
        ]
    }
}

/// A page of the usage log.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Usage {
    /// The entries.
    usage: Vec<Entry>,
    /// Where the next page begins; null on the last one.
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

/// Attempts, newest first.
pub(crate) async fn query_usage(
    _who: Allowed<See>,
    Params(params): Params<QueryUsage>,
    app: web::Data<App>,
) -> Result<Answer<Usage>, Error> {
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
    let limit = params.limit.unwrap_or(LIMIT);
    let cursors = CursorCodec::new("query_usage", &filter_parts(&filter));
    let before = params.cursor.map(|text| cursors.read(&text)).transpose()?;
    let page = app
        .store
        .search(move |connection, time| usage::page(connection, &filter, before.as_ref(), more_than(limit), time));
    let (rows, last) = cut(page.await?, limit);
    let next_cursor = last.map(|place| cursors.write(&place));
    Ok(Answer(Usage { usage: rows.into_iter().map(|(_, entry)| entry).collect(), next_cursor }))
}

/// What a cursor of this filter is bound to.
fn filter_parts(filter: &UsageFilter) -> [Option<String>; 6] {
    let uid = |uid: Option<Uid>| uid.map(|uid| uid.to_string());
    let (from, to) = (shown(filter.from), shown(filter.to));
    [uid(filter.token_uid), from, to, uid(filter.batch), uid(filter.print_run), filter.gate.clone()]
}
