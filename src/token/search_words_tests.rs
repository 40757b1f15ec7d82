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
    for q in ["locker", "042", "042 locker", "  LOCKER   042 ", "locker 4", "k-17 locker", "cke 04"] {
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
    ] {
        assert!(finds(q, "x", label), "{q:?} in {label:?}");
    }
}

#[test]
fn short_words_alone_are_the_beginning() {
    assert!(finds("lo", "x", "Locker") && finds("k", "K-17", "") && !finds("oc", "x", "Locker"));
    assert!(finds("k lo", "K-17", "Locker") && !finds("k ck", "K-17", "Locker"));
    assert!(finds("😀", "x", "😀 smile") && !finds("😀", "x", "smile 😀"));
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
    fn what_is_found_has_the_grams(q in "[abAä \u{1F600}%-]{0,9}", value in "[abcä%-]{1,12}", label in "[abAÄ \u{1F600}]{0,12}") {
        let (words, token) = (SearchWords::new(&q), named(&value, &label));
        let indexed = grams(Some(&token.value), token.label.as_deref());
        if words.find(&token) {
            prop_assert!(words.grams().iter().all(|part| indexed.contains(part)));
        }
    }
}
