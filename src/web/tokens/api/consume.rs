//! `consume_token`.

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::lookup;
use super::refused::{Refused, RefusedUse};
use crate::store::gates::Gate;
use crate::token::consume::try_consume;
use crate::token::settle::{Answer as Settled, Ask, Deed, Lookup, OwnedKey, Receipt, TokenSummary};
use crate::token::{Given, Micros, Problem, TokenError, Uid, WrittenTime};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::gates::replay::replay_or;
use crate::web::guard::{Allowed, Consume, refuse_foreign_get, refuse_prefetch};
use crate::web::idempotency_key::{IdempotencyKey, KEY_MAX_CHARS};
use crate::web::json::Answer;
use crate::web::openapi::operation::{DescribesAnswer, Operation, ViewAnswer, ViewParams};
use crate::web::params::Params;
use crate::web::params::filters::moment;
use crate::web::state::App;

/// Uses a token, if it can be used.
///
/// It checks in this order, and the first check that fails is the refusal: the token exists, is not voided, has uses left, is
/// not locked, and is within its time range. Check, change and log entry are one step on the disk, and the answer is sent only
/// after that step would survive a power cut. Every attempt, refused or not, is in the usage log exactly once.
///
/// Send an `Idempotency-Key` wherever a lost answer matters, and prefer POST: proxies and browsers may repeat a GET. HEAD is a
/// 405. A request that says it is a prefetch (`Sec-Purpose`, `Purpose` or `X-Moz`) is a 403. Neither counts as an attempt, and
/// nor does a request that cannot be read, contradicts itself, or is not allowed.
#[derive(Deserialize, JsonSchema, Validate)]
#[schemars(extend("x-one-of" = ["token_uid", "value"], "dependentRequired" = {"at": ["test"]}))]
pub(crate) struct ConsumeToken {
    /// The token's uid, in either case.
    #[serde(default)]
    #[schemars(extend("x-in-path" = true))]
    token_uid: Given<Uid>,
    /// Its value, or what a code with a link says: `https://your.host/{uid}`. White space and line ends around it are cut, and a
    /// uid may be in capitals. No token has an empty value.
    #[serde(default)]
    value: Given<String>,
    /// The idempotency key, where no header can be sent.
    #[serde(default)]
    #[validate(length(min = 1, max = KEY_MAX_CHARS))]
    #[schemars(extend("x-not-empty" = true))]
    nonce: Given<String>,
    /// How many uses at once: all of them or none. More than are left is a `TokenUsageCountExceeded`. One entry in the log says
    /// how many.
    #[validate(range(min = 1, max = i32::MAX))]
    #[schemars(extend("default" = 1))]
    uses: Option<i32>,
    /// The name of the gate at which the token is used. An unknown or closed gate is a `TokenValueError`; what its rules forbid
    /// is a 403. Neither is logged. A key that is tied to a gate uses that one; naming another one is a 403.
    gate: Option<String>,
    /// `1` answers what a use would answer, with `"test": true, "consumed": false`, and uses and logs nothing. A gate that allows
    /// no look-up does not allow it. Anything but `1` is a `TokenValueError`, an empty one too: a use could be a surprise.
    #[serde(default)]
    #[schemars(extend("x-not-empty" = true))]
    test: Given<Yes>,
    /// The moment that a test means. Left out: now.
    at: Option<WrittenTime>,
}

impl ViewParams for ConsumeToken {
    fn example() -> Value {
        json!({"token_uid": Uid::example(), "uses": 1})
    }

    fn errors() -> Vec<Error> {
        let value = |param: &'static str, problem| TokenError::value(param, problem).into();
        vec![
            TokenError::missing_one_of(&["token_uid", "value"]).into(),
            value("gate", Problem::NoSuchGate { gate: "South".into() }),
            value("gate", Problem::GateClosed { gate: "South entrance".into() }),
            value("Idempotency-Key", Problem::KeyReused),
            value("Idempotency-Key", Problem::KeyUndone),
            value("at", Problem::OnlyTogether { with: "test".into() }),
        ]
    }
}

/// The one value of a parameter that is given or not.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub(crate) enum Yes {
    /// Yes.
    #[serde(rename = "1")]
    Yes,
}

/// A token was used, or could be used.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Used {
    /// Whether it was used; false in a test.
    consumed: bool,
    /// It was used earlier, with the same idempotency key; now nothing was used or logged.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    /// It was only asked what would happen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
    #[serde(flatten)]
    summary: TokenSummary,
    /// How many uses were taken.
    uses: i32,
    /// The uid of the entry in the usage log; null in a test.
    usage_uid: Option<Uid>,
    /// The name of the gate, or null.
    gate: Option<String>,
}

impl ViewAnswer for Used {
    fn example() -> Value {
        json!({
            "consumed": true,
            "token_uid": Uid::example(),
            "value": Uid::example(),
            "label": "Anna",
            "usage_count": 2,
            "last_used": "2026-09-22T08:30:00.123456Z",
            "valid_from": "2026-09-22T08:30:00Z",
            "valid_to": null,
            "uses": 1,
            "usage_uid": "0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7",
            "gate": null
        })
    }
}

/// What became of a use.
pub(crate) enum Consumed {
    /// It was made.
    Used(Used),
    /// It was refused.
    Refused(Box<RefusedUse>),
}

impl From<RefusedUse> for Consumed {
    fn from(refused: RefusedUse) -> Self {
        Self::Refused(Box::new(refused))
    }
}

