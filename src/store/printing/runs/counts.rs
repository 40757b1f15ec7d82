//! How the tokens of print runs stand.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::store::connection::Connection;
use crate::store::schema::{print_run_tokens, tokens};

/// How a run's tokens stand. One that is on two of its labels counts twice, as labels do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Labels that were printed.
    pub printed: i64,
    /// Of these, how many are of tokens that are there and were never used.
    pub never_used: i64,
    /// That are there and were used at least once.
    pub used: i64,
    /// That are there and voided.
    pub voided: i64,
    /// That were deleted meanwhile.
    pub deleted: i64,
}

/// How the tokens of runs stand, by the run's number. Reads all of their tokens.
///
/// # Errors
/// The database's.
pub fn count_tokens(connection: &mut Connection, runs: &[i64]) -> QueryResult<Vec<(i64, RunCounts)>> {
    let there =
        |what: &str| sql::<BigInt>(&format!("COUNT(CASE WHEN tokens.deleted_at IS NULL AND {what} THEN 1 END)"));
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> = print_run_tokens::table
        .inner_join(tokens::table.on(tokens::id.eq(print_run_tokens::token)))
        .filter(print_run_tokens::run.eq_any(runs.to_vec()))
        .group_by(print_run_tokens::run)
        .select((
            print_run_tokens::run,
            count_star(),
            there("tokens.used = 0 AND tokens.last_used IS NULL"),
            there("NOT (tokens.used = 0 AND tokens.last_used IS NULL)"),
            there("tokens.voided_at IS NOT NULL"),
            sql::<BigInt>("COUNT(tokens.deleted_at)"),
        ))
        .load(connection)?;
    let of = |(run, printed, never_used, used, voided, deleted)| {
        (run, RunCounts { printed, never_used, used, voided, deleted })
    };
    Ok(rows.into_iter().map(of).collect())
}
