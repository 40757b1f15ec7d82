//! What was found in a file, as its page shows it.

use crate::token::Micros;
use crate::token::UNLIMITED;
use crate::token::import::field::Field;
use crate::token::import::options::Mode;
use crate::token::import::report::{ExampleToken, ImportReport, MOST_ERRORS};
use crate::web::format::{TimeFormatter, counted, duration, grouped, tokens};
use crate::web::words::imports as words;

/// Errors on a page; the file of them has more.
const SHOWN: usize = 100;

/// What was found in a file.
pub(super) struct ReportView {
    pub(super) can_import: bool,
    pub(super) can_undo: bool,
    /// As in `Import 1,204 tokens`.
    pub(super) verb: String,
    pub(super) lines: String,
    /// As in `Label 3, Uses left 1`.
    pub(super) changes: Option<String>,
    pub(super) same: Option<String>,
    pub(super) empty: Option<String>,
    pub(super) ignored: Option<String>,
    pub(super) batches: Option<String>,
    pub(super) error_count: Option<String>,
    pub(super) errors: Vec<ErrorView>,
    pub(super) more_errors: Option<String>,
    pub(super) warnings: Vec<WarningView>,
    pub(super) examples: Vec<ExampleView>,
}

/// An error.
pub(super) struct ErrorView {
    pub(super) line: u64,
    pub(super) column: String,
    pub(super) text: String,
    pub(super) message: String,
}

/// Something odd.
pub(super) struct WarningView {
    pub(super) is_one: bool,
    pub(super) count: String,
    pub(super) line: u64,
    pub(super) text: String,
    pub(super) message: String,
}

/// A token that would be added or changed.
pub(super) struct ExampleView {
    pub(super) line: u64,
    pub(super) name: String,
    /// What changes, each with what it is before, if it is a change, and after.
    pub(super) facts: Vec<(&'static str, Option<String>, String)>,
}

/// As in `3 errors in 450 lines`.
pub(crate) fn in_lines(report: &ImportReport) -> String {
    words::errors_in_lines(&counted(report.error_count, "error"), &counted(report.lines, "line"))
}

fn changes(report: &ImportReport) -> Option<String> {
    let of = |(field, count): (&Field, &usize)| format!("{} {}", words::column(*field), grouped(*count));
    let all: Vec<String> = report.changes.iter().map(of).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn some(number: usize) -> Option<String> {
    (number > 0).then(|| grouped(number))
}

impl ReportView {
    pub(super) fn new(report: &ImportReport, mode: Mode, clock: TimeFormatter) -> Self {
        let names: Vec<&str> =
            report.batches.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect();
        let batches = match names[..] {
            [] => None,
            [name] => Some(name.to_owned()),
            _ => Some(grouped(names.len())),
        };
        let errors = report.errors.iter().take(SHOWN).cloned();
        Self {
            can_import: report.is_good(),
            can_undo: mode != Mode::Add,
            verb: words::verb(mode, &tokens(report.tokens)),
            lines: grouped(report.lines),
            changes: changes(report),
            same: some(report.same),
            empty: some(report.empty),
            ignored: Some(report.ignored.join(", ")).filter(|names| !names.is_empty()),
            batches,
            error_count: (report.error_count > 0).then(|| in_lines(report)),
            errors: errors
                .map(|error| ErrorView {
                    line: error.line,
                    column: error.column,
                    text: error.text,
                    message: error.message,
                })
                .collect(),
            more_errors: some(report.error_count.saturating_sub(SHOWN))
                .map(|more| words::more_errors(&more, &grouped(MOST_ERRORS))),
            warnings: report
                .warnings
                .iter()
                .map(|warning| WarningView {
                    is_one: warning.count == 1,
                    count: grouped(warning.count),
                    line: warning.line,
                    text: warning.text.clone(),
                    message: warning.message.clone(),
                })
                .collect(),
            examples: report
                .examples
                .iter()
                .map(|example| ExampleView {
                    line: example.line,
                    name: name(&example.after),
                    facts: facts(example.before.as_ref(), &example.after, clock),
                })
                .collect(),
        }
    }
}

fn name(token: &ExampleToken) -> String {
    token.label.clone().or_else(|| token.value.clone()).unwrap_or_else(|| words::RANDOM_VALUE.into())
}

/// What an import sets in a new token, or changes in one that there is.
fn facts(
    before: Option<&ExampleToken>,
    after: &ExampleToken,
    clock: TimeFormatter,
) -> Vec<(&'static str, Option<String>, String)> {
    let moment = |at: Option<i64>| at.map_or_else(|| "none".into(), |at| clock.day_and_time(Micros::stored(at)));
    let uses = |token: &ExampleToken| match token.usage_count {
        UNLIMITED => "unlimited".into(),
        count => grouped(count),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
    let of = |token: &ExampleToken| {
        [
            ("Value", token.value.clone().unwrap_or_else(|| "random".into())),
            ("Label", text(&token.label)),
            ("Valid from", moment(token.valid_from)),
            ("Valid to", moment(token.valid_to)),
            ("Uses left", uses(token)),
            ("Lock", duration(token.lock_time)),
            ("Batch", text(&token.batch)),
            ("Voided", if token.is_voided { "yes".into() } else { "no".into() }),
        ]
    };
    let Some(before) = before.map(of) else {
        // Of a new token, what is as always needs no mention.
        let plain = ["none", "no", "random"];
        let said = of(after).into_iter().filter(|(_, words)| !plain.contains(&words.as_str()));
        return said.map(|(what, words)| (what, None, words)).collect();
    };
    let both = before.into_iter().zip(of(after));
    both.filter(|((_, before), (_, after))| before != after)
        .map(|((what, before), (_, after))| (what, Some(before), after))
        .collect()
}
