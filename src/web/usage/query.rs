//! The filter of the log in an address.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::access::who_filter;
use crate::store::usage::UsageFilter;
use crate::token::input::read_time;
use crate::token::{Problem, TokenError, Uid, UsageOutcome, VALUE_MAX_CHARS, shown};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::gates::named::by_name;
use crate::web::pairs::pairs_of;
use crate::web::params::trimmed;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words::usage as words;

/// The filter, as the address has it.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct UsageQuery {
    /// Part of a token's value.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) q: String,
    /// A principal, or a part of one.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) user: String,
    /// An outcome's word.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) outcome: String,
    /// A gate's name.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) gate: String,
    /// A day, or a moment.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) from: String,
    /// A day, which counts to its end, or a moment.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) to: String,
    /// A token's uid.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) token_uid: String,
    /// A batch's uid.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) batch: String,
    /// A print run's uid.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) print_run: String,
}

impl UsageQuery {
    /// Whether a bound is a day, or not there: a date's field can hold it.
    #[allow(clippy::unused_self, reason = "the template calls it")]
    pub(crate) fn is_day(&self, bound: &str) -> bool {
        bound.is_empty() || NaiveDate::parse_from_str(bound, "%Y-%m-%d").is_ok()
    }

    /// Whether it leaves out any entry.
    pub(crate) fn is_set(&self) -> bool {
        !pairs_of(self).is_empty()
    }

    /// The filter; errors are added.
    ///
    /// # Errors
    /// When the gates cannot be asked for.
    pub(crate) async fn filter(&self, app: &App, errors: &mut FormErrors) -> Result<UsageFilter, Error> {
        let gate = if self.gate.is_empty() { None } else { Some(by_name(app, &self.gate).await) };
        let gate = match gate.transpose() {
            Err(Error::Token(error)) => Err(error),
            gate => Ok(gate?.map(|gate| gate.name)),
        };
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let time = |name, text: &String| filled(text).map(|text| read_time(name, &text, app.zone)).transpose();
        let uid = |name, text: &String| {
            let uid = filled(text).map(|text| text.parse::<Uid>()).transpose();
            uid.map_err(|_| TokenError::value(name, Problem::NotAUid { value: shown(text) }))
        };
        let user = errors.note(filled(&self.user).map(|text| part("user", 100, text)).transpose());
        let (principal, user) = user.map(who_filter).unwrap_or_default();
        let filter = UsageFilter {
            found: None,
            principal,
            user,
            q: errors.note(filled(&self.q).map(|text| part("q", VALUE_MAX_CHARS, text)).transpose()),
            gate: errors.note(gate),
            outcome: errors.note(filled(&self.outcome).map(|word| word.parse::<UsageOutcome>()).transpose()),
            from: errors.note(time("from", &self.from)),
            to: errors.note(time("to", &self.to)),
            token_uid: errors.note_without_field(uid("token_uid", &self.token_uid)),
            batch: errors.note_without_field(uid("batch", &self.batch)),
            print_run: errors.note_without_field(uid("print_run", &self.print_run)),
        };
        if filter.from.zip(filter.to).is_some_and(|(from, to)| to < from) {
            errors.add_all(&[TokenError::value("to", Problem::Before { than: "from".into() })]);
        }
        Ok(filter)
    }

    /// The address of these entries at `path`, with `more` behind it.
    pub(crate) fn href(&self, path: &str, more: &str) -> String {
        query_string::with(path, pairs_of(self), more)
    }

    /// The same within another time.
    #[must_use]
    pub(crate) fn within(&self, from: &str, to: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned(), ..self.clone() }
    }

    /// The parts of the filter, and the address at `path` without each.
    pub(crate) fn loosen(&self, path: &str) -> Vec<(&'static str, String)> {
        let parts: [(_, query_string::Part<Self>); 9] = [
            ("Search", |query| &mut query.q),
            (words::USER_OR_KEY, |query| &mut query.user),
            ("Outcome", |query| &mut query.outcome),
            ("Gate", |query| &mut query.gate),
            ("From", |query| &mut query.from),
            ("To", |query| &mut query.to),
            ("Token", |query| &mut query.token_uid),
            ("Batch", |query| &mut query.batch),
            ("Printed sheet", |query| &mut query.print_run),
        ];
        query_string::without_each(self, parts, |other| other.href(path, ""))
    }
}

/// A part of a text that is looked for.
fn part(name: &'static str, longest: usize, text: String) -> Result<String, TokenError> {
    if text.chars().count() > longest {
        return Err(TokenError::value(name, Problem::too_long(longest)));
    }
    if text.chars().any(char::is_control) {
        return Err(TokenError::value(name, Problem::ControlCharacters));
    }
    Ok(text)
}
