//! The contract's rules, in the plainest way: a list of tokens, a log, and the answers that are kept.
//!
//! Nothing here calls the crate. What a model cannot know (a uid that the server gives, a moment), it takes from the
//! server's answer, and holds it to what it knew before.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::ask::Ask;
use super::reading::{self, Fault, is_past, moment};

const LOCKED: &str = "TokenLockTimeViolation";
const MOST: i64 = 2_147_483_647;

/// What the server must answer.
pub enum Expected {
    /// This, with this status.
    Body(u16, Value),
    /// Any one of these, as the contract does not say which of two mistakes is told first.
    Faults(Vec<Fault>),
    /// A page, or a redirect to an address that begins so.
    Page(u16, String),
}

/// As it stands in the story of a failure.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(status, body) => write!(f, "{status} {body}"),
            Self::Faults(faults) => write!(f, "one of {faults:?}"),
            Self::Page(status, location) => write!(f, "a page {status} {location}"),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    pub uid: String,
    pub value: String,
    pub label: Option<String>,
    pub valid_from: Option<&'static str>,
    pub valid_to: Option<&'static str>,
    pub usage_count: i64,
    pub lock_time: i64,
    pub last_used: Option<String>,
    /// How many times it was used of which none was undone: its lock runs from the last of them.
    pub standing: usize,
    pub creator: &'static str,
    pub deleted: bool,
    /// Who voided it.
    pub voided_by: Option<&'static str>,
    pub void_reason: Option<String>,
    /// None until it is seen.
    pub voided: Option<String>,
    /// None until it is seen.
    pub created: Option<String>,
    /// None until it is seen for the first time since the last change.
    pub modified: Option<String>,
    /// What it was before that change, or any earlier moment.
    pub modified_before: Option<String>,
}

/// An entry of the usage log, as far as a model knows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// None until it is seen.
    pub uid: Option<String>,
    pub token_uid: Option<String>,
    pub token_value: Option<String>,
    pub user: &'static str,
    pub error: Option<&'static str>,
    pub uses: i64,
    pub undoes: Option<String>,
}

/// A use that was made.
#[derive(Debug)]
pub struct Use {
    pub uid: String,
    /// Which of the tokens.
    pub token: usize,
    pub user: &'static str,
    pub uses: i64,
    /// How many of them the token lost.
    pub taken: i64,
    pub timestamp: Option<String>,
    pub undone: Option<()>,
}

/// What was answered for a key.
#[derive(Debug)]
pub struct Kept {
    pub answer: Value,
    /// The use.
    pub of: Option<usize>,
    /// The use that was undone.
    pub undoes: Option<usize>,
}

/// Everything that the server should know.
#[derive(Debug, Default)]
pub struct Model {
    /// Where the server is reached.
    pub base: String,
    /// Uids that the server gave, in their order.
    pub given: Vec<String>,
    /// The usage log, oldest first.
    pub log: Vec<Entry>,
    /// Every token that there ever was, oldest first.
    pub tokens: Vec<Token>,
    /// Every use that was made.
    pub uses: Vec<Use>,
    /// The first success of each principal's key.
    pub kept: BTreeMap<(&'static str, String), Kept>,
}

impl Token {
    /// A token of which nothing is said: one use, no lock, no bounds, and its uid as its value.
    pub fn new(uid: String, creator: &'static str) -> Self {
        Self { value: uid.clone(), uid, creator, usage_count: 1, ..Self::default() }
    }

