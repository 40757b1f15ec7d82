//! `query_token` and `query_tokens`.

use actix_web::web;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::{TokenObject, lookup};
use crate::store::tokens::list::{TokenFilter, TokenSlice};
use crate::store::tokens::search;
use crate::token::print::PrintedFilter;
use crate::token::validation::chars;
use crate::token::{Given, Problem, State, TokenError, Uid, VALUE_MAX_CHARS, WrittenTime};
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::guard::{Allowed, Ask, See};
use crate::web::json::Answer;
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::paging::{cut, more_than};
use crate::web::params::Params;
use crate::web::params::filters::{LIMIT, LIMIT_MAX, moment, search_term, shown};
use crate::web::state::App;

/// Looks up one token by exactly its uid or its value.
///
/// A gate that allows no look-up refuses it to the keys that are tied to it.
#[derive(Deserialize, JsonSchema, Validate)]
#[schemars(extend("x-one-of" = ["token_uid", "value"]))]
pub(crate) struct QueryToken {
    /// The token's uid.
    #[serde(default)]
    token_uid: Given<Uid>,
    /// Its value, or what a code with a link says: `https://your.host/{uid}`. White space around it is cut. No token has an empty
    /// value. Beside `token_uid` it must name the same token.
    #[serde(default)]
    value: Given<String>,
}

impl ViewParams for QueryToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example()})
    }

    fn errors() -> Vec<Error> {
        vec![
            TokenError::missing_one_of(&["token_uid", "value"]).into(),
            TokenError::value("value", Problem::Contradicts { with: "token_uid".into() }).into(),
        ]
    }
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Queried {
    /// The token, or null if there is none.
    token: Option<TokenObject>,
}

impl ViewAnswer for Queried {
    fn example() -> Value {
        json!({"token": TokenObject::example()})
    }
}

/// Lists tokens, newest first.
///
/// Follow `next_cursor` for the next page, until it is null.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct QueryTokens {
    /// Words, split at white space, or a uid. It finds the tokens whose value or label contains every word, in any order; case
    /// and accents do not matter. If no word has three characters, each must be the beginning of the value or label. A value
    /// that is the uid is found by its first four characters or more.
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    q: Option<String>,
    /// The state that they have now.
    state: Option<State>,
    /// Added at this moment or later.
    created_from: Option<WrittenTime>,
    /// Added at this moment or earlier.
    created_to: Option<WrittenTime>,
    /// The uid of their batch.
    batch: Option<Uid>,
    /// The uid of a print run that they are on.
    print_run: Option<Uid>,
    /// `never_used`: printed, but never used. `never`: not printed.
    printed: Option<PrintedFilter>,
    /// Most tokens of a page.
    #[validate(range(min = 1, max = LIMIT_MAX))]
    #[schemars(extend("default" = LIMIT))]
    limit: Option<usize>,
    /// The `next_cursor` of the page before. It belongs to this view and filter; with another filter it is a `TokenValueError`.
    cursor: Option<String>,
}

impl ViewParams for QueryTokens {
    fn example() -> Value {
        json!({"q": "anna", "state": "active", "limit": 10})
    }

    fn errors() -> Vec<Error> {
        vec![TokenError::value("cursor", Problem::ForeignCursor).into(), Error::TooSlow]
    }
}

/// A page of tokens.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tokens {
    /// The tokens.
    tokens: Vec<TokenObject>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

impl ViewAnswer for Tokens {
    fn example() -> Value {
        json!({"tokens": [TokenObject::example()], "next_cursor": null})
    }
}

/// One token by exactly its value or its uid, or null.
pub(crate) async fn query_token(
    who: Allowed<Ask>,
    Params(params): Params<QueryToken>,
    app: web::Data<App>,
) -> Result<Answer<Queried>, Error> {
    // Of a key that is tied to one.
    let gate = gate_of(&app, &who.caller, None).await?;
    check_rules(gate.as_ref(), 1, true)?;
    let what = lookup(None, params.token_uid, params.value, &app)?;
    let found = app.store.look_up(what).await??;
    Ok(Answer(Queried { token: found.map(|token| TokenObject::new(token, app.store.now())) }))
}

/// Tokens, newest first.
pub(crate) async fn query_tokens(
    _who: Allowed<See>,
    Params(params): Params<QueryTokens>,
    app: web::Data<App>,
) -> Result<Answer<Tokens>, Error> {
    let (limit, cursor) = (params.limit.unwrap_or(LIMIT), params.cursor.clone());
    let filter = filter(params, app.zone)?;
    let cursors = CursorCodec::new("query_tokens", &filter_parts(&filter));
    let after = cursor.map(|text| cursors.read(&text)).transpose()?;
    let now = app.store.now();
    let slice = TokenSlice::newest(after, more_than(limit));
    let page = app.store.search(move |connection, limit| search::page(connection, &filter, now, slice, limit));
    let (rows, last) = cut(page.await?, limit);
    let tokens = rows.into_iter().map(|(_, token)| TokenObject::new(token, now)).collect();
    Ok(Answer(Tokens { tokens, next_cursor: last.map(|place| cursors.write(&place)) }))
}

fn filter(params: QueryTokens, zone: Tz) -> Result<TokenFilter, Error> {
    Ok(TokenFilter {
        voided: None,
        q: params.q.map(search_term).transpose()?,
        state: params.state,
        created_from: moment("created_from", params.created_from.as_ref(), zone)?,
        created_to: moment("created_to", params.created_to.as_ref(), zone)?,
        batch: params.batch,
        print_run: params.print_run,
        printed: params.printed,
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
