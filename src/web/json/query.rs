//! `query_token`, `query_tokens` and `query_usage`.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{TokenObject, lookup, success};
use crate::store::token_list::{self, Part, TokenFilter};
use crate::store::tokens;
use crate::store::usage::{self, Entry, UsageFilter};
use crate::token::input::read_time;
use crate::token::print::Printed;
use crate::token::{Micros, State, TokenError, Uid, VALUE_MAX_CHARS, quoted};
use crate::web::cursor::{CursorOf, cut, more_than};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Ask, See};
use crate::web::params::Params;
use crate::web::state::App;

/// Entries of a page when no limit is given, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

#[derive(Serialize)]
struct Queried {
    token: Option<TokenObject>,
}

#[derive(Serialize)]
struct Tokens {
    tokens: Vec<TokenObject>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Usage {
    usage: Vec<Entry>,
    next_cursor: Option<String>,
}

/// One token by exactly its value or its uid, or null.
///
/// # Errors
/// The contract's.
pub async fn query_token(_who: Allowed<Ask>, params: Params, app: web::Data<App>) -> Result<HttpResponse, Error> {
    params.only(&["token_uid", "value"])?;
    let what = lookup(None, &params, &app)?;
    let found = app.store.look(move |connection| tokens::find(connection, &what)).await?;
    Ok(success(Queried { token: found.map(|token| TokenObject::new(token, app.store.now())) }))
}

/// Tokens, newest first.
///
/// # Errors
/// The contract's.
pub async fn query_tokens(_who: Allowed<See>, params: Params, app: web::Data<App>) -> Result<HttpResponse, Error> {
    params.only(&["q", "state", "created_from", "created_to", "batch", "print_run", "printed", "limit", "cursor"])?;
    let filter = TokenFilter {
        q: params.filled("q")?.map(search_term).transpose()?,
        state: params.parsed::<State>("state")?,
        created_from: time(&params, "created_from", &app)?,
        created_to: time(&params, "created_to", &app)?,
        batch: uid_of("batch", &params)?,
        print_run: uid_of("print_run", &params)?,
        printed: params.parsed::<Printed>("printed")?,
    };
    let limit = params.number("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT);
    let parts = [
        filter.q.clone(),
        filter.state.map(|state| state.word().into()),
        shown(filter.created_from),
        shown(filter.created_to),
        filter.batch.map(|batch| batch.to_string()),
        filter.print_run.map(|run| run.to_string()),
        filter.printed.map(|printed| printed.word().into()),
    ];
    let cursors = CursorOf::new("query_tokens", &parts);
    let after = params.filled("cursor")?.map(|text| cursors.read(&text)).transpose()?;
    let now = app.store.now();
    let page = move |connection: &mut _| {
        Ok(token_list::page(connection, &filter, now, Part::newest(after, more_than(limit)))?)
    };
    let (rows, last) = cut(app.store.read(page).await?, limit);
    let tokens = rows.into_iter().map(|(_, token)| TokenObject::new(token, now)).collect();
    let next_cursor = last.map(|place| cursors.write(&place));
    Ok(success(Tokens { tokens, next_cursor }))
}

/// Attempts, newest first.
///
/// # Errors
/// The contract's.
pub async fn query_usage(_who: Allowed<See>, params: Params, app: web::Data<App>) -> Result<HttpResponse, Error> {
    params.only(&["token_uid", "from", "to", "batch", "print_run", "limit", "cursor"])?;
    let filter = UsageFilter {
        token_uid: params.parsed::<Uid>("token_uid")?,
        from: time(&params, "from", &app)?,
        to: time(&params, "to", &app)?,
        batch: uid_of("batch", &params)?,
        print_run: uid_of("print_run", &params)?,
        ..UsageFilter::default()
    };
    let limit = params.number("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT);
    let uid = |uid: Option<Uid>| uid.map(|uid| uid.to_string());
    let (from, to) = (shown(filter.from), shown(filter.to));
    let parts = [uid(filter.token_uid), from, to, uid(filter.batch), uid(filter.print_run)];
    let cursors = CursorOf::new("query_usage", &parts);
    let before = params.filled("cursor")?.map(|text| cursors.read(&text)).transpose()?;
    let page = move |connection: &mut _| Ok(usage::page(connection, &filter, before.as_ref(), more_than(limit))?);
    let (rows, last) = cut(app.store.read(page).await?, limit);
    let next_cursor = last.map(|place| cursors.write(&place));
    Ok(success(Usage { usage: rows.into_iter().map(|(_, entry)| entry).collect(), next_cursor }))
}

fn time(params: &Params, name: &'static str, app: &App) -> Result<Option<Micros>, Error> {
    Ok(params.filled(name)?.map(|text| read_time(name, &text, app.zone)).transpose()?)
}

/// The uid of a batch or a print run.
fn uid_of(name: &'static str, params: &Params) -> Result<Option<Uid>, Error> {
    let what = name.replace('_', " ");
    let wrong = |text: &str| TokenError::value(name, format!("{name} {} is not the uid of a {what}", quoted(text)));
    Ok(params.filled(name)?.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()?)
}

/// What is searched for.
///
/// # Errors
/// A value error when it is too long, or could be found nowhere.
pub fn search_term(q: String) -> Result<String, TokenError> {
    if q.chars().count() > VALUE_MAX_CHARS {
        return Err(TokenError::value("q", format!("q has at most {VALUE_MAX_CHARS} characters")));
    }
    if q.chars().any(char::is_control) {
        return Err(TokenError::value("q", "q has no control characters, as no value or label has"));
    }
    Ok(q)
}

fn shown(time: Option<Micros>) -> Option<String> {
    time.map(|time| time.to_string())
}
