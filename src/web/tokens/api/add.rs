//! `add_token`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::consume::Yes;
use super::{Return, TokenObject, check_link, once, returned};
use crate::access::Principal;
use crate::store::tokens;
use crate::token::input::{Defaults, Origin, TokenFields};
use crate::token::validation::chars;
use crate::token::{
    Given, LABEL_MAX_CHARS, Problem, TokenError, UNLIMITED, Uid, VALUE_MAX_BYTES, VALUE_MAX_CHARS, WrittenTime,
};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::params::KeyedParams;
use crate::web::state::App;

/// The parameters of [`AddToken`] that must be present without `defaults`.
const REQUIRED: [&str; 4] = ["valid_from", "valid_to", "usage_count", "lock_time"];

/// Adds a token.
///
/// With a uid in the path the token gets that uid; no uid is ever given twice, not even after a deletion.
#[derive(Deserialize, JsonSchema, Validate)]
#[schemars(extend("x-required-without" = {"defaults": REQUIRED}))]
pub(crate) struct AddToken {
    /// The first moment at which the token is valid. Empty: no bound.
    #[serde(default)]
    valid_from: Given<WrittenTime>,
    /// The last moment at which it is valid, later than `valid_from`. Empty: no bound.
    #[serde(default)]
    valid_to: Given<WrittenTime>,
    /// How often it can be used; -1 is unlimited. Empty: the default from the settings, which is 1 at first.
    #[serde(default)]
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: Given<i32>,
    /// Seconds for which it is locked after a use. Empty: the default from the settings, which is 0 at first.
    #[serde(default)]
    #[validate(range(min = 0, max = i32::MAX))]
    lock_time: Given<i32>,
    /// What the QR code says: unique, exact and case-sensitive, at most 1,200 bytes in UTF-8, without control characters,
    /// without invisible ones such as U+200B and U+202E, and without white space at its ends. A value that looks like a UUID,
    /// or is the address of a token's page, must name the token itself. Empty or left out: the uid.
    #[serde(default)]
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value: Given<String>,
    /// Text for people, without control characters. Empty, left out, or white space alone: no label.
    #[serde(default)]
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Given<String>,
    /// `1`: what is left out is as if it were empty. Without it, the times, the uses and the lock must be present.
    defaults: Option<Yes>,
    /// `token` answers the token as it is then.
    r#return: Option<Return>,
}

impl AddToken {
    /// Holds that nothing is left out, unless that is meant.
    fn check_present(&self) -> Result<(), TokenError> {
        let Self { valid_from, valid_to, usage_count, lock_time, defaults, .. } = self;
        let times = [valid_from, valid_to].map(|time| *time == Given::Absent);
        let numbers = [usage_count, lock_time].map(|number| *number == Given::Absent);
        let missing = REQUIRED.into_iter().zip(times.into_iter().chain(numbers)).find(|(_, is_absent)| *is_absent);
        match missing {
            Some((name, _)) if defaults.is_none() => Err(TokenError::missing_unless(name, "defaults")),
            _ => Ok(()),
        }
    }
}

impl ViewParams for AddToken {
    fn example() -> Value {
        json!({"valid_from": "2026-09-22T10:30:00+02:00", "valid_to": "", "usage_count": 3, "lock_time": 10, "label": "Anna"})
    }

    fn errors() -> Vec<Error> {
        let too_long = Problem::TooLong { max: VALUE_MAX_CHARS as u64, max_bytes: Some(VALUE_MAX_BYTES as u64) };
        let value = |param: &'static str, problem| TokenError::value(param, problem).into();
        vec![
            TokenError::missing_unless("valid_from", "defaults").into(),
            value("value", Problem::NotUnique),
            value("value", too_long),
            value("valid_to", Problem::NotLater { than: "valid_from".into() }),
            value("usage_count", Problem::OutOfRange { min: UNLIMITED.into(), max: i32::MAX.into() }),
            value("token_uid", Problem::UidUsed),
        ]
    }
}

/// A token was added.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Added {
    /// Its uid.
    token_uid: Uid,
    /// The token as it was then, if `return=token` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenObject>,
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
    KeyedParams { params, request }: KeyedParams<AddToken>,
    app: web::Data<App>,
) -> Result<Answer<Once<Added>>, Error> {
    params.check_present()?;
    let uid = uid.map_or_else(|| Ok(Uid::random()), |uid| uid.parse())?;
    check_link(&app.public_url, params.value.as_value().map(String::as_str), uid)?;
    let AddToken { valid_from, valid_to, usage_count, lock_time, value, label, r#return, .. } = params;
    let fields = TokenFields { value, label, valid_from, valid_to, usage_count, lock_time, ..TokenFields::default() };
    let token = fields.new_token(origin(&app, uid, &who.caller.principal), defaults(&app).await?, app.zone)?;
    once(&app, request, move |connection, now| {
        tokens::add(connection, &token)?;
        Ok(Added { token_uid: uid, token: returned(connection, r#return, uid, now)? })
    })
    .await
}

pub(super) fn origin(app: &App, uid: Uid, by: &Principal) -> Origin {
    Origin { uid, creator: by.to_string(), created: app.store.now() }
}

pub(super) async fn defaults(app: &App) -> Result<Defaults, Error> {
    Ok(app.settings.get(&app.store).await?.defaults())
}
