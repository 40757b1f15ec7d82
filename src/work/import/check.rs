//! Finds out what a file would do, and everything that is wrong with it.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use sha2::{Digest, Sha256};

use super::job::Job;
use super::keys::{add_to_digest, digest, find, key, said_value};
use super::lines::Lines;
use super::lines::line::Line;
use crate::store::Error;
use crate::store::imports::look_up::{InUse, Named, in_use};
use crate::token::combining::has_combining_forms;
use crate::token::import::columns::Columns;
use crate::token::import::damage::{Damage, LostZeros};
use crate::token::import::field::{Cells, Field};
use crate::token::import::line::{CellError, NewLine};
use crate::token::import::options::{FileFormat, Mode};
use crate::token::import::report::{Example, ExampleToken, ImportReport, LineError};
use crate::token::{Micros, Token, UNLIMITED, Uid, shortened};

/// Lines that are looked up together.
pub(super) const CHUNK: usize = 1_000;
/// Most lines of a file: what is remembered of each, to find what comes twice, takes some 50 bytes.
const MOST_LINES: usize = 5_000_000;
/// Most batches that a file makes.
const MOST_BATCHES: usize = 10_000;
/// Tokens that a report shows.
const EXAMPLES: usize = 5;
/// Characters of a cell that a report shows.
const SHOWN: usize = 100;
const MORE_USES: &str = "This gives uses back: the token would have more uses left than now.";
const VALUE_IS_UID: &str = "This value is the ID of another token.";
const COMBINING: &str = "The value has letters that are made of several characters. Some scanners send these letters in another \
                         form, which Tessera treats as a different value. Test a printed code before you print many.";
const LABEL_TWICE: &str = "This label is in the list twice.";
const UID_IN_USE: &str = "This ID is in use or was used before. An ID is never used twice.";
const VALUE_IN_USE: &str = "This value is in use by another token.";
const VALUE_IN_IMPORT: &str = "Another import is adding these values, or one that was given up and is still being removed. \
                               Nothing was done; try again in a few minutes.";

/// What a file would do now.
///
/// # Errors
/// Refused, when it cannot be read, its columns cannot be told, or it has too many lines.
pub(crate) fn check(job: &Job) -> Result<ImportReport, Error> {
    let (mut lines, columns) = Lines::read(job.source, job.name, job.options)?;
    let mut check = Check::new(job, &columns);
    loop {
        let (chunk, stopped) = chunk(&mut lines);
        check.report.lines += chunk.len();
        if check.report.lines > MOST_LINES {
            return Err(Error::Refused(format!(
                "The file has more than {MOST_LINES} lines. Split it into several files."
            )));
        }
        let is_last = chunk.is_empty();
        match job.options.mode {
            Mode::Add => check.new_tokens(chunk)?,
            Mode::ChangeByUid | Mode::ChangeByValue => check.changes(chunk)?,
        }
        if let Some((line, message)) = stopped {
            check.report.add_error(LineError { line, column: String::new(), text: String::new(), message });
            break;
        }
        if is_last {
            break;
        }
        (job.progress)(check.report.lines)?;
    }
    Ok(check.end(&lines))
}

/// What makes it impossible to read on, and where.
type Stopped = Option<(u64, String)>;

/// The next lines.
fn chunk(lines: &mut Lines) -> (Vec<Line>, Stopped) {
    let mut chunk = Vec::with_capacity(CHUNK);
    while chunk.len() < CHUNK {
        match lines.next() {
            Ok(Some(line)) => chunk.push(line),
            Ok(None) => break,
            Err(stopped) => return (chunk, Some(stopped)),
        }
    }
    (chunk, None)
}

/// A check under way.
struct Check<'a> {
    job: &'a Job<'a>,
    columns: &'a Columns,
    report: ImportReport,
    /// The line in which each uid, value or key stood first.
    seen: HashMap<u128, u64>,
    hashers: [RandomState; 2],
    batches: BTreeMap<String, usize>,
    zeros: LostZeros,
    tokens: Sha256,
}

impl<'a> Check<'a> {
    fn new(job: &'a Job, columns: &'a Columns) -> Self {
        Self {
            job,
            columns,
            report: ImportReport::default(),
            seen: HashMap::new(),
            hashers: [RandomState::new(), RandomState::new()],
            batches: BTreeMap::new(),
            zeros: LostZeros::default(),
            tokens: Sha256::new(),
        }
    }

    fn end(mut self, lines: &Lines) -> ImportReport {
        if let Some((count, line, digits)) = self.zeros.found() {
            let message = format!(
                "Some values are shorter than the others, which have {digits} digits: a spreadsheet may have \
                 removed zeros at their beginning."
            );
            self.report.warn(line, "", &message);
            if let Some(warning) = self.report.warnings.last_mut() {
                warning.count = count;
            }
        }
        self.report.lines -= self.report.empty;
        self.report.errors.sort_by_key(|error| error.line);
        self.report.ignored = lines.ignored(self.columns);
        self.report.batches = self.batches.into_iter().collect();
        self.report.sets_uses = self.job.options.mode != Mode::Add && self.columns.has(Field::UsageCount);
        self.report.file_digest = lines.digest().unwrap_or_default();
        self.report.tokens_digest = digest(&self.tokens);
        self.report
    }

