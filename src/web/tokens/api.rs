//! The JSON views of tokens: one file a verb.

pub(crate) mod add;
pub(crate) mod add_many;
pub(crate) mod consume;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod lists;
pub(crate) mod query;
mod refused;
pub(crate) mod undo;
pub(crate) mod void;

use actix_web::web;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::store::idempotency::{self, Kept};
use crate::store::usage::{LastUse, LastUseOf};
use crate::store::{self, Connection, tokens};
use crate::token::consume::state;
use crate::token::limits::{check_value, plain_value};
use crate::token::public_url::PublicUrl;
use crate::token::settle::{Lookup, RefusedAsk};
use crate::token::{Given, KeyedRequest, Micros, Problem, State, Token, TokenError, Uid};
use crate::web::error::Error;
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::ViewAnswer;
use crate::web::state::App;
use crate::work::kept::or_kept;

/// Refuses a value that is the address of another token's tile: a code with a link says just that, and it could then not
/// be told which of the two tokens is meant.
///
/// # Errors
/// A value error.
pub(crate) fn check_link(public_url: &PublicUrl, value: Option<&str>, uid: Uid) -> Result<(), TokenError> {
    match value.and_then(|value| public_url.linked_uid(value)) {
        Some(linked) if linked != uid => Err(TokenError::value("value", Problem::NamesAnotherToken)),
        _ => Ok(()),
    }
}

/// The uid in the path, in `token_uid`, or in both, where it must be the same.
fn named_uid(path: Option<web::Path<String>>, given: Given<Uid>) -> Result<Uid, TokenError> {
    let path = path.map(|path| path.parse::<Uid>()).transpose()?;
    match (path, given) {
        (Some(path), Given::Value(given)) if path != given => {
            Err(TokenError::value("token_uid", Problem::Contradicts { with: "path".into() }))
        }
        (Some(uid), _) | (None, Given::Value(uid)) => Ok(uid),
        (None, Given::Empty) => Err(TokenError::value("token_uid", Problem::Empty)),
        (None, Given::Absent) => Err(TokenError::unnamed("token_uid")),
    }
}

/// What a lookup by uid, by value, or by both means.
fn lookup(
    path: Option<web::Path<String>>,
    token_uid: Given<Uid>,
    value: Given<String>,
    app: &App,
) -> Result<Lookup, TokenError> {
    if path.is_none() && token_uid.as_value().is_none() {
        let (param, problem) = match (token_uid, &value) {
            (_, Given::Value(text)) => return lookup_value(app, text),
            (Given::Absent, Given::Absent) => return Err(TokenError::missing_one_of(&["token_uid", "value"])),
            (Given::Absent, Given::Empty) => ("value", Problem::Empty),
            (Given::Empty | Given::Value(_), _) => ("token_uid", Problem::Empty),
        };
        return Err(TokenError::value(param, problem));
    }
    let uid = Some(named_uid(path, token_uid)?);
    let by_value = value.value().map(|value| lookup_value(app, &value)).transpose()?.unwrap_or_default();
    Ok(Lookup { uid, ..by_value })
}

/// What a value means: a token's own, or the link in its code.
///
/// # Errors
/// A value error when no token can have it.
pub(crate) fn lookup_value(app: &App, text: &str) -> Result<Lookup, TokenError> {
    let value = scanned_value(text);
    if value.is_empty() {
        return Err(TokenError::value("value", Problem::Empty));
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

/// What a change can answer beside its success.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub(crate) enum Return {
    /// The token as it is then.
    #[serde(rename = "token")]
    Token,
}

/// A token was changed.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Changed {
    /// The token as it was then, if `return=token` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenObject>,
}

impl ViewAnswer for Changed {
    fn example() -> Value {
        json!({})
    }
}

/// Several tokens were changed.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ChangedMany {
    /// How many the list has; repeats count once.
    count: usize,
}

