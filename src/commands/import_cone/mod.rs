//! `tessera import-cone`

mod report;

use std::path::Path;

use super::shell::{Failure, operator, print};
use crate::cli::Common;
use crate::cli::moving::{Duplicates, ForeignUuids, ImportCone};
use crate::store::cone::{self, Source};
use crate::store::connection::transaction;
use crate::store::migrations::{self, SchemaState};
use crate::store::{Connection, DatabaseUrl, Error, clock, copy, settings};
use crate::token::Micros;
use crate::token::cone::findings::Decisions;
use crate::token::cone::settings as cone_settings;
use crate::token::cone::{Mapping, Plan, Tally};
use crate::token::settings::{Setting, Settings};

/// Lists what is found in a database of cone.tokens, and moves it in.
pub(crate) fn run(common: &Common, options: &ImportCone) -> Result<(), Failure> {
    let target = &common.database_url;
    if is_same_file(&options.from, target) {
        return Err(Failure("Nothing was imported: it would be imported into itself.".into()));
    }
    let existing = existing_settings(target)?;
    let wanted = options.settings.as_deref().map(|file| read_settings(file, &existing)).transpose()?;
    let mut source = Source::open(&options.from)?;
    let now = Micros::now();
    // What is cut is counted by the settings that hold after the import, which do not say how long the log is kept.
    let kept = i64::from(existing.usage_days) * Micros::DAY;
    let mapping =
        Mapping { zone: options.source_timezone, now, by: operator().to_string(), kept_since: now.plus_micros(-kept) };
    let (findings, mut plan) = cone::inspect(&mut source, mapping).map_err(|error| read_error(options, &error))?;
    let decisions = Decisions {
        adjust: options.adjust,
        suffix_duplicates: options.duplicates == Duplicates::Suffix,
        refuse_foreign_uuids: options.foreign_uuids == ForeignUuids::Refuse,
    };
    print(&report::findings(&findings, decisions, &options.from, existing.usage_days))?;
    let refusing = findings.refusing(decisions);
    if !refusing.is_empty() {
        return Err(Failure(report::refusal(&refusing)));
    }
    if options.dry_run {
        return print(&report::would_import(&plan.tally));
    }
    let tally = import(target, &mut source, &mut plan, options, wanted.as_ref())?;
    let report = report::imported(&plan.tally, &tally, &options.from, target);
    print(&report).map_err(|Failure(why)| Failure(format!("Everything was imported. {why}")))
}

/// Whether both are one file: as soon as Tessera opens a file to write, it would not be as it was.
fn is_same_file(from: &DatabaseUrl, target: &DatabaseUrl) -> bool {
    match (from, target) {
        (DatabaseUrl::Sqlite(from), DatabaseUrl::Sqlite(target)) => {
            from.identity().is_ok_and(|from| target.identity().is_ok_and(|target| from == target))
        }
        _ => false,
    }
}

/// The settings of the database if it is there. Nothing is made.
fn existing_settings(target: &DatabaseUrl) -> Result<Settings, Failure> {
    if let DatabaseUrl::Sqlite(file) = target
        && file.identity().is_err()
    {
        return Ok(Settings::default());
    }
    let mut connection = target.connect()?;
    match migrations::schema(target, &mut connection)? {
        SchemaState::Empty => Ok(Settings::default()),
        SchemaState::Behind => Err(target.open_error("is of an older version", "run `tessera migrate` first").into()),
        SchemaState::Current => {
            let settings =
                cone::check_empty(&mut connection).and_then(|()| Ok(settings::all(&mut connection)?.settings));
            settings.map_err(|error| because(target, error))
        }
    }
}

fn read_settings(file: &Path, existing: &Settings) -> Result<(Settings, Vec<Setting>), Failure> {
    let json = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let settings = json.and_then(|json| cone_settings::read(&json, existing));
    settings.map_err(|why| Failure(format!("Nothing was imported: --settings {}: {why}.", file.display())))
}

/// One transaction on a database that nobody else uses.
fn import(
    target: &DatabaseUrl,
    source: &mut Source,
    plan: &mut Plan,
    options: &ImportCone,
    wanted: Option<&(Settings, Vec<Setting>)>,
) -> Result<Tally, Failure> {
    // Before the file is made: whoever opens it first must not be in the way, nor take an empty one for the database.
    let mut alone = target.use_alone()?;
    target.create()?;
    let mut connection = alone.connect()?;
    migrations::migrate(target, &mut connection)?;
    let from = options.from.to_string();
    let imported = transaction(&mut connection, |connection| {
        copy::lock_tables(connection)?;
        let now = clock::now(connection)?;
        if let Some((wanted, set)) = wanted {
            take_over(connection, wanted, set, now)?;
        }
        cone::import(source, connection, plan, &operator(), &from)
    });
    imported.map_err(|error| because(target, error))
}

fn take_over(connection: &mut Connection, wanted: &Settings, set: &[Setting], now: Micros) -> Result<(), Error> {
    for setting in set {
        let current = settings::all(connection)?.settings.json(*setting);
        settings::change(connection, *setting, (&current, wanted), &operator(), now)?;
    }
    Ok(())
}

/// Says that nothing was done, and why.
fn because(target: &DatabaseUrl, error: Error) -> Failure {
    match error {
        Error::Refused(why) => {
            Failure(format!("Nothing was imported into the {target}: {}.", why.trim_end_matches('.')))
        }
        error => error.into(),
    }
}

fn read_error(options: &ImportCone, error: &Error) -> Failure {
    Failure(format!("Nothing was imported: the {} cannot be read: {error}.", options.from))
}
