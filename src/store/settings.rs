//! The settings. A setting without a row has its default.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::advisory_lock::AdvisoryLock;
use super::connection::Connection;
use super::error::Error;
use super::lookups::LookUp;
use super::schema::settings;
use super::{advisory_lock, audit};
use crate::access::Principal;
use crate::token::Micros;
use crate::token::settings::{Setting, Settings};

/// Rows that are not settings: the key that encrypts cookies, and the last good backup.
const COOKIE_KEY: &str = "cookie_key";
const LAST_BACKUP: &str = "last_backup";

/// The settings, and who last changed each.
#[derive(Clone, Debug, Default)]
pub struct StoredSettings {
    /// The values.
    pub settings: Settings,
    /// The last change of each setting that has a row.
    pub(crate) changed: Vec<(Setting, SettingChange)>,
    /// The last good backup, if any was ever made.
    pub last_backup: Option<LastBackup>,
}

/// A good backup, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// The moment that it is of.
    pub taken: Micros,
    /// When it was verified and had its name.
    pub(crate) finished: Micros,
    /// The file's bytes.
    pub(crate) bytes: u64,
    /// Its tokens.
    pub(crate) tokens: usize,
    /// Its entries of the usage log.
    pub(crate) entries: usize,
}

/// The last change of a setting.
#[derive(Clone, Debug)]
pub(crate) struct SettingChange {
    /// When it was changed.
    pub(crate) at: Micros,
    /// The principal that changed it.
    pub(crate) by: String,
}

impl StoredSettings {
    /// The last change of a setting; none while it has its default.
    pub(crate) fn changed(&self, setting: Setting) -> Option<&SettingChange> {
        self.changed.iter().find(|(of, _)| *of == setting).map(|(_, changed)| changed)
    }
}

/// All settings. A row with an invalid value, which only manual changes to the database can produce, is ignored.
pub fn all(connection: &mut Connection) -> QueryResult<StoredSettings> {
    let rows = settings::table.filter(settings::name.ne(COOKIE_KEY));
    let rows: Vec<(String, String, i64, String)> =
        rows.select((settings::name, settings::value, settings::changed, settings::changed_by)).load(connection)?;
    let mut stored = StoredSettings::default();
    for (name, value, at, by) in rows {
        if name == LAST_BACKUP {
            stored.last_backup = serde_json::from_str(&value).ok();
        }
        let Some(setting) = Setting::named(&name) else { continue };
        if let Some(with) = stored.settings.with(setting, &value) {
            stored.settings = with;
            stored.changed.push((setting, SettingChange { at: Micros::stored(at), by }));
        }
    }
    Ok(stored)
}

/// All settings, and who last changed each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AllSettings;

impl LookUp for AllSettings {
    type Found = StoredSettings;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        keys.iter().map(|_| Ok(all(connection)?)).collect()
    }
}

/// The result of a change.
#[derive(Debug)]
pub enum SaveResult {
    /// The setting has the new value.
    Saved,
    /// Somebody else changed it; these are the current settings.
    Conflict(Box<StoredSettings>),
}

/// Sets a setting to its value in `wanted`, unless its current value is neither that nor `expected` (as JSON): then
/// somebody else changed it in the meantime, and it stays as it is.
pub fn change(
    connection: &mut Connection,
    setting: Setting,
    (expected, wanted): (&str, &Settings),
    by: &Principal,
    now: Micros,
) -> Result<SaveResult, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let stored = all(connection)?;
    let (before, after) = (stored.settings.json(setting), wanted.json(setting));
    if before == after {
        return Ok(SaveResult::Saved);
    }
    if before != expected {
        return Ok(SaveResult::Conflict(Box::new(stored)));
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

/// The key that encrypts cookies, the same for every instance on this database. The first call stores `fresh` as the
/// key.
pub(crate) fn cookie_key(connection: &mut Connection, fresh: &str, now: Micros) -> QueryResult<String> {
    let row = settings::table.filter(settings::name.eq(COOKIE_KEY)).select(settings::value);
    if let Some(key) = row.get_result(connection).optional()? {
        return Ok(key);
    }
    let new = (
        settings::name.eq(COOKIE_KEY),
        settings::value.eq(fresh),
        settings::changed.eq(now.get()),
        settings::changed_by.eq("shell:serve"),
    );
    match connection {
        Connection::Sqlite(connection) => drop(diesel::insert_into(settings::table).values(new).execute(connection)?),
        // Of two instances that start together, one inserts it.
        Connection::Postgres(connection) => {
            let insert = diesel::insert_into(settings::table).values(new).on_conflict_do_nothing();
            insert.execute(connection)?;
        }
    }
    row.get_result(connection)
}

/// Remembers a good backup.
pub(crate) fn remember_backup(
    connection: &mut Connection,
    backup: &LastBackup,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let value = serde_json::to_string(backup).map_err(|error| Error::Failed(error.to_string()))?;
    let set = (settings::value.eq(&value), settings::changed.eq(now.get()), settings::changed_by.eq(by.as_str()));
    let row = settings::table.filter(settings::name.eq(LAST_BACKUP));
    if diesel::update(row).set(set).execute(connection)? == 0 {
        diesel::insert_into(settings::table).values((settings::name.eq(LAST_BACKUP), set)).execute(connection)?;
    }
    Ok(())
}
