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

/// The session cookie: it holds a random id and nothing else. Its name's prefix has browsers hold what it says (RFC 6265bis,
/// section 4.1.3), where they can: by https, and `__Host-` without a base path only.
pub(crate) fn sessions(state: &App) -> SessionMiddleware<CookieSessionStore> {
    let (https, base) = (state.public_url.is_https(), &*state.base);
    let name = match (https, base) {
        (true, "") => "__Host-tessera",
        (true, _) => "__Secure-tessera",
        (false, _) => "tessera",
    };
    let age = PersistentSession::default().session_ttl(Duration::seconds(AGE_SECONDS.into()));
    SessionMiddleware::builder(CookieSessionStore::default(), state.cookie_key.clone())
        .cookie_name(name.to_owned())
        .cookie_path(if base.is_empty() { "/".to_owned() } else { base.to_owned() })
        // Signed, not encrypted: the id is random, and its owner may see it.
        .cookie_content_security(CookieContentSecurity::Signed)
        .cookie_secure(https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .session_lifecycle(age)
        .build()
}
