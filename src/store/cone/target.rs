//! Writes what is moved in, and reads it back.

use diesel::connection::SimpleConnection;
use diesel::dsl::{count_star, max, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::store::connection::Connection;
use crate::store::copy::set_sequence;
use crate::store::error::Error;
use crate::store::schema::{batches, index_progress, tokens, usage};
use crate::store::tokens::row::void_columns;
use crate::token::cone::{MovedEntry, MovedToken, Tally};
use crate::token::{EntryId, Micros};

/// Pages of the indexes that are filled at random stay in memory until the end; else they would be written again and again.
const CACHE: &str = "PRAGMA cache_size = -131072";

#[derive(Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
struct TokenRow {
    id: i64,
    uid: String,
    value: Option<String>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_count: i32,
    lock_time: i32,
    last_used: Option<i64>,
    lock_start: Option<i64>,
    creator: String,
    created: i64,
    modified: i64,
    used: i64,
    last_entry: Option<EntryId>,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = usage, treat_none_as_default_value = false)]
struct UsageRow {
    id: i64,
    uid: String,
    token: Option<i64>,
    token_uid: Option<String>,
    token_value: Option<String>,
    timestamp: i64,
    principal: String,
    error_code: Option<i16>,
    uses: i32,
    taken: i32,
    lock_before: Option<i64>,
    previous: Option<i64>,
}

impl TokenRow {
    fn new(MovedToken { id, token }: MovedToken) -> Self {
        let (voided_at, voided_by, void_reason) = void_columns(token.voided.as_ref());
        let uid = token.uid.to_string();
        Self {
            id,
            value: Some(token.value).filter(|value| *value != uid),
            uid,
            valid_from: token.valid_from.map(Micros::get),
            valid_to: token.valid_to.map(Micros::get),
            usage_count: token.usage_count,
            lock_time: token.lock_time,
            last_used: token.last_used.map(Micros::get),
            lock_start: token.lock_start.map(Micros::get),
            creator: token.creator,
            created: token.created.get(),
            modified: token.modified.get(),
            used: token.used,
            last_entry: token.last_entry,
            voided_at,
            voided_by,
            void_reason,
        }
    }
}

impl UsageRow {
    fn new(entry: MovedEntry) -> Self {
        Self {
            id: entry.id,
            uid: entry.uid.to_string(),
            token: entry.token,
            token_uid: entry.token_uid.map(|uid| uid.to_string()),
            token_value: entry.token_value,
            timestamp: entry.at.get(),
            principal: entry.principal,
            error_code: entry.code,
            // Each attempt at a token of cone.tokens was for one use.
            uses: 1,
            taken: entry.taken,
            lock_before: entry.lock_before.map(Micros::get),
            previous: entry.previous,
        }
    }
}

/// Checks that there are no tokens, batches and log entries.
///
/// # Errors
/// Refused, if there are.
pub(crate) fn check_empty(target: &mut Connection) -> Result<(), Error> {
    let counts = [
        ("tokens", tokens::table.select(max(tokens::id)).get_result::<Option<i64>>(target)?),
        ("batches", batches::table.select(max(batches::id)).get_result(target)?),
        ("log entries", usage::table.select(max(usage::id)).get_result(target)?),
    ];
    match counts.into_iter().find(|(_, newest)| newest.is_some()) {
        Some((what, _)) => Err(Error::Refused(format!("there are {what} in it already; name an empty database"))),
        None => Ok(()),
    }
}

/// Makes ready for many rows.
pub(super) fn prepare(target: &mut Connection) -> QueryResult<()> {
    match target {
        Connection::Sqlite(target) => target.batch_execute(CACHE),
        Connection::Postgres(_) => Ok(()),
    }
}

/// Adds tokens, without their log.
pub(super) fn add_tokens(target: &mut Connection, piece: Vec<MovedToken>) -> Result<(), Error> {
    let rows = piece.into_iter().map(TokenRow::new);
    match target {
        Connection::Sqlite(target) => {
            for row in rows {
                diesel::insert_into(tokens::table).values(row).execute(target)?;
            }
        }
        Connection::Postgres(target) => {
            let rows: Vec<TokenRow> = rows.collect();
            diesel::copy_from(tokens::table).from_insertable(rows).execute(target)?;
        }
    }
    Ok(())
}

/// Adds log entries.
pub(super) fn add_entries(target: &mut Connection, piece: Vec<MovedEntry>) -> Result<(), Error> {
    let rows = piece.into_iter().map(UsageRow::new);
    match target {
        Connection::Sqlite(target) => {
            for row in rows {
                diesel::insert_into(usage::table).values(row).execute(target)?;
            }
        }
        Connection::Postgres(target) => {
            let rows: Vec<UsageRow> = rows.collect();
            diesel::copy_from(usage::table).from_insertable(rows).execute(target)?;
        }
    }
    Ok(())
}

/// Lets the next token and entry follow, and the index of tokens begin behind the log.
pub(super) fn finish(target: &mut Connection) -> Result<(), Error> {
    for table in ["tokens", "usage"] {
        set_sequence(target, table)?;
    }
    let newest = usage::table.select(max(usage::id)).get_result::<Option<i64>>(target)?;
    diesel::update(index_progress::table).set(index_progress::entry.eq(newest.unwrap_or(0))).execute(target)?;
    if let Connection::Postgres(target) = target {
        // Until then PostgreSQL plans as if the tables were empty.
        target.batch_execute("ANALYZE tokens; ANALYZE usage")?;
    }
    Ok(())
}

/// Counts the log as it stands in the database.
pub(super) fn count_entries(target: &mut Connection, tally: &mut Tally) -> QueryResult<()> {
    let rows: Vec<(Option<i16>, i64, Option<i64>)> = usage::table
        .group_by(usage::error_code)
        .select((usage::error_code, count_star(), max(usage::timestamp)))
        .load(target)?;
    for (code, count, newest) in rows {
        *tally.entries.entry(code).or_default() += count;
        tally.newest_entry = tally.newest_entry.max(newest.map(Micros::stored));
    }
    Ok(())
}

/// Compares the sums that the database makes with those of the tokens that were looked up.
///
/// # Errors
/// Failed, if one is another.
pub(super) fn check_sums(target: &mut Connection, tally: &Tally) -> Result<(), Error> {
    let sums = [
        ("SELECT count(*) FROM tokens", tally.tokens),
        ("SELECT COALESCE(sum(usage_count), 0) FROM tokens WHERE usage_count >= 0", tally.uses_left),
        ("SELECT count(*) FROM tokens WHERE usage_count = -1", tally.unlimited),
        ("SELECT count(*) FROM tokens WHERE value IS NOT NULL", tally.own_values),
        ("SELECT COALESCE(sum(used), 0) FROM tokens", tally.used),
        ("SELECT COALESCE(sum(uses), 0) FROM usage WHERE error_code IS NULL AND token IS NOT NULL", tally.used),
        ("SELECT count(*) FROM tokens JOIN usage ON usage.id = tokens.last_entry AND usage.token = tokens.id", {
            let newest = "SELECT count(DISTINCT token) FROM usage";
            diesel::select(sql::<BigInt>(&format!("({newest})"))).get_result::<i64>(target)?
        }),
    ];
    for (query, right) in sums {
        let sum = diesel::select(sql::<BigInt>(&format!("CAST(({query}) AS BIGINT)"))).get_result::<i64>(target)?;
        if sum != right {
            return Err(Error::Failed(format!("{query} is {sum} and should be {right}")));
        }
    }
    Ok(())
}
