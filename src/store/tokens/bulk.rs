//! Writes many tokens at once: with one prepared statement in a loop on SQLite, with arrays on PostgreSQL.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::schema::tokens;
use crate::token::action::Action;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, Voided};

/// Rows sent to PostgreSQL in one statement.
const CHUNK: usize = 10_000;

/// Stores tokens that `action` or its undo has changed. It writes only the columns that this kind of action changes,
/// since every index on a written column costs time.
pub fn update(connection: &mut Connection, action: &Action, changed: &[(TokenId, Token)]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            for (id, token) in changed {
                UpdateToken::new(*id, action, token).execute(connection)?;
            }
            Ok(())
        }
        Connection::Postgres(connection) => {
            changed.chunks(CHUNK).try_for_each(|rows| update_chunk(connection, action, rows))
        }
    }
}

fn update_chunk(connection: &mut PgConnection, action: &Action, rows: &[(TokenId, Token)]) -> QueryResult<()> {
    let ids: Vec<TokenId> = rows.iter().map(|(id, _)| *id).collect();
    let stamps: Vec<i64> = rows.iter().map(|(_, token)| token.modified.get()).collect();
    let micros = |of: fn(&Token) -> Option<Micros>| -> Vec<Option<i64>> {
        rows.iter().map(|(_, token)| of(token).map(Micros::get)).collect()
    };
    let integers = |of: fn(&Token) -> i32| -> Vec<i32> { rows.iter().map(|(_, token)| of(token)).collect() };
    let texts =
        |of: fn(&Token) -> Option<&str>| -> Vec<Option<&str>> { rows.iter().map(|(_, token)| of(token)).collect() };
    let labels = || texts(|token| token.label.as_deref());
    let voided_at = || micros(|token| token.voided.as_ref().map(|voided| voided.at));
    let voided_by = || texts(|token| Some(token.voided.as_ref()?.by.as_str()));
    let reasons = || texts(|token| token.voided.as_ref()?.reason.as_deref());
    let statement = |set: &str, arrays: &str, names: &str| {
        diesel::sql_query(format!(
            "UPDATE tokens SET modified = new.modified, {set} \
             FROM unnest($1, $2, {arrays}) AS new (id, modified, {names}) WHERE tokens.id = new.id"
        ))
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<BigInt>, _>(stamps)
    };
    match action {
        Action::SetValidity { .. } => {
            let set = "valid_from = new.valid_from, valid_to = new.valid_to";
            let statement = statement(set, "$3, $4", "valid_from, valid_to");
            let statement = statement.bind::<Array<Nullable<BigInt>>, _>(micros(|token| token.valid_from));
            statement.bind::<Array<Nullable<BigInt>>, _>(micros(|token| token.valid_to)).execute(connection)?
        }
        Action::SetUses(_) | Action::AddUses(_) => {
            let statement = statement("usage_count = new.usage_count", "$3", "usage_count");
            statement.bind::<Array<Integer>, _>(integers(|token| token.usage_count)).execute(connection)?
        }
        Action::SetLock(_) => {
            let statement = statement("lock_time = new.lock_time", "$3", "lock_time");
            statement.bind::<Array<Integer>, _>(integers(|token| token.lock_time)).execute(connection)?
        }
        Action::SetLabel(_) => {
            let statement = statement("label = new.label", "$3", "label");
            statement.bind::<Array<Nullable<Text>>, _>(labels()).execute(connection)?
        }
        Action::Void { .. } | Action::Unvoid => {
            let set = "voided_at = new.voided_at, voided_by = new.voided_by, void_reason = new.void_reason";
            let statement = statement(set, "$3, $4, $5", "voided_at, voided_by, void_reason");
            let statement = statement.bind::<Array<Nullable<BigInt>>, _>(voided_at());
            let statement = statement.bind::<Array<Nullable<Text>>, _>(voided_by());
            statement.bind::<Array<Nullable<Text>>, _>(reasons()).execute(connection)?
        }
        Action::Import { .. } | Action::Update { .. } => {
            let set = "label = new.label, valid_from = new.valid_from, valid_to = new.valid_to, usage_count = \
                       new.usage_count, lock_time = new.lock_time, voided_at = new.voided_at, voided_by = \
                       new.voided_by, void_reason = new.void_reason";
            let names = "label, valid_from, valid_to, usage_count, lock_time, voided_at, voided_by, void_reason";
            statement(set, "$3, $4, $5, $6, $7, $8, $9, $10", names)
                .bind::<Array<Nullable<Text>>, _>(labels())
                .bind::<Array<Nullable<BigInt>>, _>(micros(|token| token.valid_from))
                .bind::<Array<Nullable<BigInt>>, _>(micros(|token| token.valid_to))
                .bind::<Array<Integer>, _>(integers(|token| token.usage_count))
                .bind::<Array<Integer>, _>(integers(|token| token.lock_time))
                .bind::<Array<Nullable<BigInt>>, _>(voided_at())
                .bind::<Array<Nullable<Text>>, _>(voided_by())
                .bind::<Array<Nullable<Text>>, _>(reasons())
                .execute(connection)?
        }
        Action::Delete => 0,
    };
    Ok(())
}

/// The part of a token's row that an action changes.
struct UpdateToken<'a> {
    id: TokenId,
    modified: i64,
    set: Vec<ChangedColumns<'a>>,
}

