//! `edit_token` and `update_token`.

use actix_web::web;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use validator::Validate;

use super::{Changed, Return, change_once, check_link, named_uid};
use crate::store::tokens;
use crate::token::input::TokenFields;
use crate::token::validation::chars;
use crate::token::{
    Given, KeyedRequest, LABEL_MAX_CHARS, Problem, TokenError, UNLIMITED, Uid, VALUE_MAX_CHARS, WrittenTime,
};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::ViewParams;
use crate::web::params::KeyedParams;
use crate::web::state::App;

/// Changes a token. Its times, uses and lock must be given.
///
/// Prefer `update_token`, which changes nothing but what is given.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct EditToken {
    /// The token's uid.
    #[serde(default)]
    #[schemars(extend("x-in-path" = true))]
    token_uid: Given<Uid>,
    /// The first moment at which the token is valid. Empty: no bound.
    valid_from: Given<WrittenTime>,
    /// The last moment at which it is valid, later than `valid_from`. Empty: no bound.
    valid_to: Given<WrittenTime>,
    /// The uses that are left; -1 is unlimited. It must not be empty.
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    usage_count: Given<i32>,
    /// Seconds for which the token is locked after a use. It must not be empty.
    #[validate(range(min = 0, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    lock_time: Given<i32>,
    /// What the QR code says, as in `add_token`; a value that it could not be given now may stay. Empty: the uid. Left out: it
    /// stays.
    #[serde(default)]
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value: Given<String>,
    /// Text for people. Empty, or white space alone: no label. Left out: it stays.
    #[serde(default)]
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Given<String>,
    /// `token` answers the token as it is then.
    r#return: Option<Return>,
}

impl ViewParams for EditToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example(), "valid_from": "", "valid_to": "2026-12-31", "usage_count": 5, "lock_time": 0})
    }

    fn errors() -> Vec<Error> {
        vec![
            TokenError::Unknown(Uid::example()).into(),
            TokenError::value("usage_count", Problem::Empty).into(),
            TokenError::value("value", Problem::NotUnique).into(),
        ]
    }
}

/// Changes what is given of a token.
///
/// What is left out stays as it is. Uses that are consumed meanwhile are not lost.
#[derive(Deserialize, JsonSchema, Validate)]
#[schemars(extend("not" = {"required": ["usage_count", "add_uses"]}))]
pub(crate) struct UpdateToken {
    /// The token's uid.
    #[serde(default)]
    #[schemars(extend("x-in-path" = true))]
    token_uid: Given<Uid>,
    /// The first moment at which the token is valid. Empty: no bound. Left out: it stays.
    #[serde(default)]
    valid_from: Given<WrittenTime>,
    /// The last moment at which it is valid, later than `valid_from`. Empty: no bound. Left out: it stays.
    #[serde(default)]
    valid_to: Given<WrittenTime>,
    /// The uses that are left; -1 is unlimited. It must not be empty. Left out: they stay.
    #[serde(default)]
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    usage_count: Given<i32>,
    /// Seconds for which the token is locked after a use. It must not be empty. Left out: they stay.
    #[serde(default)]
    #[validate(range(min = 0, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    lock_time: Given<i32>,
    /// What the QR code says, as in `add_token`. Empty: the uid. Left out: it stays.
    #[serde(default)]
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value: Given<String>,
    /// Text for people. Empty: no label. Left out: it stays.
    #[serde(default)]
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Given<String>,
    /// Added to the uses that are left, or subtracted if negative; uses that are consumed meanwhile count. Not together with
    /// `usage_count`, not for a token with unlimited uses, and not if the result would be below 0. It must not be empty.
    #[serde(default)]
    #[validate(range(min = i32::MIN, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    add_uses: Given<i32>,
    /// `token` answers the token as it is then.
    r#return: Option<Return>,
}

impl ViewParams for UpdateToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example(), "add_uses": 2, "label": "Anna B."})
    }

    fn errors() -> Vec<Error> {
        vec![
            TokenError::Unknown(Uid::example()).into(),
            TokenError::value("add_uses", Problem::NotTogether { with: "usage_count".into() }).into(),
            TokenError::value("valid_from", Problem::NotEarlier { than: "valid_to".into() }).into(),
            TokenError::value("add_uses", Problem::Unlimited).into(),
            TokenError::value("add_uses", Problem::UsesLeftOutOfRange { uses_left: 1, add_uses: -2 }).into(),
        ]
    }
}

/// Changes a token as cone.tokens does: four fields must be present.
pub(crate) async fn edit_token(
    _who: Allowed<Edit>,
    uid: Option<web::Path<String>>,
    KeyedParams { params, request }: KeyedParams<EditToken>,
    app: web::Data<App>,
) -> Result<Answer<Once<Changed>>, Error> {
    let EditToken { token_uid, valid_from, valid_to, usage_count, lock_time, value, label, r#return } = params;
    let fields = TokenFields { value, label, valid_from, valid_to, usage_count, lock_time, add_uses: Given::Absent };
    change(&app, request, (named_uid(uid, token_uid)?, r#return), fields).await
}

/// Changes of a token what is given, and nothing else.
pub(crate) async fn update_token(
    _who: Allowed<Edit>,
    uid: Option<web::Path<String>>,
    KeyedParams { params, request }: KeyedParams<UpdateToken>,
    app: web::Data<App>,
) -> Result<Answer<Once<Changed>>, Error> {
    let UpdateToken { token_uid, valid_from, valid_to, usage_count, lock_time, value, label, add_uses, r#return } =
        params;
    let fields = TokenFields { value, label, valid_from, valid_to, usage_count, lock_time, add_uses };
    change(&app, request, (named_uid(uid, token_uid)?, r#return), fields).await
}

async fn change(
    app: &App,
    request: Option<KeyedRequest>,
    (uid, wanted): (Uid, Option<Return>),
    fields: TokenFields,
) -> Result<Answer<Once<Changed>>, Error> {
    check_link(&app.public_url, fields.value.as_value().map(String::as_str), uid)?;
    let change = fields.change(app.zone)?;
    change_once(app, request, (uid, wanted), move |connection, now| tokens::change(connection, uid, &change, now)).await
}
