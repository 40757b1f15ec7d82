//! Letters that are made of several characters, which programs send now one way and now another.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

/// Whether a text has combining marks, or other characters than its composed form (NFC): what reads its code may send the
/// other form, which is another value.
pub(crate) fn has_combining_forms(text: &str) -> bool {
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let combines = |c: char| classes.get_u8(c) != 0 || ('\u{fe00}'..='\u{fe0f}').contains(&c);
    text.chars().any(combines) || !ComposingNormalizerBorrowed::new_nfc().is_normalized(text)
}

#[cfg(test)]
mod tests {
    use super::has_combining_forms;

    #[test]
    fn composed_letters_are_fine_and_others_are_noticed() {
        for plain in ["", "T-1", "Tür 3", "Ä", "東 口", "חוברת", "😀", "가"] {
            assert!(!has_combining_forms(plain), "{plain:?}");
        }
        for combining in ["Tu\u{308}r 3", "x\u{302}", "\u{212b}", "\u{1100}\u{1161}", "❤\u{fe0f}", "ש\u{05bc}"] {
            assert!(has_combining_forms(combining), "{combining:?}");
        }
    }
}
