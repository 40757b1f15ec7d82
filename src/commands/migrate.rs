//! `tessera migrate`

use super::shell::{Failure, say};
use crate::cli::Common;
use crate::store::migrations;

/// Migrates the database, and creates it if there is none.
pub(crate) fn run(common: &Common) -> Result<(), Failure> {
    let url = &common.database_url;
    url.use_shared()?;
    url.create()?;
    let steps = migrations::migrate(url, &mut url.connect()?)?;
    let outcome = match steps {
        0 => "is up to date".to_owned(),
        1 => "was migrated in one step".to_owned(),
        steps => format!("was migrated in {steps} steps"),
    };
    say(&format!("The {url} {outcome}.\n"));
    Ok(())
}
