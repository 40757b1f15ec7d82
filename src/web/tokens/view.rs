//! A token as the pages show it.

use crate::token::consume::state;
use crate::token::{State, Token, UNLIMITED};
use crate::web::format::{FormattedTime, TimeFormatter, grouped};

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
            valid: valid(token, clock),
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

fn valid(token: &Token, clock: TimeFormatter) -> String {
    let at = |moment| clock.day_and_time(moment);
    match (token.valid_from, token.valid_to) {
        (None, None) => "always".into(),
        (None, Some(to)) => format!("until {}", at(to)),
        (Some(from), None) => format!("from {}", at(from)),
        (Some(from), Some(to)) => format!("{} – {}", at(from), at(to)),
    }
}
