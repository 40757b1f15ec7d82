//! What both indexes of grams share.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::token::search_words::Gram;

/// How far a token's id is shifted for the range of ids that it is in.
pub(super) const RANGE: u32 = 13;

/// How far it is shifted for the large range that it is in.
pub(super) const LARGE_RANGE: u32 = 17;

/// A row with a number.
#[derive(QueryableByName)]
pub(super) struct Found {
    #[diesel(sql_type = BigInt)]
    pub(super) number: i64,
}

pub(super) fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}

/// A gram as a number that is not negative. Those of ASCII have numbers of their own; others may share one, and what is
/// found is looked at anyway.
pub(super) fn number(part: &Gram) -> i32 {
    let codes = part.map(u32::from);
    if codes.iter().all(|code| *code < 128) {
        return (codes[0] << 14 | codes[1] << 7 | codes[2]).cast_signed();
    }
    let mixed = codes.iter().fold(0_u32, |mixed, code| (mixed ^ code).wrapping_mul(0x9E37_79B1).rotate_left(11));
    (mixed >> 1 | 1 << 21).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_of_ascii_share_no_number() {
        assert_eq!(number(&['a', 'b', 'c']), (97 << 14) + (98 << 7) + 99);
        assert!(number(&['ж', '中', '😀']) >= 1 << 21);
        assert_ne!(number(&['ж', 'a', 'b']), number(&['a', 'ж', 'b']));
    }
}
