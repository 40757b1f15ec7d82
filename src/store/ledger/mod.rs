//! The ledger connects consuming with a database. Two functions per database, called in one transaction around
//! settling: `hold` locks and loads what a batch of asks names, `keep` stores the result.

mod linked;
mod postgres;
pub(crate) mod replies;
mod sqlite;
mod undo;

use diesel::QueryResult;

use super::connection::Connection;
use super::index;
use crate::token::Micros;
use crate::token::settle::{Answer, Ask, Held};
use linked::Linked;
use replies::ReplyRow;

/// Locks and loads the tokens that `asks` name, then loads the replies saved for their keys, and reads the clock. On
/// PostgreSQL it waits for nobody: tokens that somebody else has locked are only named as such.
pub fn hold(connection: &mut Connection, asks: &[Ask]) -> QueryResult<(Held, Micros)> {
    let undone = undo::tokens_of(connection, asks)?;
    let (mut held, now) = match connection {
        Connection::Sqlite(_) => sqlite::hold(connection, asks, &undone)?,
        Connection::Postgres(connection) => postgres::hold(connection, asks, &undone)?,
    };
    undo::hold(connection, asks, &undone, &mut held)?;
    Ok((held, now))
}

/// Stores the changed tokens, with what their actions note of undone uses, one usage entry for each attempt, and the replies
/// to successful asks with a key.
pub fn keep(
    connection: &mut Connection,
    held: &Held,
    asks: &[Ask],
    answers: &[Option<Answer>],
    now: Micros,
) -> QueryResult<()> {
    undo::keep(connection, held, asks, answers)?;
    let attempts: Vec<_> = asks.iter().zip(answers).map(|(ask, answer)| answer.as_ref()?.attempt(ask)).collect();
    let linked = Linked::new(held, asks, &attempts, now);
    let saved = asks.iter().zip(answers).filter_map(|(ask, answer)| match (&ask.key, answer) {
        (Some(key), Some(Answer::Done(receipt, _))) => Some(ReplyRow::new(key, receipt, now)),
        _ => None,
    });
    let undone = linked.rows.iter().filter(|row| row.undoes.is_some()).filter_map(|row| row.token);
    index::queue::add(connection, &undone.collect::<Vec<_>>())?;
    match connection {
        Connection::Sqlite(connection) => sqlite::keep(connection, held, linked, saved),
        Connection::Postgres(connection) => postgres::keep(connection, held, linked, saved.collect(), now),
    }
}
