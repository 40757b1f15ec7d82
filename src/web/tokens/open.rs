//! Opens the token whose code was scanned into the search field.

use serde::Deserialize;
use validator::Validate;

use super::api::lookup_value;
use crate::store;
use crate::store::tokens::search;
use crate::token::Uid;
use crate::token::settle::Lookup;
use crate::web::error::Error;
use crate::web::state::App;

/// Whether a search was sent by the Enter key, with which a scanner ends.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ScannedSearch {
    /// `1` if so. It is in no link.
    open: String,
}

impl ScannedSearch {
    /// The token whose value, link or uid the search is exactly, also if it is deleted.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn token(&self, app: &App, q: &str) -> Result<Option<Uid>, Error> {
        if self.open != "1" {
            return Ok(None);
        }
        let Ok(what) = lookup_value(app, q) else { return Ok(None) };
        // Also the uid of a token that has another value.
        let what = Lookup { link: what.link.or_else(|| q.parse().ok()), ..what };
        if let Some(token) = app.store.look_up(what.clone()).await?? {
            return Ok(Some(token.uid));
        }
        match app.store.search(move |connection, limit| search::deleted(connection, &what, limit)).await {
            Err(store::Error::TooSlow) => Ok(None),
            found => Ok(found?),
        }
    }
}
