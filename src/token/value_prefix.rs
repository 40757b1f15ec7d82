//! The beginning of a value, by which tokens are filtered: every character means itself.

use serde::{Deserialize, Serialize};

/// The beginning of a value, exact and case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ValuePrefix(String);

impl ValuePrefix {
    /// Values that begin with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The least of these values.
    pub(crate) fn first(&self) -> &str {
        &self.0
    }

    /// The least text behind all of them, by code points; none if there is none.
    pub(crate) fn end(&self) -> Option<String> {
        let mut characters: Vec<char> = self.0.chars().collect();
        while let Some(last) = characters.pop() {
            let next = match last {
                '\u{d7ff}' => Some('\u{e000}'),
                last => char::from_u32(u32::from(last) + 1),
            };
            if let Some(next) = next {
                characters.push(next);
                return Some(characters.into_iter().collect());
            }
        }
        None
    }

    /// Whether a uid can begin so, as it is written in lower case.
    pub(crate) fn may_begin_a_uid(&self) -> bool {
        let fits = |(place, byte): (usize, u8)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => place < 36 && matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        self.0.bytes().enumerate().all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_end_before_the_next_prefix() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("T-%_", Some("T-%`")),
            ("ä\u{7f}", Some("ä\u{80}")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(ValuePrefix::new(prefix).end().as_deref(), end, "{prefix:?}");
        }
    }

    #[test]
    fn a_uid_begins_with_hexadecimal_digits_and_hyphens() {
        let uid = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
        assert!((0..=36).all(|length| ValuePrefix::new(&uid[..length]).may_begin_a_uid()));
        for other in ["1F", "1f0e6c1a5", "-", "g", "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f0", "１"] {
            assert!(!ValuePrefix::new(other).may_begin_a_uid(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_between_first_and_end_if_it_begins_so(prefix in ".{1,3}", value in ".{0,5}", is_joined: bool) {
            let value = if is_joined { format!("{prefix}{value}") } else { value };
            let of = ValuePrefix::new(prefix.clone());
            let is_between = value.as_str() >= of.first() && of.end().is_none_or(|end| value < end);
            prop_assert_eq!(is_between, value.starts_with(&prefix));
        }
    }
}
