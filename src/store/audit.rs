//! The audit: what was done to users and keys, and by whom.

use diesel::prelude::*;

use super::Error;
use super::connection::Connection;
use super::schema::audit;
use crate::access::Principal;
use crate::token::Micros;

/// Records an action, within the transaction that does it.
///
/// # Errors
/// The database's.
pub fn record(
    connection: &mut Connection,
    by: &Principal,
    action: &str,
    subject: &str,
    detail: &str,
    now: Micros,
) -> Result<(), Error> {
    let row = (
        audit::timestamp.eq(now.get()),
        audit::principal.eq(by.as_str()),
        audit::action.eq(action),
        audit::subject.eq(subject),
        audit::detail.eq(detail),
    );
    diesel::insert_into(audit::table).values(row).execute(connection)?;
    Ok(())
}
