//! The gate at which a request uses a token.

use crate::store::gates::Gate;
use crate::token::{Problem, TokenError, shown};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::state::App;
use crate::web::words;

/// The gate of the caller's key, or the one that `gate` names.
///
/// # Errors
/// A value error when there is no such gate, or it is closed; forbidden when the caller's key is tied to another one.
pub(crate) async fn gate_of(app: &App, caller: &Caller, named: Option<&str>) -> Result<Option<Gate>, Error> {
    let gate = match (caller.gate, named) {
        (None, None) => return Ok(None),
        (Some(tied), _) => app
            .gates
            .find(&app.store, |gate| gate.id == tied)
            .await?
            .ok_or_else(|| TokenError::value("gate", Problem::NoSuchGate { gate: String::new() }))?,
        (None, Some(name)) => by_name(app, name).await?,
    };
    if named.is_some_and(|name| name != gate.name) {
        return Err(Error::Forbidden(words::gates::key_is_tied(&gate.name)));
    }
    if gate.disabled.is_some() {
        return Err(TokenError::value("gate", Problem::GateClosed { gate: gate.name }).into());
    }
    Ok(Some(gate))
}

/// The gate with this name, open or closed.
///
/// # Errors
/// A value error when there is none: a typing error must not look like a gate where nothing was used.
pub(crate) async fn by_name(app: &App, name: &str) -> Result<Gate, Error> {
    let gate = app.gates.find(&app.store, |gate| gate.name == name).await?;
    gate.ok_or_else(|| TokenError::value("gate", Problem::NoSuchGate { gate: shown(name) }).into())
}

/// Holds that a gate allows so many uses at once, and to look at a token without using it, if that is what is wanted.
///
/// # Errors
/// Forbidden.
pub(crate) fn check_rules(gate: Option<&Gate>, uses: i32, looks_up: bool) -> Result<(), Error> {
    let Some(rules) = gate.map(|gate| &gate.rules) else { return Ok(()) };
    if looks_up && !rules.look_up {
        return Err(Error::Forbidden(words::gates::NO_LOOK_UP.into()));
    }
    if uses > 1 && !rules.several {
        return Err(Error::Forbidden(words::gates::NO_SEVERAL.into()));
    }
    Ok(())
}
