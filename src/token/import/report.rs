//! What a file is found to be before it is imported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::Field;

/// Most errors that are reported one by one.
pub const MOST_ERRORS: usize = 1_000;

/// What a file is found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Lines that say something, without the first one of a CSV file.
    pub lines: usize,
    /// Tokens that would be added or changed.
    pub tokens: usize,
    /// Tokens that are as the file wants them already.
    pub same: usize,
    /// Lines without any content.
    pub empty: usize,
    /// How many errors there are.
    pub error_count: usize,
    /// The first of them.
    pub errors: Vec<LineError>,
    /// What is odd, but no error.
    pub warnings: Vec<Warning>,
    /// Names of columns that are not imported.
    pub ignored: Vec<String>,
    /// Names of the batches that would be made, each with its number of tokens. An empty name is none.
    pub batches: Vec<(String, usize)>,
    /// How many tokens would be changed in what.
    pub changes: BTreeMap<Field, usize>,
    /// Whether tokens would be voided or restored, or voided ones changed.
    pub voids: bool,
    /// Whether uses left would be set.
    pub sets_uses: bool,
    /// The first tokens, before (if they are changed) and after.
    pub examples: Vec<Example>,
    /// Of the file's bytes: an import of other bytes is refused.
    pub file_digest: String,
    /// Of the tokens that would be changed: if somebody changes one, the report is out of date.
    pub tokens_digest: String,
}

/// An error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineError {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// The name of the column; empty if it is about the whole line.
    pub column: String,
    /// The beginning of what stands there.
    pub text: String,
    /// What is wrong, as a sentence.
    pub message: String,
}

/// Something odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// How many cells or lines.
    pub count: usize,
    /// The line of the first.
    pub line: u64,
    /// The beginning of what stands there.
    pub text: String,
    /// What is odd.
    pub message: String,
}

/// A token that would be added or changed, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The line of the file.
    pub line: u64,
    /// The token as it would be.
    pub after: ExampleToken,
    /// The token as it is.
    pub before: Option<ExampleToken>,
}

/// A token of an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleToken {
    /// The value; none if it is a uid that is still to be made.
    pub value: Option<String>,
    /// The label.
    pub label: Option<String>,
    /// The first moment, in microseconds.
    pub valid_from: Option<i64>,
    /// The last moment, in microseconds.
    pub valid_to: Option<i64>,
    /// The uses left.
    pub usage_count: i32,
    /// Seconds of lock.
    pub lock_time: i32,
    /// The name of the batch.
    pub batch: Option<String>,
    /// Whether it is voided.
    pub is_voided: bool,
}

impl ImportReport {
    /// Adds an error.
    pub fn add_error(&mut self, error: LineError) {
        self.error_count += 1;
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(error);
        }
    }

    /// Counts something odd; what is odd alike counts together.
    pub fn warn(&mut self, line: u64, text: &str, message: &str) {
        match self.warnings.iter_mut().find(|warning| warning.message == message) {
            Some(warning) => warning.count += 1,
            None => self.warnings.push(Warning { count: 1, line, text: text.into(), message: message.into() }),
        }
    }

    /// Whether it can be imported: there is something to do, and nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.error_count == 0 && self.tokens > 0
    }
}
