//! What a row becomes, by itself.

use chrono_tz::Tz;

use super::cells::{self, Cell, EntryCells, TokenCells, Unreadable};
use super::findings::{Findings, Kind};
use crate::access::Principal;
use crate::token::limits::{check_value, plain_value};
use crate::token::time::WallClock;
use crate::token::{Micros, Token, UNLIMITED, Uid, Voided, quoted};

/// Before whose names a name stands: those of another directory of users.
const DIRECTORY: &str = "cone";
/// The codes that cone.tokens has.
const CODES: std::ops::RangeInclusive<i16> = 1..=6;

/// How rows are read.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    /// In which zone cone.tokens ran: its times are those of a wall clock there.
    pub(crate) zone: Tz,
    /// The moment of the import.
    pub(crate) now: Micros,
    /// Who imports.
    pub(crate) by: String,
    /// Log entries from before this are removed soon.
    pub(crate) kept_since: Micros,
}

/// Where a token's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueSource {
    /// It had none, and gets its uid.
    Nothing,
    /// It is its uid.
    OwnUid,
    /// Another text.
    Text,
}

/// A log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uid: Uid,
    pub(super) token_uid: Option<Uid>,
    pub(super) token_value: Option<String>,
    pub(super) at: Micros,
    pub(super) code: Option<i16>,
    pub(super) principal: String,
}

/// What a time is for: one that clocks have skipped becomes what it has meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Last,
    Other,
}

/// A row that is being read.
struct Row<'a> {
    mapping: &'a Mapping,
    uid: &'a Cell,
    findings: &'a mut Findings,
}

impl Mapping {
    /// The token of a row, by itself: as if no other one had its value, and without its log. None if it cannot be read.
    pub(super) fn token(&self, cells: &TokenCells, findings: &mut Findings) -> Option<(Token, ValueSource)> {
        let mut row = Row { mapping: self, uid: &cells.uid, findings };
        let uid = row.read("uid", cells::uid(&cells.uid))?;
        let value = row.read("value", cells::text(&cells.value))?;
        let [created, modified, last_used] = [
            row.past("created", &cells.created),
            row.past("modified", &cells.modified),
            row.past("last_used", &cells.last_used),
        ];
        let valid_from = row.moment("valid_from", &cells.valid_from, Bound::Other);
        let valid_to = row.moment("valid_to", &cells.valid_to, Bound::Last);
        let usage_count = row.read("usage_count", cells::integer(&cells.usage_count));
        let lock_time = row.read("lock_time", cells::integer(&cells.lock_time));
        let creator = row.principal("creator", &cells.creator);
        let Some(uid) = uid else {
            row.add(Kind::Unreadable, || "uid is NULL".into());
            return None;
        };
        let (value, source) = row.value(uid, value)?;
        let (created, modified) = (created?, modified?);
        if created.is_none() || modified.is_none() {
            row.add(Kind::NoTime, || "created or modified is NULL".into());
        }
        let created_or = created.or(modified).unwrap_or(Micros::EPOCH);
        let last_used = last_used?;
        let (valid_from, valid_to, voided) = row.bounds(valid_from?, valid_to?);
        let token = Token {
            uid,
            value,
            label: None,
            valid_from,
            valid_to,
            usage_count: row.usage_count(usage_count?),
            lock_time: row.lock_time(lock_time?),
            last_used,
            lock_start: last_used,
            creator: creator?,
            created: created_or,
            modified: modified.unwrap_or(created_or),
            used: 0,
            last_entry: None,
            batch: None,
            voided,
        };
        Some((token, source))
    }

    /// The log entry of a row. None if it cannot be read.
    pub(super) fn entry(&self, cells: &EntryCells, findings: &mut Findings) -> Option<Entry> {
        let mut row = Row { mapping: self, uid: &cells.uid, findings };
        let uid = row.read("uid", cells::uid(&cells.uid))?;
        let token_uid = row.read("token_uid", cells::uid(&cells.token_uid));
        let token_value = row.read("token_value", cells::text(&cells.token_value));
        let at = row.past("timestamp", &cells.timestamp)?;
        let code = row.read("error_code", cells::integer(&cells.error_code))?;
        let principal = row.principal("user", &cells.user);
        let Some(uid) = uid else {
            row.add(Kind::Unreadable, || "uid is NULL".into());
            return None;
        };
        let code = code.map(i16::try_from).transpose().unwrap_or_else(|_| {
            row.add(Kind::Unreadable, || format!("error_code is {}", code.unwrap_or_default()));
            None
        });
        if let Some(code) = code.filter(|code| !CODES.contains(code)) {
            row.add(Kind::UnknownCode, || code.to_string());
        }
        if at.is_none() {
            row.add(Kind::NoTime, || "timestamp is NULL".into());
        }
        let at = at.unwrap_or(Micros::EPOCH);
        if at < self.kept_since {
            row.add(Kind::OldEntry, || at.to_string());
        }
        let token_value = token_value?.map(str::to_owned);
        Some(Entry { uid, token_uid: token_uid?, token_value, at, code, principal: principal? })
    }
}

