//! The key that seals cookies. What it seals is a random id that the database knows or does not, so that nobody gains
//! anything by it; it has to be the same on every instance, and after a restart.

use actix_web::cookie::Key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
