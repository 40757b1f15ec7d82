//! Sessions: a random id in a cookie, of which the database stores only the hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A session ends after this many seconds without a request: 12 hours.
pub(crate) const IDLE_SECONDS: i32 = 12 * 3_600;
/// A session ends after this many seconds in any case: 30 days.
pub(crate) const AGE_SECONDS: i32 = 30 * 24 * 3_600;

/// SHA-256 of a session's id, so that somebody who can read the database cannot take over a session.
pub(crate) type SessionHash = [u8; 32];

/// A new id of 256 random bits.
pub(crate) fn generate() -> String {
    let mut bytes = [0u8; 32];
    rand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The hash of an id.
pub(crate) fn hash(id: &str) -> SessionHash {
    Sha256::digest(id).into()
}
