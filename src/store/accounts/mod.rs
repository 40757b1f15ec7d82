//! Users, keys, sessions, and failed sign-ins.

pub mod keys;
pub(crate) mod login_attempts;
pub(crate) mod sessions;
pub mod users;

use crate::access::{Permission, Principal};
use crate::token::Micros;

use super::connection::Connection;
use super::error::Error;

/// Holds that a principal is still there and has the permission: for work that goes on after its request was answered.
///
/// # Errors
/// Refused when the user or the key has ended, or has another role.
pub(crate) fn check_may(
    connection: &mut Connection,
    who: &Principal,
    permission: Permission,
    now: Micros,
) -> Result<(), Error> {
    let role = match who.as_str().split_once(':') {
        Some(("user", name)) => {
            users::find(connection, name)?.filter(|user| user.disabled.is_none()).map(|user| user.role)
        }
        Some(("key", name)) => keys::by_name(connection, name)?.filter(|key| !key.is_expired(now)).map(|key| key.role),
        // The command line, which needs no account.
        _ => return Ok(()),
    };
    match role {
        Some(role) if role.may(permission) => Ok(()),
        _ => Err(Error::Refused("Whoever began this may no longer do it.".into())),
    }
}
