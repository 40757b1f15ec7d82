//! Printers: what each adds to every position, so that it comes out where it should.

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
    /// Added to every position, in micrometres: to the right.
    pub offset_x: i32,
    /// Added to every position, in micrometres: downwards.
    pub offset_y: i32,
    /// Its resolution, in dots per inch.
    pub dpi: i32,
}

/// A printer, and its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPrinter {
    /// The printer.
    pub printer: Printer,
    /// When it was last changed.
    pub(crate) changed: Micros,
    /// The principal that changed it.
    pub changed_by: String,
}

type Row = (String, i32, i32, i32, i64, String);

fn known((name, offset_x, offset_y, dpi, changed, changed_by): Row) -> StoredPrinter {
    StoredPrinter { printer: Printer { name, offset_x, offset_y, dpi }, changed: Micros::stored(changed), changed_by }
}

/// Every printer, by name.
///
/// # Errors
/// The database's.
pub fn all(connection: &mut Connection) -> QueryResult<Vec<StoredPrinter>> {
    Ok(printers::table.order(printers::name).load::<Row>(connection)?.into_iter().map(known).collect())
}

/// The printer of that name.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, name: &str) -> QueryResult<Option<StoredPrinter>> {
    Ok(printers::table.find(name).get_result::<Row>(connection).optional()?.map(known))
}

/// Saves a printer; the one of the same name is this one from now on. With `was`, the one of that name is changed, and may
/// get another one.
///
/// # Errors
/// Refused when it shall be called as another one is, or is gone.
pub fn save(
    connection: &mut Connection,
    was: Option<&str>,
    printer: &Printer,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let same_name = find(connection, &printer.name)?;
    let set = (
        printers::offset_x.eq(printer.offset_x),
        printers::offset_y.eq(printer.offset_y),
        printers::dpi.eq(printer.dpi),
        printers::changed.eq(now.get()),
        printers::changed_by.eq(by.as_str()),
    );
    let name = was.unwrap_or(&printer.name);
    let is_so = same_name.as_ref().is_some_and(|known| known.printer == *printer);
    // Nothing is to be changed, or a form was sent twice that has renamed it.
    if is_so && (name == printer.name || find(connection, name)?.is_none()) {
        return Ok(());
    }
    if name != printer.name && same_name.is_some() {
        return Err(Error::Refused(format!("There is a printer {} already; choose another name.", printer.name)));
    }
    let row = diesel::update(printers::table.find(name)).set((printers::name.eq(&printer.name), set));
    if row.execute(connection)? == 0 {
        if was.is_some() {
            return Err(Error::Refused(format!("The printer {name} was removed meanwhile.")));
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
