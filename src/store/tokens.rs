//! Tokens: rows and queries.

use std::collections::BTreeSet;

use diesel::dsl::{AsSelect, SqlTypeOf, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::Error as Diesel;
use diesel::sql_types::{BigInt, Bool, Nullable};

use super::clock::SERVER_MICROS;
use super::connection::Connection;
use super::error::taken;
use super::schema::tokens;
use super::selection::{self, Selection};
use super::{Error, audit, many, voids};
use crate::access::Principal;
use crate::token::input::Change;
use crate::token::settle::{Lookup, TokenId};
use crate::token::{BatchId, Micros, Token, TokenError, Uid};

/// A row of `tokens`, as far as a token goes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub struct TokenRow {
    uid: String,
    value: String,
    label: Option<String>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_count: i32,
    lock_time: i32,
    last_used: Option<i64>,
    lock_start: Option<i64>,
    creator: String,
    created: i64,
    modified: i64,
    batch: Option<BatchId>,
    used: i64,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
}

/// What a row of these columns is made of.
pub(super) type RowType = SqlTypeOf<AsSelect<TokenRow, Pg>>;

impl TokenRow {
    /// The columns, in their order.
    pub(super) const COLUMNS: &str = "uid, value, label, valid_from, valid_to, usage_count, lock_time, last_used, \
                                      lock_start, creator, created, modified, batch, used, voided_at, voided_by, void_reason";

    pub(super) fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn token(self) -> QueryResult<Token> {
        Ok(Token {
            uid: self.uid.parse().map_err(|error: TokenError| Diesel::DeserializationError(error.into()))?,
            value: self.value,
            label: self.label,
            valid_from: self.valid_from.map(Micros::stored),
            valid_to: self.valid_to.map(Micros::stored),
            usage_count: self.usage_count,
            lock_time: self.lock_time,
            last_used: self.last_used.map(Micros::stored),
            lock_start: self.lock_start.map(Micros::stored),
            creator: self.creator,
            created: Micros::stored(self.created),
            modified: Micros::stored(self.modified),
            batch: self.batch,
            used: self.used,
            voided: voids::read(self.voided_at, self.voided_by, self.void_reason),
        })
    }
}

/// What is written of a token.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true, treat_none_as_default_value = false)]
struct NewRow {
    uid: String,
    value: String,
    label: Option<String>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_count: i32,
    lock_time: i32,
    last_used: Option<i64>,
    lock_start: Option<i64>,
    creator: String,
    created: i64,
    modified: i64,
    search: String,
    batch: Option<BatchId>,
    used: i64,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
}

impl NewRow {
    fn new(token: &Token) -> Self {
        let (voided_at, voided_by, void_reason) = voids::columns(token.voided.as_ref());
        Self {
            uid: token.uid.to_string(),
            value: token.value.clone(),
            label: token.label.clone(),
            valid_from: token.valid_from.map(Micros::get),
            valid_to: token.valid_to.map(Micros::get),
            usage_count: token.usage_count,
            lock_time: token.lock_time,
            last_used: token.last_used.map(Micros::get),
            lock_start: token.lock_start.map(Micros::get),
            creator: token.creator.clone(),
            created: token.created.get(),
            modified: token.modified.get(),
            search: search_text(token),
            batch: token.batch,
            used: token.used,
            voided_at,
            voided_by,
            void_reason,
        }
    }
}

/// What a search looks through: value and label in lower case, divided by what neither can hold.
pub(super) fn search_text(token: &Token) -> String {
    fold(&format!("{}\n{}", token.value, token.label.as_deref().unwrap_or_default()))
}

/// Lower case, in which a letter is the same wherever in a word it stands: Greek has two small sigmas.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// A row that is the only one of its kind, or none, from either database's connection: a macro, as a query that is typed
/// for its database is prepared once and costs half of one that is typed for both.
macro_rules! one_token {
    ($connection:expr, $filter:expr) => {{
        let query = tokens::table.filter($filter).filter(tokens::deleted_at.is_null());
        let found = query.select((tokens::id, TokenRow::as_select())).get_result($connection);
        found.optional()?.map(|(id, row): (TokenId, TokenRow)| Ok((id, row.token()?))).transpose()
    }};
}

