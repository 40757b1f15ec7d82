//! What is searched for among tokens, and which tokens it finds.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use super::{Token, Uid};

/// What an index knows of tokens: that some characters stand in a row in them. Three as they are; two or one behind [`SHORT`].
/// White space is in none, as it is in no word.
pub(crate) type Gram = [char; 3];

/// Stands before two characters, or twice before one. No value or label has it.
const SHORT: char = '\u{3}';
/// Words of so many characters are looked up as all that stand in a row in them.
const LONG: usize = 3;
/// A value that is the uid is found by so many of its first characters.
const UID_PREFIX: usize = 4;
/// Grams by which an index is asked. Those of the longest words; what they find is looked at anyway.
const ASKED: usize = 48;
/// Around words that stand in a row, also as telephones write them.
const QUOTES: [char; 6] = ['"', '“', '”', '„', '«', '»'];

/// The words of a search. A token is found if each of them stands in its value or its label, in any order. Case and accents
/// do not count. Words in quotation marks stand in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWords {
    /// Folded, the longest first. Those in a row are one, with single spaces.
    words: Vec<String>,
    /// What was typed is this uid.
    uid: Option<Uid>,
}

impl SearchWords {
    /// The words of a text; they are split at white space and at nothing else.
    pub fn new(text: &str) -> Self {
        let mut words = split(text);
        let folded: BTreeSet<String> =
            words.iter().map(|word| spaced(&fold(word))).filter(|word| !word.is_empty()).collect();
        // Marks alone fold to nothing. As they are, they stand in no folded text: such a search must not find everything.
        if !folded.is_empty() {
            words = folded.into_iter().collect();
        }
        words.sort_by_key(|word| Reverse(word.chars().count()));
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
        let (is_uid, have_spaces) = (own_value.is_none(), self.words.iter().any(|word| word.contains(' ')));
        let [value, label] = [own_value, label].map(|text| {
            let folded = text.map(fold).unwrap_or_default();
            if have_spaces { spaced(&folded) } else { folded }
        });
        self.words.iter().all(|word| {
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
        for word in self.words.iter().flat_map(|word| word.split(' ')) {
            let word: Vec<char> = word.chars().collect();
            match word.as_slice() {
                [one] => drop(all.insert([SHORT, SHORT, *one])),
                [one, two] => drop(all.insert([SHORT, *one, *two])),
                word => all.extend(word.windows(LONG).map(|part| [part[0], part[1], part[2]])),
            }
            if all.len() >= ASKED {
                break;
            }
        }
        all.into_iter().take(ASKED).collect()
    }

    /// Words that may be the beginning of a value that is the uid.
    pub(crate) fn uid_prefixes(&self) -> impl Iterator<Item = &str> {
        let is_of_uid = |word: &str| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        let words = self.words.iter().map(String::as_str);
        words.filter(move |word| (UID_PREFIX..=36).contains(&word.len()) && is_of_uid(word))
    }
}

/// The words of a text, and in one piece those between two quotation marks that stand at the ends of words.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let word;
        (word, rest) = match quoted(rest) {
            Some(parts) => parts,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = rest.trim_start();
    }
    words
}

/// What stands between the quotation mark at the beginning of a text and the next one at the end of a word; and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix(QUOTES)?;
    let is_end = |(at, mark): &(usize, &str)| {
        let behind = inner[at + mark.len()..].chars().next();
        behind.is_none_or(char::is_whitespace)
    };
    let (at, mark) = inner.match_indices(QUOTES).find(is_end)?;
    let words = inner[..at].trim();
    (!words.is_empty()).then(|| (words, &inner[at + mark.len()..]))
}

/// A text with single spaces between its words, and none at its ends.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The grams of a token's own value and its label.
pub(crate) fn grams(own_value: Option<&str>, label: Option<&str>) -> BTreeSet<Gram> {
    let mut all = BTreeSet::new();
    for text in [own_value, label].into_iter().flatten() {
        let text: Vec<char> = fold(text).chars().collect();
        all.extend(text.windows(3).map(|part| [part[0], part[1], part[2]]));
        all.extend(text.windows(2).map(|part| [SHORT, part[0], part[1]]));
        all.extend(text.iter().map(|one| [SHORT, SHORT, *one]));
    }
    all.retain(|gram| !gram.iter().any(|part| part.is_whitespace()));
    all
}

/// Lower case, without accents, and with one form for each letter: compatibility decomposition (Unicode Standard Annex 15),
/// of which the marks are left out, and what is never seen: joiners, marks of direction, how an emoji is to be drawn. Greek
/// has two lower-case sigmas; and of some letters, no decomposition is defined.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let unseen = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let lower = text.to_lowercase();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(lower.chars());
    let letters = decomposed.filter(|letter| classes.get_u8(*letter) == 0 && !unseen.contains(*letter));
    let mut folded = String::with_capacity(lower.len());
    for letter in letters.flat_map(char::to_lowercase) {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
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
