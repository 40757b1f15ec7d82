//! Voids and restores a single token. Voiding many tokens, or one by a click, is an [action](crate::store::actions).

use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::{audit, tokens};
use crate::token::{Micros, Token, TokenError, Uid, Voided};

/// Voids a token, and records it. A token that is already voided gets the new reason, if one is given, but keeps the
/// time and principal of the first voiding.
///
/// # Errors
/// Unknown when there is no such token.
pub fn void(
    connection: &mut Connection,
    uid: Uid,
    reason: Option<&str>,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let voided = |token: &Token| Voided::again(token.voided.as_ref(), reason, by, now);
    if change(connection, uid, |token| Some(voided(token)), now)? {
        audit::record(connection, by, "token void", &uid.to_string(), reason.unwrap_or_default(), now)?;
    }
    Ok(())
}

/// Restores a voided token, and records it. A token that is not voided stays as it is.
///
/// # Errors
/// Unknown when there is no such token.
pub(crate) fn restore(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<(), Error> {
    if change(connection, uid, |_| None, now)? {
        audit::record(connection, by, "token unvoid", &uid.to_string(), "", now)?;
    }
    Ok(())
}

/// Returns whether anything was changed.
fn change(
    connection: &mut Connection,
    uid: Uid,
    voided: impl FnOnce(&Token) -> Option<Voided>,
    now: Micros,
) -> Result<bool, Error> {
    let Some((id, token)) = tokens::find::lock(connection, uid, now)? else {
        return Err(TokenError::Unknown(uid).into());
    };
    let changed = Token { voided: voided(&token), ..token.clone() };
    let is_changed = changed != token;
    tokens::write::put(connection, id, &token, changed, now)?;
    Ok(is_changed)
}
