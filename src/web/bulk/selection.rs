//! Which tokens a form is about: those that were ticked, those of the page, or all that the filter finds.

use crate::store::tokens::selection::Selection;
use crate::token::{LIST_MAX, TokenError, Uid};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::params::RawParams;
use crate::web::state::App;
use crate::web::tokens::query::TokenQuery;

/// A selection, and the hidden fields by which a form keeps it.
pub(crate) struct TokenSelection {
    /// Which tokens.
    pub(crate) selection: Selection,
    /// The filter from which they were selected: the way back.
    pub(crate) query: TokenQuery,
    /// Names and values of hidden fields.
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl TokenSelection {
    /// What the overview's form, or a form with the fields of [`TokenSelection::fields`], selects.
    pub(crate) fn read<const L: usize>(
        params: &RawParams<L>,
        app: &App,
        errors: &mut FormErrors,
    ) -> Result<Self, Error> {
        let query = TokenQuery::read(params)?;
        let select = params.text("select")?.unwrap_or_default();
        let mut fields: Vec<(&'static str, String)> =
            query.filters().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        if select == "found" {
            fields.push(("select", select));
            return Ok(Self { selection: Selection::Filter(query.filter(app, errors)), query, fields });
        }
        let kept = words(&params.text("uids")?.unwrap_or_default());
        let texts = match select.as_str() {
            "page" => words(&params.text("page")?.unwrap_or_default()),
            _ if kept.is_empty() => ticked(params)?,
            _ => kept,
        };
        let uids: Result<Vec<Uid>, TokenError> = texts.iter().map(|text| text.parse()).collect();
        let uids = errors.note(uids.map(Some)).unwrap_or_default();
        if errors.is_empty() && uids.is_empty() {
            errors.add_without_field(
                "select",
                "No token is selected. Go back and tick some, or choose all that are found.",
            );
        }
        if uids.len() > LIST_MAX {
            errors.add_without_field("select", "At most 100,000 tokens can be selected at once.");
        }
        let kept: Vec<String> = uids.iter().map(Uid::to_string).collect();
        fields.push(("uids", kept.join(" ")));
        Ok(Self { selection: Selection::Uids(uids), query, fields })
    }

    /// What a form selects, or the uids in an address, or what a filter finds, or everything with `all=1`; none if no
    /// parameter says which. An empty parameter counts as absent.
    pub(crate) fn any<const L: usize>(
        params: &RawParams<L>,
        app: &App,
        errors: &mut FormErrors,
    ) -> Result<Option<Self>, Error> {
        let has = |name| params.text(name).map(|text| text.is_some_and(|text| !text.trim().is_empty()));
        if has("select")? || has("uids")? || !ticked(params)?.is_empty() {
            return Self::read(params, app, errors).map(Some);
        }
        let query = TokenQuery::read(params)?;
        let fields = query.filters().into_iter().filter(|(_, value)| !value.is_empty());
        let mut fields: Vec<_> = fields.map(|(name, value)| (name, value.to_owned())).collect();
        if fields.is_empty() {
            if params.filled("all")?.as_deref() != Some("1") {
                return Ok(None);
            }
            fields.push(("all", "1".into()));
        }
        Ok(Some(Self { selection: Selection::Filter(query.filter(app, errors)), query, fields }))
    }

    /// The uids that were ticked or named; none, if a filter says which.
    pub(crate) fn uids(&self) -> Option<&[Uid]> {
        match &self.selection {
            Selection::Uids(uids) => Some(uids),
            Selection::Filter(_) => None,
        }
    }

    /// The address at `path` that leads back.
    pub(crate) fn back(&self, path: &str) -> String {
        self.query.href(path, "")
    }
}

/// The uids of the boxes that are ticked; an empty one is none.
pub(crate) fn ticked<const L: usize>(params: &RawParams<L>) -> Result<Vec<String>, Error> {
    Ok(params.ticked("uid")?.into_iter().filter(|uid| !uid.is_empty()).collect())
}

/// Whether a parameter counts, if it is one of a selection: the overview's form always sends all uids of its page, which
/// would be too many for an address, and ticks that another choice overrules.
pub(crate) fn says_something<const L: usize>(params: &RawParams<L>, name: &str) -> bool {
    let select = params.text("select").ok().flatten().unwrap_or_default();
    match name {
        "page" => select == "page",
        "uid" | "uids" => !matches!(&*select, "page" | "found"),
        // What is ticked says it as well, and without ticks nothing is chosen.
        "select" => select != "ticked",
        _ => true,
    }
}

/// The uids that one parameter holds, with spaces between them.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}
