//! How many uses a token has left after uses, and changes of its uses, were undone in whatever order: as many as if what
//! was undone had not been made.
//!
//! An undone use gives back what it took. An undone change brings back the count from before it, without the uses made
//! since, which the token's counter `used` tells. Each depends on the other:
//! - What a use took depends on the changes in force: an unlimited use takes nothing. So when a change is undone, the uses
//!   since are charged anew ([`Charge`]), and give that back if they are undone later.
//! - The counter falls by an undone use also if that took less: then the counter that later changes have noted falls
//!   by the rest ([`LoggedUse::untaken`]), or their undoing would return uses that nobody has lost.
//!
//! A use is told to be from before a change, or since, by the `modified` that the change has found, not by when it was
//! made: that stays when later changes are undone. Nothing changed the token between the two, so it makes no difference.

use super::record::UNLIMITED;
use super::undo::LoggedUse;

/// What a token has left once a change of its uses is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsesLeft {
    /// The count.
    pub(crate) count: i32,
    /// How the uses since the change are charged.
    pub(crate) charge: Charge,
}

/// How the uses since a change are charged once it is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    /// They take nothing: without the change they are unlimited.
    Nothing,
    /// They take what they were, but for so many that the token would not have had without the change.
    AllBut(i64),
}

impl UsesLeft {
    /// Of a token that had `count` uses left before the change, and had been used so many times then and now. Uses from
    /// before the change may have been undone since, so the counter may have fallen.
    pub(crate) fn without_change(count: i32, used_then: i64, used_now: i64) -> Self {
        if count == UNLIMITED {
            return Self { count, charge: Charge::Nothing };
        }
        let left = i64::from(count).saturating_sub(used_now.saturating_sub(used_then));
        let count = i32::try_from(left.max(0)).unwrap_or(i32::MAX);
        Self { count, charge: Charge::AllBut(left.saturating_neg().max(0)) }
    }
}

impl Charge {
    /// What each of the uses since the change takes, newest first. What the token would not have had, the newest did not
    /// take: they are the first to be undone.
    pub(crate) fn of_each(self, uses: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let Self::AllBut(mut free) = self else { return uses.into_iter().map(|_| 0).collect() };
        let taken = |uses: i32| {
            let taken = i32::try_from(i64::from(uses).saturating_sub(free).max(0)).unwrap_or(uses);
            free -= i64::from(uses - taken);
            taken
        };
        uses.into_iter().map(taken).collect()
    }
}

impl LoggedUse {
    /// How many of its uses the token has not lost, so that they do not come back.
    pub(crate) fn untaken(&self) -> i64 {
        i64::from(self.uses) - i64::from(self.taken)
    }
}

#[cfg(test)]
#[path = "uses_left_tests.rs"]
mod tests;
