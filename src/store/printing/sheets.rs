//! Custom label sheets, and each person's next free label on each sheet.

use diesel::dsl::AsSelect;
use diesel::prelude::*;

use crate::access::Principal;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::{Connection, MultiBackend};
use crate::store::error::{Error, is_duplicate};
use crate::store::schema::{next_labels, sheets};
use crate::store::{advisory_lock, audit};
use crate::token::Micros;
use crate::token::print::slug;

/// A custom sheet's measures, in micrometres. Distances run from the page's edge, and from one label's edge to the next
/// one's.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = sheets)]
pub struct Measures {
    /// The unique name.
    pub name: String,
    /// The page's width.
    pub page_width: i32,
    /// The page's height.
    pub page_height: i32,
    /// Labels in a row.
    pub across: i32,
    /// Labels in a column.
    pub down: i32,
    /// A label's width.
    pub width: i32,
    /// A label's height.
    pub height: i32,
    /// From the page's left edge to the first label.
    pub from_left: i32,
    /// From the page's top edge to the first label.
    pub from_top: i32,
    /// From one label's left edge to the next one's.
    pub pitch_x: i32,
    /// From one label's top edge to the next one's.
    pub pitch_y: i32,
    /// The margin that a printer cannot reach.
    pub margin: i32,
}

/// A custom sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSheet {
    /// Its name in URLs, which never changes.
    pub(crate) slug: String,
    /// Its name and measures.
    pub measures: Measures,
    /// When it was last changed.
    pub changed: Micros,
    /// The principal that changed it.
    pub(crate) changed_by: String,
}

type SheetRow = (String, Measures, i64, String);
type SheetColumns = (sheets::slug, AsSelect<Measures, MultiBackend>, sheets::changed, sheets::changed_by);

fn columns() -> SheetColumns {
    (sheets::slug, Measures::as_select(), sheets::changed, sheets::changed_by)
}

fn custom_sheet((slug, measures, changed, changed_by): SheetRow) -> CustomSheet {
    CustomSheet { slug, measures, changed: Micros::stored(changed), changed_by }
}

/// Every custom sheet, by name.
pub fn all(connection: &mut Connection) -> QueryResult<Vec<CustomSheet>> {
    let rows = sheets::table.order(sheets::name).select(columns()).load::<SheetRow>(connection)?;
    Ok(rows.into_iter().map(custom_sheet).collect())
}

/// The custom sheet with this slug.
pub fn find(connection: &mut Connection, slug: &str) -> QueryResult<Option<CustomSheet>> {
    Ok(sheets::table.find(slug).select(columns()).get_result::<SheetRow>(connection).optional()?.map(custom_sheet))
}

/// Adds a sheet, and returns its slug, which is made from its name and differs from all slugs for which `is_preset`
/// holds.
///
/// # Errors
/// Refused when the name is in use.
pub fn add(
    connection: &mut Connection,
    new: &Measures,
    is_preset: impl Fn(&str) -> bool,
    by: &Principal,
    now: Micros,
) -> Result<String, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let wanted = slug(&new.name);
    let used: Vec<String> = sheets::table.select(sheets::slug).load(connection)?;
    let is_free = |slug: &String| !is_preset(slug) && !used.contains(slug);
    let others = (2..).map(|n| format!("{wanted}-{n}"));
    let slug = std::iter::once(wanted.clone()).chain(others).find(is_free).unwrap_or_default();
    let row = (sheets::slug.eq(&slug), new, sheets::changed.eq(now.get()), sheets::changed_by.eq(by.as_str()));
    diesel::insert_into(sheets::table).values(row).execute(connection).map_err(|error| name_error(error, &new.name))?;
    audit::record(connection, by, "sheet add", &slug, &new.name, now)?;
    Ok(slug)
}

fn name_error(error: diesel::result::Error, name: &str) -> Error {
    if !is_duplicate(&error, "sheets", "name") {
        return error.into();
    }
    Error::Refused(format!("There is a sheet {name} already; choose another name."))
}

/// The result of a change.
#[derive(Debug)]
pub enum SheetChange {
    /// The sheet has the new measures.
    Saved,
    /// Somebody else changed it; this is the current sheet.
    Conflict(Box<CustomSheet>),
    /// It was removed.
    Gone,
}

/// Changes a sheet, unless somebody else has changed it since `expected`, the last change that the caller knows of. Its
/// slug stays.
///
/// # Errors
/// Refused when the name is in use.
pub fn change(
    connection: &mut Connection,
    slug: &str,
    expected: Micros,
    wanted: &Measures,
    by: &Principal,
    now: Micros,
) -> Result<SheetChange, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let Some(current) = find(connection, slug)? else { return Ok(SheetChange::Gone) };
    if current.measures == *wanted {
        return Ok(SheetChange::Saved);
    }
    if current.changed != expected {
        return Ok(SheetChange::Conflict(Box::new(current)));
    }
    // Always later than the previous change, since `expected` tells changes apart.
    let at = now.max(current.changed.plus_micros(1));
    let set = (wanted, sheets::changed.eq(at.get()), sheets::changed_by.eq(by.as_str()));
    let row = diesel::update(sheets::table.find(slug)).set(set);
    row.execute(connection).map_err(|error| name_error(error, &wanted.name))?;
    if current.measures != (Measures { name: current.measures.name.clone(), ..wanted.clone() }) {
        // The next free label may be elsewhere on the paper now.
        diesel::delete(next_labels::table.filter(next_labels::sheet.eq(slug))).execute(connection)?;
    }
    audit::record(connection, by, "sheet change", slug, &wanted.name, now)?;
    Ok(SheetChange::Saved)
}

/// Removes a sheet. Runs printed on it stay, since each is stored with its geometry.
///
/// # Errors
/// Refused when there is no such sheet.
pub fn remove(connection: &mut Connection, slug: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let row = diesel::delete(sheets::table.find(slug)).returning(sheets::name);
    let Some(name) = row.get_result::<String>(connection).optional()? else {
        return Err(Error::Refused("This sheet was removed already.".into()));
    };
    diesel::delete(next_labels::table.filter(next_labels::sheet.eq(slug))).execute(connection)?;
    audit::record(connection, by, "sheet remove", slug, &name, now)
}

/// The next free label, counted from 1, on the sheet that somebody has in hand; none if unknown.
pub fn next_label(connection: &mut Connection, by: &Principal, sheet: &str) -> QueryResult<Option<i32>> {
    next_labels::table.find((by.as_str(), sheet)).select(next_labels::label).get_result(connection).optional()
}

/// The slug and the next free label of every sheet that somebody has in hand.
pub fn next_labels(connection: &mut Connection, by: &Principal) -> QueryResult<Vec<(String, i32)>> {
    let of = next_labels::table.filter(next_labels::principal.eq(by.as_str()));
    of.order(next_labels::sheet).select((next_labels::sheet, next_labels::label)).load(connection)
}

/// Saves the next free label of the sheet that somebody has in hand.
pub fn remember_label(connection: &mut Connection, by: &Principal, sheet: &str, label: i32) -> QueryResult<()> {
    let row = (next_labels::principal.eq(by.as_str()), next_labels::sheet.eq(sheet), next_labels::label.eq(label));
    match connection {
        Connection::Sqlite(connection) => {
            diesel::replace_into(next_labels::table).values(row).execute(connection).map(drop)
        }
        Connection::Postgres(connection) => {
            let insert = diesel::insert_into(next_labels::table).values(row);
            let upsert = insert.on_conflict((next_labels::principal, next_labels::sheet)).do_update();
            upsert.set(next_labels::label.eq(label)).execute(connection).map(drop)
        }
    }
}
