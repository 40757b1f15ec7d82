//! `tessera key …`

use super::shell::{Failure, connect, operator, print, table, try_write, write};
use crate::access::{Role, api_key, check_name};
use crate::cli::{Common, KeyCommand};
use crate::store::accounts::keys;
use crate::store::accounts::keys::NewKey;
use crate::store::{Connection, Error, clock, gates};
use crate::token::gate::GateId;
use crate::token::{Micros, TokenError, quoted};

/// Adds, lists or revokes keys.
pub(crate) fn run(common: &Common, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Add { name, role, expires, gate } => {
            add(common, &name, role, (expires.as_deref(), gate.as_deref()))
        }
        KeyCommand::List => list(common),
        KeyCommand::Revoke { name } => {
            write(&mut connect(common)?, |connection, now| keys::revoke(connection, &name, &operator(), now))
        }
    }
}

fn add(common: &Common, name: &str, role: Role, (expires, gate): (Option<&str>, Option<&str>)) -> Result<(), Failure> {
    check_name(name)?;
    let read = |text| Micros::read(text, common.zone()).map_err(|why| TokenError::value("--expires", why).to_string());
    let expires = expires.map(read).transpose()?;
    if expires.is_some_and(|expires| expires <= Micros::now()) {
        return Err(Failure("--expires: this moment has passed; the key would never work.".into()));
    }
    let key = api_key::generate();
    let hash = api_key::hash(&key).ok_or_else(|| Failure("The new key is no key; please report this.".into()))?;
    let made = try_write(&mut connect(common)?, |connection, now| {
        let gate = gate.map(|name| gate_named(connection, name)).transpose()?;
        keys::add(connection, &NewKey { name, hash: &hash, role, expires, gate }, &operator(), now)
    });
    made.map_err(|error| not_made(name, error))?;
    // Only now, as a key that was not kept is of no use to anybody.
    print(&format!("{key}\n")).map_err(|why| {
        Failure(format!("{why} The key {name} was made, but nobody has seen it; revoke it: tessera key revoke {name}."))
    })
}

/// Why a key was not made, or may have been.
fn not_made(name: &str, error: Error) -> Failure {
    match error {
        Error::Unknown(why) => Failure(format!(
            "It is not known whether the key {name} was made, as {why}; if `tessera key list` shows it, revoke it, since \
             nobody has seen it."
        )),
        error => error.into(),
    }
}

fn gate_named(connection: &mut Connection, name: &str) -> Result<GateId, Error> {
    let gate = gates::by_name(connection, name)?;
    let unknown = || Error::Refused(format!("--gate: there is no gate {}.", quoted(name)));
    gate.map(|gate| gate.id).ok_or_else(unknown)
}

fn list(common: &Common) -> Result<(), Failure> {
    let mut connection = connect(common)?;
    let now = clock::now(&mut connection).map_err(Error::from)?;
    let format_time = |time: Option<Micros>, none: &str| time.map_or_else(|| none.to_owned(), |time| time.to_string());
    let mut rows = vec![["NAME", "ROLE", "GATE", "CREATED", "EXPIRES", "LAST USED"].map(str::to_owned).to_vec()];
    let gates = gates::names(&mut connection).map_err(Error::from)?;
    for key in keys::list(&mut connection)? {
        let ended = if key.is_expired(now) { " (ended)" } else { "" };
        let expires = format!("{}{ended}", format_time(key.expires, "never"));
        let created = key.created.to_string();
        let gate = key.gate.and_then(|gate| gates.get(&gate).cloned()).unwrap_or_else(|| "none".into());
        rows.push(vec![key.name, key.role.to_string(), gate, created, expires, format_time(key.last_used, "never")]);
    }
    print(&table(&rows))
}
