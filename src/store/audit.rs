//! The audit: what was done to users, keys and tokens, who signed in, and who could not.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::connection::{Connection, MultiBackend, position};
use super::cursor::Cursor;
use super::error::Error;
use super::schema::audit;
use crate::access::Principal;
use crate::token::Micros;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was done.
    pub(crate) at: Micros,
    /// The principal that did it.
    pub by: String,
    /// What was done, as [`record`] was told.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// What else is to be known.
    pub detail: String,
}

/// Which entries are asked for. Bounds are inclusive.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Part of the principal; Latin letters in either case.
    pub(crate) who: Option<String>,
    /// The action, exactly.
    pub(crate) what: Option<String>,
    /// Not before.
    pub(crate) from: Option<Micros>,
    /// Not after.
    pub(crate) to: Option<Micros>,
}

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

/// Entries by their numbers, the newest first; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    filter: &AuditFilter,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<(Cursor, Entry)>> {
    type Row = (i64, i64, String, String, String, String);
    let mut query = filtered(connection, filter);
    if let Some(place) = after {
        query = query.filter(audit::id.lt(place.id()));
    }
    let columns = (audit::id, audit::timestamp, audit::principal, audit::action, audit::subject, audit::detail);
    let rows: Vec<Row> = query.order(audit::id.desc()).select(columns).limit(limit).load(connection)?;
    let entry = |(id, at, by, action, subject, detail): Row| {
        (Cursor::number(at, id), Entry { at: Micros::stored(at), by, action, subject, detail })
    };
    Ok(rows.into_iter().map(entry).collect())
}

fn filtered(connection: &Connection, filter: &AuditFilter) -> audit::BoxedQuery<'static, MultiBackend> {
    let mut query = audit::table.into_boxed();
    if let Some(who) = &filter.who {
        let found = sql::<Bool>(position(connection)).sql("(LOWER(audit.principal), ");
        query = query.filter(found.bind::<Text, _>(who.to_ascii_lowercase()).sql(") > 0"));
    }
    if let Some(what) = &filter.what {
        query = query.filter(audit::action.eq(what.clone()));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit::timestamp.ge(from.get()));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit::timestamp.le(to.get()));
    }
    query
}
