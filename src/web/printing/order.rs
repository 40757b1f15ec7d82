//! What is to be printed: which tokens, and how.

use std::sync::Arc;

use super::form::{PrintChoices, PrintForm};
use crate::access::Principal;
use crate::sheet::refusal::SheetRefusal;
use crate::store::printing::labels;
use crate::store::{self, Connection};
use crate::token::settings::Settings;
use crate::token::{Micros, Problem, TokenError};
use crate::web::bulk::selection::{SelectionForm, TokenSelection};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::tokens;
use crate::web::pairs::pairs_of;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words::printing::voided_left_out;
use crate::work::printing::items::{LabelItems, LabelTexts, MAX_LABELS, label_items};
use crate::work::printing::options::{PrintOptions, SecondLine};

/// Uids that an address can carry; a longer list is posted.
pub(crate) const UIDS_IN_ADDRESS: usize = 40;

/// What is to be printed.
pub(crate) struct PrintOrder {
    /// Which tokens.
    pub(crate) selected: TokenSelection,
    /// How, as it was typed, with defaults filled in.
    pub(crate) form: PrintForm,
    /// How.
    pub(crate) options: PrintOptions,
    /// What can be chosen.
    pub(crate) choices: PrintChoices,
    /// What is wrong with it.
    pub(crate) errors: FormErrors,
    /// How many tokens there are.
    pub(crate) total: usize,
    /// The moment at which states are judged.
    pub(crate) now: Micros,
    /// How many voided tokens its filter finds and leaves out, in words; only on the page.
    pub(crate) left_out: Option<String>,
    /// What the texts on labels depend on.
    pub(crate) texts: LabelTexts,
}

impl PrintOrder {
    /// The order of a request; none if no parameter says which tokens. On the page, what is left out is as it was last time.
    pub(crate) async fn read(
        which: SelectionForm,
        mut form: PrintForm,
        app: &App,
        by: &Principal,
        is_page: bool,
    ) -> Result<Option<Self>, Error> {
        let mut errors = FormErrors::default();
        let Some(selected) = TokenSelection::any(which, app, &mut errors) else { return Ok(None) };
        let settings: Arc<Settings> = app.settings.get(&app.store).await?;
        let (who, now, selection) = (by.clone(), app.store.now(), selected.selection.clone());
        let is_good = errors.is_empty();
        let (choices, total, left_out) = app
            .store
            .search(move |connection, limit| {
                let total = if is_good { labels::count(connection, &selection, now, limit)? } else { 0 };
                let counts = is_good && is_page;
                let left_out = if counts { labels::count_left_out(connection, &selection, now, limit)? } else { None };
                Ok((PrintChoices::read(connection, &who)?, total, left_out))
            })
            .await?;
        if is_page || form.wants_defaults() {
            form = form.filled(&choices, &settings);
        }
        let options = form.how(&choices, &settings, &mut errors);
        if !is_page && form.second_line == "text" && options.second_line == SecondLine::None && errors.is_empty() {
            errors.add_all(&[TokenError::value("second_text", Problem::Empty)]);
        }
        if total == 0 && errors.is_empty() {
            errors.add_all(&[TokenError::value("uid", Problem::NothingToPrint)]);
        }
        let texts = LabelTexts { codes: app.code_texts_by(&settings), zone: app.zone };
        let left_out = left_out.filter(|count| *count > 0).map(voided_left_out);
        Ok(Some(Self { selected, form, options, choices, errors, total, now, left_out, texts }))
    }

    /// How many there are, in words.
    pub(crate) fn count(&self) -> String {
        tokens(self.total)
    }

    /// Names and values of a form that repeats the order.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        self.selected.fields.iter().cloned().chain(pairs_of(&self.form)).collect()
    }

    /// The address at `path` of the same order, ending with `start=`, for another first label to be appended.
    pub(crate) fn address_but_start(&self, path: &str) -> String {
        let uids = self.selected.uids().unwrap_or_default().iter().map(|uid| ("uid", uid.to_string()));
        let which = self.selected.fields.iter().cloned();
        let how = pairs_of(&PrintForm { start: String::new(), ..self.form.clone() });
        let all: Vec<_> = which.filter(|_| self.selected.uids().is_none()).chain(uids).chain(how).collect();
        query_string::with(path, all, "start=")
    }

    /// At most `limit` tokens after the first `skip`, with what is printed of each; none, with an error added, if one of them
    /// cannot be printed.
    ///
    /// # Errors
    /// Unknown, when a token that was named is not there; unavailable, when the database cannot be asked.
    pub(crate) async fn tokens(&mut self, app: &App, skip: usize, limit: usize) -> Result<Option<LabelItems>, Error> {
        let (selection, now) = (self.selected.selection.clone(), self.now);
        let work = move |connection: &mut Connection, search: &_| {
            let found = labels::slice(connection, &selection, now, (skip, limit), search)?;
            let batches = labels::batch_names(connection, &found)?;
            Ok((found, batches))
        };
        match app.store.search(work).await {
            Ok((found, batches)) => Ok(Some(label_items(found, &batches, &self.texts, &self.options))),
            Err(store::Error::Token(mistake)) if mistake.param().is_some() => {
                self.errors.add_all(&[mistake]);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All of them, for one PDF; none, with an error added, if they are too many.
    pub(crate) async fn all(&mut self, app: &App) -> Result<Option<LabelItems>, Error> {
        if self.total > MAX_LABELS {
            self.errors.add_all(&[too_many(self.total, MAX_LABELS)]);
            return Ok(None);
        }
        self.tokens(app, 0, MAX_LABELS).await
    }
}

/// More labels than are printed at once.
pub(crate) fn too_many(count: usize, max: usize) -> TokenError {
    TokenError::value("uid", Problem::TooManyLabels { count: count as u64, max: max as u64 })
}

/// Adds why labels cannot be laid out, each to the form's field.
pub(crate) fn refusals(refused: &[SheetRefusal], errors: &mut FormErrors) {
    for refusal in refused {
        let problem = Problem::NotPrintable { remedy: refusal.to_string() };
        errors.add_all(&[TokenError::value(refusal.field(), problem)]);
    }
}
