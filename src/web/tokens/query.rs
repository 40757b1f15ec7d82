//! The filter and the order of tokens in an address: for every page that shows or changes the tokens of a filter.

use crate::store::tokens::list::{Sort, TokenFilter};
use crate::token::print::PrintedFilter;
use crate::token::{Problem, State, TokenError, Uid, shown};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::params::filters::search_term;
use crate::web::params::{RawParams, time_bound};
use crate::web::query_string;
use crate::web::state::App;

/// The orders that can be chosen: the word in the address, the words on the page, and what they mean.
pub(crate) const ORDERS: [(&str, &str, Sort, bool); 5] = [
    ("newest", "Newest first", Sort::Created, true),
    ("oldest", "Oldest first", Sort::Created, false),
    ("value", "By value", Sort::Value, false),
    ("label", "By label", Sort::Label, false),
    ("valid_to", "Ending first", Sort::ValidTo, false),
];

/// The filter and the order, as the address has them.
#[derive(Clone, Default)]
pub(crate) struct TokenQuery {
    /// Part of value or label, or a uid.
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
    /// The word of one of [`ORDERS`].
    pub(crate) sort: String,
}

impl TokenQuery {
    /// Reads the parameters.
    pub(crate) fn read<const L: usize>(params: &RawParams<L>) -> Result<Self, Error> {
        let text = |name| params.text(name).map(Option::unwrap_or_default);
        let sort = text("sort")?;
        let known = ORDERS.iter().find(|(word, ..)| *word == sort).map_or("newest", |(word, ..)| word);
        Ok(Self {
            q: text("q")?.trim().to_owned(),
            state: text("state")?,
            created_from: text("created_from")?,
            created_to: text("created_to")?,
            batch: text("batch")?,
            print_run: text("print_run")?,
            printed: text("printed")?,
            sort: known.to_owned(),
        })
    }

    /// Whether it leaves out any token.
    pub(crate) fn is_set(&self) -> bool {
        self.filters().into_iter().any(|(_, part)| !part.is_empty())
    }

    /// The parameters of the filter and their values.
    pub(crate) fn filters(&self) -> [(&'static str, &str); 7] {
        [
            ("q", &self.q),
            ("state", &self.state),
            ("created_from", &self.created_from),
            ("created_to", &self.created_to),
            ("batch", &self.batch),
            ("print_run", &self.print_run),
            ("printed", &self.printed),
        ]
    }

    /// The order, and whether it goes from the greatest to the least.
    pub(crate) fn order(&self) -> (Sort, bool) {
        let order = ORDERS.iter().find(|(word, ..)| *word == self.sort);
        order.map_or((Sort::Created, true), |(_, _, sort, descending)| (*sort, *descending))
    }

    /// The filter; errors are added.
    pub(crate) fn filter(&self, app: &App, errors: &mut FormErrors) -> TokenFilter {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let day = |name, text| filled(text).map(|text| time_bound(name, &text, app.zone)).transpose();
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
        }
    }

    /// The address of these tokens at `path`, with `more` behind it.
    pub(crate) fn href(&self, path: &str, more: &str) -> String {
        let sort = if self.sort == "newest" { "" } else { &self.sort };
        query_string::with(path, self.filters().into_iter().chain([("sort", sort)]), more)
    }

    /// The parts of the filter, and the address at `path` without each.
    pub(crate) fn loosen(&self, path: &str) -> Vec<(&'static str, String)> {
        let parts: [(_, query_string::Part<Self>); 7] = [
            ("the search", |query| &mut query.q),
            ("the state", |query| &mut query.state),
            ("the first day", |query| &mut query.created_from),
            ("the last day", |query| &mut query.created_to),
            ("the batch", |query| &mut query.batch),
            ("the print run", |query| &mut query.print_run),
            ("whether it was printed", |query| &mut query.printed),
        ];
        query_string::without_each(self, parts, |other| other.href(path, ""))
    }
}