impl Responder for Consumed {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self {
            Self::Used(used) => Answer(used).response(),
            Self::Refused(refused) => refused.response(),
        }
    }
}

impl DescribesAnswer for Consumed {
    fn describe(operation: &mut Operation) {
        Answer::<Used>::describe(operation);
        RefusedUse::describe(operation);
    }
}

/// Uses a token, or says whether it could be used.
pub(crate) async fn consume_token(
    who: Allowed<Consume>,
    request: HttpRequest,
    uid: Option<web::Path<String>>,
    Params(params): Params<ConsumeToken>,
    header: IdempotencyKey,
    app: web::Data<App>,
) -> Result<Consumed, Error> {
    refuse_prefetch(&request)?;
    refuse_foreign_get(&request)?;
    let what = lookup(uid, params.token_uid, params.value, &app)?;
    let (key, place) = header.or_nonce(params.nonce)?;
    let key = key.map(|key| who.caller.own(key));
    let (uses, test_at) = (params.uses.unwrap_or(1), test_moment(wanted_test(params.test)?, params.at.as_ref(), &app)?);
    let gate = gate_for(&app, &who.caller, params.gate.as_deref(), (uses, test_at.is_some())).await;
    if let Some(at) = test_at {
        return test(&app, &who.caller, at, (what, uses, gate?)).await;
    }
    let consumed = use_token(&app, &who.caller, (params.gate.as_deref(), gate), (what, uses, key)).await;
    consumed.map_err(|error| place.name(error))
}

/// Uses a token at a gate; where the gate refuses that, answers what the same request was answered before.
async fn use_token(
    app: &App,
    caller: &Caller,
    (named, gate): (Option<&str>, Result<Option<Gate>, Error>),
    (what, uses, key): (Lookup, i32, Option<OwnedKey>),
) -> Result<Consumed, Error> {
    let gate = match gate {
        Ok(gate) => gate,
        Err(refusal) => {
            let receipt = replay_or(refusal, (app, caller, named), (what, uses, key)).await?;
            let gate = app.gates.name(&app.store, receipt.gate).await?;
            return Ok(used(receipt, gate, true));
        }
    };
    let deed = Deed::Use { what, uses, gate: gate.as_ref().map(|gate| gate.id) };
    match app.store.consume(Ask::new(caller.principal.clone(), deed, key)).await? {
        Settled::Done(receipt, _) => Ok(used(receipt, gate.map(|gate| gate.name), false)),
        Settled::Replayed(receipt) => Ok(used(receipt, gate.map(|gate| gate.name), true)),
        Settled::NotKept => Err(Error::fault("a use was answered as a replay")),
        Settled::Mistaken(error) => Err(error.into()),
        Settled::Forbidden(why) => Err(Error::Forbidden(why.into())),
        Settled::Refused(refused) => Ok(Refused::new(refused, gate).answer(app, caller).await?.into()),
    }
}

/// The gate of a request, if it allows so many uses at once, or the test.
async fn gate_for(
    app: &App,
    caller: &Caller,
    named: Option<&str>,
    (uses, is_test): (i32, bool),
) -> Result<Option<Gate>, Error> {
    let gate = gate_of(app, caller, named).await?;
    check_rules(gate.as_ref(), uses, is_test)?;
    Ok(gate)
}

fn used(receipt: Receipt, gate: Option<String>, replayed: bool) -> Consumed {
    let Receipt { summary, usage_uid, uses, .. } = receipt;
    Consumed::Used(Used { consumed: true, replayed, test: false, summary, uses, usage_uid: Some(usage_uid), gate })
}

/// What consuming would answer at a moment. It uses nothing, and leaves no entry in the log.
async fn test(
    app: &App,
    caller: &Caller,
    at: Micros,
    (what, uses, gate): (Lookup, i32, Option<Gate>),
) -> Result<Consumed, Error> {
    let token = app.store.look_up(what).await??;
    match try_consume(token.as_ref(), uses, at) {
        Ok(after) => {
            let (summary, gate) = (TokenSummary::from(&after), gate.map(|gate| gate.name));
            let would_be = Used { consumed: false, replayed: false, test: true, summary, uses, usage_uid: None, gate };
            Ok(Consumed::Used(would_be))
        }
        Err(refused) => Ok(Refused::new(*refused, gate).in_test().answer(app, caller).await?.into()),
    }
}

/// Whether a test is wanted.
///
/// # Errors
/// A value error where that is left open: it could be a use or a test.
fn wanted_test(test: Given<Yes>) -> Result<Option<Yes>, TokenError> {
    match test {
        Given::Empty => Err(TokenError::value("test", Problem::Empty)),
        test => Ok(test.value()),
    }
}

/// The moment that a test means; none if it is no test.
///
/// # Errors
/// A value error for a moment without a test: a use could be a surprise.
pub(crate) fn test_moment(
    test: Option<Yes>,
    at: Option<&WrittenTime>,
    app: &App,
) -> Result<Option<Micros>, TokenError> {
    let at = moment("at", at, app.zone)?;
    match (test, at) {
        (None, Some(_)) => Err(TokenError::value("at", Problem::OnlyTogether { with: "test".into() })),
        (None, None) => Ok(None),
        (Some(Yes::Yes), at) => Ok(Some(at.unwrap_or_else(|| app.store.now()))),
    }
}
