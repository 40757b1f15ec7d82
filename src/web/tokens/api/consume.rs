//! `consume_token`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::lookup;
use super::refused::Refused;
use crate::store::gates::Gate;
use crate::token::consume::try_consume;
use crate::token::settle::{Answer, Ask, Deed, Lookup, Receipt, ReplayKey, TokenSummary};
use crate::token::{TokenError, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::gates::replay::replay_or;
use crate::web::guard::{Allowed, Consume, refuse_foreign_get, refuse_prefetch};
use crate::web::json::success;
use crate::web::params::Params;
use crate::web::params::filters::time;
use crate::web::state::App;

const PARAMETERS: [&str; 7] = ["token_uid", "value", "nonce", "uses", "gate", "test", "at"];

#[derive(Serialize)]
struct Used {
    consumed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
    #[serde(flatten)]
    summary: TokenSummary,
    uses: i32,
    usage_uid: Option<Uid>,
    gate: Option<String>,
}

/// Uses a token, or says whether it could be used.
pub(crate) async fn consume_token(
    who: Allowed<Consume>,
    request: HttpRequest,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    refuse_prefetch(&request)?;
    refuse_foreign_get(&request)?;
    params.only(&PARAMETERS)?;
    let what = lookup(uid.as_deref().map(String::as_str), &params, &app)?;
    let key = replay_key(&request, &params)?;
    let (uses, is_test) = (uses(&params)?, is_test(&params)?);
    let gate = gate_for(&app, &who.caller, &params, (uses, is_test)).await;
    if is_test {
        return test(&app, &who.caller, &params, (what, uses, gate?)).await;
    }
    let gate = match gate {
        Ok(gate) => gate,
        Err(refusal) => {
            let receipt = replay_or(refusal, (&app, &who.caller, &params), (what, uses, key)).await?;
            let gate = app.gates.name(&app.store, receipt.gate).await?;
            return Ok(used(receipt, gate, true));
        }
    };
    let deed = Deed::Use { what, uses, gate: gate.as_ref().map(|gate| gate.id) };
    match app.store.consume(Ask::new(who.caller.principal.clone(), deed, key)).await? {
        Answer::Done(receipt, _) => Ok(used(receipt, gate.map(|gate| gate.name), false)),
        Answer::Replayed(receipt) => Ok(used(receipt, gate.map(|gate| gate.name), true)),
        Answer::NotKept => Err(Error::fault("a use was answered as a replay")),
        Answer::Mistaken(error) => Err(error.into()),
        Answer::Forbidden(why) => Err(Error::Forbidden(why.into())),
        Answer::Refused(refused) => Refused::new(refused, gate).answer(&app, &who.caller).await,
    }
}

/// The gate of a request, if it allows so many uses at once, or the test.
async fn gate_for(
    app: &App,
    caller: &Caller,
    params: &Params,
    (uses, is_test): (i32, bool),
) -> Result<Option<Gate>, Error> {
    let gate = gate_of(app, caller, params).await?;
    check_rules(gate.as_ref(), uses, is_test)?;
    Ok(gate)
}

fn used(receipt: Receipt, gate: Option<String>, replayed: bool) -> HttpResponse {
    let Receipt { summary, usage_uid, uses, .. } = receipt;
    success(Used { consumed: true, replayed, test: false, summary, uses, usage_uid: Some(usage_uid), gate })
}

/// What consuming would answer, now or at another moment. It uses nothing, and leaves no entry in the log.
async fn test(
    app: &App,
    caller: &Caller,
    params: &Params,
    (what, uses, gate): (Lookup, i32, Option<Gate>),
) -> Result<HttpResponse, Error> {
    let at = time(params, "at", app.zone)?.unwrap_or_else(|| app.store.now());
    let token = app.store.look_up(what).await??;
    match try_consume(token.as_ref(), uses, at) {
        Ok(after) => {
            let (summary, gate) = (TokenSummary::from(&after), gate.map(|gate| gate.name));
            Ok(success(Used { consumed: false, replayed: false, test: true, summary, uses, usage_uid: None, gate }))
        }
        Err(refused) => Refused::new(*refused, gate).in_test().answer(app, caller).await,
    }
}

/// How many uses are wanted at once: one, if nothing says so.
///
/// # Errors
/// A value error when it is no whole number from 1 on.
pub(crate) fn uses(params: &Params) -> Result<i32, Error> {
    let uses = params.number("uses", 1..=i32::MAX.unsigned_abs() as usize)?;
    Ok(uses.and_then(|uses| i32::try_from(uses).ok()).unwrap_or(1))
}

/// Whether it is only asked what would happen.
///
/// # Errors
/// A value error for anything else than 1, and for a moment without a test.
pub(crate) fn is_test(params: &Params) -> Result<bool, Error> {
    let wrong = |name, why: &str| Err(TokenError::value(name, why).into());
    match params.filled("test")?.as_deref() {
        Some("1") => Ok(true),
        None if params.filled("at")?.is_some() => wrong("at", "at goes with test=1 only"),
        None => Ok(false),
        // Neither a use nor a test, whatever else is meant by it: a use could be a surprise.
        Some(_) => wrong("test", "test is 1, or left out"),
    }
}

/// The idempotency key, from the header or from `nonce`.
fn replay_key(request: &HttpRequest, params: &Params) -> Result<Option<ReplayKey>, Error> {
    let header = header_key(request)?;
    let nonce = params.text("nonce")?;
    if header.is_some() && nonce.is_some() && header != nonce {
        return Err(TokenError::value("nonce", TWO_KEYS).into());
    }
    let Some(key) = header.or(nonce) else { return Ok(None) };
    Ok(Some(ReplayKey::new(key)?))
}

const TWO_KEYS: &str = "Two idempotency keys are given that are not the same";

/// The idempotency key of the header.
///
/// # Errors
/// A value error when there are two, or it is not visible ASCII.
pub(super) fn header_key(request: &HttpRequest) -> Result<Option<String>, Error> {
    let wrong = |why: &str| Error::from(TokenError::value("nonce", why));
    let mut headers = request.headers().get_all("idempotency-key");
    let header = headers.next().map(|value| value.to_str().map(str::trim).map(str::to_owned));
    let header = header.transpose().map_err(|_| wrong("The Idempotency-Key is not visible ASCII"))?;
    if headers.next().is_some() { Err(wrong(TWO_KEYS)) } else { Ok(header) }
}
