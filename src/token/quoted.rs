//! Quotes a caller's text in a message.

/// Quotes a caller's text for a message: shortened, and with control characters escaped, so that no message sends back
/// a megabyte or a terminal escape.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", cut.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(quoted("a\u{1b}[31m"), "\"a\\u{1b}[31m\"");
        assert_eq!(quoted(&"x".repeat(1_000)).chars().count(), 64 + 3);
    }
}
