//! What is to be printed: which tokens, and how.

use std::sync::Arc;

use super::asked::{Asked, Known};
use crate::access::Principal;
use crate::sheet::layout::Item;
use crate::sheet::refused::Refused;
use crate::store::{self, printing};
use crate::token::settings::Settings;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};
use crate::web::error::Error;
use crate::web::pages::selected::Selected;
use crate::web::pages::when::tokens;
use crate::web::pages::{Problems, address};
use crate::web::params::Params;
use crate::web::printing::{Beside, Printing};
use crate::web::settings::CodeTexts;
use crate::web::state::App;

/// The most labels of one PDF.
pub const MOST: usize = 10_000;

/// Characters of a token's name in a message.
const NAME_CHARS: usize = 40;

/// What is to be printed.
pub struct Order {
    /// Which tokens.
    pub selected: Selected,
    /// How, as it was asked for and then filled.
    pub asked: Asked,
    /// How.
    pub how: Printing,
    /// What can be chosen.
    pub known: Known,
    /// What is wrong with it.
    pub problems: Problems,
    /// How many tokens there are.
    pub total: usize,
    /// The moment by which tokens are found.
    pub now: Micros,
    /// What codes say.
    pub texts: CodeTexts,
}

/// Tokens with what is printed of each.
#[derive(Default)]
pub struct Printed {
    /// The tokens in the order of their labels.
    pub tokens: Vec<(TokenId, Token)>,
    /// What is printed of each.
    pub items: Vec<Item>,
}

impl Order {
    /// What the parameters ask for. On the page, what they leave out is as it was last time.
    ///
    /// # Errors
    /// A parameter that is no text; unavailable, when the database cannot be asked.
    pub async fn read<const L: usize>(
        params: &Params<L>,
        app: &App,
        by: &Principal,
        is_page: bool,
    ) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let selected = Selected::any(params, app, &mut problems)?;
        let settings: Arc<Settings> = app.settings.get(&app.store).await?;
        let (who, now, selection) = (by.clone(), app.store.now(), selected.selection.clone());
        let is_good = problems.is_empty();
        let (known, total) = app
            .store
            .read(move |connection| {
                let total = if is_good { printing::count(connection, &selection, now)? } else { 0 };
                Ok((Known::read(connection, &who)?, total))
            })
            .await?;
        let mut asked = Asked::read(params)?;
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
    pub fn told(&self) -> String {
        tokens(self.total)
    }

    /// All that a form needs to ask for the same again.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        self.selected.fields.iter().cloned().chain(self.asked.fields()).collect()
    }

    /// The address at `path` that asks for the same, but for the first free label, which is to be written at its end.
    pub fn address_but_start(&self, path: &str) -> String {
        let uids = self.selected.uids().unwrap_or_default().iter().map(|uid| ("uid", uid.to_string()));
        let which = self.selected.asked.filters().into_iter().map(|(name, value)| (name, value.to_owned()));
        let how = self.asked.fields().into_iter().filter(|(name, _)| *name != "start");
        let all: Vec<_> = which.filter(|_| self.selected.uids().is_none()).chain(uids).chain(how).collect();
        address::with(path, all.iter().map(|(name, value)| (*name, value.as_str())), "start=")
    }

    /// The tokens of this order: at most `limit` behind the first `skip`; or none, when one of them is not printed, and it is
    /// added to the problems.
    ///
    /// # Errors
    /// Unknown, when a token that was named is not there; unavailable, when the database cannot be asked.
    pub async fn tokens(&mut self, app: &App, skip: usize, limit: usize) -> Result<Option<Printed>, Error> {
        let (selection, now) = (self.selected.selection.clone(), self.now);
        let work = move |connection: &mut _| printing::slice(connection, &selection, now, skip, limit);
        match app.store.read(work).await {
            Ok(found) => Ok(Some(printed(found, &self.texts, self.how.text))),
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
    /// As [`Order::tokens`].
    pub async fn all(&mut self, app: &App) -> Result<Option<Printed>, Error> {
        if self.total > MOST {
            let (most, total) = (tokens(MOST), tokens(self.total));
            self.problems.add("uid", format!("A PDF has at most {most}, and these are {total}: print them in parts."));
            return Ok(None);
        }
        self.tokens(app, 0, MOST).await
    }
}

/// What is printed of tokens.
pub fn printed(tokens: Vec<(TokenId, Token)>, texts: &CodeTexts, beside: Beside) -> Printed {
    let item = |(_, token): &(TokenId, Token)| Item {
        name: name(token),
        code: texts.of(token).into_owned(),
        text: beside.text(token),
    };
    Printed { items: tokens.iter().map(item).collect(), tokens }
}

/// What a message calls a token.
fn name(token: &Token) -> String {
    let title = token.label.as_ref().unwrap_or(&token.value);
    let cut: String = title.chars().take(NAME_CHARS).collect();
    let more = if cut.len() < title.len() { "…" } else { "" };
    format!("“{cut}{more}”")
}

/// What the layout refuses, by the fields of the form.
pub fn refusals(refused: &[Refused], problems: &mut Problems) {
    for refusal in refused {
        problems.add(refusal.field(), refusal.to_string());
    }
}
