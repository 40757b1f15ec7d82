//! The settings as of the last second: nearly every request needs one of them.

use std::sync::{Arc, PoisonError, RwLock};

use crate::store::Store;
use crate::store::settings::AllSettings;
use crate::token::settings::Settings;
use crate::web::brief_cache::BriefCache;
use crate::web::error::Error;

/// Caches the settings.
#[derive(Default)]
pub(crate) struct SettingsCache {
    brief: BriefCache<(), Arc<Settings>>,
    last: RwLock<Arc<Settings>>,
}

impl SettingsCache {
    /// The settings.
    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Settings>, Error> {
        let ask = async {
            let stored = store.look_up(AllSettings).await?;
            Ok::<_, Error>(Some(Arc::new(stored.settings)))
        };
        let settings = self.brief.get(&(), ask).await?.unwrap_or_default();
        if !Arc::ptr_eq(&self.last(), &settings) {
            *self.last.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&settings);
        }
        Ok(settings)
    }

    /// The settings as they were last read, for what cannot wait.
    pub(crate) fn last(&self) -> Arc<Settings> {
        Arc::clone(&self.last.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets the settings, after one was saved.
    pub(crate) fn forget(&self) {
        self.brief.forget_all();
    }
}
