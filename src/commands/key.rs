//! `tessera key …`

use super::shell::{Failure, connect, operator, print, say, table, try_write, write};
use crate::access::{api_key, check_name};
use crate::cli::{Common, KeyCommand, NewKeyOptions};
use crate::store::accounts::keys;
use crate::store::accounts::keys::NewKey;
use crate::store::{Connection, Error, clock, gates};
use crate::token::gate::GateId;
use crate::token::{Micros, TokenError, quoted};

/// Adds, lists or revokes keys.
pub(crate) fn run(common: &Common, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Add(options) => add(common, &options),
        KeyCommand::List => list(common),
        KeyCommand::Revoke { name } => revoke(common, &name),
    }
}

fn add(common: &Common, options: &NewKeyOptions) -> Result<(), Failure> {
    let NewKeyOptions { name, role, expires, gate, rate } = options;
    let name = name.trim();
    check_name(name)?;
    let read = |text: &String| {
        Micros::read(text, common.zone()).map_err(|why| TokenError::value("--expires", why).to_string())
    };
    let expires = expires.as_ref().map(read).transpose()?;
    if expires.is_some_and(|expires| expires <= Micros::now()) {
        return Err(Failure("--expires must be in the future.".into()));
    }
    let key = api_key::generate();
    let hash = api_key::hash(&key).ok_or_else(|| Failure("The new key is no key; please report this.".into()))?;
    let prefix = api_key::shown_prefix(&key);
    let made = try_write(&mut connect(common)?, |connection, now| {
        let gate = gate.as_deref().map(|name| gate_named(connection, name)).transpose()?;
        let new = NewKey { name, hash: &hash, prefix, role: *role, expires, gate, rate: *rate };
        keys::add(connection, &new, &operator(), now)
    });
    made.map_err(|error| not_made(name, error))?;
    // Only now, as a key that was not kept is of no use to anybody.
    print(&format!("{key}\n")).map_err(|why| {
        Failure(format!(
            "{why} The key {name} was created, but nobody has seen it. Revoke it: tessera key revoke {name}."
        ))
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
    let format_time = |time: Option<Micros>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    let gates = gates::names(&mut connection).map_err(Error::from)?;
    let heads = ["NAME", "PREFIX", "ROLE", "GATE", "RATE", "CREATED", "EXPIRES", "LAST USED", "LAST ADDRESS"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for key in keys::list(&mut connection)? {
        let ended = if key.is_expired(now) { " (ended)" } else { "" };
        rows.push(vec![
            key.name,
            key.prefix,
            key.role.to_string(),
            key.gate.and_then(|gate| gates.get(&gate).cloned()).unwrap_or_else(|| "none".into()),
            key.rate.map_or_else(|| "unlimited".into(), |rate| format!("{}/s", rate.get())),
            key.created.to_string(),
            format!("{}{ended}", format_time(key.expires)),
            format_time(key.last_used),
            key.last_address.unwrap_or_else(|| "none".into()),
        ]);
    }
    print(&table(&rows))
}

/// Revokes a key by its name, or by its first characters: of a key that turned up somewhere, nothing else may be known.
fn revoke(common: &Common, text: &str) -> Result<(), Failure> {
    let revoked = write(&mut connect(common)?, |connection, now| {
        let prefix = api_key::shown_prefix(text);
        let name = match keys::by_name(connection, text)? {
            None if prefix.starts_with(api_key::PREFIX) => {
                // Not all of the text, which may be the key itself.
                let unknown = || Error::Refused(format!("There is no key that begins with {prefix}."));
                keys::named_by_prefix(connection, prefix)?.ok_or_else(unknown)?
            }
            _ => text.to_owned(),
        };
        keys::revoke(connection, &name, &operator(), now).map(|()| name)
    })?;
    if revoked != text {
        say(&format!("The key {revoked} was revoked.\n"));
    }
    Ok(())
}