    /// Every reason why it may not be used so many times at once.
    pub fn refusals(&self, uses: i64) -> Vec<&'static str> {
        let is_early = self.valid_from.is_some_and(|from| !is_past(from));
        let all = [
            (self.voided_by.is_some(), "TokenVoided"),
            (self.usage_count != -1 && self.usage_count < uses, "TokenUsageCountExceeded"),
            // A lock here lasts an hour or longer, and no test does.
            (self.lock_time > 0 && self.standing > 0, LOCKED),
            (is_early || self.valid_to.is_some_and(is_past), "TokenTimeRangeViolation"),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, error)| error).collect()
    }

    fn state(&self) -> &'static str {
        match self.refusals(1).first().copied() {
            None => "active",
            Some("TokenVoided") => "voided",
            Some("TokenUsageCountExceeded") => "used_up",
            Some(LOCKED) => "locked",
            Some(_) if self.valid_to.is_some_and(is_past) => "expired",
            Some(_) => "pending",
        }
    }

    /// The first moment at which a consume would succeed. The end of a lock is the server's to tell.
    pub fn retry_at(&self, uses: i64, seen: &Value) -> Value {
        let pending = self.valid_from.filter(|from| !is_past(from));
        let is_short = self.usage_count != -1 && self.usage_count < uses;
        if self.voided_by.is_some() || is_short || self.valid_to.is_some_and(is_past) {
            Value::Null
        } else if let Some(from) = pending {
            // No lock is as long as that.
            json!(from)
        } else {
            later_than(self.last_used.as_deref(), &seen["retry_at"])
        }
    }

    pub fn face(&self) -> Value {
        json!({
            "token_uid": self.uid, "value": self.value, "label": self.label, "usage_count": self.usage_count,
            "last_used": self.last_used, "valid_from": self.valid_from, "valid_to": self.valid_to,
        })
    }

    /// Uses it, at a moment that is the server's to tell but not earlier than the last one.
    pub fn used(&mut self, seen: &Value, uses: i64) {
        self.usage_count -= if self.usage_count == -1 { 0 } else { uses };
        self.standing += 1;
        let now = seen.as_str().filter(|now| moment(now).is_some_and(|now| Some(now) >= self.moment_of_last_use()));
        self.last_used = Some(now.map_or_else(|| format!("a moment from {:?} on", self.last_used), str::to_owned));
    }

    fn moment_of_last_use(&self) -> Option<DateTime<Utc>> {
        self.last_used.as_deref().and_then(moment)
    }

    /// A change that changes something moves `modified`; a use does not.
    pub fn become_other(&mut self, after: Self) {
        if *self != after {
            *self = after;
            let before = self.modified.take().or(self.modified_before.take());
            self.modified_before = before.or(Some("1970-01-01T00:00:00Z".to_owned()));
        }
    }

    /// The token object.
    pub fn object(&mut self, seen: &Value) -> Value {
        let learn = |known: &Option<String>, name: &str| known.clone().or(seen[name].as_str().map(str::to_owned));
        self.created = learn(&self.created, "created").filter(|created| moment(created).is_some());
        if self.voided_by.is_some() {
            self.voided = learn(&self.voided, "voided")
                .filter(|voided| moment(voided) >= self.created.as_deref().and_then(moment));
        }
        let modified = match (&self.modified, &self.modified_before) {
            (Some(modified), _) => json!(modified),
            (None, None) => json!(self.created),
            (None, before) => later_than(before.as_deref(), &seen["modified"]),
        };
        self.modified = modified.as_str().map(str::to_owned);
        json!({
            "uid": self.uid, "value": self.value, "label": self.label, "valid_from": self.valid_from,
            "valid_to": self.valid_to, "usage_count": self.usage_count, "lock_time": self.lock_time,
            "last_used": self.last_used, "creator": self.creator, "created": self.created,
            "modified": modified, "state": self.state(), "voided_by": self.voided_by, "void_reason": self.void_reason,
            "voided": self.voided_by.map(|_| self.voided.as_deref().unwrap_or("a moment after it was made")),
        })
    }
}

/// The moment that was seen, if it is a later one; else what was to be seen.
fn later_than(before: Option<&str>, seen: &Value) -> Value {
    let seen = seen.as_str().filter(|seen| moment(seen) > before.and_then(moment));
    seen.map_or_else(|| json!(format!("a moment later than {before:?}")), |seen| json!(seen))
}

