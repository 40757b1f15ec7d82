//! What print runs are called.

use diesel::prelude::*;

use super::counts::RunCounts;
use super::find::labels;
use super::row::PrintRun;
use crate::store::batches;
use crate::store::connection::Connection;
use crate::token::Token;
use crate::token::group_title::group_title;

/// What a run is called by what it holds: its batch, or its first and last label as they are called now.
pub(crate) fn title(connection: &mut Connection, run: &PrintRun, counts: &RunCounts) -> QueryResult<String> {
    if let Some(name) = counts.batch.map_or(Ok(None), |id| batches::name(connection, id))? {
        return Ok(name);
    }
    let mut name_after = |position: i32| -> QueryResult<Option<String>> {
        let label = labels(connection, run.id, position, 1)?.pop();
        Ok(label.map(|label| token_title(label.token)))
    };
    let (first, last) = (name_after(0)?, name_after(run.count - 1)?);
    Ok(first.zip(last).map_or_else(|| run.sheet.clone(), |(first, last)| group_title(None, &first, &last)))
}

fn token_title(token: Token) -> String {
    token.label.unwrap_or(token.value)
}
