//! `tessera import`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::export::target::Target;
use super::shell::{Failure, connect, operator, print, say};
use crate::access::Principal;
use crate::cli::Common;
use crate::cli::moving::Import;
use crate::store::{DatabaseUrl, Error, Store, settings};
use crate::token::import::field::Field;
use crate::token::import::line::LineReader;
use crate::token::import::options::{ImportOptions, Mode};
use crate::token::import::report::{ImportReport, MOST_ERRORS};
use crate::token::{Uid, batch, quoted};
use crate::web::format::{grouped, tokens};
use crate::web::import::report::in_lines;
use crate::work::import::job::Job;
use crate::work::import::rejects::rejects;
use crate::work::import::{check::check, run as import};

/// How often it is said how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

/// Checks a file, says what it would do, and does it unless something is wrong or it is only a trial.
pub(crate) fn run(common: &Common, command: Import) -> Result<(), Failure> {
    let options = options(&command)?;
    let mut connection = connect(common)?;
    let defaults = settings::all(&mut connection).map_err(Error::from)?.settings.defaults();
    drop(connection);
    let (store, by) = (Store::start(&common.database_url)?, operator());
    let reader = LineReader {
        zone: common.zone(),
        defaults,
        by: by.to_string(),
        now: store.now(),
        may_void: true,
        public_url: None,
    };
    let database = common.database_url.clone();
    let work = move |runtime| import_file(runtime, &store, (&command, &database), (&options, &reader, &by));
    actix_web::rt::System::new().block_on(async {
        let runtime = Handle::current();
        let done = tokio::task::spawn_blocking(move || work(runtime)).await;
        done.unwrap_or_else(|error| Err(Failure(format!("The import ended by itself: {error}."))))
    })
}

fn options(command: &Import) -> Result<ImportOptions, Failure> {
    let chosen = [
        (Field::Label, &command.label),
        (Field::Value, &command.value),
        (Field::UsageCount, &command.usage_count),
        (Field::LockTime, &command.lock_time),
        (Field::ValidFrom, &command.valid_from),
        (Field::ValidTo, &command.valid_to),
    ];
    let columns: BTreeMap<Field, String> =
        chosen.into_iter().filter_map(|(field, column)| Some((field, column.clone()?))).collect();
    let batch = command.batch.as_deref().map(str::trim);
    if let Some(name) = batch {
        batch::check_name(name).map_err(|why| format!("--batch: {why}"))?;
    }
    let mode = command.change.unwrap_or_default();
    if mode != Mode::Add && command.batch.is_some() {
        return Err(Failure("--batch is for new tokens, and --change changes those that there are.".into()));
    }
    Ok(ImportOptions {
        columns,
        mode,
        batch: batch.map(str::to_owned),
        encoding: command.encoding,
        format: command.format,
        separator: command.separator,
        trims: false,
    })
}

fn import_file(
    runtime: Handle,
    store: &Store,
    (command, database): (&Import, &DatabaseUrl),
    (options, reader, by): (&ImportOptions, &LineReader, &Principal),
) -> Result<(), Failure> {
    let name = command.file.file_name().unwrap_or_default().to_string_lossy();
    let progress = Progress::default();
    let job = Job {
        store,
        runtime,
        source: &command.file,
        name: &name,
        options,
        reader,
        by,
        uid: Uid::random(),
        stored: None,
        progress: &|lines| {
            progress.tell(lines);
            Ok(())
        },
    };
    let rejected = command.rejects.as_deref().map(|path| rejects_to(path, command, database)).transpose()?;
    let report = check(&job)?;
    say(&problems(&report));
    if report.error_count > 0 {
        if let Some(mut target) = rejected {
            target.write(&rejects(&job, &report)?)?;
            target.finish()?;
        }
        return Err(Failure(format!("{name} has {}; nothing was imported.", in_lines(&report))));
    }
    let what = if options.mode == Mode::Add { "added" } else { "changed" };
    if report.tokens == 0 && report.same == 0 {
        return Err(Failure(format!("{name} has nothing to import.{}", beside(&report))));
    }
    if command.dry_run {
        return print(&format!("{} would be {what}.{}\n", tokens(report.tokens), beside(&report)));
    }
    if report.tokens > 0 {
        progress.begin("written");
        import(&job, &report)?;
    }
    print(&format!("{} {what}.{}\n", tokens(report.tokens), beside(&report)))
}

/// Where lines with errors go: never into the file they come from, nor into the database.
fn rejects_to(path: &Path, command: &Import, database: &DatabaseUrl) -> Result<Target, Failure> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(path).is_some() && real(path) == real(&command.file) {
        return Err(Failure(format!("--rejects: {} is the file that is imported; name another.", path.display())));
    }
    Target::open(Some(path), database)
}

/// What is wrong and what is odd, a line each.
fn problems(report: &ImportReport) -> String {
    let shown_text = |text: &str| if text.is_empty() { String::new() } else { format!(", {}", quoted(text)) };
    let errors = report.errors.iter().map(|error| {
        let column = if error.column.is_empty() { String::new() } else { format!(", column {}", error.column) };
        format!("line {}{column}{}: {}\n", error.line, shown_text(&error.text), error.message)
    });
    let more = (report.error_count > MOST_ERRORS)
        .then(|| format!("… and {} more errors\n", grouped(report.error_count - MOST_ERRORS)));
    let warnings = report.warnings.iter().map(|warning| {
        let count = if warning.count == 1 { "1 cell".into() } else { format!("{} cells", grouped(warning.count)) };
        let (from, at) = (warning.line, shown_text(&warning.text));
        format!("look at {count}, from line {from}{at}: {}\n", warning.message)
    });
    errors.chain(more).chain(warnings).collect()
}

/// What else is to be known.
fn beside(report: &ImportReport) -> String {
    let names: Vec<String> = report.ignored.iter().map(|name| quoted(name)).collect();
    let changes: Vec<String> =
        report.changes.iter().map(|(field, count)| format!("{} {}", field.name(), grouped(*count))).collect();
    let said = [
        (!changes.is_empty()).then(|| format!(" Changed: {}.", changes.join(", "))),
        (report.same > 0).then(|| format!(" Without a change: {}.", tokens(report.same))),
        (report.empty > 0).then(|| format!(" Empty lines: {}.", grouped(report.empty))),
        (!names.is_empty()).then(|| format!(" Columns that are not imported: {}.", names.join(", "))),
    ];
    said.into_iter().flatten().collect()
}

/// Says now and then how far it is.
struct Progress {
    said: Mutex<(Instant, &'static str)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { said: Mutex::new((Instant::now(), "checked")) }
    }
}

impl Progress {
    fn begin(&self, what: &'static str) {
        if let Ok(mut said) = self.said.lock() {
            said.1 = what;
        }
    }

    fn tell(&self, lines: usize) {
        if let Ok(mut said) = self.said.lock()
            && said.0.elapsed() > PROGRESS_INTERVAL
        {
            said.0 = Instant::now();
            say(&format!("{} lines {}\n", grouped(lines), said.1));
        }
    }
}
