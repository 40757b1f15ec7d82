//! A token as the pages show it.

use crate::token::consume::state;
use crate::token::{Micros, State, Token, UNLIMITED};
use crate::web::format::{FormattedTime, TimeFormatter, grouped};
use crate::web::words::tokens as words;

/// Characters of a value that is shown whole.
const WHOLE: usize = 16;

/// A state with its badge.
pub(crate) struct StateView {
    /// The word in addresses and in the stylesheet.
    pub(crate) word: &'static str,
    state: State,
}

impl StateView {
    /// The word on the badge.
    pub(crate) fn badge(&self) -> &'static str {
        self.state.words()
    }
}

impl From<State> for StateView {
    fn from(state: State) -> Self {
        Self { word: state.word(), state }
    }
}

/// A token's facts, in words.
pub(crate) struct TokenView {
    /// Its uid.
    pub(crate) uid: String,
    /// What its code says.
    pub(crate) value: String,
    /// Its text for people.
    pub(crate) label: Option<String>,
    /// Its state.
    pub(crate) state: StateView,
    /// Why it is in that state.
    pub(crate) why: String,
    /// Uses that are left.
    pub(crate) uses: String,
    /// When it is valid.
    pub(crate) valid: String,
    /// Its last use.
    pub(crate) last_used: Option<FormattedTime>,
}

impl TokenView {
    /// The row of a token.
    pub(crate) fn new(token: &Token, clock: TimeFormatter) -> Self {
        let state = state(token, clock.now);
        Self {
            uid: token.uid.to_string(),
            value: token.value.clone(),
            label: token.label.clone(),
            why: clock.reason(token, state),
            state: state.into(),
            uses: if token.usage_count == UNLIMITED { "unlimited".into() } else { grouped(token.usage_count) },
            valid: valid_exactly(token, clock),
            last_used: token.last_used.map(|used| clock.format(used)),
        }
    }

    /// Whether it can be used now.
    pub(crate) fn is_active(&self) -> bool {
        self.state.state == State::Active
    }

    /// Whether it is voided, and its code to be marked so.
    pub(crate) fn is_voided(&self) -> bool {
        self.state.state == State::Voided
    }

    /// What people call it.
    pub(crate) fn title(&self) -> String {
        title(self.label.as_deref(), &self.value)
    }
}

/// What people call a token: its label, or else its value.
pub(crate) fn title(label: Option<&str>, value: &str) -> String {
    label.unwrap_or(value).to_owned()
}

/// The same where there is little room.
pub(crate) fn short_title(token: &Token) -> String {
    token.label.clone().unwrap_or_else(|| shortened(&token.value))
}

/// A value without its middle, if it is long.
pub(super) fn shortened(value: &str) -> String {
    let count = value.chars().count();
    if count <= WHOLE {
        return value.to_owned();
    }
    let (first, last) = (value.chars().take(4), value.chars().skip(count - 2));
    first.chain(['…']).chain(last).collect()
}

/// When a token is valid; `start` and `end` say the moments.
pub(super) fn valid(token: &Token, start: impl Fn(Micros) -> String, end: impl Fn(Micros) -> String) -> String {
    match (token.valid_from, token.valid_to) {
        (None, None) => words::ALWAYS.into(),
        (None, Some(to)) => words::valid_until(&end(to)),
        (Some(from), None) => words::valid_from(&start(from)),
        (Some(from), Some(to)) => words::valid_between(&start(from), &end(to)),
    }
}

/// The same to the minute.
pub(super) fn valid_exactly(token: &Token, clock: TimeFormatter) -> String {
    valid(token, |moment| clock.day_and_time(moment), |moment| clock.day_and_time(moment))
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_value_loses_its_middle() {
        for (value, short) in [
            ("A-1", "A-1"),
            ("1234567890123456", "1234567890123456"),
            ("7f3c6c1a-54f7-4b1c-9d5e-0a3b7c2d4e9a", "7f3c…9a"),
            ("😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "😀😀😀😀…😀😀"),
        ] {
            assert_eq!(shortened(value), short);
        }
    }
}
