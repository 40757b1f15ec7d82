//! `add_token` and `add_tokens`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::check_link;
use crate::access::Principal;
use crate::store::batches::NewBatch;
use crate::store::tokens;
use crate::token::input::{Defaults, Origin, TokenFields};
use crate::token::validation::chars;
use crate::token::{
    Given, LABEL_MAX_CHARS, LIST_MAX, Problem, TokenError, UNLIMITED, Uid, VALUE_MAX_BYTES, VALUE_MAX_CHARS,
    WrittenTime, batch,
};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::Answer;
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::params::Params;
use crate::web::state::App;
use crate::work;

/// Adds a token.
///
/// With a uid in the path the token gets that uid; no uid is ever given twice, not even after a deletion.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct AddToken {
    /// The first moment at which the token is valid. Empty: no bound.
    valid_from: Given<WrittenTime>,
    /// The last moment at which it is valid, later than `valid_from`. Empty: no bound.
    valid_to: Given<WrittenTime>,
    /// How often it can be used; -1 is unlimited. Empty: the default from the settings, which is 1 at first.
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: Given<i32>,
    /// Seconds for which it is locked after a use. Empty: the default from the settings, which is 0 at first.
    #[validate(range(min = 0, max = i32::MAX))]
    lock_time: Given<i32>,
    /// What the QR code says: unique, exact and case-sensitive, at most 1,200 bytes in UTF-8, without control characters, and
    /// without white space at its ends. A value that looks like a UUID, or is the address of a token's page, must name the
    /// token itself. Empty or left out: the uid.
    #[serde(default)]
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value: Given<String>,
    /// Text for people, without control characters. Empty or left out: no label.
    #[serde(default)]
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Given<String>,
}

impl ViewParams for AddToken {
    fn example() -> Value {
        json!({"valid_from": "2026-09-22T10:30:00+02:00", "valid_to": "", "usage_count": 3, "lock_time": 10, "label": "Anna"})
    }

    fn errors() -> Vec<Error> {
        let too_long = Problem::TooLong { max: VALUE_MAX_CHARS as u64, max_bytes: Some(VALUE_MAX_BYTES as u64) };
        let value = |param: &'static str, problem| TokenError::value(param, problem).into();
        vec![
            TokenError::missing("valid_from").into(),
            value("value", Problem::NotUnique),
            value("value", too_long),
            value("valid_to", Problem::NotLater { than: "valid_from".into() }),
            value("usage_count", Problem::OutOfRange { min: UNLIMITED.into(), max: i32::MAX.into() }),
            value("token_uid", Problem::UidUsed),
        ]
    }
}

/// A token was added.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Added {
    /// Its uid.
    token_uid: Uid,
}

impl ViewAnswer for Added {
    fn example() -> Value {
        json!({"token_uid": Uid::example()})
    }
}

/// Adds a token, with the uid in the path or a new one.
pub(crate) async fn add_token(
    who: Allowed<Edit>,
    uid: Option<web::Path<String>>,
    Params(params): Params<AddToken>,
    app: web::Data<App>,
) -> Result<Answer<Added>, Error> {
    let uid = uid.map_or_else(|| Ok(Uid::random()), |uid| uid.parse())?;
    check_link(&app, params.value.as_value().map(String::as_str), uid)?;
    let AddToken { valid_from, valid_to, usage_count, lock_time, value, label } = params;
    let fields = TokenFields { value, label, valid_from, valid_to, usage_count, lock_time, ..TokenFields::default() };
    let token = fields.new_token(origin(&app, uid, &who.caller.principal), defaults(&app).await?, app.zone)?;
    app.store.write(move |connection| tokens::add(connection, &token)).await?;
    Ok(Answer(Added { token_uid: uid }))
}

/// Adds many tokens with values of their own: all or none.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct AddTokens {
    /// How many.
    #[validate(range(min = 1, max = LIST_MAX))]
    count: usize,
    /// The first moment at which they are valid. Empty: no bound.
    #[serde(default)]
    valid_from: Given<WrittenTime>,
    /// The last moment at which they are valid, later than `valid_from`. Empty: no bound.
    #[serde(default)]
    valid_to: Given<WrittenTime>,
    /// How often each can be used; -1 is unlimited. Empty: the default from the settings, which is 1 at first.
    #[serde(default)]
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: Given<i32>,
    /// Seconds for which each is locked after a use. Empty: the default from the settings, which is 0 at first.
    #[serde(default)]
    #[validate(range(min = 0, max = i32::MAX))]
    lock_time: Given<i32>,
    /// The label of each, at most 200 characters, in which `{n}` or `{n:04}` is a running number from 1. Empty: no label.
    label: Option<String>,
    /// Makes them a batch with this name, without invisible characters. Empty: no batch.
    #[validate(length(max = chars(batch::NAME_MAX_CHARS)))]
    batch_name: Option<String>,
}

impl ViewParams for AddTokens {
    fn example() -> Value {
        json!({"count": 3, "usage_count": 1, "label": "Guest {n:03}", "batch_name": "Summer party"})
    }

    fn errors() -> Vec<Error> {
        let value = |param: &'static str, problem| TokenError::value(param, problem).into();
        vec![
            value("count", Problem::OutOfRange { min: 1, max: i64::try_from(LIST_MAX).unwrap_or(i64::MAX) }),
            value("label", Problem::MalformedNumber),
        ]
    }
}

/// Tokens were added.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AddedMany {
    /// How many.
    count: usize,
    /// Their uids, in the order of their running numbers.
    token_uids: Vec<Uid>,
    /// The batch's uid, if a `batch_name` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_uid: Option<Uid>,
}

impl ViewAnswer for AddedMany {
    fn example() -> Value {
        json!({
            "count": 3,
            "token_uids": [
                Uid::example(),
                "b7a1c2d3-6e5f-4a3b-8c9d-0e1f2a3b4c5d",
                "0c9f8e7d-1a2b-4c3d-9e4f-5a6b7c8d9e0f"
            ],
            "batch_uid": "6c2f0d9e-41b8-4b1e-8a57-2f9c3e7d1a05"
        })
    }
}

/// Adds as many tokens as are asked for, or none; as a batch, when it is given a name.
pub(crate) async fn add_tokens(
    who: Allowed<Edit>,
    Params(params): Params<AddTokens>,
    app: web::Data<App>,
) -> Result<Answer<AddedMany>, Error> {
    let AddTokens { count, valid_from, valid_to, usage_count, lock_time, label, batch_name: name } = params;
    name.as_deref().map(batch::check_name).transpose()?;
    let fields = TokenFields { valid_from, valid_to, usage_count, lock_time, ..TokenFields::default() };
    let by = who.caller.principal;
    let model = fields.new_token(origin(&app, Uid::random(), &by), defaults(&app).await?, app.zone)?;
    let batch = name.map(|name| NewBatch { uid: Uid::random(), name, count });
    let batch_uid = batch.as_ref().map(|batch| batch.uid);
    let pattern = label.unwrap_or_default();
    let token_uids = work::batches::add_tokens(&app.background, model, pattern, count, batch, by).await?;
    Ok(Answer(AddedMany { count, token_uids, batch_uid }))
}

fn origin(app: &App, uid: Uid, by: &Principal) -> Origin {
    Origin { uid, creator: by.to_string(), created: app.store.now() }
}

async fn defaults(app: &App) -> Result<Defaults, Error> {
    Ok(app.settings.get(&app.store).await?.defaults())
}