/// The token of a uid, unless it is deleted.
///
/// # Errors
/// The database's.
pub fn by_uid(connection: &mut Connection, uid: Uid) -> QueryResult<Option<(TokenId, Token)>> {
    let is_it = tokens::uid.eq(uid.to_string());
    match connection {
        Connection::Sqlite(connection) => one_token!(connection, is_it),
        Connection::Postgres(connection) => one_token!(connection, is_it),
    }
}

/// The token whose value is exactly this, unless it is deleted.
///
/// # Errors
/// The database's.
pub fn by_value(connection: &mut Connection, value: &str) -> QueryResult<Option<(TokenId, Token)>> {
    let is_it = tokens::value.eq(value);
    match connection {
        Connection::Sqlite(connection) => one_token!(connection, is_it),
        Connection::Postgres(connection) => one_token!(connection, is_it),
    }
}

/// The token of a uid, unless it is deleted, as it is and stays until the transaction ends.
///
/// # Errors
/// The database's.
pub fn locked(connection: &mut Connection, uid: Uid) -> QueryResult<Option<(TokenId, Token)>> {
    if let Connection::Postgres(connection) = connection {
        let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.is_null());
        row.select(tokens::id).for_no_key_update().execute(connection)?;
    }
    by_uid(connection, uid)
}

/// The number of the token that has a uid or had it once.
///
/// # Errors
/// The database's.
pub fn number(connection: &mut Connection, uid: Uid) -> QueryResult<Option<TokenId>> {
    tokens::table.filter(tokens::uid.eq(uid.to_string())).select(tokens::id).get_result(connection).optional()
}

/// The token that `what` names by its uid, and the one it names by its value or link.
///
/// # Errors
/// The database's.
pub fn named(connection: &mut Connection, what: &Lookup) -> QueryResult<[Option<(TokenId, Token)>; 2]> {
    let uid = what.uid.map_or(Ok(None), |uid| by_uid(connection, uid))?;
    let value = what.value.as_deref().map_or(Ok(None), |value| by_value(connection, value))?;
    let value = match (value, what.link) {
        (None, Some(link)) => by_uid(connection, link)?,
        (value, _) => value,
    };
    Ok([uid, value])
}

/// The one token that `what` names.
///
/// # Errors
/// A value error when uid and value name different ones.
pub fn find(connection: &mut Connection, what: &Lookup) -> Result<Option<Token>, Error> {
    let [by_uid, by_value] = named(connection, what)?;
    Ok(what.agree(by_uid, by_value)?.map(|(_, token)| token))
}

/// Whether a uid was ever given, also to a token that is deleted now.
///
/// # Errors
/// The database's.
pub fn is_given(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(tokens::table.filter(tokens::uid.eq(uid.to_string())))).get_result(connection)
}

/// Adds a token.
///
/// # Errors
/// A value error when its uid was ever given or its value is in use, also by a request that was quicker.
pub fn add(connection: &mut Connection, token: &Token) -> Result<(), Error> {
    if is_given(connection, token.uid)? {
        return Err(TokenError::value("token_uid", "This uid is in use or was once; it is never given twice").into());
    }
    add_all(connection, std::slice::from_ref(token))
}

/// Adds many tokens whose uids are new.
///
/// # Errors
/// As [`add`]; the caller's transaction then keeps none.
pub fn add_all(connection: &mut Connection, new: &[Token]) -> Result<(), Error> {
    let rows = new.iter().map(NewRow::new);
    match connection {
        Connection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(tokens::table).values(row).execute(connection).map_err(unique)?;
            }
        }
        // A row at a time would be a way to the server at a time.
        Connection::Postgres(connection) => {
            let rows: Vec<NewRow> = rows.collect();
            diesel::copy_from(tokens::table).from_insertable(rows).execute(connection).map_err(unique)?;
        }
    }
    Ok(())
}

