//! Settings: what has no row has its default.

use diesel::prelude::*;

use super::advisory_lock::AdvisoryLock;
use super::connection::Connection;
use super::error::Error;
use super::schema::settings;
use super::{advisory_lock, audit};
use crate::access::Principal;
use crate::token::Micros;
use crate::token::settings::{Setting, Settings};

/// The row that is no setting: the key that seals cookies.
const COOKIE_KEY: &str = "cookie_key";

/// The settings, and who changed which.
#[derive(Clone, Debug, Default)]
pub struct StoredSettings {
    /// What they say.
    pub settings: Settings,
    /// The last change of those that have a row.
    pub(crate) changed: Vec<(Setting, SettingChange)>,
}

/// The last change of a setting.
#[derive(Clone, Debug)]
pub(crate) struct SettingChange {
    /// When.
    pub(crate) at: Micros,
    /// The principal.
    pub(crate) by: String,
}

impl StoredSettings {
    /// The last change of a setting, unless it is as at first.
    pub(crate) fn changed(&self, setting: Setting) -> Option<&SettingChange> {
        self.changed.iter().find(|(of, _)| *of == setting).map(|(_, changed)| changed)
    }
}

/// All settings. A row that cannot be read, as only a hand on the database writes one, counts as none.
///
/// # Errors
/// The database's.
pub fn all(connection: &mut Connection) -> QueryResult<StoredSettings> {
    let rows = settings::table.filter(settings::name.ne(COOKIE_KEY));
    let rows: Vec<(String, String, i64, String)> =
        rows.select((settings::name, settings::value, settings::changed, settings::changed_by)).load(connection)?;
    let mut kept = StoredSettings::default();
    for (name, value, at, by) in rows {
        let Some(setting) = Setting::named(&name) else { continue };
        if let Some(with) = kept.settings.with(setting, &value) {
            kept.settings = with;
            kept.changed.push((setting, SettingChange { at: Micros::stored(at), by }));
        }
    }
    Ok(kept)
}

/// What became of a change.
#[derive(Debug)]
pub enum SaveResult {
    /// The setting is what was wanted.
    Saved,
    /// It was changed by somebody else, and is as it is here.
    Conflict(Box<StoredSettings>),
}

/// Makes a setting what it is in `wanted`, unless it is neither that nor what `known` says in JSON: then somebody else
/// changed it meanwhile, and it stays.
///
/// # Errors
/// The database's.
pub fn change(
    connection: &mut Connection,
    setting: Setting,
    (known, wanted): (&str, &Settings),
    by: &Principal,
    now: Micros,
) -> Result<SaveResult, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let kept = all(connection)?;
    let (before, after) = (kept.settings.json(setting), wanted.json(setting));
    if before == after {
        return Ok(SaveResult::Saved);
    }
    if before != known {
        return Ok(SaveResult::Conflict(Box::new(kept)));
    }
    let set = (settings::value.eq(&after), settings::changed.eq(now.get()), settings::changed_by.eq(by.as_str()));
    let row = settings::table.filter(settings::name.eq(setting.name()));
    if diesel::update(row).set(set).execute(connection)? == 0 {
        diesel::insert_into(settings::table).values((settings::name.eq(setting.name()), set)).execute(connection)?;
    }
    let detail = format!(r#"{{"before":{before},"after":{after}}}"#);
    audit::record(connection, by, "setting", setting.name(), &detail, now)?;
    Ok(SaveResult::Saved)
}

/// The key that seals cookies, made at the first need: the same for every instance on this database.
///
/// # Errors
/// The database's.
pub(crate) fn cookie_key(connection: &mut Connection, fresh: &str, now: Micros) -> QueryResult<String> {
    let row = settings::table.filter(settings::name.eq(COOKIE_KEY)).select(settings::value);
    if let Some(known) = row.get_result(connection).optional()? {
        return Ok(known);
    }
    let new = (
        settings::name.eq(COOKIE_KEY),
        settings::value.eq(fresh),
        settings::changed.eq(now.get()),
        settings::changed_by.eq("shell:serve"),
    );
    match connection {
        Connection::Sqlite(connection) => drop(diesel::insert_into(settings::table).values(new).execute(connection)?),
        // Of two instances that start together, one makes it.
        Connection::Postgres(connection) => {
            let insert = diesel::insert_into(settings::table).values(new).on_conflict_do_nothing();
            insert.execute(connection)?;
        }
    }
    row.get_result(connection)
}
