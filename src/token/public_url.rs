//! The public URL: the links to tokens, and hence the texts of QR codes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use url::Url;

use super::record::Token;
use super::settings::{CodeHolds, Settings};
use super::uid::Uid;

/// The URL under which the application is reached. Its path is the base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
    /// Whether it was configured. Otherwise it is the address that the server listens on, which may not be reachable
    /// from elsewhere.
    pub(crate) is_given: bool,
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
    /// A URL to use when none is configured.
    ///
    pub fn assumed(text: &str) -> Result<Self, String> {
        Ok(Self { is_given: false, ..text.parse::<Self>()? })
    }

    /// The absolute URL of a token's tile.
    pub(crate) fn tile(&self, uid: Uid) -> String {
        format!("{}{uid}", self.url)
    }

    /// The path before every URL, without the trailing slash: empty, or like `/tickets`.
    pub(crate) fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Scheme, host and port, as in a browser's `Origin` header.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The port, also where it is the scheme's and not written.
    pub(crate) fn port(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// Whether browsers use https.
    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The uid in the URL of a tile, as a code with a link contains it.
    pub(crate) fn linked_uid(&self, text: &str) -> Option<Uid> {
        // Most values are not URLs.
        if !text.get(..4)?.eq_ignore_ascii_case("http") {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let uid = url.path().strip_prefix(self.url.path())?.trim_end_matches('/');
        (url.origin() == self.url.origin()).then(|| uid.parse().ok()).flatten()
    }
}

/// The texts of QR codes.
pub(crate) struct CodeTexts(Option<PublicUrl>);

impl CodeTexts {
    /// Links if the settings say so and the public URL is configured; otherwise values.
    pub(crate) fn new(public_url: &PublicUrl, settings: &Settings) -> Self {
        let are_links = settings.code_holds == CodeHolds::Link && public_url.is_given;
        Self(are_links.then(|| public_url.clone()))
    }

    /// Whether codes hold values.
    pub(crate) fn are_values(&self) -> bool {
        self.0.is_none()
    }

    /// The text in a token's code.
    pub(crate) fn of<'t>(&self, token: &'t Token) -> Cow<'t, str> {
        self.0.as_ref().map_or(Cow::Borrowed(&token.value), |url| Cow::Owned(url.tile(token.uid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_a_base_path_and_tile_urls() {
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
