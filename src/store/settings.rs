//! Settings: what has no row has its default.

use diesel::prelude::*;

use super::connection::Connection;
use super::schema::settings;
use crate::token::Micros;
use crate::token::input::Defaults;

/// What a new token gets at first: one use and no lock.
const AT_FIRST: Defaults = Defaults { usage_count: 1, lock_time: 0 };

/// What a new token gets for numbers that a request leaves empty.
///
/// # Errors
/// The database's.
pub fn defaults(connection: &mut Connection) -> QueryResult<Defaults> {
    Ok(Defaults {
        usage_count: number(connection, "default_usage_count")?.unwrap_or(AT_FIRST.usage_count),
        lock_time: number(connection, "default_lock_time")?.unwrap_or(AT_FIRST.lock_time),
    })
}

fn number(connection: &mut Connection, name: &str) -> QueryResult<Option<i32>> {
    let row = settings::table.filter(settings::name.eq(name)).select(settings::value);
    let value: Option<String> = row.get_result(connection).optional()?;
    Ok(value.and_then(|text| text.parse().ok()))
}

/// The key that seals cookies, made at the first need: the same for every instance on this database.
///
/// # Errors
/// The database's.
pub fn cookie_key(connection: &mut Connection, fresh: &str, now: Micros) -> QueryResult<String> {
    const NAME: &str = "cookie_key";
    let row = settings::table.filter(settings::name.eq(NAME)).select(settings::value);
    if let Some(known) = row.get_result(connection).optional()? {
        return Ok(known);
    }
    let new = (
        settings::name.eq(NAME),
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
