//! `undo_consume`.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use crate::access::Permission;
use crate::token::settle::{Answer as Settled, Ask, Deed, NamedUse, OwnedKey, Receipt, ReplayKey, TokenSummary};
use crate::token::{Problem, TokenError, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume};
use crate::web::idempotency_key::{IdempotencyKey, KEY_MAX_CHARS};
use crate::web::json::Answer;
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::params::Params;
use crate::web::state::App;

/// Gives back what a use took, once.
///
/// Anyone who may consume can undo their own uses; editors can undo anyone's. That is possible for 60 seconds, or as long as
/// the rules of the use's gate allow. An `Idempotency-Key` is the undo's own.
///
/// The use then counts as not made, also for `never_used` and in the counts of batches and print runs: its uses are back, and
/// the lock runs again from where it ran before. `last_used` stays. Where the office has undone a change of the token's uses,
/// before or after, the token has left what it would have had without both.
///
/// A second undo, one that comes too late, and the key of the undone use are a `TokenValueError`. The use of a voided token can
/// be undone; of a deleted one that is a `TokenNotExists`.
#[derive(Deserialize, JsonSchema, Validate)]
#[schemars(extend("x-exactly-one-of" = ["usage_uid", "nonce"]))]
pub(crate) struct UndoConsume {
    /// The uid of the use's entry in the usage log, as its answer has it.
    usage_uid: Option<Uid>,
    /// The idempotency key with which the caller made the use. Not together with `usage_uid`.
    #[validate(length(max = KEY_MAX_CHARS))]
    nonce: Option<String>,
}

impl ViewParams for UndoConsume {
    fn example() -> Value {
        json!({"usage_uid": "0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7"})
    }

    fn errors() -> Vec<Error> {
        let value = |problem| TokenError::value("usage_uid", problem).into();
        vec![
            TokenError::missing_one_of(&["usage_uid", "nonce"]).into(),
            value(Problem::NoSuchUse),
            value(Problem::AlreadyUndone),
            value(Problem::TooLateToUndo { seconds_ago: 75, max_seconds: 60 }),
            TokenError::Unknown(Uid::example()).into(),
        ]
    }
}

/// A use was undone.
#[derive(Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct Undone {
    /// Always true.
    undone: bool,
    /// It was undone earlier, with the same idempotency key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(flatten)]
    summary: TokenSummary,
    /// How many uses were given back, as a negative number: so successes in the log sum to what was used.
    uses: i32,
    /// The uid of the undo's own entry in the usage log.
    usage_uid: Uid,
    /// The name of the use's gate, or null.
    gate: Option<String>,
}

impl ViewAnswer for Undone {
    fn example() -> Value {
        json!({
            "undone": true,
            "token_uid": Uid::example(),
            "value": Uid::example(),
            "label": "Anna",
            "usage_count": 3,
            "last_used": "2026-09-22T08:30:00.123456Z",
            "valid_from": null,
            "valid_to": null,
            "uses": -1,
            "usage_uid": "0199705f-4d1a-7e52-8c3f-2b7a9d60e4f8",
            "gate": null
        })
    }
}

/// Undoes a use: what it took is given back, once.
pub(crate) async fn undo_consume(
    who: Allowed<Consume>,
    Params(params): Params<UndoConsume>,
    IdempotencyKey(key): IdempotencyKey,
    app: web::Data<App>,
) -> Result<Answer<Undone>, Error> {
    let (receipt, replayed) =
        undo_use(&app, &who.caller, named_use(params, &who.caller)?, key.map(|key| who.caller.own(key))).await?;
    let Receipt { summary, usage_uid, uses, gate } = receipt;
    let gate = app.gates.name(&app.store, gate).await?;
    Ok(Answer(Undone { undone: true, replayed, summary, uses, usage_uid, gate }))
}

/// Undoes a use for a caller, and returns whether that was done before for the same key.
///
/// # Errors
/// A value error, unknown or forbidden, when it cannot be undone.
pub(crate) async fn undo_use(
    app: &App,
    caller: &Caller,
    which: NamedUse,
    key: Option<OwnedKey>,
) -> Result<(Receipt, bool), Error> {
    let deed = Deed::Undo { which, anybody: caller.role.may(Permission::Edit) };
    match app.store.consume(Ask::new(caller.principal.clone(), deed, key)).await? {
        Settled::Done(receipt, _) => Ok((receipt, false)),
        Settled::Replayed(receipt) => Ok((receipt, true)),
        Settled::Mistaken(error) => Err(error.into()),
        Settled::Forbidden(why) => Err(Error::Forbidden(why.into())),
        Settled::Refused(_) | Settled::NotKept => Err(Error::fault("an undo was answered as a use")),
    }
}

/// The use that is to be undone: by the key with which the caller made it, or by its entry in the log.
fn named_use(params: UndoConsume, caller: &Caller) -> Result<NamedUse, TokenError> {
    match (params.nonce, params.usage_uid) {
        (Some(nonce), None) => Ok(NamedUse::Key(caller.own(ReplayKey::new(nonce)?))),
        (None, Some(uid)) => Ok(NamedUse::Entry(uid)),
        (Some(_), Some(_)) => Err(TokenError::value("usage_uid", Problem::NotTogether { with: "nonce".into() })),
        (None, None) => Err(TokenError::missing_one_of(&["usage_uid", "nonce"])),
    }
}
