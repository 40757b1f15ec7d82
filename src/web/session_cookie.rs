//! The session cookie, and the key that signs it. The cookie holds a random id that is looked up in the database, so the key alone
//! lets nobody in; it has to be the same on every instance, and after a restart.

use actix_session::SessionMiddleware;
use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Key, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::state::App;
use crate::access::session::AGE_SECONDS;
use crate::token::public_url::PublicUrl;

/// The session cookie's one entry: the random id.
pub(crate) const SESSION_ID: &str = "id";
/// Bytes of the key: what actix asks for signing and encrypting.
const BYTES: usize = 64;

/// A new key, as text.
pub fn generate() -> String {
    let mut bytes = [0u8; BYTES];
    rand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key of a text.
///
/// # Errors
/// A sentence, when the text is no such key.
pub fn key(text: &str) -> Result<Key, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == BYTES);
    let bytes = bytes.ok_or("The setting cookie_key is damaged; delete its row, and everybody signs in again.")?;
    Key::try_from(bytes.as_slice()).map_err(|error| format!("The setting cookie_key cannot be used: {error}."))
}

/// The session cookie: it holds a random id and nothing else.
pub(crate) fn sessions(state: &App) -> SessionMiddleware<CookieSessionStore> {
    let base = &*state.base;
    let age = PersistentSession::default().session_ttl(Duration::seconds(AGE_SECONDS.into()));
    SessionMiddleware::builder(CookieSessionStore::default(), state.cookie_key.clone())
        .cookie_name(name(&state.public_url, state.store.is_on_server()))
        .cookie_path(if base.is_empty() { "/".to_owned() } else { base.to_owned() })
        // Signed, not encrypted: the id is random, and its owner may see it.
        .cookie_content_security(CookieContentSecurity::Signed)
        .cookie_secure(state.public_url.is_https())
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .session_lifecycle(age)
        .build()
}

/// The cookie's name. Its prefix has browsers hold what it says (RFC 6265bis, section 4.1.3), where they can: by https, and
/// `__Host-` without a base path only. A browser sends a cookie to every port of a host, so it has the port by which people come:
/// two instances on one host would sign each other's users out. The port on which several instances of one database listen
/// behind one name is not that port.
fn name(public_url: &PublicUrl, is_on_server: bool) -> String {
    let prefix = match (public_url.is_https(), public_url.base_path()) {
        (true, "") => "__Host-",
        (true, _) => "__Secure-",
        (false, _) => "",
    };
    let port = public_url.port().filter(|_| public_url.is_given || !is_on_server);
    let port = port.map(|port| format!("_{port}")).unwrap_or_default();
    format!("{prefix}tessera{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_named_for_the_port_by_which_people_come() {
        for (public, name_of_it) in [
            ("https://example.org", "__Host-tessera_443"),
            ("https://example.org:8443/", "__Host-tessera_8443"),
            ("https://example.org/tickets", "__Secure-tessera_443"),
            ("http://example.org", "tessera_80"),
            ("http://example.org:8080/tickets", "tessera_8080"),
        ] {
            assert_eq!(name(&public.parse().unwrap(), false), name_of_it);
            assert_eq!(name(&public.parse().unwrap(), true), name_of_it);
        }
        let bound = PublicUrl::assumed("http://127.0.0.1:8081").unwrap();
        assert_eq!((name(&bound, false), name(&bound, true)), ("tessera_8081".into(), "tessera".into()));
    }
}