    /// Notes a line that cannot be read; else its number and cells, if there is anything in it.
    fn readable(&mut self, line: Line) -> Option<(u64, Cells)> {
        match line.cells {
            Ok(cells) if cells.are_empty() => self.report.empty += 1,
            Ok(cells) => return Some((line.number, cells)),
            Err(message) => self.fault(line.number, &Cells::default(), CellError::of_line(message)),
        }
        None
    }

    fn fault(&mut self, line: u64, cells: &Cells, error: CellError) {
        let CellError { field, message } = error;
        let text = field.and_then(|field| cells.get(field)).unwrap_or_default();
        let column = field.map_or("", |field| self.columns.name_of(field)).to_owned();
        self.report.add_error(LineError { line, column, text: shortened(text, SHOWN), message });
    }

    /// The line in which this text stood as this field before, if it did.
    fn seen_before(&mut self, field: Field, text: &str, line: u64) -> Option<u64> {
        let half = |hasher: &RandomState| u128::from(hasher.hash_one((field, text)));
        match self.seen.entry(half(&self.hashers[0]) << 64 | half(&self.hashers[1])) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(line);
                None
            }
        }
    }

    /// Notes what a spreadsheet has made of a line, and whether that makes it useless.
    fn is_damaged(&mut self, line: u64, cells: &Cells) -> bool {
        let mut is_damaged = false;
        for field in [Field::Value, Field::Label] {
            let text = cells.get(field).unwrap_or_default();
            let Some(damage) = Damage::of(text) else { continue };
            let message = format!("The {} {}.", field.name(), damage.words());
            if damage.is_fatal(field, cells.filled(Field::Uid).is_some()) {
                self.fault(line, cells, CellError::new(field, message));
                is_damaged = true;
            } else {
                self.report.warn(line, &shortened(text, SHOWN), &message);
            }
        }
        is_damaged
    }

    fn new_tokens(&mut self, chunk: Vec<Line>) -> Result<(), Error> {
        let lines: Vec<(u64, Cells)> = chunk.into_iter().filter_map(|line| self.readable(line)).collect();
        // A value may look like a uid, and then must not be another token's.
        let uids = lines.iter().flat_map(|(_, cells)| [cells.filled(Field::Uid), cells.filled(Field::Value)]);
        let uids: Vec<Uid> = uids.flatten().filter_map(|text| text.parse().ok()).collect();
        let values: Vec<String> = lines.iter().filter_map(|(_, cells)| said_value(cells)).collect();
        let look_up = move |connection: &mut _| Ok(in_use(connection, &uids, &values)?);
        let in_use = self.job.read(look_up)?;
        for (line, cells) in lines {
            self.zeros.add(cells.get(Field::Value).unwrap_or_default(), line);
            let is_damaged = self.is_damaged(line, &cells);
            let (token, batch) = match self.job.reader.new_token(&cells, Uid::random()) {
                Ok(_) if is_damaged => continue,
                Ok(new) => new,
                Err(errors) => {
                    for error in errors {
                        self.fault(line, &cells, error);
                    }
                    continue;
                }
            };
            let errors = self.taken(line, &cells, &token, &in_use)?;
            if errors.is_empty() {
                self.count_new(line, (token, batch), cells.filled(Field::Value).is_some())?;
            }
            for error in errors {
                self.fault(line, &cells, error);
            }
        }
        Ok(())
    }

    /// What is wrong with a new token's uid and value: another line or token has them.
    fn taken(&mut self, line: u64, cells: &Cells, token: &Token, in_use: &InUse) -> Result<Vec<CellError>, Error> {
        let mut errors = Vec::new();
        let twice =
            |field: Field, first: u64| CellError::new(field, format!("Line {first} has the same {}.", field.name()));
        if cells.filled(Field::Uid).is_some() {
            let first = self.seen_before(Field::Uid, &token.uid.to_string(), line);
            errors.extend(first.map(|first| twice(Field::Uid, first)));
            errors.extend(in_use.uids.contains(&token.uid).then(|| CellError::new(Field::Uid, UID_IN_USE)));
        }
        if said_value(cells).is_some() && errors.is_empty() {
            let first = self.seen_before(Field::Value, &token.value, line);
            errors.extend(first.map(|first| twice(Field::Value, first)));
            let foreign = token.value.parse::<Uid>().ok().filter(|value| *value != token.uid);
            let is_uid = foreign.is_some_and(|value| in_use.uids.contains(&value));
            errors.extend(is_uid.then(|| CellError::new(Field::Value, VALUE_IS_UID)));
            let is_seen = in_use.values.get(&token.value);
            match is_seen {
                None => {}
                Some(true) => errors.push(CellError::new(Field::Value, VALUE_IN_USE)),
                // No fault of the file: told once, instead of for each line.
                Some(false) => return Err(Error::Refused(VALUE_IN_IMPORT.into())),
            }
        }
        Ok(errors)
    }

    fn count_new(&mut self, line: u64, (token, batch): NewLine, has_value: bool) -> Result<(), Error> {
        self.report.tokens += 1;
        self.report.voids |= token.voided.is_some();
        let is_label_list = self.job.options.format == Some(FileFormat::Labels);
        let label = token.label.as_deref().filter(|_| is_label_list);
        if let Some(label) = label
            && self.seen_before(Field::Label, label, line).is_some()
        {
            self.report.warn(line, &shortened(label, SHOWN), LABEL_TWICE);
        }
        if has_combining_forms(&token.value) {
            self.report.warn(line, &shortened(&token.value, SHOWN), COMBINING);
        }
        let batch = batch.or_else(|| self.job.options.batch.clone());
        if self.report.examples.len() < EXAMPLES {
            let mut after = example(&token, batch.clone());
            after.value = after.value.filter(|_| has_value);
            self.report.examples.push(Example { line, after, before: None });
        }
        *self.batches.entry(batch.unwrap_or_default()).or_default() += 1;
        if self.batches.len() > MOST_BATCHES {
            let why =
                format!("The file names more than {MOST_BATCHES} batches; is its column for the batch the right one?");
            return Err(Error::Refused(why));
        }
        Ok(())
    }

    fn changes(&mut self, chunk: Vec<Line>) -> Result<(), Error> {
        let lines: Vec<(u64, Cells)> = chunk.into_iter().filter_map(|line| self.readable(line)).collect();
        let found = find(self.job, &lines.iter().map(|(_, cells)| cells).collect::<Vec<_>>())?;
        for (line, cells) in lines {
            let is_damaged = self.is_damaged(line, &cells);
            let field = self.job.options.mode.key().unwrap_or(Field::Uid);
            let Some(key) = key(self.job, &cells) else {
                let message = format!("This line has no {}, which is needed to find its token.", field.name());
                self.fault(line, &cells, CellError::new(field, message));
                continue;
            };
            if let Some(first) = self.seen_before(field, &key, line) {
                let message = format!("Line {first} changes the same token.");
                self.fault(line, &cells, CellError::new(field, message));
                continue;
            }
            let Some(named) = found.get(&key) else {
                let message = format!("There is no token with this {}.", field.name());
                self.fault(line, &cells, CellError::new(field, message));
                continue;
            };
            match self.job.reader.change(&cells, &named.token, named.batch.as_deref()) {
                Ok(target) if !is_damaged => self.count_change(line, &cells, named, &target.apply(&named.token)),
                Ok(_) => {}
                Err(errors) => {
                    for error in errors {
                        self.fault(line, &cells, error);
                    }
                }
            }
        }
        Ok(())
    }

    fn count_change(&mut self, line: u64, cells: &Cells, named: &Named, after: &Token) {
        let before = &named.token;
        if after == before {
            self.report.same += 1;
            return;
        }
        self.report.tokens += 1;
        self.report.voids |= after.voided != before.voided || before.voided.is_some();
        add_to_digest(&mut self.tokens, named, cells);
        for field in changed_fields(before, after) {
            *self.report.changes.entry(field).or_default() += 1;
        }
        if has_more_uses(before, after) {
            self.report.warn(line, &after.usage_count.to_string(), MORE_USES);
        }
        if self.report.examples.len() < EXAMPLES {
            let (before, after) = (example(before, named.batch.clone()), example(after, named.batch.clone()));
            self.report.examples.push(Example { line, after, before: Some(before) });
        }
    }
}

/// What is different in two states of a token.
fn changed_fields(before: &Token, after: &Token) -> Vec<Field> {
    let differs = [
        (Field::Label, before.label != after.label),
        (Field::ValidFrom, before.valid_from != after.valid_from),
        (Field::ValidTo, before.valid_to != after.valid_to),
        (Field::UsageCount, before.usage_count != after.usage_count),
        (Field::LockTime, before.lock_time != after.lock_time),
        (Field::Voided, before.voided != after.voided),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}

fn has_more_uses(before: &Token, after: &Token) -> bool {
    before.usage_count != UNLIMITED && (after.usage_count == UNLIMITED || after.usage_count > before.usage_count)
}

fn example(token: &Token, batch: Option<String>) -> ExampleToken {
    ExampleToken {
        value: Some(token.value.clone()),
        label: token.label.clone(),
        valid_from: token.valid_from.map(Micros::get),
        valid_to: token.valid_to.map(Micros::get),
        usage_count: token.usage_count,
        lock_time: token.lock_time,
        batch: batch.filter(|name| !name.is_empty()),
        is_voided: token.voided.is_some(),
    }
}
