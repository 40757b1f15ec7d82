//! A token's row: its columns for reading and writing, and its unique violations as errors.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::Error as Diesel;

use crate::store::error::{Error, is_duplicate};
use crate::store::schema::tokens;
use crate::token::{BatchId, EntryId, Micros, Problem, Token, TokenError, Voided};

/// The columns of `tokens` that make up a token.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub(crate) struct TokenRow {
    uid: String,
    /// None if it is the uid.
    value: Option<String>,
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
    last_entry: Option<EntryId>,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
}

/// The SQL type of these columns.
pub(in crate::store) type TokenColumns = SqlTypeOf<AsSelect<TokenRow, Pg>>;

impl TokenRow {
    /// The columns, in their order.
    pub(in crate::store) const COLUMNS: &str = "uid, value, label, valid_from, valid_to, usage_count, lock_time, last_used, \
                                      lock_start, creator, created, modified, batch, used, last_entry, voided_at, \
                                      voided_by, void_reason";

    /// The value, which may be the uid.
    pub(in crate::store) fn value_or_uid(&self) -> &str {
        self.value.as_deref().unwrap_or(&self.uid)
    }

    pub(in crate::store) fn token(self) -> QueryResult<Token> {
        let uid = self.uid.parse().map_err(|error: TokenError| Diesel::DeserializationError(error.into()))?;
        Ok(Token {
            uid,
            value: self.value.unwrap_or(self.uid),
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
            last_entry: self.last_entry,
            voided: voided_from_columns(self.voided_at, self.voided_by, self.void_reason),
        })
    }
}

/// The columns written for a token.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct NewTokenRow {
    uid: String,
    /// None if it is the uid.
    value: Option<String>,
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

impl NewTokenRow {
    pub(super) fn new(token: &Token) -> Self {
        let (voided_at, voided_by, void_reason) = void_columns(token.voided.as_ref());
        let uid = token.uid.to_string();
        Self {
            value: Some(token.value.clone()).filter(|value| *value != uid),
            uid,
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
            batch: token.batch,
            used: token.used,
            voided_at,
            voided_by,
            void_reason,
        }
    }
}

/// The three columns of a voided token.
pub(in crate::store) type VoidColumns = (Option<i64>, Option<String>, Option<String>);

pub(in crate::store) fn void_columns(voided: Option<&Voided>) -> VoidColumns {
    voided.map_or((None, None, None), |voided| (Some(voided.at.get()), Some(voided.by.clone()), voided.reason.clone()))
}

pub(in crate::store) fn voided_from_columns(
    at: Option<i64>,
    by: Option<String>,
    reason: Option<String>,
) -> Option<Voided> {
    at.map(|at| Voided { at: Micros::stored(at), by: by.unwrap_or_default(), reason })
}

/// The `modified` of a change at `now`. Always later than the previous one, because an undo tells changes apart by it.
pub(in crate::store) fn stamp(before: Micros, now: Micros) -> Micros {
    now.max(before.plus_micros(1))
}

/// What a second token with a value is refused with.
pub(in crate::store) fn value_in_use() -> Error {
    TokenError::value("value", Problem::NotUnique).into()
}

/// Turns a unique violation into an error about the parameter that caused it.
pub(in crate::store) fn unique_error(error: Diesel) -> Error {
    if is_duplicate(&error, "tokens", "value") {
        return value_in_use();
    }
    // The caller has checked that the uid is new, so another request was faster; the retry finds its token.
    if is_duplicate(&error, "tokens", "uid") {
        return Error::Conflict("this uid was given a moment ago".into());
    }
    error.into()
}
