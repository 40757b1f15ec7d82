//! An entry of the log, as pages show it.

use std::collections::HashMap;

use crate::access::who;
use crate::store::usage::Entry;
use crate::token::UsageOutcome;
use crate::web::format::{FormattedTime, TimeFormatter, grouped};
use crate::web::tokens::view;
use crate::web::words::usage as words;

/// An entry, in words.
pub(crate) struct EntryView {
    pub(crate) when: FormattedTime,
    /// What the token is called.
    pub(crate) title: String,
    /// Its value then, where it is called otherwise.
    pub(crate) value: Option<String>,
    /// Its uid, if it still is there.
    pub(crate) tile: Option<String>,
    pub(crate) refusal: Option<&'static str>,
    pub(crate) is_undo: bool,
    /// How many uses, where it is not one.
    pub(crate) uses: Option<String>,
    pub(crate) gate: Option<String>,
    pub(crate) who: String,
}

impl EntryView {
    /// An entry, given the labels of tokens.
    pub(crate) fn new(entry: Entry, labels: &HashMap<String, Option<String>>, clock: TimeFormatter) -> Self {
        let known = entry.token_uid.as_ref().and_then(|uid| labels.get(uid));
        let (label, tile) = (known.cloned().flatten(), known.and(entry.token_uid.clone()));
        let value = entry.token_value.or(entry.token_uid).unwrap_or_else(|| words::NO_CODE.into());
        Self {
            when: clock.format(entry.timestamp),
            title: view::title(label.as_deref(), &value),
            value: label.map(|_| value),
            tile,
            refusal: entry.error_code.map(|code| UsageOutcome::Because(code).words()),
            is_undo: entry.uses < 0,
            uses: Some(entry.uses.unsigned_abs()).filter(|uses| *uses != 1).map(grouped),
            gate: entry.gate,
            who: who(&entry.user),
        }
    }
}
