//! Tokens that are created together. They differ only in their uids and a running number.

use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::label::LabelSeries;
use super::problem::Problem;
use super::record::{LABEL_MAX_CHARS, Token};
use super::uid::Uid;
use crate::access::name::is_legible;

/// Longest name of a batch, in characters.
pub(crate) const NAME_MAX_CHARS: usize = LABEL_MAX_CHARS;

/// The secret from which the uids of many tokens are made: an answer with all of them can be given again without having kept
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UidSeed([u8; 32]);

impl UidSeed {
    /// A new one.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// So many uids, which ascend: inserted in the order of the index, they cost half of the time and of what is written. Each
    /// is as random as before, but for the 17 bits that say which of a hundred thousand it is.
    pub(crate) fn uids(self, count: usize) -> Vec<Uid> {
        let mut uids: Vec<Uid> = (0..count as u64).map(|n| Uid::of_seed(&self.0, n)).collect();
        uids.sort_unstable();
        uids
    }
}

/// A token like `model` for each uid, which is also its value, with the label at its place in `labels`.
///
/// # Errors
/// A value error when a label would be too long, or the pattern is invalid.
pub(crate) fn tokens(model: &Token, labels: &LabelSeries, uids: Vec<Uid>) -> Result<Vec<Token>, TokenError> {
    uids.into_iter().enumerate().map(|(place, uid)| token(model, uid, labels.at(place)?)).collect()
}

/// Checks that [`tokens`] would succeed, without creating them all: the last number is the longest.
///
/// The same as for [`tokens`].
pub(crate) fn check(model: &Token, labels: &LabelSeries, count: usize) -> Result<(), TokenError> {
    token(model, Uid::random(), labels.at(count.saturating_sub(1))?).map(drop)
}

fn token(model: &Token, uid: Uid, label: Option<String>) -> Result<Token, TokenError> {
    Ok(Token { uid, value: uid.to_string(), label, ..model.clone() }.checked()?)
}

/// Checks the name of a batch: 1 to 200 characters that can be seen.
///
/// # Errors
/// A value error for the parameter `batch_name`.
pub(crate) fn check_name(name: &str) -> Result<(), TokenError> {
    let problem = match name.chars().count() {
        0 => Some(Problem::Empty),
        length if length > NAME_MAX_CHARS => Some(Problem::too_long(NAME_MAX_CHARS)),
        _ if !is_legible(name) => Some(Problem::InvisibleCharacters),
        _ => None,
    };
    problem.map_or(Ok(()), |problem| Err(TokenError::value("batch_name", problem)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::record::tests::token as plain;

    #[test]
    fn tokens_of_a_batch_differ_in_uid_value_and_number() {
        let made = tokens(&plain(7), &LabelSeries::from_one("Locker {n:02}"), UidSeed::random().uids(12)).unwrap();
        assert_eq!(made.len(), 12);
        assert_eq!(made[11].label.as_deref(), Some("Locker 12"));
        assert!(made.iter().all(|token| token.value == token.uid.to_string() && token.usage_count == 7));
        assert_ne!(made[0].uid, made[1].uid);
        assert_eq!(tokens(&plain(7), &LabelSeries::from_one(""), UidSeed::random().uids(1)).unwrap()[0].label, None);
    }

    #[test]
    fn a_seed_gives_the_same_uids_again_and_another_one_others() {
        let (seed, other) = (UidSeed([7; 32]), UidSeed([8; 32]));
        let uids = seed.uids(1_000);
        assert_eq!(uids, seed.uids(1_000));
        assert!(uids.is_sorted() && uids.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(uids.iter().all(|uid| !other.uids(1_000).contains(uid)));
        // Kept answers are made with it: it must not change.
        assert_eq!(seed.uids(1)[0].to_string(), "7c87c3b8-f2da-49fe-841e-74b9bbcbd510");
        assert_eq!(&uids[0].to_string()[14..15], "4");
        let kept = serde_json::to_string(&seed).unwrap();
        assert_eq!(serde_json::from_str::<UidSeed>(&kept).unwrap(), seed);
    }

    #[test]
    fn a_batch_with_an_invalid_label_is_refused_in_advance() {
        let nearly = LabelSeries::from_one(format!("{}{{n}}", "x".repeat(198)));
        assert_eq!(check(&plain(1), &nearly, 99), Ok(()));
        assert!(check(&plain(1), &nearly, 100).is_err(), "the hundredth is too long");
        assert!(check(&plain(1), &LabelSeries::from_one("{n:4}"), 1).is_err());
    }

    #[test]
    fn batch_names() {
        for good in ["Summer", "חוברת 7 😀", &"x".repeat(200)] {
            assert_eq!(check_name(good), Ok(()));
        }
        for bad in ["", "a\nb", "a\u{202e}b", &"x".repeat(201)] {
            assert!(check_name(bad).is_err());
        }
    }
}
