//! A caller's text in a message.

/// Characters of a caller's text that are sent back.
pub(super) const SHOWN: usize = 64;

/// The beginning of a text, of so many characters, with an ellipsis if there is more.
pub(crate) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: impl TryInto<i64>) -> String {
    let digits = number.try_into().unwrap_or(i64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Quotes a caller's text for a message: shortened, and with control characters escaped, so that no message sends back
/// a megabyte or a terminal escape.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text, SHOWN).escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_says_so() {
        for (text, short) in [("Straße", "Straße"), ("Straßen", "Straße…"), ("", "")] {
            assert_eq!(shortened(text, 6), short);
        }
    }

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(quoted("a\u{1b}[31m"), "\"a\\u{1b}[31m\"");
        assert_eq!(quoted(&"x".repeat(1_000)).chars().count(), 64 + 3);
    }
}
