//! What is exported, whatever it is.

use super::rows::RowWriter;
use crate::store::search::SearchLimit;
use crate::store::{Connection, Error};

/// Rows of one kind, which are read and written piece by piece.
pub(crate) trait Source: Send {
    /// Writes the next rows, and returns whether there may be more. Now and then a piece has no rows.
    ///
    /// # Errors
    /// The database's; too slow, when the piece takes longer than it may.
    fn write_piece(
        &mut self,
        connection: &mut Connection,
        rows: &mut RowWriter,
        limit: &SearchLimit,
    ) -> Result<bool, Error>;
}
