//! What every request can reach.

use std::sync::Arc;

use actix_web::cookie::Key;

use chrono_tz::Tz;
use tokio::sync::Semaphore;

use super::callers::{Caller, Callers};
use super::client_address::TrustedProxies;
use super::error::Error;
use super::format::TimeFormatter;
use super::gates::cache::GatesCache;
use super::gates::today::GatesToday;
use super::overview::recent::RecentNumbers;
use super::scan::rate::PhotoRate;
use super::settings::cache::SettingsCache;
use super::tokens::counts::TokenCounts;
use super::usage::log_end::LogEnd;
use crate::qr::Codes;
use crate::sheet::fonts::Fonts;
use crate::sheet::geometry::Sheet;
use crate::sheet::presets::{preset, presets};
use crate::store::Store;
use crate::store::printing::sheets;
use crate::token::public_url::{CodeTexts, PublicUrl};
use crate::token::settings::Settings;
use crate::work::Background;
use crate::work::photo_queue::PhotoQueue;
use crate::work::printing::custom_sheets::sheet_of;

/// The state of the application.
pub struct App {
    /// The database.
    pub(crate) store: Store,
    /// The zone of times without an offset.
    pub(crate) zone: Tz,
    /// The address under which others reach this server.
    pub(crate) public_url: PublicUrl,
    /// Keys and sessions seen a moment ago.
    pub(crate) callers: Callers,
    /// Trusted proxies.
    pub(crate) proxies: TrustedProxies,
    /// The path before every address: empty, or as in `/tickets`.
    pub(crate) base: Arc<str>,
    /// The key that seals cookies.
    pub(crate) cookie_key: Key,
    /// The settings, read a moment ago.
    pub(crate) settings: SettingsCache,
    /// The gates, read a moment ago.
    pub(crate) gates: GatesCache,
    /// What was used today at each gate.
    pub(crate) gates_today: GatesToday,
    /// The numbers of the overview.
    pub(crate) overview: RecentNumbers,
    /// QR codes made a moment ago.
    pub(crate) codes: Codes,
    /// How many tokens there are, counted a moment ago.
    pub(crate) counts: TokenCounts,
    /// How far the usage log can be followed.
    pub(crate) log_end: LogEnd,
    /// Permits for sign-ins: many of them must not take all database connections.
    pub(crate) login_permits: Semaphore,
    /// How often each device has sent a photo within the last second.
    pub(crate) photo_rate: PhotoRate,
    /// The photos that are sent, wait or are read.
    pub(crate) photo_queue: PhotoQueue,
    /// What background work shares.
    pub(crate) background: Arc<Background>,
}

/// How many sign-ins ask at once whether they may try.
const LOGINS: usize = 2;

impl App {
    /// The state of an application that starts.
    pub fn new(
        store: Store,
        cookie_key: Key,
        zone: Tz,
        public_url: PublicUrl,
        proxies: TrustedProxies,
        fonts: Arc<Fonts>,
    ) -> Self {
        Self {
            background: Arc::new(Background::new(store.clone(), fonts)),
            store,
            zone,
            base: public_url.base_path().into(),
            public_url,
            proxies,
            cookie_key,
            callers: Callers::default(),
            settings: SettingsCache::default(),
            gates: GatesCache::default(),
            gates_today: GatesToday::default(),
            overview: RecentNumbers::default(),
            codes: Codes::default(),
            counts: TokenCounts::default(),
            log_end: LogEnd::default(),
            photo_rate: PhotoRate::default(),
            photo_queue: PhotoQueue::default(),
            login_permits: Semaphore::new(LOGINS),
        }
    }

    /// Looks a caller up again, after a body was read, after any wait, and before each piece of a long answer.
    ///
    /// # Errors
    /// The key or the session has ended.
    pub(crate) async fn recheck(&self, caller: &Caller) -> Result<(), Error> {
        self.callers.recheck(&self.store, caller).await
    }

    /// Writes times as people read them now, in the configured zone.
    pub(crate) fn time_formatter(&self) -> TimeFormatter {
        TimeFormatter { now: self.store.now(), zone: self.zone }
    }

    /// What codes say at the moment: links only where the address is known under which others reach them.
    pub(crate) async fn code_texts(&self) -> Result<CodeTexts, Error> {
        Ok(self.code_texts_by(&*self.settings.get(&self.store).await?))
    }

    /// What codes say by these settings.
    pub(crate) fn code_texts_by(&self, settings: &Settings) -> CodeTexts {
        CodeTexts::new(&self.public_url, settings)
    }

    /// Every sheet: own ones by name, then the presets.
    pub(crate) async fn sheets(&self) -> Result<Vec<Sheet>, Error> {
        let own = self.store.read_inline(|connection| Ok(sheets::all(connection)?)).await?;
        Ok(own.iter().map(sheet_of).chain(presets().iter().cloned()).collect())
    }

    /// The sheet of that slug.
    pub(crate) async fn sheet(&self, slug: &str) -> Result<Option<Sheet>, Error> {
        if let Some(preset) = preset(slug) {
            return Ok(Some(preset.clone()));
        }
        // No slug has a NUL, and PostgreSQL's texts cannot hold one.
        if slug.contains('\0') {
            return Ok(None);
        }
        let slug = slug.to_owned();
        let own = self.store.read_inline(move |connection| Ok(sheets::find(connection, &slug)?)).await?;
        Ok(own.as_ref().map(sheet_of))
    }
}
