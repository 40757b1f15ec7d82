//! API keys: rows and queries.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::access::api_key::KeyHash;
use crate::access::rate::Rate;
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
    /// The first characters of its text.
    pub prefix: String,
    /// How many requests a second it may send, if there is a limit.
    pub(crate) rate: Option<Rate>,
    /// Where its last use came from.
    pub last_address: Option<String>,
}

impl Key {
    /// Whether it is no longer valid.
    pub(crate) fn is_expired(&self, now: Micros) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = keys)]
struct KeyRow {
    uid: String,
    name: String,
    role: String,
    creator: String,
    created: i64,
    expires: Option<i64>,
    last_used: Option<i64>,
    gate: Option<GateId>,
    prefix: String,
    rate: Option<i32>,
    last_address: Option<String>,
}

fn key(row: KeyRow) -> Result<Key, Error> {
    Ok(Key {
        uid: row.uid,
        name: row.name,
        role: row.role.parse().map_err(Error::Failed)?,
        creator: row.creator,
        created: Micros::stored(row.created),
        expires: row.expires.map(Micros::stored),
        last_used: row.last_used.map(Micros::stored),
        gate: row.gate,
        prefix: row.prefix,
        rate: row.rate.map(Rate::stored),
        last_address: row.last_address,
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
    /// The first characters of its text.
    pub prefix: &'a str,
    /// How many requests a second it may send, if there is a limit.
    pub rate: Option<Rate>,
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
        keys::prefix.eq(new.prefix),
        keys::rate.eq(new.rate.map(|rate| i32::from(rate.get()))),
    );
    diesel::insert_into(keys::table).values(row).execute(connection).map_err(|error| {
        if !is_duplicate(&error, "keys", "name") {
            return error.into();
        }
        Error::Refused(format!(
            "There is already an API key {}. Choose another name, or revoke that key first.",
            new.name
        ))
    })?;
    audit::record(connection, by, "key add", new.name, new.role.word(), now)
}

/// Every key's name, in order.
pub(crate) fn names(connection: &mut Connection) -> Result<Vec<String>, Error> {
    Ok(keys::table.order(keys::name).select(keys::name).load(connection)?)
}

/// Every key, by name.
pub fn list(connection: &mut Connection) -> Result<Vec<Key>, Error> {
    let rows: Vec<KeyRow> = keys::table.order(keys::name).select(KeyRow::as_select()).load(connection)?;
    rows.into_iter().map(key).collect()
}

/// The key with this hash, expired or not.
pub fn find(connection: &mut Connection, hash: &KeyHash) -> Result<Option<Key>, Error> {
    let row =
        keys::table.filter(keys::hash.eq(hash.as_slice())).select(KeyRow::as_select()).get_result::<KeyRow>(connection);
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
        let rows = keys::table.filter(keys::hash.eq_any(hashes)).select((keys::hash, KeyRow::as_select()));
        let rows: HashMap<Vec<u8>, KeyRow> = rows.load(connection)?.into_iter().collect();
        asked.iter().map(|asked| rows.get(asked.0.as_slice()).cloned().map(key).transpose()).collect()
    }
}

/// The key with this name, expired or not.
pub fn by_name(connection: &mut Connection, name: &str) -> Result<Option<Key>, Error> {
    let row = keys::table.filter(keys::name.eq(name)).select(KeyRow::as_select()).get_result::<KeyRow>(connection);
    row.optional()?.map(key).transpose()
}

/// The name of the key whose text begins so, if there is one, and one only.
pub fn named_by_prefix(connection: &mut Connection, prefix: &str) -> Result<Option<String>, Error> {
    let names: Vec<String> = keys::table.filter(keys::prefix.eq(prefix)).select(keys::name).load(connection)?;
    Ok(<[String; 1]>::try_from(names).ok().map(|[name]| name))
}

/// Records that a key was used, and from where if that is known.
pub(crate) fn touch(
    connection: &mut Connection,
    hash: &KeyHash,
    address: Option<&str>,
    now: Micros,
) -> QueryResult<()> {
    let row = keys::table.filter(keys::hash.eq(hash.as_slice()));
    let used = keys::last_used.eq(now.get());
    match address {
        Some(address) => diesel::update(row).set((used, keys::last_address.eq(address))).execute(connection)?,
        None => diesel::update(row).set(used).execute(connection)?,
    };
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
