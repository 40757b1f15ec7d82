//! A use whose answer was lost, at a gate that would not allow it now.

use crate::token::TokenError;
use crate::token::settle::{Answer, Ask, Deed, FormerGate, Lookup, OwnedKey, Receipt};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::state::App;

/// What was answered to a request with the same key, before its gate was closed, renamed, or got other rules. Through the
/// queue of uses: the first request may be in it.
///
/// # Errors
/// The `refusal` when nothing was, or it is no gate's; a value error when the key was used for something else.
pub(crate) async fn replay_or(
    refusal: Error,
    (app, caller, named): (&App, &Caller, Option<&str>),
    (what, uses, key): (Lookup, i32, Option<OwnedKey>),
) -> Result<Receipt, Error> {
    let is_gates = matches!(refusal, Error::Token(TokenError::Value { .. }) | Error::Forbidden(_));
    let (true, Some(key), Some(gate)) = (is_gates, key, former_gate(app, caller, named).await?) else {
        return Err(refusal);
    };
    let ask = Ask::new(caller.principal.clone(), Deed::Replay { what, uses, gate }, Some(key));
    match app.store.consume(ask).await? {
        Answer::Replayed(receipt) => Ok(receipt),
        Answer::NotKept => Err(refusal),
        Answer::Mistaken(error) => Err(error.into()),
        Answer::Done(..) | Answer::Refused(_) | Answer::Forbidden(_) => Err(Error::fault("a replay was a use")),
    }
}

/// The gate that a request may have named before; none if it cannot have: the key of the caller is tied to another one.
async fn former_gate(app: &App, caller: &Caller, named: Option<&str>) -> Result<Option<FormerGate>, Error> {
    let Some(name) = named else { return Ok(Some(FormerGate::Is(caller.gate))) };
    let named = app.gates.find(&app.store, |gate| gate.name == name).await?.map(|gate| gate.id);
    Ok(match (caller.gate, named) {
        (Some(tied), Some(named)) if tied != named => None,
        (None, None) => Some(FormerGate::Renamed),
        (tied, named) => Some(FormerGate::Is(tied.or(named))),
    })
}
