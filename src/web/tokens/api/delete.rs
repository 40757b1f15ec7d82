//! `delete_token` and `delete_tokens`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::named_uid;
use crate::store::tokens;
use crate::token::validation::chars;
use crate::token::{Given, LIST_MAX, Problem, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Delete};
use crate::web::json::{Answer, Done};
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::params::{LARGE, Params};
use crate::web::state::App;
use crate::work::actions;

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

/// Tokens were deleted.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    /// How many.
    count: usize,
}

impl ViewAnswer for Deleted {
    fn example() -> Value {
        json!({"count": 1})
    }
}

/// Deletes a token.
pub(crate) async fn delete_token(
    who: Allowed<Delete>,
    uid: Option<web::Path<String>>,
    Params(params): Params<DeleteToken>,
    app: web::Data<App>,
) -> Result<Answer<Done>, Error> {
    let (uid, now) = (named_uid(uid, params.token_uid)?, app.store.now());
    app.store.write(move |connection| tokens::delete(connection, &[uid], &who.caller.principal, now)).await?;
    Ok(Answer(Done {}))
}

/// Deletes all tokens of a list, or none.
pub(crate) async fn delete_tokens(
    who: Allowed<Delete>,
    Params(params): Params<DeleteTokens, LARGE>,
    app: web::Data<App>,
) -> Result<Answer<Deleted>, Error> {
    let permit = app.background.long_list_permit().await?;
    app.recheck(&who.caller).await?;
    let uids = params.token_uids;
    let count = actions::delete_tokens(&app.background, uids, who.caller.principal, permit).await?;
    app.counts.forget();
    Ok(Answer(Deleted { count }))
}