impl Row<'_> {
    fn add(&mut self, kind: Kind, what: impl FnOnce() -> String) {
        let uid = self.uid;
        self.findings.add(kind, || (cells::name(uid), what()));
    }

    fn read<T>(&mut self, column: &str, cell: Result<T, Unreadable>) -> Option<T> {
        let unreadable = |Unreadable(what)| self.add(Kind::Unreadable, || format!("{column} is {what}"));
        cell.map_err(unreadable).ok()
    }

    /// A moment. A skipped time becomes what cone.tokens took it for, as it compared wall clocks: what begins then begins
    /// when clocks are put forward, and what ends then ends just before.
    #[allow(clippy::option_option, reason = "unreadable, none, and a moment are three things")]
    fn moment(&mut self, column: &str, cell: &Cell, bound: Bound) -> Option<Option<Micros>> {
        let Some(text) = self.read(column, cells::text(cell))? else { return Some(None) };
        let Some(shown) = Micros::of_wall_clock(text, self.mapping.zone) else {
            self.add(Kind::Unreadable, || format!("{column} is {}", quoted(text)));
            return None;
        };
        let becomes = |moment: Micros| format!("{column} {text} becomes {moment}");
        Some(Some(match shown {
            WallClock::Moment(moment) => moment,
            WallClock::Skipped(end) => {
                let moment = if bound == Bound::Last { end.plus_micros(-1) } else { end };
                self.add(Kind::SkippedTime, || becomes(moment));
                moment
            }
            WallClock::Outside(nearest) => {
                self.add(Kind::OutsideTime, || becomes(nearest));
                nearest
            }
        }))
    }

    /// A moment at which something was done.
    #[allow(clippy::option_option, reason = "unreadable, none, and a moment are three things")]
    fn past(&mut self, column: &str, cell: &Cell) -> Option<Option<Micros>> {
        let moment = self.moment(column, cell, Bound::Other)?;
        if let Some(future) = moment.filter(|moment| *moment > self.mapping.now) {
            self.add(Kind::Future, || format!("{column} is {future}"));
        }
        Some(moment)
    }

    fn principal(&mut self, column: &str, cell: &Cell) -> Option<String> {
        let name = self.read(column, cells::text(cell))?.filter(|name| !name.is_empty());
        if name.is_none() {
            self.add(Kind::NoName, || format!("{column} is empty"));
        }
        Some(name.map_or_else(|| Principal::nobody().to_string(), |name| format!("{DIRECTORY}:{name}")))
    }

    fn value(&mut self, uid: Uid, value: Option<&str>) -> Option<(String, ValueSource)> {
        let text = value.unwrap_or_default();
        let trimmed = text.trim();
        if trimmed != text {
            self.add(Kind::WhiteSpace, || {
                let becomes = if trimmed.is_empty() { "the uid".to_owned() } else { quoted(trimmed) };
                format!("{} becomes {becomes}", quoted(text))
            });
        } else if text.is_empty() {
            self.add(Kind::NoValue, || "the uid becomes its value".into());
        }
        if trimmed.is_empty() {
            return Some((uid.to_string(), ValueSource::Nothing));
        }
        if let Err(error) = check_value(trimmed) {
            self.add(Kind::UnusableValue, || format!("{}: {error}", quoted(trimmed)));
            return None;
        }
        let value = plain_value(trimmed.to_owned());
        match value.parse::<Uid>() {
            Ok(own) if own == uid => Some((value, ValueSource::OwnUid)),
            Ok(_) => {
                self.add(Kind::ForeignUuid, || quoted(trimmed));
                Some((value, ValueSource::Text))
            }
            Err(_) => Some((value, ValueSource::Text)),
        }
    }

    /// The bounds. Those that are turned round have let nobody in: the token is voided, and has them in order, should
    /// somebody want it to be valid after all.
    fn bounds(&mut self, from: Option<Micros>, to: Option<Micros>) -> (Option<Micros>, Option<Micros>, Option<Voided>) {
        let (Some(first), Some(last)) = (from, to) else { return (from, to, None) };
        if first < last {
            return (from, to, None);
        }
        // It was over before times can be stored, or begins after; so it is and does.
        if last == Micros::EPOCH {
            return (None, to, None);
        }
        if first == Micros::LAST {
            return (from, None, None);
        }
        self.add(Kind::TurnedBounds, || format!("from {first} to {last}: it is voided"));
        let reason = Some(format!("Never valid in cone.tokens: from {first} to {last}"));
        let voided = Voided { at: self.mapping.now, by: self.mapping.by.clone(), reason };
        (Some(last), Some(first.max(last.plus_micros(1))), Some(voided))
    }

    fn usage_count(&mut self, count: Option<i64>) -> i32 {
        match count {
            None => {
                self.add(Kind::NoUsageCount, || "it becomes 0".into());
                0
            }
            Some(count) if count < UNLIMITED.into() => {
                self.add(Kind::NegativeUsageCount, || format!("{count} becomes -1, unlimited"));
                UNLIMITED
            }
            Some(count) => self.number("usage_count", count),
        }
    }

    fn lock_time(&mut self, seconds: Option<i64>) -> i32 {
        match seconds {
            Some(seconds) if seconds >= 0 => self.number("lock_time", seconds),
            seconds => {
                let was = seconds.map_or("NULL".to_owned(), |seconds| seconds.to_string());
                self.add(Kind::NoLockTime, || format!("{was} becomes 0"));
                0
            }
        }
    }

    fn number(&mut self, column: &str, number: i64) -> i32 {
        i32::try_from(number).unwrap_or_else(|_| {
            self.add(Kind::LargeNumber, || format!("{column} {number} becomes {}", i32::MAX));
            i32::MAX
        })
    }
}
