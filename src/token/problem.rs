//! What can be wrong with a request, as data: a word that stays, and the numbers and texts that belong to it. The sentence
//! for people is made of it in one place (`sentence.rs`).

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quoted::{SHOWN, shortened};

/// What is wrong with a parameter. `reason` says it in a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Problem {
    /// There is nothing where something is needed.
    Empty,
    /// The text is too long.
    TooLong {
        /// Most characters.
        max: u64,
        /// Most bytes in UTF-8, where they are counted as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_bytes: Option<u64>,
    },
    /// The text has control characters, line breaks included.
    ControlCharacters,
    /// The text has line breaks or characters that cannot be seen.
    InvisibleCharacters,
    /// The text has characters other than visible ASCII and spaces.
    NotAscii,
    /// The text has white space at an end.
    OuterWhiteSpace,
    /// It is no whole number, or not one that can be stored.
    NotAnInteger {
        /// The beginning of what was sent.
        value: String,
        /// The least that is taken.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// The most that is taken.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// The number is outside its bounds.
    OutOfRange {
        /// The least that is taken.
        min: i64,
        /// The most that is taken.
        max: i64,
    },
    /// It is no time in ISO 8601.
    NotATime {
        /// The beginning of what was sent.
        value: String,
    },
    /// A clock change skips this time, or the whole day.
    NoSuchLocalTime {
        /// The time as it was sent.
        value: String,
        /// The zone in which it does not exist.
        time_zone: String,
    },
    /// The time is outside the years 1970 to 9999.
    TimeOutOfRange {
        /// The time as it was sent.
        value: String,
    },
    /// It is no UUID with hyphens.
    NotAUid {
        /// The beginning of what was sent.
        value: String,
    },
    /// It is none of the words that are taken.
    NotOneOf {
        /// The beginning of what was sent.
        value: String,
        /// The words that are taken.
        allowed: Vec<Cow<'static, str>>,
    },
    /// It is of a JSON type that is not taken here.
    WrongType {
        /// What is taken.
        expected: Cow<'static, str>,
    },
    /// The list is too long.
    TooManyItems {
        /// How many items it has.
        count: u64,
        /// Most items.
        max: u64,
    },
    /// The list has the same token at an earlier place.
    ListedTwice {
        /// The earlier place, from 0.
        first: u64,
    },
    /// Values are changed in a list of more tokens than that is done for at once.
    TooManyValues {
        /// Most tokens of such a list.
        max: u64,
    },
    /// Another token, or another thing of this kind, has it already.
    NotUnique,
    /// The uid was given before, also to a token that is deleted: none is given twice.
    UidUsed,
    /// It looks like the uid of another token, or is the address of its page.
    NamesAnotherToken,
    /// It must be later than another parameter.
    NotLater {
        /// The other parameter.
        than: Cow<'static, str>,
    },
    /// It must be earlier than another parameter, which stays as it is.
    NotEarlier {
        /// The other parameter.
        than: Cow<'static, str>,
    },
    /// It must not be before another parameter.
    Before {
        /// The other parameter.
        than: Cow<'static, str>,
    },
    /// It cannot be given together with another parameter.
    NotTogether {
        /// The other parameter.
        with: Cow<'static, str>,
    },
    /// It goes with another parameter only.
    OnlyTogether {
        /// The other parameter.
        with: Cow<'static, str>,
    },
    /// It says something else than another part of the request that must say the same.
    Contradicts {
        /// The other part: a parameter, `path`, or a header.
        with: Cow<'static, str>,
    },
    /// The token has unlimited uses, to which nothing can be added.
    Unlimited,
    /// What would be left is outside the bounds of `usage_count`.
    UsesLeftOutOfRange {
        /// The uses that are left.
        uses_left: i32,
        /// How many were to be added.
        add_uses: i32,
    },
    /// It would change nothing.
    NothingToChange,
    /// There is no such gate.
    NoSuchGate {
        /// The beginning of its name.
        gate: String,
    },
    /// The gate is closed.
    GateClosed {
        /// Its name.
        gate: String,
    },
    /// The cursor was not given by this view for this filter.
    ForeignCursor,
    /// The cursor is of a log that is not there any more, as after a restore.
    LostCursor,
    /// The idempotency key was used for something else.
    KeyReused,
    /// The use with this idempotency key was undone.
    KeyUndone,
    /// There is no such use, or the log does not have it any more.
    NoSuchUse,
    /// The use was undone already.
    AlreadyUndone,
    /// The use was too long ago to be undone.
    TooLateToUndo {
        /// Seconds since the use. Negative if the clock has jumped back since.
        seconds_ago: i64,
        /// Seconds within which it can be undone.
        max_seconds: i32,
    },
    /// The running number in a label is not written as `{n}` or `{n:04}`.
    MalformedNumber,
    /// The photo is damaged, has no end, or is of another kind than it says.
    UnreadablePhoto {
        /// The kind that it says: `JPEG` or `PNG`.
        format: Cow<'static, str>,
    },
    /// The photo has too many pixels.
    PhotoTooLarge {
        /// Its width in pixels.
        width: u64,
        /// Its height in pixels.
        height: u64,
        /// Most pixels along a side.
        max_side: u64,
        /// Most pixels in all.
        max_pixels: u64,
    },
    /// The search takes too long.
    SearchTooSlow,
    /// Nothing says which tokens are to be printed.
    NoTokensNamed,
    /// There is nothing left to be printed.
    NothingToPrint,
    /// More tokens than can be changed or printed at once.
    TooManyTokens {
        /// Most tokens.
        max: u64,
    },
    /// Voided tokens are not printed.
    VoidedNotPrinted {
        /// The uid of one of them.
        token_uid: String,
        /// How many others.
        others: u64,
    },
    /// There is no such sheet.
    NoSuchSheet {
        /// The beginning of its short name.
        sheet: String,
    },
    /// There is no such printer.
    NoSuchPrinter {
        /// The beginning of its name.
        printer: String,
    },
    /// It is no number of millimetres.
    NotMillimetres {
        /// The beginning of what was sent.
        value: String,
    },
    /// More labels than one PDF has, or than a browser prints.
    TooManyLabels {
        /// How many.
        count: u64,
        /// Most labels.
        max: u64,
    },
    /// It cannot be printed so that it fits, and can be read.
    NotPrintable {
        /// Why, and what would help, as a sentence.
        remedy: String,
    },
    /// It is refused for a reason that has no word of its own.
    Refused {
        /// Why, and what would help, as a sentence.
        why: String,
    },
    /// It cannot be read.
    Unreadable,
    /// The form was sent before, and what it added is otherwise now.
    AddedBefore {
        /// What it added: `token` or `gate`.
        what: Cow<'static, str>,
        /// It was deleted since.
        is_deleted: bool,
    },

    /// It is missing.
    Missing {
        /// Whether it may be there and empty.
        may_be_empty: bool,
        /// The parameter with which, as `1`, it can be left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unless: Option<Cow<'static, str>>,
    },
    /// One of several is needed, and there is none.
    MissingOneOf {
        /// Any of them would do.
        params: Vec<Cow<'static, str>>,
    },
    /// There is no such parameter here.
    UnknownParameter {
        /// Those that there are.
        known: Vec<Cow<'static, str>>,
    },
    /// It is given twice.
    GivenTwice,
    /// The request has too many parameters.
    TooManyParameters {
        /// Most parameters.
        max: u64,
    },
    /// The body, or the query string, cannot be read.
    UnreadableBody {
        /// Why, as a sentence.
        why: String,
    },
    /// The body is no valid JSON.
    InvalidJson {
        /// The line at which that was seen.
        line: u64,
        /// The column.
        column: u64,
    },
    /// The body is no JSON object of parameters.
    NotAnObject {
        /// The line at which that was seen.
        line: u64,
        /// The column.
        column: u64,
    },
    /// The body is too large.
    BodyTooLarge {
        /// Most bytes.
        max_bytes: u64,
    },
    /// The body is of a type that is not taken here, is compressed, or not in UTF-8.
    UnsupportedBody {
        /// What is taken, as a sentence.
        expected: Cow<'static, str>,
    },
}

impl Problem {
    /// The word for programs.
    pub fn reason(&self) -> String {
        let reason = serde_json::to_value(self).ok();
        reason.and_then(|detail| detail.get("reason")?.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// A text is longer than so many characters.
    pub(crate) fn too_long(max: usize) -> Self {
        Self::TooLong { max: max as u64, max_bytes: None }
    }

    /// A text is no whole number of a column.
    pub(crate) fn not_an_integer(text: &str, min: impl Into<i64>, max: impl Into<i64>) -> Self {
        Self::NotAnInteger { value: shown(text), min: Some(min.into()), max: Some(max.into()) }
    }

    /// A text is none of these words.
    pub(crate) fn not_one_of(text: &str, allowed: impl IntoIterator<Item = &'static str>) -> Self {
        Self::NotOneOf { value: shown(text), allowed: allowed.into_iter().map(Cow::Borrowed).collect() }
    }

    /// A required parameter that may be empty is missing.
    pub(crate) fn missing() -> Self {
        Self::Missing { may_be_empty: true, unless: None }
    }
}

/// The beginning of a caller's text: no error sends back a megabyte.
pub(crate) fn shown(text: &str) -> String {
    shortened(text, SHOWN)
}
