//! What may stand in a name.

/// Characters that show nothing although they are letters or symbols.
const BLANKS: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
/// They join or part the letters of some scripts, and the parts of an emoji.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Whether every character of a name can be seen and stands where it seems to: no control characters, no line or paragraph
/// separators, none that turn text around or have no width. Else two names could look the same, and one could show another
/// way round what stands beside it. A joiner is fine between characters beyond ASCII, which may need it.
pub(crate) fn is_legible(name: &str) -> bool {
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = |side: Option<char>| side.is_some_and(|side| !side.is_ascii() && !is_unseen(side));
        let is_joiner = JOINERS.contains(&c) && joins(before) && joins(rest.peek().copied());
        if is_unseen(c) && !is_joiner {
            return false;
        }
        before = Some(c);
    }
    true
}

/// Whether a text has characters that show nothing, joiners included: two such texts can look alike and be different.
pub(crate) fn has_unseen(text: &str) -> bool {
    text.chars().any(is_unseen)
}

/// The categories Cc, Zl and Zp of Unicode, what of Cf no script needs in a name, and blanks.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || BLANKS.contains(&c)
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::{has_unseen, is_legible};

    #[test]
    fn names_that_look_like_what_they_are() {
        for good in ["North", "Tür 3", "חוברת 7 😀", "می\u{200c}خواهم", "👩\u{200d}🚒", "❤\u{fe0f}", "東 口", ""]
        {
            assert!(is_legible(good), "{good:?}");
        }
        for bad in [
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "North\u{200b}",
            "\u{202e}htroN",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{2066}b",
            "\u{feff}a",
            "a\u{ad}b",
            "a\u{200d}b",
            "ä\u{200d}",
            "ä\u{200d}\u{200d}ä",
            "a\u{3164}",
            "\u{e0041}",
        ] {
            assert!(!is_legible(bad), "{bad:?}");
            assert!(has_unseen(bad), "{bad:?}");
        }
        assert!(has_unseen("می\u{200c}خواهم"), "a joiner is not seen, wherever it stands");
        assert!(!has_unseen("Tür 3 ❤\u{fe0f} e\u{301}"));
    }
}