/// The columns that one kind of action changes.
enum ChangedColumns<'a> {
    Validity(Option<i64>, Option<i64>),
    Uses(i32),
    Lock(i32),
    Label(Option<&'a str>),
    Voided(Option<(i64, &'a Voided)>),
}

impl ChangedColumns<'_> {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self {
            Self::Validity(from, to) => {
                out.push_sql(", valid_from = ");
                out.push_bind_param::<Nullable<BigInt>, _>(from)?;
                out.push_sql(", valid_to = ");
                out.push_bind_param::<Nullable<BigInt>, _>(to)?;
            }
            Self::Uses(uses) => {
                out.push_sql(", usage_count = ");
                out.push_bind_param::<Integer, _>(uses)?;
            }
            Self::Lock(seconds) => {
                out.push_sql(", lock_time = ");
                out.push_bind_param::<Integer, _>(seconds)?;
            }
            Self::Label(label) => {
                out.push_sql(", label = ");
                out.push_bind_param::<Nullable<Text>, _>(label)?;
            }
            Self::Voided(None) => out.push_sql(", voided_at = NULL, voided_by = NULL, void_reason = NULL"),
            Self::Voided(Some((at, voided))) => {
                out.push_sql(", voided_at = ");
                out.push_bind_param::<BigInt, _>(at)?;
                out.push_sql(", voided_by = ");
                out.push_bind_param::<Text, _>(&voided.by)?;
                out.push_sql(", void_reason = ");
                out.push_bind_param::<Nullable<Text>, _>(&voided.reason)?;
            }
        }
        Ok(())
    }
}

impl<'a> UpdateToken<'a> {
    fn new(id: TokenId, action: &Action, token: &'a Token) -> Self {
        let validity = || ChangedColumns::Validity(token.valid_from.map(Micros::get), token.valid_to.map(Micros::get));
        let uses = || ChangedColumns::Uses(token.usage_count);
        let lock = || ChangedColumns::Lock(token.lock_time);
        let label = || ChangedColumns::Label(token.label.as_deref());
        let voided = || ChangedColumns::Voided(token.voided.as_ref().map(|voided| (voided.at.get(), voided)));
        let set = match action {
            Action::SetValidity { .. } => vec![validity()],
            Action::SetUses(_) | Action::AddUses(_) => vec![uses()],
            Action::SetLock(_) => vec![lock()],
            Action::SetLabel(_) => vec![label()],
            Action::Void { .. } | Action::Unvoid => vec![voided()],
            Action::Import { .. } | Action::Update { .. } => vec![validity(), uses(), lock(), label(), voided()],
            Action::Delete => Vec::new(),
        };
        Self { id, modified: token.modified.get(), set }
    }
}

/// Cached by its text, as the columns differ from one kind of action to another.
impl QueryId for UpdateToken<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Sqlite> for UpdateToken<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE tokens SET modified = ");
        out.push_bind_param::<BigInt, _>(&self.modified)?;
        self.set.iter().try_for_each(|columns| columns.push(&mut out))?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)
    }
}

impl RunQueryDsl<SqliteConnection> for UpdateToken<'_> {}

/// Deletes tokens in a way that can be undone.
pub fn delete(connection: &mut Connection, ids: &[TokenId], who: &Principal, at: Micros) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            let (at, who) = (Some(at.get()), Some(who.as_str()));
            ids.iter().try_for_each(|id| MarkDeleted { id: *id, at, who, modified: None }.execute(connection).map(drop))
        }
        Connection::Postgres(connection) => {
            let set = (tokens::deleted_at.eq(at.get()), tokens::deleted_by.eq(who.as_str()));
            diesel::update(tokens::table.filter(tokens::id.eq_any(ids))).set(set).execute(connection).map(drop)
        }
    }
}

/// Restores deleted tokens, and sets the new `modified` of each.
///
/// # Errors
/// A unique violation when another token now has the value of one of them.
pub(crate) fn restore(connection: &mut Connection, restored: &[(TokenId, Micros)]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => restored.iter().try_for_each(|(id, modified)| {
            MarkDeleted { id: *id, at: None, who: None, modified: Some(modified.get()) }.execute(connection).map(drop)
        }),
        Connection::Postgres(connection) => {
            let (ids, stamps): (Vec<TokenId>, Vec<i64>) =
                restored.iter().map(|(id, modified)| (*id, modified.get())).unzip();
            diesel::sql_query(
                "UPDATE tokens SET deleted_at = NULL, deleted_by = NULL, modified = new.modified \
                 FROM unnest($1, $2) AS new (id, modified) WHERE tokens.id = new.id",
            )
            .bind::<Array<BigInt>, _>(ids)
            .bind::<Array<BigInt>, _>(stamps)
            .execute(connection)
            .map(drop)
        }
    }
}

/// Marks a token as deleted or as not deleted.
struct MarkDeleted<'a> {
    id: TokenId,
    at: Option<i64>,
    who: Option<&'a str>,
    modified: Option<i64>,
}

impl QueryId for MarkDeleted<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Sqlite> for MarkDeleted<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE tokens SET deleted_at = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.at)?;
        out.push_sql(", deleted_by = ");
        out.push_bind_param::<Nullable<Text>, _>(&self.who)?;
        out.push_sql(", modified = COALESCE(");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.modified)?;
        out.push_sql(", modified) WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)
    }
}

impl RunQueryDsl<SqliteConnection> for MarkDeleted<'_> {}
