//! `delete_token` and `delete_tokens`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::lists::change_list;
use super::{ChangedMany, named_uid, once};
use crate::store::tokens;
use crate::token::list_change::ListChange;
use crate::token::validation::chars;
use crate::token::{Given, LIST_MAX, Problem, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Delete};
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::params::{KeyedParams, LARGE};
use crate::web::state::App;

/// Deletes a token.
///
/// Its value is free again, its uid is never given again, and the usage log keeps what was used. Only the browser can restore
/// it, for 30 days.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct DeleteToken {
    /// The token's uid.
    #[serde(default)]
    #[schemars(extend("x-in-path" = true))]
    token_uid: Given<Uid>,
}

impl ViewParams for DeleteToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example()})
    }

    fn errors() -> Vec<Error> {
        vec![TokenError::Unknown(Uid::example()).into()]
    }
}

/// Deletes many tokens: all or none.
///
/// An unknown uid refuses the list. Until the answer comes, some tokens of a long list may be deleted and others not yet.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct DeleteTokens {
    /// Their uids, as a JSON list; in a form and in a query string as its text. Repeats count once.
    #[validate(length(max = chars(LIST_MAX)))]
    token_uids: Vec<Uid>,
}

impl ViewParams for DeleteTokens {
    fn example() -> Value {
        json!({"token_uids": [Uid::example()]})
    }

    fn errors() -> Vec<Error> {
        let (count, max) = (LIST_MAX as u64 + 1, LIST_MAX as u64);
        vec![
            TokenError::Unknown(Uid::example()).into(),
            TokenError::value("token_uids", Problem::TooManyItems { count, max }).into(),
        ]
    }
}

/// A token was deleted.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Deleted {}

impl ViewAnswer for Deleted {
    fn example() -> Value {
        json!({})
    }
}

/// Deletes a token.
pub(crate) async fn delete_token(
    who: Allowed<Delete>,
    uid: Option<web::Path<String>>,
    KeyedParams { params, request }: KeyedParams<DeleteToken>,
    app: web::Data<App>,
) -> Result<Answer<Once<Deleted>>, Error> {
    let (uid, by) = (named_uid(uid, params.token_uid)?, who.caller.principal);
    once(&app, request, move |connection, now| {
        tokens::delete(connection, &[uid], &by, now)?;
        Ok(Deleted {})
    })
    .await
}

/// Deletes all tokens of a list, or none.
pub(crate) async fn delete_tokens(
    who: Allowed<Delete>,
    KeyedParams { params, request }: KeyedParams<DeleteTokens, LARGE>,
    app: web::Data<App>,
) -> Result<Answer<Once<ChangedMany>>, Error> {
    change_list(&app, who.caller, request, ListChange::delete(params.token_uids)).await
}
