//! The bar below the list: what can be done to the selected tokens, and which boxes are ticked as the page opens.

use std::collections::HashSet;

use serde::Deserialize;
use validator::Validate;

use super::counts::Count;
use crate::access::{Permission, Role};
use crate::token::{LIST_MAX, Token};
use crate::web::bulk::form::ChangeKind;
use crate::web::bulk::selection::{ticked, words as uids_of};
use crate::web::notice::Notice;
use crate::web::words::tokens as words;

/// What is selected already: what a browser brings back that cancelled, or had to sign in first.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct SelectedQuery {
    uid: Vec<String>,
    uids: String,
    #[serde(rename = "do")]
    kind: String,
}

/// Something that can be done to the selected tokens.
pub(crate) struct BarAction {
    pub(crate) kind: ChangeKind,
    pub(crate) is_chosen: bool,
}

/// The bar.
pub(crate) struct Bar {
    /// What the role may do.
    pub(crate) actions: Vec<BarAction>,
    /// Why there is no more.
    pub(crate) limits: Option<&'static str>,
    /// All uids of the page, with spaces between them.
    pub(crate) uids: String,
    /// The choice of the page, and of everything that is found.
    pub(crate) this_page: String,
    pub(crate) all_results: String,
    pub(crate) select_all_results: String,
    pub(crate) all_results_selected: String,
    /// Most tokens that can be selected one by one, and what is said then.
    pub(crate) most: usize,
    pub(crate) is_full: String,
}

impl Bar {
    /// The bar of a page with these tokens, of `count` that are found.
    pub(crate) fn new(role: Role, tokens: &[Token], count: Count, query: &SelectedQuery) -> Self {
        let allowed = ChangeKind::ALL.into_iter().filter(|kind| role.may(kind.permission()));
        let uids: Vec<String> = tokens.iter().map(|token| token.uid.to_string()).collect();
        Self {
            actions: allowed.map(|kind| BarAction { kind, is_chosen: kind.word() == query.kind }).collect(),
            limits: match (role.may(Permission::Edit), role.may(Permission::Delete)) {
                (false, _) => Some(words::VIEWERS_PRINT),
                (true, false) => Some(words::EDITORS_CHANGE),
                (true, true) => None,
            },
            this_page: words::this_page(uids.len()),
            uids: uids.join(" "),
            all_results: words::all_results(count),
            select_all_results: words::select_all_results(count),
            all_results_selected: words::all_results_selected(count),
            most: LIST_MAX,
            is_full: words::selection_is_full(LIST_MAX),
        }
    }
}

/// The uids whose boxes are ticked as the page opens.
///
/// All of them or none: where some are on another page, the others would be another selection, and their number is said.
pub(crate) fn selected(query: &SelectedQuery, tokens: &[Token]) -> (HashSet<String>, Option<Notice>) {
    let selected: HashSet<String> = ticked(&query.uid).into_iter().chain(uids_of(&query.uids)).collect();
    let shown: HashSet<String> = tokens.iter().map(|token| token.uid.to_string()).collect();
    if selected.is_subset(&shown) {
        return (selected, None);
    }
    let notice = Notice::refused(words::select_again(selected.len()));
    (HashSet::new(), Some(notice))
}
