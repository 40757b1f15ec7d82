//! The JSON views of tokens: one file a verb.

pub(crate) mod add;
pub(crate) mod consume;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod query;
mod refused;
pub(crate) mod undo;
pub(crate) mod void;

use serde::Serialize;

use crate::store::usage::{LastUse, LastUseOf};
use crate::token::consume::state;
use crate::token::input::RawFields;
use crate::token::limits::{check_value, plain_value};
use crate::token::settle::{Lookup, RefusedAsk};
use crate::token::{Micros, State, Token, TokenError, Uid};
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::state::App;

/// The parameters that say what a token is.
const FIELDS: [&str; 6] = ["valid_from", "valid_to", "usage_count", "lock_time", "value", "label"];

fn raw_fields<const L: usize>(params: &Params<L>) -> Result<RawFields, Error> {
    Ok(RawFields {
        value: params.text("value")?,
        label: params.text("label")?,
        valid_from: params.text("valid_from")?,
        valid_to: params.text("valid_to")?,
        usage_count: params.text("usage_count")?,
        lock_time: params.text("lock_time")?,
        add_uses: params.text("add_uses")?,
    })
}

/// Refuses a value that is the address of another token's tile: a code with a link says just that, and it could then not
/// be told which of the two tokens is meant.
///
/// # Errors
/// A value error.
pub(crate) fn check_link(app: &App, value: Option<&str>, uid: Uid) -> Result<(), TokenError> {
    match value.and_then(|value| app.public_url.linked_uid(value)) {
        Some(linked) if linked != uid => Err(TokenError::value("value", "This value is the address of another token")),
        _ => Ok(()),
    }
}

/// The uid in the path, in `token_uid`, or in both, where it must be the same.
fn named_uid(path: Option<&str>, params: &Params) -> Result<Uid, Error> {
    let in_path = path.map(str::parse::<Uid>).transpose()?;
    let given = params.text("token_uid")?;
    let given = match &in_path {
        // Beside a uid in the path an empty one says nothing.
        Some(_) => given.filter(|text| !text.is_empty()),
        None => given,
    };
    let given = given.map(|text| text.parse::<Uid>()).transpose()?;
    match (in_path, given) {
        (Some(path), Some(given)) if path != given => {
            Err(TokenError::value("token_uid", "token_uid is not the uid in the path").into())
        }
        (path, given) => {
            let why = "The parameter token_uid is missing; it must have the uid of a token.";
            path.or(given).ok_or_else(|| TokenError::unnamed("token_uid", why).into())
        }
    }
}

/// What a lookup by uid, by value, or by both means.
fn lookup(path: Option<&str>, params: &Params, app: &App) -> Result<Lookup, Error> {
    let (uid, value) = (params.text("token_uid")?, params.text("value")?);
    let empty = uid.as_deref() == Some("") || value.as_deref() == Some("");
    let value = value.filter(|value| !value.is_empty());
    let named = path.is_some() || uid.as_deref().is_some_and(|uid| !uid.is_empty());
    if !named && value.is_none() {
        let wrong = || {
            TokenError::value(
                if uid.is_some() { "token_uid" } else { "value" },
                "A uid or a value is needed, not nothing",
            )
        };
        let neither = || TokenError::unnamed("token_uid", "token_uid or value is missing; one must name a token.");
        return Err(if empty { wrong() } else { neither() }.into());
    }
    let uid = named.then(|| named_uid(path, params)).transpose()?;
    let by_value = value.map(|value| lookup_value(app, &value)).transpose()?.unwrap_or_default();
    Ok(Lookup { uid, ..by_value })
}

/// What a value means: a token's own, or the link in its code.
///
/// # Errors
/// A value error when no token can have it.
pub(crate) fn lookup_value(app: &App, text: &str) -> Result<Lookup, TokenError> {
    let value = scanned_value(text);
    if value.is_empty() {
        return Err(TokenError::value("value", "A uid or a value is needed, not nothing"));
    }
    check_value(&value)?;
    let link = app.public_url.linked_uid(&value);
    Ok(Lookup { uid: None, value: Some(value), link })
}

/// The value that a scanner reads: some send a line end behind it, and some read a uid in capitals, which fit into a smaller
/// code.
fn scanned_value(text: &str) -> String {
    plain_value(text.trim().to_owned())
}

/// The last use of a token that was refused: what a refusal tells beside its reasons.
pub(crate) async fn last_use(app: &App, refused: &RefusedAsk) -> Result<Option<LastUse>, Error> {
    let Some(summary) = refused.summary.as_ref().filter(|summary| summary.last_used.is_some()) else { return Ok(None) };
    Ok(app.store.look_up(LastUseOf(summary.token_uid)).await?)
}

/// The token object of the contract.
#[derive(Serialize)]
struct TokenObject {
    uid: Uid,
    value: String,
    label: Option<String>,
    valid_from: Option<Micros>,
    valid_to: Option<Micros>,
    usage_count: i32,
    lock_time: i32,
    last_used: Option<Micros>,
    creator: String,
    created: Micros,
    modified: Micros,
    voided: Option<Micros>,
    voided_by: Option<String>,
    void_reason: Option<String>,
    state: State,
}

impl TokenObject {
    fn new(token: Token, now: Micros) -> Self {
        let state = state(&token, now);
        let (voided, voided_by, void_reason) = match token.voided {
            Some(voided) => (Some(voided.at), Some(voided.by), voided.reason),
            None => (None, None, None),
        };
        Self {
            state,
            uid: token.uid,
            value: token.value,
            label: token.label,
            valid_from: token.valid_from,
            valid_to: token.valid_to,
            usage_count: token.usage_count,
            lock_time: token.lock_time,
            last_used: token.last_used,
            creator: token.creator,
            created: token.created,
            modified: token.modified,
            voided,
            voided_by,
            void_reason,
        }
    }
}
