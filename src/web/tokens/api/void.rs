//! `void_token` and `restore_token`.

use actix_web::web;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use validator::Validate;

use super::{Changed, Return, change_once, named_uid};
use crate::store::tokens::void;
use crate::token::validation::chars;
use crate::token::void::{REASON_MAX_CHARS, read_reason};
use crate::token::{Given, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Void};
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::ViewParams;
use crate::web::params::KeyedParams;
use crate::web::state::App;

/// Voids a token: nobody can use it any more.
///
/// It keeps its value and its place in lists until `restore_token`. No use that is decided after the answer succeeds. Voiding
/// a voided token succeeds, and replaces the reason if one is given.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct VoidToken {
    /// The token's uid.
    #[serde(default)]
    #[schemars(extend("x-in-path" = true))]
    token_uid: Given<Uid>,
    /// Why, for people: one line. Empty: no reason.
    #[validate(length(max = chars(REASON_MAX_CHARS)))]
    reason: Option<String>,
    /// `token` answers the token as it is then.
    r#return: Option<Return>,
}

impl ViewParams for VoidToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example(), "reason": "Lost"})
    }

    fn errors() -> Vec<Error> {
        vec![TokenError::Unknown(Uid::example()).into()]
    }
}

/// Restores a voided token.
///
/// A token that is not voided stays as it is. Restoring does not undo a deletion.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct RestoreToken {
    /// The token's uid.
    #[serde(default)]
    #[schemars(extend("x-in-path" = true))]
    token_uid: Given<Uid>,
    /// `token` answers the token as it is then.
    r#return: Option<Return>,
}

impl ViewParams for RestoreToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example()})
    }

    fn errors() -> Vec<Error> {
        vec![TokenError::Unknown(Uid::example()).into()]
    }
}

/// Voids a token. One that is voided already gets another reason, if one is given.
pub(crate) async fn void_token(
    who: Allowed<Void>,
    uid: Option<web::Path<String>>,
    KeyedParams { params, request }: KeyedParams<VoidToken>,
    app: web::Data<App>,
) -> Result<Answer<Once<Changed>>, Error> {
    let uid = named_uid(uid, params.token_uid)?;
    let reason = params.reason.map(|text| read_reason(&text)).transpose()?.flatten();
    let by = who.caller.principal;
    change_once(&app, request, (uid, params.r#return), move |connection, now| {
        void::void(connection, uid, reason.as_deref(), &by, now)
    })
    .await
}

/// Restores a voided token; one that is not voided stays as it is.
pub(crate) async fn restore_token(
    who: Allowed<Void>,
    uid: Option<web::Path<String>>,
    KeyedParams { params, request }: KeyedParams<RestoreToken>,
    app: web::Data<App>,
) -> Result<Answer<Once<Changed>>, Error> {
    let (uid, by) = (named_uid(uid, params.token_uid)?, who.caller.principal);
    change_once(&app, request, (uid, params.r#return), move |connection, now| void::restore(connection, uid, &by, now))
        .await
}
