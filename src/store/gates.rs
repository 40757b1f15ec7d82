//! Gates: rows and queries.

use std::collections::HashMap;

use diesel::prelude::*;

use super::advisory_lock::{self, AdvisoryLock};
use super::audit;
use super::connection::Connection;
use super::error::{Error, is_duplicate};
use super::lookups::LookUp;
use super::schema::gates;
use crate::access::Principal;
use crate::token::gate::{GateId, GateRules};
use crate::token::{Micros, Problem, TokenError, Uid};

/// A gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its number, which the log has.
    pub id: GateId,
    /// What its address has.
    pub uid: String,
    /// The unique name.
    pub name: String,
    /// What may be done there.
    pub rules: GateRules,
    /// Since when it is closed.
    pub disabled: Option<Micros>,
}

type GateRow = (GateId, String, String, String, Option<i64>);
const COLUMNS: (gates::id, gates::uid, gates::name, gates::rules, gates::disabled_at) =
    (gates::id, gates::uid, gates::name, gates::rules, gates::disabled_at);

fn gate((id, uid, name, rules, disabled): GateRow) -> Gate {
    Gate { id, uid, name, rules: read_rules(&rules), disabled: disabled.map(Micros::stored) }
}

/// Rules that only another version can read allow nothing.
fn read_rules(rules: &str) -> GateRules {
    let nothing = GateRules { undo_seconds: None, look_up: false, typing: false, several: false };
    serde_json::from_str(rules).unwrap_or(nothing)
}

/// Every gate, by name.
pub fn list(connection: &mut Connection) -> QueryResult<Vec<Gate>> {
    let rows: Vec<GateRow> = gates::table.order(gates::name).select(COLUMNS).load(connection)?;
    Ok(rows.into_iter().map(gate).collect())
}

/// Every gate, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EveryGate;

impl LookUp for EveryGate {
    type Found = Vec<Gate>;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        keys.iter().map(|_| Ok(list(connection)?)).collect()
    }
}

/// The name of every gate.
pub(crate) fn names(connection: &mut Connection) -> QueryResult<HashMap<GateId, String>> {
    Ok(gates::table.select((gates::id, gates::name)).load::<(GateId, String)>(connection)?.into_iter().collect())
}

/// The name of a gate.
pub(crate) fn name(connection: &mut Connection, id: GateId) -> QueryResult<Option<String>> {
    gates::table.find(id).select(gates::name).get_result(connection).optional()
}

/// What may be done at a gate.
pub(crate) fn rules(connection: &mut Connection, id: GateId) -> QueryResult<GateRules> {
    Ok(read_rules(&gates::table.find(id).select(gates::rules).get_result::<String>(connection)?))
}

/// The gate with this uid.
pub(crate) fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<Gate>> {
    let row = gates::table.filter(gates::uid.eq(uid.to_string())).select(COLUMNS);
    Ok(row.get_result::<GateRow>(connection).optional()?.map(gate))
}

/// The gate with this uid, which nobody else changes before this transaction ends.
pub(crate) fn lock(connection: &mut Connection, uid: Uid) -> Result<Option<Gate>, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    Ok(find(connection, uid)?)
}

/// The gate with this name.
pub fn by_name(connection: &mut Connection, name: &str) -> QueryResult<Option<Gate>> {
    let row = gates::table.filter(gates::name.eq(name)).select(COLUMNS);
    Ok(row.get_result::<GateRow>(connection).optional()?.map(gate))
}

fn in_use(error: diesel::result::Error) -> Error {
    if is_duplicate(&error, "gates", "name") {
        return TokenError::value("name", Problem::NotUnique).into();
    }
    error.into()
}

fn json(rules: &GateRules) -> Result<String, Error> {
    serde_json::to_string(rules).map_err(|error| Error::Failed(error.to_string()))
}

/// Adds a gate, which is open at once, and returns its uid. The same form, sent again, finds the gate that it added; one
/// that was changed in between (by going back to it) could mean that gate or another one.
///
/// # Errors
/// A value error when the name is in use, or the form has added a gate with another name or other rules.
pub fn add(
    connection: &mut Connection,
    (uid, name, rules): (Uid, &str, &GateRules),
    by: &Principal,
    now: Micros,
) -> Result<Uid, Error> {
    if let Some(added) = find(connection, uid)? {
        if added.name == name && added.rules == *rules {
            return Ok(uid);
        }
        let added = Problem::AddedBefore { what: "gate".into(), is_deleted: false };
        return Err(TokenError::value("gate_uid", added).into());
    }
    let row = (
        gates::uid.eq(uid.to_string()),
        gates::name.eq(name),
        gates::rules.eq(json(rules)?),
        gates::created.eq(now.get()),
        gates::changed.eq(now.get()),
        gates::changed_by.eq(by.as_str()),
    );
    let added = diesel::insert_into(gates::table).values(row).execute(connection);
    added.map_err(in_use)?;
    audit::record(connection, by, "gate add", name, "", now)?;
    Ok(uid)
}

/// Changes a gate's name and rules, and whether it is open.
///
/// # Errors
/// Unknown when there is no such gate; a value error when the name is in use.
pub fn change(
    connection: &mut Connection,
    (uid, name, rules, is_open): (Uid, &str, &GateRules, bool),
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let Some(before) = lock(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
    let disabled = if is_open { None } else { Some(before.disabled.unwrap_or(now)) };
    let after = Gate { name: name.to_owned(), rules: rules.clone(), disabled, ..before.clone() };
    if after == before {
        return Ok(());
    }
    let set = (
        gates::name.eq(name),
        gates::rules.eq(json(rules)?),
        gates::disabled_at.eq(disabled.map(Micros::get)),
        gates::changed.eq(now.get()),
        gates::changed_by.eq(by.as_str()),
    );
    let changed = diesel::update(gates::table.find(before.id)).set(set).execute(connection);
    changed.map_err(in_use)?;
    let action = match (before.disabled, disabled) {
        (None, Some(_)) => "gate close",
        (Some(_), None) => "gate open",
        _ => "gate change",
    };
    let detail = if before.name == name { String::new() } else { format!("was {}", before.name) };
    audit::record(connection, by, action, name, &detail, now)
}
