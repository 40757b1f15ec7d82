//! The parts of a filter that are set, each with the address without it.

use super::query::{TokenOrder, TokenQuery};
use super::view::StateView;
use crate::token::State;
use crate::token::print::PrintedFilter;
use crate::web::format::day_in_words;
use crate::web::query_string::Part;
use crate::web::words::tokens as words;

/// A part of a filter that is set.
pub(crate) struct Chip {
    /// As in `State: Active`.
    pub(crate) text: String,
    /// The address without it.
    pub(crate) href: String,
}

/// What the page calls the things that a filter names by a uid, if they are there.
pub(crate) struct FilterNames {
    pub(crate) batch: Option<String>,
    pub(crate) print_run: Option<String>,
}

/// What the page calls a filter by printing.
pub(crate) fn printed_words(printed: PrintedFilter) -> &'static str {
    match printed {
        PrintedFilter::NeverUsed => words::PRINTED_NEVER_USED,
        PrintedFilter::Never => words::NOT_PRINTED,
    }
}

/// The parts that are set; their addresses are at `path` and keep the order and `more`.
pub(crate) fn chips(
    query: &TokenQuery,
    names: &FilterNames,
    order: &TokenOrder,
    (path, more): (&str, &str),
) -> Vec<Chip> {
    let state =
        query.state.parse::<State>().map_or_else(|_| query.state.clone(), |it| StateView::from(it).badge().into());
    let printed = query.printed.parse().map_or_else(|_| query.printed.clone(), |it| printed_words(it).into());
    let soon = query.soon.parse().map_or_else(|_| query.soon.clone(), |it| words::soon_chip(it).into());
    let name = |name: &Option<String>, uid: &str| name.clone().unwrap_or_else(|| uid.to_owned());
    let parts: [(String, Part<TokenQuery>); 8] = [
        (words::search_chip(&query.q), |query| &mut query.q),
        (words::state_chip(&state), |query| &mut query.state),
        (words::batch_chip(&name(&names.batch, &query.batch)), |query| &mut query.batch),
        (words::created_from_chip(&day_in_words(&query.created_from)), |query| &mut query.created_from),
        (words::created_to_chip(&day_in_words(&query.created_to)), |query| &mut query.created_to),
        (printed, |query| &mut query.printed),
        (soon, |query| &mut query.soon),
        (words::print_run_chip(&name(&names.print_run, &query.print_run)), |query| &mut query.print_run),
    ];
    let chip = |(text, part): (String, Part<TokenQuery>)| {
        let mut other = query.clone();
        let is_set = !std::mem::take(part(&mut other)).is_empty();
        is_set.then(|| Chip { text, href: other.href(order, path, more) })
    };
    parts.into_iter().filter_map(chip).collect()
}
