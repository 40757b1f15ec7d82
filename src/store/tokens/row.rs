//! A token's row: what is read and written of it, and what its errors mean.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::Error as Diesel;

use crate::store::error::{Error, taken};
use crate::store::schema::tokens;
use crate::token::{BatchId, Micros, Token, TokenError, Voided};

/// A row of `tokens`, as far as a token goes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub(crate) struct TokenRow {
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
pub(in crate::store) type RowType = SqlTypeOf<AsSelect<TokenRow, Pg>>;

impl TokenRow {
    /// The columns, in their order.
    pub(in crate::store) const COLUMNS: &str = "uid, value, label, valid_from, valid_to, usage_count, lock_time, last_used, \
                                      lock_start, creator, created, modified, batch, used, voided_at, voided_by, void_reason";

    pub(in crate::store) fn value(&self) -> &str {
        &self.value
    }

    pub(in crate::store) fn token(self) -> QueryResult<Token> {
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
            voided: read_void(self.voided_at, self.voided_by, self.void_reason),
        })
    }
}

/// What is written of a token.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct NewRow {
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
    pub(super) fn new(token: &Token) -> Self {
        let (voided_at, voided_by, void_reason) = void_columns(token.voided.as_ref());
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
pub(in crate::store) fn search_text(token: &Token) -> String {
    fold(&format!("{}\n{}", token.value, token.label.as_deref().unwrap_or_default()))
}

/// Lower case, in which a letter is the same wherever in a word it stands: Greek has two small sigmas.
pub(in crate::store) fn fold(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// What stands in the three columns of a token.
pub(in crate::store) type VoidColumns = (Option<i64>, Option<String>, Option<String>);

pub(in crate::store) fn void_columns(voided: Option<&Voided>) -> VoidColumns {
    voided.map_or((None, None, None), |voided| (Some(voided.at.get()), Some(voided.by.clone()), voided.reason.clone()))
}

pub(in crate::store) fn read_void(at: Option<i64>, by: Option<String>, reason: Option<String>) -> Option<Voided> {
    at.map(|at| Voided { at: Micros::stored(at), by: by.unwrap_or_default(), reason })
}

/// The moment of a change: always another one than that of the change before, by which an undo tells the two apart.
pub(in crate::store) fn stamp(before: Micros, now: Micros) -> Micros {
    now.max(before.plus_micros(1))
}

/// A broken uniqueness becomes an error of the parameter that breaks it.
pub(in crate::store) fn unique(error: Diesel) -> Error {
    if taken(&error, "tokens", "value") {
        return TokenError::value("value", "This value is in use by another token").into();
    }
    // Whoever adds looks first whether it was given, so somebody else was quicker, and the next look finds that.
    if taken(&error, "tokens", "uid") {
        return Error::Again("this uid was given a moment ago".into());
    }
    error.into()
}
