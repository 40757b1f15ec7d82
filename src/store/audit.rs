//! The audit log: changes to users, keys, tokens and settings, and sign-ins, both successful and failed.

use std::collections::{HashMap, HashSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::connection::{Connection, MultiBackend, position};
use super::cursor::Cursor;
use super::error::Error;
use super::schema::{audit, tokens, users};
use crate::access::Principal;
use crate::token::Micros;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the action was done.
    pub(crate) at: Micros,
    /// The principal that did it.
    pub by: String,
    /// The name of the action, as passed to [`record`].
    pub action: String,
    /// Whom or what the action was done to.
    pub subject: String,
    /// Further details.
    pub detail: String,
}

/// Filters the entries. Bounds are inclusive.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The whole principal.
    pub(crate) principal: Option<String>,
    /// Part of the principal, ignoring the case of ASCII letters.
    pub(crate) who: Option<String>,
    /// The exact name of the action.
    pub(crate) what: Option<String>,
    /// The earliest moment.
    pub(crate) from: Option<Micros>,
    /// The latest moment.
    pub(crate) to: Option<Micros>,
}

/// Records an action, in the transaction that does it.
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

/// Entries, newest first; only those after the cursor `after`, if given.
pub fn page(
    connection: &mut Connection,
    filter: &AuditFilter,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<(Cursor, Entry)>> {
    type EntryRow = (i64, i64, String, String, String, String);
    let mut query = filtered(connection, filter);
    if let Some(cursor) = after {
        query = query.filter(audit::id.lt(cursor.id()));
    }
    let columns = (audit::id, audit::timestamp, audit::principal, audit::action, audit::subject, audit::detail);
    let rows: Vec<EntryRow> = query.order(audit::id.desc()).select(columns).limit(limit).load(connection)?;
    let entry = |(id, at, by, action, subject, detail): EntryRow| {
        (Cursor::number(at, id), Entry { at: Micros::stored(at), by, action, subject, detail })
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// What is there now, of what entries name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Users.
    pub(crate) users: HashSet<String>,
    /// Tokens by uid, with their labels.
    pub(crate) labels: HashMap<String, Option<String>>,
}

/// The users and tokens of these entries that are there.
pub(crate) fn names<'a>(
    connection: &mut Connection,
    entries: &(impl Iterator<Item = &'a Entry> + Clone),
) -> QueryResult<Names> {
    let of = |noun: &'static str| {
        let entries = entries.clone().filter(move |entry| entry.action.starts_with(noun));
        let subjects: HashSet<String> = entries.map(|entry| entry.subject.clone()).collect();
        subjects.into_iter().collect::<Vec<_>>()
    };
    let known = users::table.filter(users::name.eq_any(of("user "))).select(users::name).load(connection)?;
    let there = tokens::table.filter(tokens::uid.eq_any(of("token "))).filter(tokens::deleted_at.is_null());
    let labels: Vec<(String, Option<String>)> = there.select((tokens::uid, tokens::label)).load(connection)?;
    Ok(Names { users: known.into_iter().collect(), labels: labels.into_iter().collect() })
}

fn filtered(connection: &Connection, filter: &AuditFilter) -> audit::BoxedQuery<'static, MultiBackend> {
    let mut query = audit::table.into_boxed();
    if let Some(principal) = &filter.principal {
        query = query.filter(audit::principal.eq(principal.clone()));
    }
    if let Some(who) = &filter.who {
        let contains = sql::<Bool>(position(connection)).sql("(LOWER(audit.principal), ");
        query = query.filter(contains.bind::<Text, _>(who.to_ascii_lowercase()).sql(") > 0"));
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
