//! The file of an import, in pieces.

use diesel::prelude::*;

use super::Stage;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::{import_parts, imports};
use crate::token::Micros;

/// Bytes of a file in one row.
pub(crate) const PART: usize = 256 * 1024;

/// Adds the next piece of a file that is being sent.
///
/// # Errors
/// Refused, when it was given up meanwhile.
pub(crate) fn add(
    connection: &mut Connection,
    import: i64,
    (part, bytes): (i32, &[u8]),
    now: Micros,
) -> Result<(), Error> {
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let row = imports::table.find(import).filter(imports::stage.eq(Stage::Sending.word()));
    let set = (imports::size.eq(imports::size + size), imports::touched.eq(now.get()));
    if diesel::update(row).set(set).execute(connection)? == 0 {
        return Err(Error::Refused("The file took too long to be sent; send it again.".into()));
    }
    let row = (import_parts::import.eq(import), import_parts::part.eq(part), import_parts::bytes.eq(bytes));
    diesel::insert_into(import_parts::table).values(row).execute(connection)?;
    Ok(())
}

/// A piece of a file; none behind the last one.
pub(crate) fn read(connection: &mut Connection, import: i64, part: i32) -> QueryResult<Option<Vec<u8>>> {
    let row = import_parts::table.filter(import_parts::import.eq(import)).filter(import_parts::part.eq(part));
    row.select(import_parts::bytes).get_result(connection).optional()
}
