//! `query_token` and `query_tokens`.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Serialize;

use super::{TokenObject, lookup};
use crate::store::tokens::list::{TokenFilter, TokenSlice};
use crate::store::tokens::search;
use crate::token::State;
use crate::token::print::PrintedFilter;
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::guard::{Allowed, Ask, See};
use crate::web::json::success;
use crate::web::paging::{cut, more_than};
use crate::web::params::Params;
use crate::web::params::filters::{limit, search_term, shown, time, uid_of};
use crate::web::state::App;

#[derive(Serialize)]
struct Queried {
    token: Option<TokenObject>,
}

#[derive(Serialize)]
struct Tokens {
    tokens: Vec<TokenObject>,
    next_cursor: Option<String>,
}

/// One token by exactly its value or its uid, or null.
pub(crate) async fn query_token(who: Allowed<Ask>, params: Params, app: web::Data<App>) -> Result<HttpResponse, Error> {
    params.only(&["token_uid", "value"])?;
    // Of a key that is tied to one.
    let gate = gate_of(&app, &who.caller, &Params::default()).await?;
    check_rules(gate.as_ref(), 1, true)?;
    let what = lookup(None, &params, &app)?;
    let found = app.store.look_up(what).await??;
    Ok(success(Queried { token: found.map(|token| TokenObject::new(token, app.store.now())) }))
}

/// Tokens, newest first.
pub(crate) async fn query_tokens(
    _who: Allowed<See>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["q", "state", "created_from", "created_to", "batch", "print_run", "printed", "limit", "cursor"])?;
    let filter = read_filter(&params, app.zone)?;
    let limit = limit(&params)?;
    let cursors = CursorCodec::new("query_tokens", &filter_parts(&filter));
    let after = cursors.read_from(&params, "cursor")?;
    let now = app.store.now();
    let slice = TokenSlice::newest(after, more_than(limit));
    let page = app.store.search(move |connection, limit| search::page(connection, &filter, now, slice, limit));
    let (rows, last) = cut(page.await?, limit);
    let tokens = rows.into_iter().map(|(_, token)| TokenObject::new(token, now)).collect();
    let next_cursor = last.map(|place| cursors.write(&place));
    Ok(success(Tokens { tokens, next_cursor }))
}

fn read_filter(params: &Params, zone: Tz) -> Result<TokenFilter, Error> {
    Ok(TokenFilter {
        voided: None,
        q: params.filled("q")?.map(search_term).transpose()?,
        state: params.parsed::<State>("state")?,
        created_from: time(params, "created_from", zone)?,
        created_to: time(params, "created_to", zone)?,
        batch: uid_of("batch", params)?,
        print_run: uid_of("print_run", params)?,
        printed: params.parsed::<PrintedFilter>("printed")?,
    })
}

/// What a cursor of this filter is bound to.
fn filter_parts(filter: &TokenFilter) -> [Option<String>; 7] {
    [
        filter.q.clone(),
        filter.state.map(|state| state.word().into()),
        shown(filter.created_from),
        shown(filter.created_to),
        filter.batch.map(|batch| batch.to_string()),
        filter.print_run.map(|run| run.to_string()),
        filter.printed.map(|printed| printed.word().into()),
    ]
}