impl Model {
    /// The tokens that are not deleted, or those of them in one state, newest first, as objects.
    pub fn objects(&mut self, state: Option<&str>, seen: &[Value]) -> Vec<Value> {
        let live = self.tokens.iter_mut().rev().filter(|token| !token.deleted);
        let wanted = live.filter(|token| state.is_none_or(|state| token.state() == state));
        let seen = seen.iter().chain(std::iter::repeat(&Value::Null));
        wanted.zip(seen).map(|(token, seen)| token.object(seen)).collect()
    }

    /// Every uid that a token has or had.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.uid.as_str())
    }

    pub fn by_uid(&self, uid: &str) -> Option<usize> {
        self.live(|token| token.uid == uid)
    }

    /// By exactly the value, or by the link that a code holds.
    pub fn by_value(&self, value: &str) -> Option<usize> {
        self.live(|token| token.value == value).or_else(|| self.by_uid(&self.linked(value)?))
    }

    /// The uid in a tile's address.
    pub fn linked(&self, value: &str) -> Option<String> {
        value.strip_prefix(&format!("{}/", self.base)).and_then(reading::uid)
    }

    pub fn live(&self, matches: impl Fn(&Token) -> bool) -> Option<usize> {
        self.tokens.iter().position(|token| !token.deleted && matches(token))
    }

    /// The token that `base` becomes by the fields of a request; `empty` is what an empty number means.
    pub fn described(&self, ask: &Ask, base: &Token, empty: Option<(i64, i64)>, faults: &mut Vec<Fault>) -> Token {
        let mut token = base.clone();
        let uid = base.uid.clone();
        let or_none = |text: &str, read: fn(&str) -> Option<&'static str>| {
            if text.is_empty() { Some(None) } else { read(text).map(Some) }
        };
        let number = |text: &str, least, empty| {
            if text.is_empty() { empty } else { reading::number(text, least..=MOST) }
        };
        for (name, text) in &ask.fields {
            let text = text.as_str();
            let fits = match *name {
                "value" => {
                    // Its own uid, however it is written, is the uid.
                    let is_uid = text.is_empty() || reading::uid(text).is_some_and(|own| own == uid);
                    token.value = if is_uid { uid.clone() } else { text.to_owned() };
                    let is_new = token.value != base.value;
                    reading::is_value(&token.value)
                        && !(is_new && reading::has_unseen(&token.value))
                        && reading::uid(&token.value).is_none_or(|own| own == uid)
                }
                "label" => {
                    token.label = reading::kept_label(text);
                    reading::is_label(text)
                }
                "valid_from" => set(&mut token.valid_from, or_none(text, reading::time)),
                "valid_to" => set(&mut token.valid_to, or_none(text, reading::end)),
                "usage_count" => set(&mut token.usage_count, number(text, -1, empty.map(|(uses, _)| uses))),
                "lock_time" => set(&mut token.lock_time, number(text, 0, empty.map(|(_, lock)| lock))),
                "add_uses" => {
                    let sum = number(text, -MOST - 1, None).map(|added| base.usage_count + added);
                    let may = base.usage_count != -1 && ask.field("usage_count").is_none();
                    set(&mut token.usage_count, sum.filter(|sum| may && (0..=MOST).contains(sum)))
                }
                _ => true,
            };
            if !fits {
                faults.push(Fault::value(name));
            }
        }
        if let (Some(from), Some(to)) = (token.valid_from, token.valid_to)
            && moment(from) >= moment(to)
        {
            let is_begin_alone = empty.is_none() && ask.field("valid_to").is_none();
            faults.push(Fault::value(if is_begin_alone { "valid_from" } else { "valid_to" }));
        }
        if self.live(|other| other.value == token.value && other.uid != token.uid).is_some() {
            faults.push(Fault::value("value"));
        }
        token
    }
}

/// Says whether there is something to set.
fn set<T>(field: &mut T, to: Option<T>) -> bool {
    to.map(|to| *field = to).is_some()
}
