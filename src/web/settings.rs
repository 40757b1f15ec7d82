//! The settings as they were within the last second: nearly every request asks for one of them.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use super::callers::BELIEVED;
use super::error::Error;
use super::state::{App, PublicUrl};
use crate::store::{self, Store};
use crate::token::Token;
use crate::token::settings::{CodeHolds, Settings};

/// Why codes hold values although the settings want links.
pub const NO_LINKS: &str = "The settings want codes with links, but codes hold values: this server was started without \
                            --public-url (TESSERA_PUBLIC_URL), and does not know under which address others reach it.";

/// Remembers the settings for a moment.
#[derive(Default)]
pub struct SettingsSeen(RwLock<Seen>);

#[derive(Default)]
struct Seen {
    /// Counts what this instance saved: a look that began before a save must not be believed after it.
    saves: u64,
    known: Option<(Instant, Arc<Settings>)>,
}

impl SettingsSeen {
    /// The settings.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn get(&self, store: &Store) -> Result<Arc<Settings>, Error> {
        let saves = {
            let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
            match &seen.known {
                Some((at, settings)) if at.elapsed() < BELIEVED => return Ok(Arc::clone(settings)),
                _ => seen.saves,
            }
        };
        // What is found was true at this moment, however long the finding takes.
        let at = Instant::now();
        let found = store.look(|connection| Ok(store::settings::all(connection)?)).await?;
        let settings = Arc::new(found.settings);
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.saves == saves {
            seen.known = Some((at, Arc::clone(&settings)));
        }
        Ok(settings)
    }

    /// Forgets what was seen, after one was saved.
    pub fn forget(&self) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.saves += 1;
        seen.known = None;
    }
}

/// What codes say.
pub struct CodeTexts(Option<PublicUrl>);

impl CodeTexts {
    /// What the code of a token says.
    pub fn of<'t>(&self, token: &'t Token) -> Cow<'t, str> {
        self.0.as_ref().map_or(Cow::Borrowed(&token.value), |url| Cow::Owned(url.tile(token.uid)))
    }
}

impl App {
    /// What codes say at the moment: links only where the address is known under which others reach them.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn code_texts(&self) -> Result<CodeTexts, Error> {
        Ok(self.code_texts_by(&*self.settings.get(&self.store).await?))
    }

    /// What codes say by these settings.
    pub fn code_texts_by(&self, settings: &Settings) -> CodeTexts {
        let are_links = settings.code_holds == CodeHolds::Link && self.public_url.is_given;
        CodeTexts(are_links.then(|| self.public_url.clone()))
    }
}
