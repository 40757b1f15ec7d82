//! Tokens, or the usage log, as one file.

use std::time::Duration;

use super::target::Target;
use crate::cli::Common;
use crate::cli::moving::Export;
use crate::commands::shell::{Failure, connect};
use crate::store::search::SearchLimit;
use crate::store::tokens::list::TokenFilter;
use crate::store::usage::UsageFilter;
use crate::store::{Connection, Error, batches, clock};
use crate::token::{Uid, quoted};
use crate::web::params::filters::search_term;
use crate::work::export;
use crate::work::export::rows::{Layout, RowWriter};
use crate::work::export::source::Source;
use crate::work::export::tokens::Tokens;
use crate::work::export::usage::Usage;

/// How long reading a piece may take: whoever waits can end the command.
const LIMIT: Duration = Duration::from_hours(24);

/// Writes the rows that are wanted.
pub(super) fn run(common: &Common, wanted: &Export) -> Result<(), Failure> {
    let q = wanted
        .q
        .clone()
        .filter(|q| !q.is_empty())
        .map(search_term)
        .transpose()
        .map_err(|error| Failure(format!("--q: {error}")))?;
    let mut connection = connect(common)?;
    let batch = wanted.batch.as_deref().map(|name| batch_named(&mut connection, name)).transpose()?;
    let mut target = Target::open(wanted.output.as_deref(), &common.database_url)?;
    let (columns, mut source): (&[&str], Box<dyn Source>) = if wanted.usage {
        let filter = UsageFilter { batch, q, ..UsageFilter::default() };
        let source = Usage::new(&mut connection, &filter, &SearchLimit::new(LIMIT)).map_err(not_read)?;
        (&export::usage::COLUMNS, Box::new(source))
    } else {
        let filter = TokenFilter { q, batch, state: wanted.state, ..TokenFilter::default() };
        let now = clock::now(&mut connection).map_err(|error| not_read(error.into()))?;
        let source = Tokens::new(&mut connection, filter, now, &SearchLimit::new(LIMIT)).map_err(not_read)?;
        (&export::tokens::COLUMNS, Box::new(source))
    };
    let layout = Layout::new(wanted.format, columns, common.zone());
    target.write(&layout.head().map_err(not_read)?)?;
    loop {
        let mut rows = RowWriter::new(layout);
        let is_more = source.write_piece(&mut connection, &mut rows, &SearchLimit::new(LIMIT)).map_err(not_read)?;
        target.write(&rows.into_bytes().map_err(not_read)?)?;
        if !is_more {
            return target.finish();
        }
    }
}

/// Why the database was not read to its end.
fn not_read(error: Error) -> Failure {
    match error {
        Error::Token(_) | Error::Refused(_) => error.into(),
        error => Failure(format!("The export is not complete, as {}.", error.to_string().trim_end_matches('.'))),
    }
}

/// The batch of this name, or with this uid.
fn batch_named(connection: &mut Connection, name: &str) -> Result<Uid, Failure> {
    let found = batches::named(connection, name).map_err(Error::from)?;
    match found.as_slice() {
        [batch] => batch.uid.parse().map_err(|error| Error::Token(error).into()),
        [] => {
            let unknown = || Failure(format!("--batch: there is no batch {}.", quoted(name)));
            let uid: Uid = name.parse().map_err(|_| unknown())?;
            let batch = batches::find(connection, uid).map_err(Error::from)?;
            batch.filter(|batch| batch.made.is_some()).map(|_| uid).ok_or_else(unknown)
        }
        _ => {
            let name = quoted(name);
            Err(Failure(format!(
                "--batch: several batches are called {name}; name one by its ID, which is in its page's address."
            )))
        }
    }
}
