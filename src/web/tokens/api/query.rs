//! `query_token` and `query_tokens`.

use actix_web::web;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::consume::Yes;
use super::{TokenObject, lookup};
use crate::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use crate::store::tokens::search;
use crate::token::print::PrintedFilter;
use crate::token::validation::chars;
use crate::token::value_prefix::ValuePrefix;
use crate::token::{Given, LABEL_MAX_CHARS, Problem, State, TokenError, Uid, VALUE_MAX_CHARS, WrittenTime};
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::guard::{Allowed, Ask, See};
use crate::web::json::Tagged;
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

/// Lists tokens, newest first if no other order is asked for.
///
/// All filters can be combined. Follow `next_cursor` for the next page, until it is null.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct QueryTokens {
    /// Words, split at white space, or a uid. It finds the tokens of which every word is part of the value or the label, in any
    /// order. Case and accents do not matter: `muller strasse` finds "Müller, Lange Straße". `"in quotes"` is found only in a row.
    /// A value that is the uid is found by its first four characters or more.
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
    /// Exactly this label; case matters.
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Option<String>,
    /// The value begins so. Case matters, and every character means itself. A value that is the uid begins as the uid does, in
    /// lower case.
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value_prefix: Option<String>,
    /// The time range has this moment: `valid_from` is not later, and `valid_to` not earlier. Whether they are voided, used up or
    /// locked does not matter.
    valid_at: Option<WrittenTime>,
    /// The order, descending with `-` before it. Of equals, the one that was added first comes first, or last if descending.
    /// Tokens without a label come before all labels, and tokens without a `valid_to` after all others.
    #[schemars(extend("default" = "-created"))]
    sort: Option<TokenSort>,
    /// `1`: the answer has `total`. Counting many takes its time: it is part of the five seconds that a search may take.
    count: Option<Yes>,
    /// Most tokens of a page.
    #[validate(range(min = 1, max = LIMIT_MAX))]
    #[schemars(extend("default" = LIMIT))]
    limit: Option<usize>,
    /// The `next_cursor` of the page before. It belongs to this view, filter and order; with others it is a `TokenValueError`.
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

/// The order of a list of tokens.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(crate) enum TokenSort {
    /// Oldest first.
    #[serde(rename = "created")]
    Created,
    /// Newest first.
    #[serde(rename = "-created")]
    CreatedDescending,
    /// By label, in the order of code points.
    #[serde(rename = "label")]
    Label,
    /// By label, backwards.
    #[serde(rename = "-label")]
    LabelDescending,
    /// By the end of validity.
    #[serde(rename = "valid_to")]
    ValidTo,
    /// By the end of validity, the last one first.
    #[serde(rename = "-valid_to")]
    ValidToDescending,
}

impl TokenSort {
    /// What it is ordered by, and whether it goes from the greatest to the least.
    fn order(self) -> (Sort, bool) {
        match self {
            Self::Created => (Sort::Created, false),
            Self::CreatedDescending => (Sort::Created, true),
            Self::Label => (Sort::Label, false),
            Self::LabelDescending => (Sort::Label, true),
            Self::ValidTo => (Sort::ValidTo, false),
            Self::ValidToDescending => (Sort::ValidTo, true),
        }
    }
}

/// A page of tokens.
#[derive(Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "they are the names of the answer's fields")]
pub(crate) struct Tokens {
    /// The tokens.
    tokens: Vec<TokenObject>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
    /// How many tokens match, on all pages; with `count=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
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
) -> Result<Tagged<Queried>, Error> {
    // Of a key that is tied to one.
    let gate = gate_of(&app, &who.caller, None).await?;
    check_rules(gate.as_ref(), 1, true)?;
    let what = lookup(None, params.token_uid, params.value, &app)?;
    let found = app.store.look_up(what).await??;
    Ok(Tagged(Queried { token: found.map(|token| TokenObject::new(token, app.store.now())) }))
}

/// Tokens of a filter, in an order.
pub(crate) async fn query_tokens(
    _who: Allowed<See>,
    Params(params): Params<QueryTokens>,
    app: web::Data<App>,
) -> Result<Tagged<Tokens>, Error> {
    let (limit, cursor, is_counted) = (params.limit.unwrap_or(LIMIT), params.cursor.clone(), params.count.is_some());
    let (sort, descending) = params.sort.unwrap_or(TokenSort::CreatedDescending).order();
    let filter = filter(params, app.zone)?;
    let cursors = CursorCodec::new("query_tokens", &filter_parts(&filter, (sort, descending))).by_text(sort.is_text());
    let after = cursor.map(|text| cursors.read(&text)).transpose()?;
    let now = app.store.now();
    let slice = TokenSlice { sort, descending, after, limit: more_than(limit) };
    let found = app.store.search(move |connection, limit| {
        let total = is_counted.then(|| search::total(connection, &filter, now, limit)).transpose()?;
        Ok((search::page(connection, &filter, now, slice, limit)?, total))
    });
    let (page, total) = found.await?;
    let (rows, last) = cut(page, limit);
    let tokens = rows.into_iter().map(|(_, token)| TokenObject::new(token, now)).collect();
    Ok(Tagged(Tokens { tokens, next_cursor: last.map(|place| cursors.write(&place)), total }))
}

fn filter(params: QueryTokens, zone: Tz) -> Result<TokenFilter, Error> {
    let of_one_line = |name, text: Option<String>| match text {
        Some(text) if text.chars().any(char::is_control) => Err(TokenError::value(name, Problem::ControlCharacters)),
        text => Ok(text),
    };
    Ok(TokenFilter {
        voided: None,
        q: params.q.map(search_term).transpose()?,
        state: params.state,
        created_from: moment("created_from", params.created_from.as_ref(), zone)?,
        created_to: moment("created_to", params.created_to.as_ref(), zone)?,
        batch: params.batch,
        print_run: params.print_run,
        printed: params.printed,
        soon: None,
        label: of_one_line("label", params.label)?,
        value_prefix: of_one_line("value_prefix", params.value_prefix)?.map(ValuePrefix::new),
        valid_at: moment("valid_at", params.valid_at.as_ref(), zone)?,
    })
}

/// What a cursor of this filter and order is bound to.
fn filter_parts(filter: &TokenFilter, order: (Sort, bool)) -> [Option<String>; 11] {
    [
        filter.q.clone(),
        filter.state.map(|state| state.word().into()),
        shown(filter.created_from),
        shown(filter.created_to),
        filter.batch.map(|batch| batch.to_string()),
        filter.print_run.map(|run| run.to_string()),
        filter.printed.map(|printed| printed.word().into()),
        filter.label.clone(),
        filter.value_prefix.as_ref().map(|prefix| prefix.first().into()),
        shown(filter.valid_at),
        Some(format!("{order:?}")),
    ]
}
