//! `tessera copy`

use super::shell::{Failure, say};
use crate::cli::Common;
use crate::store::connection::transaction;
use crate::store::copy::{self, CopiedTable};
use crate::store::{DatabaseUrl, Error, migrations};

/// Copies the database into an empty one, and prints what was copied.
pub(crate) fn run(common: &Common, to: &DatabaseUrl) -> Result<(), Failure> {
    let from = &common.database_url;
    from.exists()?;
    from.use_shared()?;
    let mut source = from.connect_exclusively()?;
    migrations::check_current(from, &mut source)?;
    let mut alone = to.use_alone()?;
    to.create()?;
    let mut target = alone.connect()?;
    migrations::migrate(to, &mut target)?;
    // The locked source cannot change meanwhile; the transaction on the target makes the copy all or nothing.
    let copied = transaction(&mut source, |source| {
        copy::lock_tables(source)?;
        transaction(&mut target, |target| copy::copy(source, target))
    });
    let copied = copied.map_err(|error| match error {
        Error::Refused(why) => Failure(format!("Nothing was copied. {why}")),
        error => error.into(),
    })?;
    let rows = copied.iter().map(|CopiedTable { table, rows }| format!("    {table:10} {rows:>12}\n"));
    let rows: String = rows.collect();
    say(&format!("The {from} was copied to the {to}, and every row compared:\n{rows}"));
    Ok(())
}