impl ViewAnswer for ChangedMany {
    fn example() -> Value {
        json!({"count": 1})
    }
}

/// Changes a token once, however often the same request is sent with the same key.
async fn change_once(
    app: &App,
    request: Option<KeyedRequest>,
    (uid, wanted): (Uid, Option<Return>),
    change: impl Fn(&mut Connection, Micros) -> Result<(), store::Error> + Send + 'static,
) -> Result<Answer<Once<Changed>>, Error> {
    once(app, request, move |connection, now| {
        change(connection, now)?;
        Ok(Changed { token: returned(connection, wanted, uid, now)? })
    })
    .await
}

/// Does what fits into one transaction, once.
async fn once<T: Serialize + DeserializeOwned + Send + 'static>(
    app: &App,
    request: Option<KeyedRequest>,
    work: impl Fn(&mut Connection, Micros) -> Result<T, store::Error> + Send + 'static,
) -> Result<Answer<Once<T>>, Error> {
    let (again, now) = (request.clone(), app.store.now());
    let write = move |connection: &mut Connection| {
        idempotency::once(connection, request.as_ref(), now, |connection| work(connection, now))
    };
    Ok(or_kept(&app.store, again, app.store.write(write).await).await?.into())
}

/// The token, if it is wanted in the answer.
fn returned(
    connection: &mut Connection,
    wanted: Option<Return>,
    uid: Uid,
    now: Micros,
) -> Result<Option<TokenObject>, store::Error> {
    let Some(Return::Token) = wanted else { return Ok(None) };
    Ok(tokens::by_uid(connection, uid)?.map(|(_, token)| TokenObject::new(token, now)))
}

/// What was answered to the first request with this key, where the work is too much for one transaction.
async fn kept<T: DeserializeOwned + Send + 'static>(
    app: &App,
    request: Option<&KeyedRequest>,
) -> Result<Option<Kept<T>>, Error> {
    let Some(request) = request.cloned() else { return Ok(None) };
    let now = app.store.now();
    let found = app.store.read_inline(move |connection| idempotency::find(connection, &request, now)).await?;
    Ok(found.map(Kept::Before))
}

/// A token.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(crate) struct TokenObject {
    /// Its UUID, in lower case: it never changes and is never given again, not even after a deletion.
    uid: Uid,
    /// What its QR code says.
    value: String,
    /// Text for people, not unique; or null.
    label: Option<String>,
    /// The first moment at which it is valid, or null.
    valid_from: Option<Micros>,
    /// The last moment at which it is valid, or null.
    valid_to: Option<Micros>,
    /// Uses that are left, 0 to 2,147,483,647; -1 is unlimited.
    usage_count: i32,
    /// Seconds for which it is locked after a use.
    lock_time: i32,
    /// The last successful use, or null.
    last_used: Option<Micros>,
    /// Who added it: `user:anna` or `key:door-3`.
    creator: String,
    /// When it was added.
    created: Micros,
    /// When a person or an integrator last changed it; a use is no change.
    modified: Micros,
    /// Since when it is voided, or null.
    voided: Option<Micros>,
    /// Who voided it, or null.
    voided_by: Option<String>,
    /// Why, or null.
    void_reason: Option<String>,
    /// `active`, or why a use would be refused now: `voided`, `used_up`, `locked`, `pending` (not yet valid) or `expired`.
    state: State,
}

impl TokenObject {
    /// The token of the examples.
    fn example() -> Value {
        json!({
            "uid": Uid::example(),
            "value": Uid::example(),
            "label": "Anna",
            "valid_from": "2026-09-22T08:30:00Z",
            "valid_to": null,
            "usage_count": 3,
            "lock_time": 10,
            "last_used": null,
            "creator": "key:shop",
            "created": "2026-09-20T07:12:44.018223Z",
            "modified": "2026-09-20T07:12:44.018223Z",
            "voided": null,
            "voided_by": null,
            "void_reason": null,
            "state": "active"
        })
    }

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
