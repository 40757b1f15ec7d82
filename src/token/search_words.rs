//! What is searched for among tokens, and which tokens it finds.

use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

use super::{Token, Uid};

/// What an index knows of tokens: that some characters stand in a row in them. Three as they are; two or one behind [`SHORT`];
/// and the first two behind [`START`]. White space is in none, as it is in no word.
pub(crate) type Gram = [char; 3];

/// Stands twice before each text, so that its beginning is a gram, too. No value or label has it.
const START: char = '\u{2}';
/// Stands before two characters, or twice before one, that stand anywhere.
const SHORT: char = '\u{3}';
/// A word of so many characters may stand anywhere, and shorter ones beside it.
const LONG: usize = 3;
/// A value that is the uid is found by so many of its first characters.
const UID_PREFIX: usize = 4;
/// Grams by which an index is asked. Those of the longest words; what they find is looked at anyway.
const ASKED: usize = 48;

/// The words of a search. A token is found if each of them stands in its value or its label, in any order. Case and accents
/// do not count. Words of one or two characters, if there is no longer one, must be the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWords {
    /// Folded, the longest first.
    words: Vec<String>,
    /// What was typed is this uid.
    uid: Option<Uid>,
}

impl SearchWords {
    /// The words of a text; they are split at white space and at nothing else.
    pub fn new(text: &str) -> Self {
        let words: BTreeSet<String> = text.split_whitespace().map(fold).filter(|word| !word.is_empty()).collect();
        let mut words: Vec<String> = words.into_iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        Self { words, uid: text.trim().parse().ok() }
    }

    /// Whether a token is found.
    pub fn find(&self, token: &Token) -> bool {
        let uid = token.uid.to_string();
        let own_value = Some(token.value.as_str()).filter(|value| *value != uid);
        self.find_in(&uid, own_value, token.label.as_deref())
    }

    /// Whether a token is found that has this uid, value (none if it is the uid), and label.
    pub(crate) fn find_in(&self, uid: &str, own_value: Option<&str>, label: Option<&str>) -> bool {
        if self.uid.is_some_and(|wanted| wanted.to_string() == uid) {
            return true;
        }
        let (is_uid, are_short) = (own_value.is_none(), self.are_short());
        let [value, label] = [own_value, label].map(|text| text.map(fold).unwrap_or_default());
        self.words.iter().all(|word| {
            if are_short {
                return value.starts_with(word) || label.starts_with(word);
            }
            let is_prefix = || is_uid && word.len() >= UID_PREFIX && uid.starts_with(word);
            value.contains(word) || label.contains(word) || is_prefix()
        })
    }

    /// Whether everything is found, as nothing is searched for.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The uid that is searched for.
    pub(crate) fn uid(&self) -> Option<Uid> {
        self.uid
    }

    /// Grams that stand in [`grams`] of each token that is found, unless it is found by its uid.
    pub(crate) fn grams(&self) -> Vec<Gram> {
        let mut all = BTreeSet::new();
        for word in &self.words {
            let word: Vec<char> = word.chars().collect();
            let marker = if self.are_short() { START } else { SHORT };
            match word.as_slice() {
                [one] => drop(all.insert([marker, marker, *one])),
                [one, two] => drop(all.insert([marker, *one, *two])),
                word => all.extend(word.windows(LONG).map(|part| [part[0], part[1], part[2]])),
            }
            if all.len() >= ASKED {
                break;
            }
        }
        all.into_iter().filter(is_of_word).take(ASKED).collect()
    }

    /// Words that may be the beginning of a value that is the uid.
    pub(crate) fn uid_prefixes(&self) -> impl Iterator<Item = &str> {
        let is_of_uid = |word: &str| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        let words = self.words.iter().map(String::as_str);
        words.filter(move |word| (UID_PREFIX..=36).contains(&word.len()) && is_of_uid(word))
    }

    fn are_short(&self) -> bool {
        self.words.first().is_none_or(|longest| longest.chars().count() < LONG)
    }
}

/// The grams of a token's own value and its label.
pub(crate) fn grams(own_value: Option<&str>, label: Option<&str>) -> BTreeSet<Gram> {
    let mut all = BTreeSet::new();
    for text in [own_value, label].into_iter().flatten() {
        let text: Vec<char> = [START; 2].into_iter().chain(fold(text).chars()).collect();
        all.extend(text.windows(3).map(|part| [part[0], part[1], part[2]]));
        all.extend(text[2..].windows(2).map(|part| [SHORT, part[0], part[1]]));
        all.extend(text[2..].iter().map(|one| [SHORT, SHORT, *one]));
    }
    all.retain(is_of_word);
    all
}

fn is_of_word(gram: &Gram) -> bool {
    !gram.iter().any(|part| part.is_whitespace())
}

/// Whether a character only says how the one before it is drawn (Unicode, "Variation Selectors"): telephones write one behind
/// some emoji, other programs do not.
fn is_variation(letter: char) -> bool {
    ('\u{fe00}'..='\u{fe0f}').contains(&letter)
}

/// Lower case, without accents, and with one form for each letter: compatibility decomposition (Unicode Standard Annex 15),
/// of which the marks are left out. Greek has two lower-case sigmas; and of some letters, no decomposition is defined.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let lower = text.to_lowercase();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(lower.chars());
    let mut folded = String::with_capacity(lower.len());
    for letter in
        decomposed.filter(|letter| classes.get_u8(*letter) == 0 && !is_variation(*letter)).flat_map(char::to_lowercase)
    {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'đ' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            letter => folded.push(letter),
        }
    }
    folded
}

#[cfg(test)]
#[path = "search_words_tests.rs"]
mod tests;
