//! What the pages say of the list, a token's tile, and the forms that add and change one.

use crate::token::soon::Soon;
use crate::web::format::{grouped, tokens};
use crate::web::tokens::counts::Count;

// The list.

/// Orders of the list.
pub(crate) const NEWEST_FIRST: &str = "Newest first";
pub(crate) const OLDEST_FIRST: &str = "Oldest first";
pub(crate) const LABEL_A_TO_Z: &str = "Label A to Z";
pub(crate) const LABEL_Z_TO_A: &str = "Label Z to A";
pub(crate) const VALUE_A_TO_Z: &str = "Value A to Z";
pub(crate) const VALUE_Z_TO_A: &str = "Value Z to A";
pub(crate) const ENDING_FIRST: &str = "Ending first";
pub(crate) const ENDING_LAST: &str = "Ending last";

/// Headings of the list's columns.
pub(crate) const LABEL: &str = "Label";
pub(crate) const VALUE: &str = "Value";
pub(crate) const VALID: &str = "Valid";

/// What a filter says about printing.
pub(crate) const NOT_PRINTED: &str = "Not printed";
pub(crate) const PRINTED_NEVER_USED: &str = "Printed, never used";

/// The parts of a filter, each on its chip.
pub(crate) fn search_chip(text: &str) -> String {
    format!("Search: {text}")
}

pub(crate) fn state_chip(state: &str) -> String {
    format!("State: {state}")
}

pub(crate) fn created_from_chip(day: &str) -> String {
    format!("Created from: {day}")
}

pub(crate) fn created_to_chip(day: &str) -> String {
    format!("Created to: {day}")
}

pub(crate) fn batch_chip(name: &str) -> String {
    format!("Batch: {name}")
}

pub(crate) fn soon_chip(soon: Soon) -> &'static str {
    match soon {
        Soon::Opening => "Opens within 24 hours",
        Soon::Ending => "Ends within 24 hours",
    }
}

pub(crate) fn print_run_chip(sheet: &str) -> String {
    format!("Printed sheet: {sheet}")
}

/// How many tokens a filter finds.
pub(crate) fn counted(count: Count) -> String {
    match count {
        Count::Exactly(count) => tokens(count),
        Count::MoreThan(count) => format!("more than {}", tokens(count)),
    }
}

/// The choice of everything that a filter finds, as in `All 303 results`.
pub(crate) fn all_results(count: Count) -> String {
    match count {
        Count::Exactly(1) => "The 1 result".into(),
        Count::Exactly(count) => format!("All {} results", grouped(count)),
        Count::MoreThan(_) => "All results".into(),
    }
}

/// The button that selects everything that a filter finds.
pub(crate) fn select_all_results(count: Count) -> String {
    match count {
        Count::Exactly(1) => "Select the 1 result".into(),
        Count::Exactly(count) => format!("Select all {} results", grouped(count)),
        Count::MoreThan(_) => "Select all results".into(),
    }
}

/// What is said once everything that a filter finds is selected.
pub(crate) fn all_results_selected(count: Count) -> String {
    match count {
        Count::Exactly(1) => "1 result selected".into(),
        Count::Exactly(count) => format!("All {} results selected", grouped(count)),
        Count::MoreThan(count) => format!("All results selected, more than {}", grouped(count)),
    }
}

/// The choice of the tokens of the page.
pub(crate) fn this_page(count: usize) -> String {
    format!("This page: {}", grouped(count))
}

/// What is said where no more tokens can be selected one by one.
pub(crate) fn selection_is_full(max: usize) -> String {
    format!("You can select up to {} one by one. To select more, select all results.", tokens(max))
}

/// What is said of a selection that could not be kept.
pub(crate) fn select_again(count: usize) -> String {
    format!("You had selected {}, some of them on other pages. Please select them again.", tokens(count))
}

/// Why a role finds fewer buttons on the bar of a selection.
pub(crate) const VIEWERS_PRINT: &str = "Your role can print tokens, not change them.";
pub(crate) const EDITORS_CHANGE: &str = "Only administrators can void, restore or delete.";

/// What a search that takes too long says.
pub(crate) const SEARCH_TOO_SLOW: &str =
    "This search takes too long. Narrow it, for example by a batch or a creation date, or sort by creation.";

/// When a token is valid.
pub(crate) const ALWAYS: &str = "always";

pub(crate) fn valid_until(to: &str) -> String {
    format!("until {to}")
}

pub(crate) fn valid_from(from: &str) -> String {
    format!("from {from}")
}

pub(crate) fn valid_between(from: &str, to: &str) -> String {
    format!("{from} – {to}")
}

/// A token was deleted.
pub(crate) const DELETED: &str = "Token deleted.";
