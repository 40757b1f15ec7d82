//! API keys: rows and queries.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::access::api_key::KeyHash;
use crate::access::{Principal, Role};
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::error::{Error, is_duplicate};
use crate::store::lookups::LookUp;
use crate::store::schema::keys;
use crate::token::gate::GateId;
use crate::token::{Micros, Uid};

/// An API key, without its text, which is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The uid: another key may get the same name later.
    pub(crate) uid: String,
    /// The unique name.
    pub name: String,
    /// What the key may do.
    pub(crate) role: Role,
    /// The principal that made it.
    pub(crate) creator: String,
    /// When it was made.
    pub(crate) created: Micros,
    /// The first moment at which it is no longer valid.
    pub expires: Option<Micros>,
    /// When it was last used, to the minute.
    pub last_used: Option<Micros>,
    /// The gate at which it uses tokens, if it is tied to one.
    pub(crate) gate: Option<GateId>,
}

impl Key {
    /// Whether it is no longer valid.
    pub(crate) fn is_expired(&self, now: Micros) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

type KeyRow = (String, String, String, String, i64, Option<i64>, Option<i64>, Option<GateId>);
type KeyColumns =
    (keys::uid, keys::name, keys::role, keys::creator, keys::created, keys::expires, keys::last_used, keys::gate);
const COLUMNS: KeyColumns =
    (keys::uid, keys::name, keys::role, keys::creator, keys::created, keys::expires, keys::last_used, keys::gate);

fn key((uid, name, role, creator, created, expires, last_used, gate): KeyRow) -> Result<Key, Error> {
    Ok(Key {
        uid,
        name,
        creator,
        role: role.parse().map_err(Error::Failed)?,
        created: Micros::stored(created),
        expires: expires.map(Micros::stored),
        last_used: last_used.map(Micros::stored),
        gate,
    })
}

/// An API key to be added.
pub struct NewKey<'a> {
    /// The unique name.
    pub name: &'a str,
    /// The hash of its text.
    pub hash: &'a KeyHash,
    /// What the key may do.
    pub role: Role,
    /// The first moment at which it is no longer valid.
    pub expires: Option<Micros>,
    /// The gate at which it uses tokens, if it is tied to one.
    pub gate: Option<GateId>,
}

/// Adds a key. It is valid at once.
///
/// # Errors
/// Refused when the name is in use.
pub fn add(connection: &mut Connection, new: &NewKey<'_>, by: &Principal, now: Micros) -> Result<(), Error> {
    let row = (
        keys::uid.eq(Uid::random().to_string()),
        keys::name.eq(new.name),
        keys::hash.eq(new.hash.as_slice()),
        keys::role.eq(new.role.word()),
        keys::creator.eq(by.as_str()),
        keys::created.eq(now.get()),
        keys::expires.eq(new.expires.map(Micros::get)),
        keys::gate.eq(new.gate),
    );
    diesel::insert_into(keys::table).values(row).execute(connection).map_err(|error| {
        if !is_duplicate(&error, "keys", "name") {
            return error.into();
        }
        Error::Refused(format!("There is a key {} already; revoke it first, or choose another name.", new.name))
    })?;
    audit::record(connection, by, "key add", new.name, new.role.word(), now)
}

/// Every key, by name.
pub fn list(connection: &mut Connection) -> Result<Vec<Key>, Error> {
    let rows: Vec<KeyRow> = keys::table.order(keys::name).select(COLUMNS).load(connection)?;
    rows.into_iter().map(key).collect()
}

/// The key with this hash, expired or not.
pub fn find(connection: &mut Connection, hash: &KeyHash) -> Result<Option<Key>, Error> {
    let row = keys::table.filter(keys::hash.eq(hash.as_slice())).select(COLUMNS).get_result::<KeyRow>(connection);
    row.optional()?.map(key).transpose()
}

/// The key with this hash, expired or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyOf(pub(crate) KeyHash);

impl LookUp for KeyOf {
    type Found = Option<Key>;

    fn find(connection: &mut Connection, asked: &[Self]) -> Result<Vec<Self::Found>, Error> {
        let connection = match connection {
            Connection::Postgres(connection) => connection,
            sqlite @ Connection::Sqlite(_) => return asked.iter().map(|asked| find(sqlite, &asked.0)).collect(),
        };
        let hashes: Vec<&[u8]> = asked.iter().map(|asked| asked.0.as_slice()).collect();
        let rows = keys::table.filter(keys::hash.eq_any(hashes)).select((keys::hash, COLUMNS));
        let rows: HashMap<Vec<u8>, KeyRow> = rows.load(connection)?.into_iter().collect();
        asked.iter().map(|asked| rows.get(asked.0.as_slice()).cloned().map(key).transpose()).collect()
    }
}

/// The key with this name, expired or not.
pub fn by_name(connection: &mut Connection, name: &str) -> Result<Option<Key>, Error> {
    let row = keys::table.filter(keys::name.eq(name)).select(COLUMNS).get_result::<KeyRow>(connection);
    row.optional()?.map(key).transpose()
}

/// Records that a key was used.
pub(crate) fn touch(connection: &mut Connection, hash: &KeyHash, now: Micros) -> QueryResult<()> {
    let row = diesel::update(keys::table.filter(keys::hash.eq(hash.as_slice())));
    row.set(keys::last_used.eq(now.get())).execute(connection)?;
    Ok(())
}

/// Removes a key. Its name becomes free.
///
/// # Errors
/// Refused when there is no such key.
pub fn revoke(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    if diesel::delete(keys::table.filter(keys::name.eq(name))).execute(connection)? == 0 {
        return Err(Error::Refused(format!("There is no key {name}.")));
    }
    audit::record(connection, by, "key revoke", name, "", now)
}
