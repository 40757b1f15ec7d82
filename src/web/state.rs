//! What every request can reach.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::cookie::Key;

use chrono_tz::Tz;
use tokio::sync::Semaphore;
use url::Url;

use super::callers::Callers;
use super::client::TrustedProxies;
use super::counts::Counts;
use super::layers::Drain;
use super::makings::Makings;
use super::press::Press;
use super::settings::SettingsSeen;
use crate::qr::Codes;
use crate::sheet::fonts::Fonts;
use crate::store::Store;
use crate::token::Uid;

/// The state of the application.
pub struct App {
    /// The database.
    pub store: Store,
    /// The zone that times without an offset are meant in.
    pub zone: Tz,
    /// Where people and links find us.
    pub public_url: PublicUrl,
    /// Keys and sessions seen a moment ago.
    pub callers: Callers,
    /// Proxies that are believed.
    pub proxies: TrustedProxies,
    /// Requests under way.
    pub drain: Arc<Drain>,
    /// The path before every address: empty, or as in `/tickets`.
    pub base: Arc<str>,
    /// The key that seals cookies.
    pub cookie_key: Key,
    /// The settings, read a moment ago.
    pub settings: SettingsSeen,
    /// QR codes made a moment ago.
    pub codes: Codes,
    /// The fonts for sheets.
    pub fonts: Arc<Fonts>,
    /// How many tokens there are, counted a moment ago.
    pub counts: Counts,
    /// Batches that are being made here.
    pub makings: Makings,
    /// Where pages are made.
    pub press: Press,
    /// Turns for asking whether a password may be tried: a flood of sign-ins must not take every connection from others.
    pub tries: Semaphore,
    /// Turns for hashing passwords: each takes 19 MiB and a core.
    pub hashes: Semaphore,
    /// The turn of the print job that is worked on: the others wait, and leave the press to people.
    pub print_job: Semaphore,
    /// Turns for requests that hold a list of a hundred thousand in memory: a few at once, and the others wait.
    pub lists: Semaphore,
}

/// How many sign-ins ask at once whether they may try.
const TRIES: usize = 2;
/// How many passwords are hashed at once.
const HASHES: usize = 2;
/// How many requests may hold a long list at once.
const LISTS: usize = 4;

impl App {
    /// The state of an application that has served nobody yet.
    pub fn new(
        store: Store,
        cookie_key: Key,
        zone: Tz,
        public_url: PublicUrl,
        proxies: TrustedProxies,
        fonts: Arc<Fonts>,
    ) -> Self {
        let press = Press::new(store.consumes());
        Self {
            store,
            zone,
            base: public_url.base_path().into(),
            public_url,
            proxies,
            fonts,
            cookie_key,
            callers: Callers::default(),
            drain: Arc::default(),
            settings: SettingsSeen::default(),
            codes: Codes::default(),
            counts: Counts::default(),
            makings: Makings::default(),
            press,
            tries: Semaphore::new(TRIES),
            hashes: Semaphore::new(HASHES),
            print_job: Semaphore::new(1),
            lists: Semaphore::new(LISTS),
        }
    }
}

/// The address under which the application is reached. Its path is the base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
    /// Whether somebody said so; else it is only what the server is bound to, of which nobody knows who else reaches it.
    pub is_given: bool,
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("this is no address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("write an address that begins with http:// or https://".into());
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("write an address without a query, a fragment or a user".into());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        if !url.path().chars().all(plain) {
            return Err("write a path of letters, digits, hyphens, dots, underscores and slashes".into());
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self { url, is_given: true })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl PublicUrl {
    /// The address that is taken where none is given.
    ///
    /// # Errors
    /// It is none.
    pub fn assumed(text: &str) -> Result<Self, String> {
        Ok(Self { is_given: false, ..text.parse::<Self>()? })
    }

    /// The address of a token's tile, for those outside.
    pub fn tile(&self, uid: Uid) -> String {
        format!("{}{uid}", self.url)
    }

    /// The path before every address, without its last slash: empty, or as in `/tickets`.
    pub fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Scheme, host and port, as a browser's `Origin` has them.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether browsers reach us by https.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The uid in a tile's address, as a code with a link holds it.
    pub fn linked_uid(&self, text: &str) -> Option<Uid> {
        // Most values are no address at all.
        if !text.get(..4)?.eq_ignore_ascii_case("http") {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let uid = url.path().strip_prefix(self.url.path())?.trim_end_matches('/');
        (url.origin() == self.url.origin()).then(|| uid.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_a_base_path_and_knows_its_tiles() {
        let uid = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
        for (url, base) in
            [("https://example.org", ""), ("http://example.org:81/a/b", "/a/b"), ("https://e.org/t/", "/t")]
        {
            let public: PublicUrl = url.parse().unwrap();
            assert_eq!(public.base_path(), base);
            let tile = format!("{}/{uid}", url.trim_end_matches('/'));
            assert_eq!(public.tile(uid.parse().unwrap()), tile);
            assert_eq!(public.linked_uid(&tile).map(|uid| uid.to_string()).as_deref(), Some(uid));
            assert!(public.linked_uid(&tile.to_uppercase().replace(&base.to_uppercase(), base)).is_some());
            assert_eq!(public.linked_uid(&format!("{tile}/edit")), None);
            assert_eq!(public.linked_uid(&format!("https://evil.example/{uid}")), None);
        }
        for bad in [
            "",
            "example.org",
            "ftp://example.org",
            "https://u@example.org",
            "https://e.org/?q",
            "https://e.org/#f",
            "https://e.org/k%C3%A4se",
            "https://e.org/{x}",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
