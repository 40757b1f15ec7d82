//! A caller's text in a message.

/// The beginning of a text, of so many characters, with an ellipsis if there is more.
pub(crate) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Quotes a caller's text for a message: shortened, and with control characters escaped, so that no message sends back
/// a megabyte or a terminal escape.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
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
