//! Own label sheets, and the label of each sheet at which somebody goes on.

use diesel::dsl::AsSelect;
use diesel::prelude::*;

use crate::access::Principal;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::{Connection, MultiBackend};
use crate::store::error::{Error, taken};
use crate::store::schema::{next_labels, sheets};
use crate::store::{advisory_lock, audit};
use crate::token::Micros;
use crate::token::print::slug;

/// A sheet as a person defined it. Measures are micrometres, from the page's edge and from one label's edge to the next
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
    /// Labels beside each other.
    pub across: i32,
    /// Labels below each other.
    pub down: i32,
    /// A label's width.
    pub width: i32,
    /// A label's height.
    pub height: i32,
    /// From the page's left edge to the first label.
    pub from_left: i32,
    /// From the page's upper edge to the first label.
    pub from_top: i32,
    /// From one label's left edge to the next one's.
    pub pitch_x: i32,
    /// From one label's upper edge to the next one's.
    pub pitch_y: i32,
    /// What a printer cannot reach at the paper's edge.
    pub margin: i32,
}

/// An own sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSheet {
    /// What it is called in addresses; it never changes.
    pub(crate) slug: String,
    /// What it is.
    pub measures: Measures,
    /// When it was last changed.
    pub changed: Micros,
    /// The principal that changed it.
    pub(crate) changed_by: String,
}

type Row = (String, Measures, i64, String);
type Columns = (sheets::slug, AsSelect<Measures, MultiBackend>, sheets::changed, sheets::changed_by);

fn columns() -> Columns {
    (sheets::slug, Measures::as_select(), sheets::changed, sheets::changed_by)
}

fn own((slug, measures, changed, changed_by): Row) -> CustomSheet {
    CustomSheet { slug, measures, changed: Micros::stored(changed), changed_by }
}

/// Every own sheet, by name.
///
/// # Errors
/// The database's.
pub fn all(connection: &mut Connection) -> QueryResult<Vec<CustomSheet>> {
    let rows = sheets::table.order(sheets::name).select(columns()).load::<Row>(connection)?;
    Ok(rows.into_iter().map(own).collect())
}

/// The own sheet of that slug.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, slug: &str) -> QueryResult<Option<CustomSheet>> {
    Ok(sheets::table.find(slug).select(columns()).get_result::<Row>(connection).optional()?.map(own))
}

/// Adds a sheet, and says under which slug: made from its name, and none of those that `is_preset` knows.
///
/// # Errors
/// Refused when there is one of that name.
pub fn add(
    connection: &mut Connection,
    new: &Measures,
    is_preset: impl Fn(&str) -> bool,
    by: &Principal,
    now: Micros,
) -> Result<String, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let wanted = slug(&new.name);
    let known: Vec<String> = sheets::table.select(sheets::slug).load(connection)?;
    let is_free = |slug: &String| !is_preset(slug) && !known.contains(slug);
    let others = (2..).map(|n| format!("{wanted}-{n}"));
    let slug = std::iter::once(wanted.clone()).chain(others).find(is_free).unwrap_or_default();
    let row = (sheets::slug.eq(&slug), new, sheets::changed.eq(now.get()), sheets::changed_by.eq(by.as_str()));
    diesel::insert_into(sheets::table).values(row).execute(connection).map_err(|error| in_use(error, &new.name))?;
    audit::record(connection, by, "sheet add", &slug, &new.name, now)?;
    Ok(slug)
}

fn in_use(error: diesel::result::Error, name: &str) -> Error {
    if !taken(&error, "sheets", "name") {
        return error.into();
    }
    Error::Refused(format!("There is a sheet {name} already; choose another name."))
}

/// What became of a change.
#[derive(Debug)]
pub enum SheetChange {
    /// The sheet is what was wanted.
    Saved,
    /// It was changed by somebody else, and is this.
    Conflict(Box<CustomSheet>),
    /// It was removed.
    Gone,
}

/// Changes a sheet, unless it was changed after `known`. Its slug stays.
///
/// # Errors
/// Refused when there is another one of that name.
pub fn change(
    connection: &mut Connection,
    slug: &str,
    known: Micros,
    wanted: &Measures,
    by: &Principal,
    now: Micros,
) -> Result<SheetChange, Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Settings)?;
    let Some(was) = find(connection, slug)? else { return Ok(SheetChange::Gone) };
    if was.measures == *wanted {
        return Ok(SheetChange::Saved);
    }
    if was.changed != known {
        return Ok(SheetChange::Conflict(Box::new(was)));
    }
    // Always another moment than that of the change before.
    let at = now.max(was.changed.plus_micros(1));
    let set = (wanted, sheets::changed.eq(at.get()), sheets::changed_by.eq(by.as_str()));
    let row = diesel::update(sheets::table.find(slug)).set(set);
    row.execute(connection).map_err(|error| in_use(error, &wanted.name))?;
    if was.measures != (Measures { name: was.measures.name.clone(), ..wanted.clone() }) {
        // The label that somebody stopped at is another place on the paper now.
        diesel::delete(next_labels::table.filter(next_labels::sheet.eq(slug))).execute(connection)?;
    }
    audit::record(connection, by, "sheet change", slug, &wanted.name, now)?;
    Ok(SheetChange::Saved)
}

/// Removes a sheet. What was printed on it stays, as it is kept with its geometry.
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

/// The first free label, counted from 1, of the sheet that somebody has in hand; none, if it is not known.
///
/// # Errors
/// The database's.
pub fn next_label(connection: &mut Connection, by: &Principal, sheet: &str) -> QueryResult<Option<i32>> {
    next_labels::table.find((by.as_str(), sheet)).select(next_labels::label).get_result(connection).optional()
}

/// Every sheet that somebody has in hand: its slug and its first free label.
///
/// # Errors
/// The database's.
pub fn next_labels(connection: &mut Connection, by: &Principal) -> QueryResult<Vec<(String, i32)>> {
    let of = next_labels::table.filter(next_labels::principal.eq(by.as_str()));
    of.order(next_labels::sheet).select((next_labels::sheet, next_labels::label)).load(connection)
}

/// Remembers the first free label of the sheet that somebody has in hand.
///
/// # Errors
/// The database's.
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
