//! Counts the tokens of print runs.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::store::connection::Connection;
use crate::store::schema::{print_run_tokens, tokens};
use crate::token::BatchId;

/// How many of a run's tokens are in which state. A token on two labels counts twice, like the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Labels printed.
    pub printed: i64,
    /// Of these, those whose token exists and was never used.
    pub never_used: i64,
    /// Those whose token exists and was used at least once.
    pub used: i64,
    /// Those whose token exists and is voided.
    pub voided: i64,
    /// Those whose token has been deleted.
    pub deleted: i64,
    /// The batch, if all are of one.
    pub batch: Option<BatchId>,
}

/// The batch of all tokens of a group; nothing if they are of several, or if one is of none.
const ONE_BATCH: &str = "CASE WHEN COUNT(tokens.batch) = COUNT(*) AND MIN(tokens.batch) = MAX(tokens.batch) \
                         THEN MIN(tokens.batch) END";

/// A run's id, how many tokens it has, how many of them there are in each state, and their batch.
type CountsRow = (i64, i64, i64, i64, i64, i64, Option<i64>);

/// Counts the tokens of runs, by run id. Reads all of their tokens.
pub fn count_tokens(connection: &mut Connection, runs: &[i64]) -> QueryResult<Vec<(i64, RunCounts)>> {
    let count_existing =
        |what: &str| sql::<BigInt>(&format!("COUNT(CASE WHEN tokens.deleted_at IS NULL AND {what} THEN 1 END)"));
    let rows: Vec<CountsRow> = print_run_tokens::table
        .inner_join(tokens::table.on(tokens::id.eq(print_run_tokens::token)))
        .filter(print_run_tokens::run.eq_any(runs.to_vec()))
        .group_by(print_run_tokens::run)
        .select((
            print_run_tokens::run,
            count_star(),
            count_existing("tokens.used = 0"),
            count_existing("tokens.used <> 0"),
            count_existing("tokens.voided_at IS NOT NULL"),
            sql::<BigInt>("COUNT(tokens.deleted_at)"),
            sql::<Nullable<BigInt>>(ONE_BATCH),
        ))
        .load(connection)?;
    let counts = |(run, printed, never_used, used, voided, deleted, batch)| {
        (run, RunCounts { printed, never_used, used, voided, deleted, batch })
    };
    Ok(rows.into_iter().map(counts).collect())
}
