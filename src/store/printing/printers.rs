//! Printers, and the offset of each, which is added to every position so that labels come out in the right place.

use diesel::prelude::*;

use crate::access::Principal;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::printers;
use crate::store::{advisory_lock, audit};
use crate::token::Micros;

/// A printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printer {
    /// The unique name.
    pub name: String,
    /// Added to every position, to the right, in micrometres.
    pub offset_x: i32,
    /// Added to every position, downwards, in micrometres.
    pub offset_y: i32,
    /// Its resolution, in dots per inch.
    pub dpi: i32,
}

/// A printer and its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPrinter {
    /// The printer.
    pub printer: Printer,
    /// When it was last changed.
    pub(crate) changed: Micros,
    /// The principal that changed it.
    pub changed_by: String,
}

type PrinterRow = (String, i32, i32, i32, i64, String);

fn stored_printer((name, offset_x, offset_y, dpi, changed, changed_by): PrinterRow) -> StoredPrinter {
    StoredPrinter { printer: Printer { name, offset_x, offset_y, dpi }, changed: Micros::stored(changed), changed_by }
}

/// Every printer, by name.
pub fn all(connection: &mut Connection) -> QueryResult<Vec<StoredPrinter>> {
    Ok(printers::table.order(printers::name).load::<PrinterRow>(connection)?.into_iter().map(stored_printer).collect())
}

/// The printer with this name.
pub fn find(connection: &mut Connection, name: &str) -> QueryResult<Option<StoredPrinter>> {
    Ok(printers::table.find(name).get_result::<PrinterRow>(connection).optional()?.map(stored_printer))
}

/// The printer with this name, which nobody else changes before this transaction ends.
pub(crate) fn lock(connection: &mut Connection, name: &str) -> Result<Option<StoredPrinter>, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    Ok(find(connection, name)?)
}

/// Saves a printer, replacing one of the same name. With `old_name`, it replaces the printer of that name, which may thereby
/// be renamed.
///
/// # Errors
/// Refused when the new name belongs to another printer, or the printer to be replaced is gone.
pub fn save(
    connection: &mut Connection,
    old_name: Option<&str>,
    printer: &Printer,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let same_name = lock(connection, &printer.name)?;
    let set = (
        printers::offset_x.eq(printer.offset_x),
        printers::offset_y.eq(printer.offset_y),
        printers::dpi.eq(printer.dpi),
        printers::changed.eq(now.get()),
        printers::changed_by.eq(by.as_str()),
    );
    let name = old_name.unwrap_or(&printer.name);
    let is_unchanged = same_name.as_ref().is_some_and(|stored| stored.printer == *printer);
    // Nothing changes, or a form that renames the printer was sent twice.
    if is_unchanged && (name == printer.name || find(connection, name)?.is_none()) {
        return Ok(());
    }
    if name != printer.name && same_name.is_some() {
        return Err(Error::Refused(format!("There is already a printer {}. Choose another name.", printer.name)));
    }
    let row = diesel::update(printers::table.find(name)).set((printers::name.eq(&printer.name), set));
    if row.execute(connection)? == 0 {
        if old_name.is_some() {
            return Err(Error::Refused(format!("Someone else renamed or removed the printer {name}.")));
        }
        diesel::insert_into(printers::table).values((printers::name.eq(&printer.name), set)).execute(connection)?;
    }
    let mm = |micrometres: i32| f64::from(micrometres) / 1_000.0;
    let detail = format!("{} mm right, {} mm down, {} dpi", mm(printer.offset_x), mm(printer.offset_y), printer.dpi);
    audit::record(connection, by, "printer save", &printer.name, &detail, now)
}

/// Removes a printer.
///
/// # Errors
/// Refused when there is no such printer.
pub fn remove(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    if diesel::delete(printers::table.find(name)).execute(connection)? == 0 {
        return Err(Error::Refused(format!("There is no printer {name}.")));
    }
    audit::record(connection, by, "printer remove", name, "", now)
}
