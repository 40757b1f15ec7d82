//! What `tessera import-cone` says.

use std::fmt::Write;

use super::super::shell::table;
use crate::store::DatabaseUrl;
use crate::token::cone::Tally;
use crate::token::cone::findings::{Consequence, Decisions, Findings, Kind};

/// Everything that was found: each kind with its count, what it means for the import, and the first ones.
pub(super) fn findings(findings: &Findings, decisions: Decisions, from: &DatabaseUrl, usage_days: i32) -> String {
    let mut text = format!("The {from} was read.\n");
    if findings.iter().next().is_none() {
        text.push_str("Every row can be moved as it is.\n");
    }
    for (kind, found) in findings.iter() {
        let verdict = match (kind.refuses(decisions), kind.consequence()) {
            (true, Consequence::Refuses) => "refused: change it in cone.tokens first",
            (true, Consequence::Adjusts) => "refused without --adjust",
            (true, Consequence::Suffixes) => "refused without --duplicates suffix",
            (true, _) => "refused by --foreign-uuids refuse",
            (false, Consequence::Adjusts) => "adjusted",
            (false, Consequence::Suffixes) => "renamed",
            (false, Consequence::Keeps) => "kept",
            (false, _) => "for information",
        };
        let note = note(kind, usage_days).map(|note| format!("; {note}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}: {} ({verdict}{note})", capitalized(words(kind)), found.count);
        for (uid, what) in &found.first {
            let _ = writeln!(text, "    {uid}  {what}");
        }
        let rest = found.count - u64::try_from(found.first.len()).unwrap_or_default();
        if rest > 0 {
            let _ = writeln!(text, "    and {rest} more");
        }
    }
    text
}

/// Why nothing is imported.
pub(super) fn refusal(refusing: &[Kind]) -> String {
    let kinds = refusing.iter().map(|kind| words(*kind)).collect::<Vec<_>>().join("; ");
    format!("Nothing was imported, as there are {kinds}; the list says what helps.")
}

/// What an import would come to.
pub(super) fn would_import(tally: &Tally) -> String {
    format!("\nNothing was written. The import would move this:\n{}", table(&rows(&[("Read", tally)])))
}

/// What was read, beside what stands in the database now.
pub(super) fn imported(read: &Tally, written: &Tally, from: &DatabaseUrl, target: &DatabaseUrl) -> String {
    let counts = table(&rows(&[("Read", read), ("Written", written)]));
    format!(
        "\nThe {from} was moved into the {target}. Each token was then found by its value, and compared:\n{counts}\
         Codes that hold a value work from now on; stop cone.tokens, as uses that it makes now are not known here.\n"
    )
}

fn rows(tallies: &[(&str, &Tally)]) -> Vec<Vec<String>> {
    let mut rows = vec![[vec![String::new()], tallies.iter().map(|(name, _)| (*name).to_owned()).collect()].concat()];
    let mut add = |name: String, number: &dyn Fn(&Tally) -> String| {
        rows.push([vec![name], tallies.iter().map(|(_, tally)| number(tally)).collect()].concat());
    };
    add("tokens".into(), &|tally| tally.tokens.to_string());
    add("  with a value of their own".into(), &|tally| tally.own_values.to_string());
    add("  with unlimited uses".into(), &|tally| tally.unlimited.to_string());
    let states: Vec<&str> = tallies.iter().flat_map(|(_, tally)| tally.states.keys().copied()).collect();
    for state in distinct(states) {
        let name = format!("  {}", state.replace('_', " "));
        add(name, &|tally| tally.states.get(state).copied().unwrap_or_default().to_string());
    }
    add("uses left".into(), &|tally| tally.uses_left.to_string());
    add("uses made".into(), &|tally| tally.used.to_string());
    add("log entries".into(), &|tally| tally.entries.values().sum::<i64>().to_string());
    let codes: Vec<Option<i16>> = tallies.iter().flat_map(|(_, tally)| tally.entries.keys().copied()).collect();
    for code in distinct(codes) {
        let name = code.map_or_else(|| "  consumed".to_owned(), |code| format!("  refused with {code}"));
        add(name, &|tally| tally.entries.get(&code).copied().unwrap_or_default().to_string());
    }
    let or_none =
        |moment: Option<_>| moment.map_or_else(|| "none".to_owned(), |moment: crate::token::Micros| moment.to_string());
    add("newest token".into(), &|tally| or_none(tally.newest_token));
    add("newest log entry".into(), &|tally| or_none(tally.newest_entry));
    rows
}

fn distinct<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}

fn capitalized(words: &str) -> String {
    let (first, rest) = words.split_at(words.len().min(1));
    first.to_uppercase() + rest
}

/// What a kind of findings is called.
fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Unreadable => "columns that hold what cone.tokens never writes",
        Kind::SameUid => "tokens whose uid another one has",
        Kind::UnusableValue => "values that are too long or have control characters",
        Kind::SameValue => "tokens whose value another one has",
        Kind::ForeignUuid => "values that look like a UUID and are not the token's own",
        Kind::WhiteSpace => "values with white space at their ends",
        Kind::TurnedBounds => "tokens that end before they begin",
        Kind::SkippedTime => "times that no clock in the zone has shown",
        Kind::OutsideTime => "times before 1970 or after 9999",
        Kind::LargeNumber => "numbers above 2147483647",
        Kind::NoValue => "tokens without a value",
        Kind::NoUsageCount => "tokens without a number of uses",
        Kind::NegativeUsageCount => "tokens with a number of uses below -1",
        Kind::NoLockTime => "tokens without a lock time, or with a negative one",
        Kind::NoTime => "rows without a time",
        Kind::NoName => "rows that name nobody",
        Kind::Future => "times of the past that are still to come",
        Kind::GoneToken => "log entries of tokens that are not there",
        Kind::UnknownCode => "log entries with an unknown error code",
        Kind::OldEntry => "log entries that will be removed",
        Kind::NoLog => "missing tables of log entries",
    }
}

/// What else there is to say of a kind.
fn note(kind: Kind, usage_days: i32) -> Option<String> {
    let note = match kind {
        Kind::NoValue => "they get their uid",
        Kind::NoUsageCount => "they have no uses left",
        Kind::NegativeUsageCount => "they are unlimited",
        Kind::NoLockTime => "they are not locked",
        Kind::NoTime => "they get another time of theirs, or 1970",
        Kind::Future => "is the time zone right?",
        Kind::OldEntry => return Some(format!("the settings keep the log for {usage_days} days")),
        _ => return None,
    };
    Some(note.to_owned())
}
