//! API keys: 256 random bits and a checksum, written `tsr_…`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The prefix of every key, by which secret scanners and people recognise one.
pub(crate) const PREFIX: &str = "tsr_";
/// Characters by which people tell keys apart: 8 of 48 after the common ones, which leaves 208 random bits to guess.
const SHOWN: usize = PREFIX.len() + 8;
const RANDOM_BYTES: usize = 32;
/// 36 bytes in total are 48 characters of base64 without padding.
const CHECKSUM_BYTES: usize = 4;

/// SHA-256 of a key's text, which is all that the database stores. A fast hash suffices, since 256 random bits cannot
/// be guessed.
pub(crate) type KeyHash = [u8; 32];

/// A new key's text. It is shown once and not stored.
pub fn generate() -> String {
    let mut bytes = [0u8; RANDOM_BYTES + CHECKSUM_BYTES];
    rand::fill(&mut bytes[..RANDOM_BYTES]);
    let checksum = checksum(&bytes[..RANDOM_BYTES]);
    bytes[RANDOM_BYTES..].copy_from_slice(&checksum);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash of a key's text; none if it cannot be a key, so that a typing error costs no database look-up.
pub fn hash(text: &str) -> Option<KeyHash> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (random, check) = bytes.split_at_checked(RANDOM_BYTES)?;
    (check == checksum(random)).then(|| Sha256::digest(text).into())
}

/// The first characters of a key's text, which lists show: who finds a key somewhere can tell which it is.
pub fn shown_prefix(text: &str) -> &str {
    text.get(..SHOWN).unwrap_or(text)
}

fn checksum(random: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::digest(random);
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hashes_and_a_typing_error_is_detected() {
        let key = generate();
        assert_eq!(key.len(), 52);
        assert_ne!(key, generate());
        assert_eq!(hash(&key), Some(Sha256::digest(&key).into()));
        for n in 0..key.len() {
            let mut typo = key.clone().into_bytes();
            typo[n] = if typo[n] == b'A' { b'B' } else { b'A' };
            assert_eq!(hash(&String::from_utf8(typo).unwrap()), None);
        }
        assert_eq!((shown_prefix(&key), shown_prefix("tsr_")), (&key[..12], "tsr_"));
        for bad in ["", "tsr_", &key[..51], &format!("{key}A"), &key[4..]] {
            assert_eq!(hash(bad), None, "{bad}");
        }
    }
}
