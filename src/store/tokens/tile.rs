//! What a tile shows: a token, its batch, and the latest attempts at it.

use std::sync::Arc;

use diesel::QueryResult;

use super::look_up::with_uids;
use crate::store::batches::{self, Batch};
use crate::store::connection::{Connection, in_one_snapshot};
use crate::store::error::Error;
use crate::store::lookups::LookUp;
use crate::store::usage::{self, Entry};
use crate::token::{Token, Uid};

/// Attempts on a tile.
const HISTORY: usize = 20;

/// A token as its tile shows it.
#[derive(Debug)]
pub(crate) struct Tile {
    /// The token.
    pub(crate) token: Token,
    /// Its batch, if people hear of it.
    pub(crate) batch: Option<Batch>,
    /// The latest attempts, newest first.
    pub(crate) history: Vec<Entry>,
}

/// The tile of the token with this uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TileOf(pub(crate) Uid);

impl LookUp for TileOf {
    type Found = Option<Arc<Tile>>;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        // On SQLite each statement by itself would take and release the locks of a reader, and a tile has up to 25.
        Ok(in_one_snapshot(connection, |connection| tiles(connection, keys))?)
    }
}

fn tiles(connection: &mut Connection, keys: &[TileOf]) -> QueryResult<Vec<Option<Arc<Tile>>>> {
    let found = with_uids(connection, keys.iter().map(|key| key.0))?;
    let of: Vec<_> = found.iter().flatten().map(|(id, token)| (*id, token)).collect();
    let batches = batches::of_tokens(connection, of.iter().map(|(_, token)| *token))?;
    let mut histories = usage::last::<HISTORY>(connection, &of)?.into_iter();
    let mut tile = |(_, token): (_, Token)| {
        let batch = token.batch.and_then(|batch| batches.get(&batch).cloned());
        Arc::new(Tile { token, batch, history: histories.next().unwrap_or_default() })
    };
    Ok(found.into_iter().map(|found| found.map(&mut tile)).collect())
}