/// A broken uniqueness becomes an error of the parameter that breaks it.
pub(super) fn unique(error: Diesel) -> Error {
    if taken(&error, "tokens", "value") {
        return TokenError::value("value", "This value is in use by another token").into();
    }
    // Whoever adds looks first whether it was given, so somebody else was quicker, and the next look finds that.
    if taken(&error, "tokens", "uid") {
        return Error::Again("this uid was given a moment ago".into());
    }
    error.into()
}

/// Changes a token as it is now.
///
/// # Errors
/// No such token; a value error when the changed token would be outside its limits or its value is in use.
pub fn change(connection: &mut Connection, uid: Uid, change: &Change, now: Micros) -> Result<(), Error> {
    let Some((id, token)) = locked(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
    let changed = change.apply(&token)?;
    put(connection, id, &token, changed, now)
}

/// The moment of a change: always another one than that of the change before, by which an undo tells the two apart.
pub(super) fn stamp(before: Micros, now: Micros) -> Micros {
    now.max(before.plus_micros(1))
}

/// Stores a token that was `before` and is `changed` now; `modified` moves only when something is different.
///
/// # Errors
/// A value error when its value is in use.
pub fn put(
    connection: &mut Connection,
    id: TokenId,
    before: &Token,
    mut changed: Token,
    now: Micros,
) -> Result<(), Error> {
    if changed == *before {
        return Ok(());
    }
    changed.modified = stamp(before.modified, now);
    diesel::update(tokens::table.find(id)).set(NewRow::new(&changed)).execute(connection).map_err(unique)?;
    Ok(())
}

/// Restarts every lock that begins in the future. Reads all tokens, and is done when the clock has jumped back only.
///
/// # Errors
/// The database's.
pub fn restart_locks(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            let now = Micros::now().get();
            let ahead = tokens::table.filter(tokens::lock_start.gt(now));
            diesel::update(ahead).set(tokens::lock_start.eq(now)).execute(connection).map(drop)
        }
        Connection::Postgres(connection) => {
            // The clock is read for each row, and again for one that was waited for.
            let ahead = || tokens::table.filter(sql::<Bool>("lock_start > ").sql(SERVER_MICROS));
            // In the order in which batches lock.
            ahead().order(tokens::uid).select(tokens::id).for_no_key_update().execute(connection)?;
            let restart = tokens::lock_start.eq(sql::<Nullable<BigInt>>(SERVER_MICROS));
            diesel::update(ahead()).set(restart).execute(connection).map(drop)
        }
    }
}

/// Deletes tokens so that they can be restored, and records it; repeats count once. Says how many they were.
///
/// # Errors
/// No such token, naming the first one missing; the caller's transaction then keeps all.
pub fn delete(connection: &mut Connection, uids: &[Uid], who: &Principal, now: Micros) -> Result<usize, Error> {
    let uids: BTreeSet<Uid> = uids.iter().copied().collect();
    let found = selection::lock(connection, &Selection::Ticked(uids.iter().copied().collect()), now)?;
    let known: BTreeSet<Uid> = found.iter().map(|(_, token)| token.uid).collect();
    if let Some(missing) = uids.difference(&known).next() {
        return Err(TokenError::Unknown(*missing).into());
    }
    let ids: Vec<TokenId> = found.iter().map(|(id, _)| *id).collect();
    many::delete(connection, &ids, who, now)?;
    match (uids.len(), uids.first()) {
        (0, _) | (_, None) => {}
        (1, Some(uid)) => audit::record(connection, who, "token delete", &uid.to_string(), "", now)?,
        (count, _) => audit::record(connection, who, "token delete", "", &format!("{count} tokens"), now)?,
    }
    Ok(uids.len())
}
