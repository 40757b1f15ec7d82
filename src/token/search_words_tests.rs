use proptest::prelude::*;

use super::*;
use crate::token::record::tests::token as plain;

fn named(value: &str, label: &str) -> Token {
    Token { value: value.into(), label: Some(label.to_owned()).filter(|label| !label.is_empty()), ..plain(1) }
}

fn finds(q: &str, value: &str, label: &str) -> bool {
    SearchWords::new(q).find(&named(value, label))
}

#[test]
fn words_stand_in_any_order_in_value_or_label() {
    for q in ["locker", "042", "042 locker", "  LOCKER   042 ", "locker 42", "k-17 locker", "cke 04", "42", "2", "k ck"]
    {
        assert!(finds(q, "K-17", "Locker  042"), "{q:?}");
    }
    for q in ["locker 43", "locker-042", "lockers", "k-170"] {
        assert!(!finds(q, "K-17", "Locker  042"), "{q:?}");
    }
    assert!(finds("50%", "a", "50% off") && !finds("50%", "a", "500 off"), "nothing stands for something else");
    assert!(finds("", "a", ""), "nothing is searched for");
}

#[test]
fn case_and_accents_do_not_count() {
    for (q, label) in [
        ("garderobe", "GARDEROBE"),
        ("mullerstrasse", "Müllerstraße"),
        ("MÜLLERSTRASSE", "mullerstraße"),
        ("οδος", "ΟΔΌΣ"),
        ("ноября", "НОЯБРЯ"),
        ("lodz", "Łódź"),
        ("office", "Oﬃce"),
        ("istanbul", "İstanbul"),
        ("🎟\u{fe0f} vip", "VIP 🎟"),
        ("👩🚀", "👩\u{200d}🚀"),
        ("cafe\u{301}", "Café"),
        ("café", "Cafe\u{301}"),
        ("gudrun thor", "Guðrún Þór"),
    ] {
        assert!(finds(q, "x", label), "{q:?} in {label:?}");
    }
}

#[test]
fn words_in_quotation_marks_stand_in_a_row() {
    for q in ["\"blue room\"", "“Blue  Room”", "3 \"blue room\" x", "«blue room»", "\" blue room \""] {
        assert!(finds(q, "x", "Blue  room»x 3"), "{q:?}");
        assert!(!finds(q, "x", "room»x 3 blue"), "{q:?}");
    }
    // No pair of marks: characters like all others.
    assert!(finds("3\"", "x", "3\" disk") && !finds("3\"", "x", "3 disk"));
    assert!(finds("\"blue", "x", "\"Blue\"") && !finds("\"blue", "x", "blue"));
    assert!(!finds("\"\"", "x", "blue") && !finds("\" \"", "x", "blue"));
}

#[test]
fn what_folds_to_nothing_finds_nothing() {
    for q in ["\u{301}", "\u{301} \u{fe0f}", "\"\u{200d}\"", "¨"] {
        assert!(!finds(q, "x", "a b c") && !SearchWords::new(q).is_empty(), "{q:?}");
    }
    assert!(finds("locker \u{301}", "x", "Locker"), "beside others it says nothing");
    assert!(SearchWords::new(" \u{a0}").is_empty());
}

#[test]
fn a_value_that_is_the_uid_is_found_by_its_first_characters() {
    let token = Token { label: Some("Locker".into()), ..plain(1) };
    let uid = token.uid.to_string();
    let token = Token { value: uid.clone(), ..token };
    let find = |q: &str| SearchWords::new(q).find(&token);
    assert!(find(&uid[..4]) && find(&uid.to_uppercase()) && find(&format!("{} locker", &uid[..9])));
    assert!(!find(&uid[..3]) && !find(&uid[1..9]));
    let other = Token { value: "K-17".into(), ..token.clone() };
    assert!(SearchWords::new(&uid).find(&other), "a whole uid finds its token, whatever its value");
    assert!(!SearchWords::new(&uid[..9]).find(&other));
    assert_eq!(SearchWords::new("face 2026 -- locker").uid_prefixes().collect::<Vec<_>>(), ["2026", "face"]);
}

proptest! {
    /// An index that is asked for a search's grams leaves out no token that the search finds.
    #[test]
    fn what_is_found_has_the_grams(q in "[abAä \u{1F600}\u{301}%\"-]{0,9}", value in "[abcä%-]{1,12}", label in "[abAÄ \u{1F600}\u{301}]{0,12}") {
        let (words, token) = (SearchWords::new(&q), named(&value, &label));
        let indexed = grams(Some(&token.value), token.label.as_deref());
        if words.find(&token) {
            prop_assert!(words.grams().iter().all(|part| indexed.contains(part)));
        }
    }
}
