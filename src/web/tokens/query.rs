//! The filter and the order of tokens in an address: for every page that shows or changes the tokens of a filter.

use serde::{Deserialize, Deserializer, Serialize};
use validator::Validate;

use crate::store::tokens::list::{Sort, TokenFilter};
use crate::token::input::read_time;
use crate::token::print::PrintedFilter;
use crate::token::soon::Soon;
use crate::token::{Problem, State, TokenError, Uid, shown};
use crate::web::choice::Choice;
use crate::web::form_errors::FormErrors;
use crate::web::pairs::pairs_of;
use crate::web::params::filters::search_term;
use crate::web::params::trimmed;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words::tokens as words;

/// The orders that can be chosen: the word in the address, the words on the page, and what they mean.
const ORDERS: [(&str, &str, Sort, bool); 8] = [
    ("newest", words::NEWEST_FIRST, Sort::Created, true),
    ("oldest", words::OLDEST_FIRST, Sort::Created, false),
    ("label", words::LABEL_A_TO_Z, Sort::Label, false),
    ("label_desc", words::LABEL_Z_TO_A, Sort::Label, true),
    ("value", words::VALUE_A_TO_Z, Sort::Value, false),
    ("value_desc", words::VALUE_Z_TO_A, Sort::Value, true),
    ("valid_to", words::ENDING_FIRST, Sort::ValidTo, false),
    ("valid_to_desc", words::ENDING_LAST, Sort::ValidTo, true),
];

/// The filter, as the address has it.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct TokenQuery {
    /// Words of value or label, or a uid.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) q: String,
    /// A state's word.
    pub(crate) state: String,
    /// A day, or a moment.
    pub(crate) created_from: String,
    /// A day, which counts to its end, or a moment.
    pub(crate) created_to: String,
    /// A batch's uid.
    pub(crate) batch: String,
    /// A print run's uid.
    pub(crate) print_run: String,
    /// The word of a [`PrintedFilter`].
    pub(crate) printed: String,
    /// The word of a [`Soon`].
    pub(crate) soon: String,
}

/// The order, as the address has it.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct TokenOrder {
    /// The word of one of [`ORDERS`]; empty for the first.
    #[serde(deserialize_with = "known_order")]
    sort: String,
}

/// An order's word; the first and any other are left out of addresses.
fn known_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let sort = String::deserialize(deserializer)?;
    Ok(if ORDERS.iter().skip(1).any(|(word, ..)| *word == sort) { sort } else { String::new() })
}

impl TokenOrder {
    /// By a column, upwards or downwards.
    pub(crate) fn by(sort: Sort, descending: bool) -> Self {
        let order = ORDERS.iter().find(|(_, _, by, is_down)| (*by, *is_down) == (sort, descending));
        Self { sort: order.map(|(word, ..)| (*word).to_owned()).unwrap_or_default() }
    }

    fn known(&self) -> (&'static str, Sort, bool) {
        let order = ORDERS.iter().find(|(word, ..)| *word == self.sort).unwrap_or(&ORDERS[0]);
        (order.0, order.2, order.3)
    }

    /// What it is ordered by, and whether it goes from the greatest to the least.
    pub(crate) fn order(&self) -> (Sort, bool) {
        let (_, sort, descending) = self.known();
        (sort, descending)
    }

    /// The orders that can be chosen.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        Choice::list(ORDERS.map(|(word, words, ..)| (word, words)), self.known().0)
    }
}

impl TokenQuery {
    /// Whether it leaves out any token.
    pub(crate) fn is_set(&self) -> bool {
        !pairs_of(self).is_empty()
    }

    /// The filter; errors are added.
    pub(crate) fn filter(&self, app: &App, errors: &mut FormErrors) -> TokenFilter {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let day = |name, text| filled(text).map(|text| read_time(name, &text, app.zone)).transpose();
        let uid = |name, text: &String| {
            let uid = filled(text).map(|text| text.parse::<Uid>()).transpose();
            uid.map_err(|_| TokenError::value(name, Problem::NotAUid { value: shown(text) }))
        };
        TokenFilter {
            voided: None,
            q: errors.note(filled(&self.q).map(search_term).transpose()),
            state: errors.note(filled(&self.state).map(|word| word.parse::<State>()).transpose()),
            created_from: errors.note(day("created_from", &self.created_from)),
            created_to: errors.note(day("created_to", &self.created_to)),
            batch: errors.note(uid("batch", &self.batch)),
            print_run: errors.note_without_field(uid("print_run", &self.print_run)),
            printed: errors.note(filled(&self.printed).map(|word| word.parse::<PrintedFilter>()).transpose()),
            soon: errors.note_without_field(filled(&self.soon).map(|word| word.parse::<Soon>()).transpose()),
            // Of programs, which ask for a list: no page has fields for these.
            label: None,
            value_prefix: None,
            valid_at: None,
        }
    }

    /// The address of these tokens at `path`, in their order, with `more` behind it.
    pub(crate) fn href(&self, order: &TokenOrder, path: &str, more: &str) -> String {
        query_string::with(path, pairs_of(&(self, order)), more)
    }
}
