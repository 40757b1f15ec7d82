//! Which tokens a form is about: those that were ticked, those of the page, or all that the filter finds.

use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::store::tokens::selection::Selection;
use crate::token::{LIST_MAX, Problem, TokenError, Uid, shown};
use crate::web::form_errors::FormErrors;
use crate::web::pairs::pairs_of;
use crate::web::params::Parts;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::tokens::place::ListPlace;
use crate::web::tokens::query::{TokenOrder, TokenQuery};
use crate::web::words::bulk::NOTHING_SELECTED;

/// Most ticked tokens that an address has room for: proxies take 8 KiB.
const UIDS_IN_ADDRESS: usize = 100;

/// Which tokens, as a form or an address says it.
pub(crate) type SelectionForm = Parts<(TokenQuery, TokenOrder, Ticks, ListPlace)>;

/// Which tokens of those that a filter finds.
#[derive(Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct Ticks {
    /// 1 for all tokens that there are.
    all: String,
    /// The boxes that are ticked.
    uid: Vec<String>,
    /// Uids with spaces between them.
    uids: String,
    /// Which of these count: `ticked`, `page` or `found`.
    select: String,
    /// All uids of the page, with spaces between them.
    page: String,
}

impl Ticks {
    /// The uids that are ticked or named, whatever else counts.
    fn named(&self) -> Vec<String> {
        let named = words(&self.uids);
        if named.is_empty() { ticked(&self.uid) } else { named }
    }

    /// Whether a parameter does not count beside the others, if it is one of these: the list's form without a script always sends
    /// all uids of its page, which would be too many for an address, and ticks that another choice overrules.
    pub(crate) fn overrule(&self, name: &str) -> bool {
        match name {
            "page" => self.select != "page",
            "uid" | "uids" => matches!(&*self.select, "page" | "found"),
            // What is ticked says it as well, and without ticks nothing is chosen.
            "select" => self.select == "ticked",
            _ => false,
        }
    }
}

/// A selection, and the hidden fields by which a form keeps it.
pub(crate) struct TokenSelection {
    /// Which tokens.
    pub(crate) selection: Selection,
    /// The list from which they were selected: the way back.
    query: TokenQuery,
    order: TokenOrder,
    place: ListPlace,
    /// Names and values of hidden fields.
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// A uid of a selection.
fn parse_uid(text: &str) -> Result<Uid, TokenError> {
    text.parse().map_err(|_| TokenError::value("uid", Problem::NotAUid { value: shown(text) }))
}

impl TokenSelection {
    /// What the list's form, or a form with the fields of [`TokenSelection::fields`], selects.
    pub(crate) fn read(Parts((query, order, ticks, place)): SelectionForm, app: &App, errors: &mut FormErrors) -> Self {
        if ticks.select == "found" {
            let again = Ticks { select: ticks.select, ..Ticks::default() };
            return Self::found((query, order, place), &again, app, errors);
        }
        let texts = if ticks.select == "page" { words(&ticks.page) } else { ticks.named() };
        let uids: Result<Vec<Uid>, TokenError> = texts.iter().map(|text| parse_uid(text)).collect();
        let uids = errors.note(uids.map(Some)).unwrap_or_default();
        if errors.is_empty() && uids.is_empty() {
            errors.add_without_field("select", NOTHING_SELECTED);
        }
        if uids.len() > LIST_MAX {
            let too_many = Problem::TooManyItems { count: uids.len() as u64, max: LIST_MAX as u64 };
            errors.note_without_field::<()>(Err(TokenError::value("select", too_many)));
        }
        let kept: Vec<String> = uids.iter().map(Uid::to_string).collect();
        let again = Ticks { uids: kept.join(" "), ..Ticks::default() };
        let fields = pairs_of(&(&query, &order, &place, again));
        Self { selection: Selection::Uids(uids), query, order, place, fields }
    }

    /// All tokens of a filter.
    fn found(
        (query, order, place): (TokenQuery, TokenOrder, ListPlace),
        again: &Ticks,
        app: &App,
        errors: &mut FormErrors,
    ) -> Self {
        let selection = Selection::Filter(query.filter(app, errors));
        let fields = pairs_of(&(&query, &order, &place, again));
        Self { selection, query, order, place, fields }
    }

    /// What a form selects, or the uids in an address, or what a filter finds, or everything with `all=1`; none if no
    /// parameter says which. An empty parameter counts as absent.
    pub(crate) fn any(form: SelectionForm, app: &App, errors: &mut FormErrors) -> Option<Self> {
        let Parts((query, _, ticks, _)) = &form;
        if !ticks.select.trim().is_empty() || !ticks.named().is_empty() {
            return Some(Self::read(form, app, errors));
        }
        let all = if query.is_set() { "" } else { "1" };
        if !query.is_set() && ticks.all != all {
            return None;
        }
        let Parts((query, order, _, place)) = form;
        let again = Ticks { all: all.to_owned(), ..Ticks::default() };
        Some(Self::found((query, order, place), &again, app, errors))
    }

    /// The uids that were ticked or named; none, if a filter says which.
    pub(crate) fn uids(&self) -> Option<&[Uid]> {
        match &self.selection {
            Selection::Uids(uids) => Some(uids),
            Selection::Filter(_) => None,
        }
    }

    /// The address of the list that leads back, below `base`, with the same boxes ticked where an address has room for them.
    pub(crate) fn back(&self, base: &str) -> String {
        let uids: Vec<String> = self.uids().unwrap_or_default().iter().map(Uid::to_string).collect();
        let ticks = Ticks {
            uids: if uids.len() <= UIDS_IN_ADDRESS { uids.join(" ") } else { String::new() },
            ..Ticks::default()
        };
        query_string::with(&format!("{base}/"), pairs_of(&(&self.query, &self.order, &self.place, ticks)), "")
    }

    /// The path of the same list after the change, below the base path. Deleted tokens leave no page to come back to.
    pub(crate) fn after_change(&self, action: Uid, is_deletion: bool) -> String {
        let place = if is_deletion { self.place.first() } else { self.place.clone() };
        let more = format!("done=changed&changed={action}");
        query_string::with("/", pairs_of(&(&self.query, &self.order, &place)), &more)
    }
}

/// The uids of the boxes that are ticked; an empty one is none.
pub(crate) fn ticked(uids: &[String]) -> Vec<String> {
    uids.iter().filter(|uid| !uid.is_empty()).cloned().collect()
}

/// The uids that one parameter holds, with spaces between them.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}
