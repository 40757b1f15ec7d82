//! Sessions: rows and queries.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::access::Role;
use crate::access::session::{AGE_SECONDS, IDLE_SECONDS, SessionHash};
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::lookups::LookUp;
use crate::store::schema::{sessions, users};
use crate::token::Micros;

/// Whom a session belongs to.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// The user's id.
    pub(crate) user_id: i64,
    /// The user's name.
    pub(crate) name: String,
    /// What the user may do.
    pub(crate) role: Role,
    /// When the session was last used, to the minute.
    pub(crate) last_seen: Micros,
}

/// A session to begin.
pub(crate) struct NewSession<'a> {
    /// The hash of its secret id.
    pub(crate) hash: &'a SessionHash,
    /// The user's id.
    pub(crate) user_id: i64,
    /// The client's address.
    pub(crate) address: &'a str,
    /// The client's browser.
    pub(crate) agent: &'a str,
}

/// A session, as its user sees it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The row's id.
    pub(crate) id: i64,
    /// The hash of its secret id.
    pub(crate) hash: Vec<u8>,
    /// When it began.
    pub(crate) created: Micros,
    /// When it was last used.
    pub(crate) last_seen: Micros,
    /// The client's address when it began.
    pub(crate) address: String,
    /// The client's browser.
    pub(crate) agent: String,
}

/// Seconds by which a session may begin in the future: the clocks of two instances differ a little. One that begins later
/// was made while the clock was ahead, and would last for as long as that.
const AHEAD_SECONDS: i32 = 300;

fn ago(now: Micros, seconds: i32) -> i64 {
    now.get() - i64::from(seconds) * 1_000_000
}

/// Begins a session, and removes expired ones.
pub(crate) fn begin(connection: &mut Connection, new: &NewSession<'_>, now: Micros) -> Result<(), Error> {
    let old = sessions::created.le(ago(now, AGE_SECONDS)).or(sessions::last_seen.le(ago(now, IDLE_SECONDS)));
    let ahead = sessions::created.gt(ago(now, -AHEAD_SECONDS));
    diesel::delete(sessions::table.filter(old.or(ahead))).execute(connection)?;
    let row = (
        sessions::hash.eq(new.hash.as_slice()),
        sessions::user_id.eq(new.user_id),
        sessions::created.eq(now.get()),
        sessions::last_seen.eq(now.get()),
        sessions::address.eq(new.address),
        sessions::agent.eq(new.agent),
    );
    diesel::insert_into(sessions::table).values(row).execute(connection)?;
    Ok(())
}

/// When the session began and was last used; the user's id, name and role.
type Row = (i64, i64, (i64, String, String));

const COLUMNS: (sessions::created, sessions::last_seen, (users::id, users::name, users::role)) =
    (sessions::created, sessions::last_seen, (users::id, users::name, users::role));

/// Who is signed in by a session whose user may sign in, unless it has ended.
fn signed_in((created, last_seen, (user_id, name, role)): Row, now: Micros) -> Result<Option<SignedIn>, Error> {
    let has_begun = created > ago(now, AGE_SECONDS) && created <= ago(now, -AHEAD_SECONDS);
    if !has_begun || last_seen <= ago(now, IDLE_SECONDS) {
        return Ok(None);
    }
    let role = role.parse().map_err(Error::Failed)?;
    Ok(Some(SignedIn { user_id, name, role, last_seen: Micros::stored(last_seen) }))
}

/// Who is signed in by a session, unless it has ended or the user is disabled.
pub fn find(connection: &mut Connection, hash: &SessionHash, now: Micros) -> Result<Option<SignedIn>, Error> {
    let row = sessions::table.inner_join(users::table).filter(sessions::hash.eq(hash.as_slice()));
    let row = row.filter(users::disabled_at.is_null()).select(COLUMNS).get_result::<Row>(connection);
    row.optional()?.map_or(Ok(None), |row| signed_in(row, now))
}

/// Who is signed in by the session with this hash at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionOf(pub(crate) SessionHash, pub(crate) Micros);

impl LookUp for SessionOf {
    type Found = Option<SignedIn>;

    fn find(connection: &mut Connection, asked: &[Self]) -> Result<Vec<Self::Found>, Error> {
        let connection = match connection {
            Connection::Postgres(connection) => connection,
            sqlite @ Connection::Sqlite(_) => {
                return asked.iter().map(|SessionOf(hash, now)| find(sqlite, hash, *now)).collect();
            }
        };
        let hashes: Vec<&[u8]> = asked.iter().map(|asked| asked.0.as_slice()).collect();
        let rows = sessions::table.inner_join(users::table).filter(sessions::hash.eq_any(hashes));
        let rows = rows.filter(users::disabled_at.is_null()).select((sessions::hash, COLUMNS));
        let rows: HashMap<Vec<u8>, Row> = rows.load(connection)?.into_iter().collect();
        let found = asked
            .iter()
            .map(|SessionOf(hash, now)| rows.get(hash.as_slice()).map_or(Ok(None), |row| signed_in(row.clone(), *now)));
        found.collect()
    }
}

/// Records that a session was used.
pub(crate) fn touch(connection: &mut Connection, hash: &SessionHash, now: Micros) -> QueryResult<()> {
    let row = diesel::update(sessions::table.filter(sessions::hash.eq(hash.as_slice())));
    row.set(sessions::last_seen.eq(now.get())).execute(connection)?;
    Ok(())
}

/// The sessions of a user, the most recently used first.
pub(crate) fn list(connection: &mut Connection, user_id: i64, now: Micros) -> QueryResult<Vec<Session>> {
    let rows: Vec<(i64, Vec<u8>, i64, i64, String, String)> = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::created.gt(ago(now, AGE_SECONDS)).and(sessions::created.le(ago(now, -AHEAD_SECONDS))))
        .filter(sessions::last_seen.gt(ago(now, IDLE_SECONDS)))
        .order((sessions::last_seen.desc(), sessions::id.desc()))
        .select((
            sessions::id,
            sessions::hash,
            sessions::created,
            sessions::last_seen,
            sessions::address,
            sessions::agent,
        ))
        .load(connection)?;
    let session = |(id, hash, created, last_seen, address, agent)| {
        let (created, last_seen) = (Micros::stored(created), Micros::stored(last_seen));
        Session { id, hash, created, last_seen, address, agent }
    };
    Ok(rows.into_iter().map(session).collect())
}

/// Ends a session.
pub(crate) fn end(connection: &mut Connection, hash: &SessionHash) -> QueryResult<()> {
    diesel::delete(sessions::table.filter(sessions::hash.eq(hash.as_slice()))).execute(connection)?;
    Ok(())
}

/// Ends one session of a user by its row id, or all of them, but never `keep`. Returns how many it ended.
pub(crate) fn end_others(
    connection: &mut Connection,
    user_id: i64,
    keep: &SessionHash,
    only: Option<i64>,
) -> QueryResult<usize> {
    let others = sessions::table.filter(sessions::user_id.eq(user_id)).filter(sessions::hash.ne(keep.as_slice()));
    match only {
        Some(id) => diesel::delete(others.filter(sessions::id.eq(id))).execute(connection),
        None => diesel::delete(others).execute(connection),
    }
}
