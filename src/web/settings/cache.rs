//! The settings as of the last second: nearly every request needs one of them.

use std::sync::Arc;

use crate::store::Store;
use crate::store::settings::AllSettings;
use crate::token::settings::Settings;
use crate::web::brief_cache::BriefCache;
use crate::web::error::Error;

/// Why codes hold values although the settings want links.
pub(crate) const NO_LINKS: &str = "The settings want codes with links, but codes hold values: this server was started without \
                            --public-url (TESSERA_PUBLIC_URL), and does not know under which address others reach it.";

/// Caches the settings.
#[derive(Default)]
pub(crate) struct SettingsCache(BriefCache<(), Arc<Settings>>);

impl SettingsCache {
    /// The settings.
    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Settings>, Error> {
        let ask = async {
            let stored = store.look_up(AllSettings).await?;
            Ok::<_, Error>(Some(Arc::new(stored.settings)))
        };
        Ok(self.0.get(&(), ask).await?.unwrap_or_default())
    }

    /// Forgets the settings, after one was saved.
    pub(crate) fn forget(&self) {
        self.0.forget_all();
    }
}
