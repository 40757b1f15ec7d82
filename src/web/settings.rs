//! The settings as they were within the last second: nearly every request asks for one of them.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::error::Error;
use super::state::{App, PublicUrl};
use crate::store::{self, Store};
use crate::token::settings::{CodeHolds, Settings};
use crate::token::{Token, Uid};

/// Other instances change settings too, so no longer than this is one believed.
const BELIEVED: Duration = Duration::from_millis(900);

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
    /// Whether they hold links.
    pub fn are_links(&self) -> bool {
        self.0.is_some()
    }

    /// What the code of a token says.
    pub fn of<'t>(&self, token: &'t Token) -> Cow<'t, str> {
        self.of_parts(token.uid, &token.value)
    }

    /// What the code of the token of this uid and value says.
    pub fn of_parts<'t>(&self, uid: Uid, value: &'t str) -> Cow<'t, str> {
        self.0.as_ref().map_or(Cow::Borrowed(value), |url| Cow::Owned(url.tile(uid)))
    }
}

impl App {
    /// What codes say at the moment: links only where the address is known under which others reach them.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn code_texts(&self) -> Result<CodeTexts, Error> {
        let holds = self.settings.get(&self.store).await?.code_holds;
        let are_links = holds == CodeHolds::Link && self.public_url.is_given;
        Ok(CodeTexts(are_links.then(|| self.public_url.clone())))
    }
}
