//! Cursors: a place in a list as text, bound to the list's filter.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use validator::Validate;

use crate::store::cursor::Cursor;
use crate::token::{Problem, TokenError};

/// Where in a list that is turned forwards the page of an address begins.
#[derive(Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct After {
    pub(crate) after: Option<String>,
}

/// The filter that a cursor belongs to: the view's name and every part of the filter.
pub(crate) struct CursorCodec {
    filter: Sha256,
    /// Whether the list is ordered by a text, and not by a number.
    by_text: bool,
}

/// Bytes of a cursor's checksum.
const CHECKSUM: usize = 8;

impl CursorCodec {
    /// Of a view and its filter; parts that are absent count, too.
    pub(crate) fn new(view: &str, filter: &[Option<String>]) -> Self {
        let mut hasher = Sha256::new();
        for part in std::iter::once(Some(view)).chain(filter.iter().map(Option::as_deref)) {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hasher.update(length.to_le_bytes());
            hasher.update(part.unwrap_or_default());
        }
        Self { filter: hasher, by_text: false }
    }

    /// Of a list that is ordered by a text, if it is.
    #[must_use]
    pub(crate) fn by_text(self, by_text: bool) -> Self {
        Self { by_text, ..self }
    }

    /// The cursor of a place.
    pub(crate) fn write(&self, place: &Cursor) -> String {
        let mut bytes = serde_json::to_vec(place).unwrap_or_default();
        bytes.extend_from_slice(&self.checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that an address names; none for the first page.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub(crate) fn after(&self, query: &After) -> Result<Option<Cursor>, TokenError> {
        query.after.as_ref().map(|text| self.read(text)).transpose()
    }

    /// The place of a cursor.
    ///
    /// # Errors
    /// A value error when it was made up, or belongs to another filter.
    pub(crate) fn read(&self, text: &str) -> Result<Cursor, TokenError> {
        let place = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (place, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
            (checksum == self.checksum(place)).then(|| serde_json::from_slice(place).ok()).flatten()
        };
        let is_sound = |place: &Cursor| if self.by_text { place.has_text() } else { place.as_numbers().is_some() };
        place().filter(is_sound).ok_or_else(|| TokenError::value("cursor", Problem::ForeignCursor))
    }

    /// Against mistakes, not against attackers: a forged cursor shows nothing that is hidden. What a database would refuse
    /// does not get there.
    fn checksum(&self, place: &[u8]) -> [u8; CHECKSUM] {
        let digest: [u8; 32] = self.filter.clone().chain_update(place).finalize().into();
        let mut checksum = [0; CHECKSUM];
        checksum.copy_from_slice(&digest[..CHECKSUM]);
        checksum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_filter() {
        let of =
            |parts: [Option<&str>; 2]| CursorCodec::new("query_tokens", &parts.map(|part| part.map(str::to_owned)));
        let cursor = of([Some("ab"), None]).write(&Cursor::number(7, -9));
        assert_eq!(of([Some("ab"), None]).read(&cursor), Ok(Cursor::number(7, -9)));
        for other in [[Some("ab"), Some("")], [None, Some("ab")], [Some("abc"), None]] {
            assert!(of(other).read(&cursor).is_err());
        }
        let filter = [Some("ab".to_owned()), None];
        assert!(CursorCodec::new("query_usage", &filter).read(&cursor).is_err());
        assert!(of([Some("ab"), None]).by_text(true).read(&cursor).is_err(), "a number is no text");
        for (text, is_good) in [("\"a\"", true), ("\"a\\u0000\"", false)] {
            let place: Cursor = serde_json::from_str(&format!("{{\"key\":{text},\"id\":1}}")).unwrap();
            let forged = of([None, None]).write(&place);
            assert_eq!(of([None, None]).by_text(true).read(&forged).is_ok(), is_good, "{text}");
            assert!(of([None, None]).read(&forged).is_err(), "a text is no number");
        }
        for bad in ["", "x", "AAAA", &cursor[1..], &format!("{cursor}AAAA"), &"A".repeat(32)] {
            assert!(of([Some("ab"), None]).read(bad).is_err(), "{bad}");
        }
    }
}
