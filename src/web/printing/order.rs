//! What is to be printed: which tokens, and how.

use std::sync::Arc;

use super::form::{PrintChoices, PrintForm};
use crate::access::Principal;
use crate::sheet::refusal::SheetRefusal;
use crate::store;
use crate::store::printing::labels;
use crate::token::Micros;
use crate::token::public_url::CodeTexts;
use crate::token::settings::Settings;
use crate::web::bulk::selection::TokenSelection;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::tokens;
use crate::web::params::Params;
use crate::web::query_string;
use crate::web::state::App;
use crate::work::printing::items::{LabelItems, MAX_LABELS, label_items};
use crate::work::printing::options::PrintOptions;

/// Uids that an address can carry; a longer list is posted.
pub(crate) const UIDS_IN_ADDRESS: usize = 40;

/// What is to be printed.
pub(crate) struct PrintOrder {
    /// Which tokens.
    pub(crate) selected: TokenSelection,
    /// How, as it was asked for and then filled.
    pub(crate) asked: PrintForm,
    /// How.
    pub(crate) how: PrintOptions,
    /// What can be chosen.
    pub(crate) known: PrintChoices,
    /// What is wrong with it.
    pub(crate) problems: FormErrors,
    /// How many tokens there are.
    pub(crate) total: usize,
    /// The moment by which tokens are found.
    pub(crate) now: Micros,
    /// What codes say.
    pub(crate) texts: CodeTexts,
}

impl PrintOrder {
    /// What the parameters ask for. On the page, what they leave out is as it was last time.
    ///
    /// # Errors
    /// A parameter that is no text; unavailable, when the database cannot be asked.
    pub(crate) async fn read<const L: usize>(
        params: &Params<L>,
        app: &App,
        by: &Principal,
        is_page: bool,
    ) -> Result<Self, Error> {
        let mut problems = FormErrors::default();
        let selected = TokenSelection::any(params, app, &mut problems)?;
        let settings: Arc<Settings> = app.settings.get(&app.store).await?;
        let (who, now, selection) = (by.clone(), app.store.now(), selected.selection.clone());
        let is_good = problems.is_empty();
        let (known, total) = app
            .store
            .read(move |connection| {
                let total = if is_good { labels::count(connection, &selection, now)? } else { 0 };
                Ok((PrintChoices::read(connection, &who)?, total))
            })
            .await?;
        let mut asked = PrintForm::read(params)?;
        if is_page || asked.is_of_form() {
            asked = asked.filled(&known, &settings);
        }
        let how = asked.how(&known, &settings, &mut problems);
        if total == 0 && problems.is_empty() {
            problems.add("uid", "There is no token to print; voided ones are not printed. Choose others.");
        }
        let texts = app.code_texts_by(&settings);
        Ok(Self { selected, asked, how, known, problems, total, now, texts })
    }

    /// How many there are, in words.
    pub(crate) fn told(&self) -> String {
        tokens(self.total)
    }

    /// All that a form needs to ask for the same again.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        self.selected.fields.iter().cloned().chain(self.asked.fields()).collect()
    }

    /// The address at `path` that asks for the same, but for the first free label, which is to be written at its end.
    pub(crate) fn address_but_start(&self, path: &str) -> String {
        let uids = self.selected.uids().unwrap_or_default().iter().map(|uid| ("uid", uid.to_string()));
        let which = self.selected.asked.filters().into_iter().map(|(name, value)| (name, value.to_owned()));
        let how = self.asked.fields().into_iter().filter(|(name, _)| *name != "start");
        let all: Vec<_> = which.filter(|_| self.selected.uids().is_none()).chain(uids).chain(how).collect();
        query_string::with(path, all.iter().map(|(name, value)| (*name, value.as_str())), "start=")
    }

    /// The tokens of this order: at most `limit` behind the first `skip`; or none, when one of them is not printed, and it is
    /// added to the problems.
    ///
    /// # Errors
    /// Unknown, when a token that was named is not there; unavailable, when the database cannot be asked.
    pub(crate) async fn tokens(&mut self, app: &App, skip: usize, limit: usize) -> Result<Option<LabelItems>, Error> {
        let (selection, now) = (self.selected.selection.clone(), self.now);
        let work = move |connection: &mut _| labels::slice(connection, &selection, now, skip, limit);
        match app.store.read(work).await {
            Ok(found) => Ok(Some(label_items(found, &self.texts, self.how.text))),
            Err(store::Error::Token(mistake)) if mistake.param().is_some() => {
                self.problems.add_all(&[mistake]);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All of them, for one PDF; or none, when they are too many, and it is added to the problems.
    ///
    /// # Errors
    /// As [`PrintOrder::tokens`].
    pub(crate) async fn all(&mut self, app: &App) -> Result<Option<LabelItems>, Error> {
        if self.total > MAX_LABELS {
            let (most, total) = (tokens(MAX_LABELS), tokens(self.total));
            self.problems.add("uid", format!("A PDF has at most {most}, and these are {total}: print them in parts."));
            return Ok(None);
        }
        self.tokens(app, 0, MAX_LABELS).await
    }
}

/// What the layout refuses, by the fields of the form.
pub(crate) fn refusals(refused: &[SheetRefusal], problems: &mut FormErrors) {
    for refusal in refused {
        problems.add(refusal.field(), refusal.to_string());
    }
}
