//! What is to be known of cone.tokens' rows before they move, counted by kind.

use std::collections::BTreeMap;

/// Rows of a kind that are named.
const EXAMPLES: usize = 10;

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A column holds what cone.tokens never writes there.
    Unreadable,
    /// Two tokens have one uid.
    SameUid,
    /// No token here can have this value.
    UnusableValue,
    /// An older token has the same value.
    SameValue,
    /// The value looks like a uid, and is not the token's own.
    ForeignUuid,
    /// White space at the ends of a value.
    WhiteSpace,
    /// The first moment is not before the last one: it was never valid.
    TurnedBounds,
    /// Clocks in the zone were put forward over this time.
    SkippedTime,
    /// The time is before 1970 or after 9999.
    OutsideTime,
    /// A number that is larger than can be stored.
    LargeNumber,
    /// No value, or an empty one.
    NoValue,
    /// No number of uses.
    NoUsageCount,
    /// A number of uses below that for unlimited ones.
    NegativeUsageCount,
    /// No lock time, or a negative one.
    NoLockTime,
    /// No time where each row should have one.
    NoTime,
    /// Nobody is named.
    NoName,
    /// A time of the past that is still to come.
    Future,
    /// A log entry of a token that is not there any more.
    GoneToken,
    /// A log entry with a code that means nothing.
    UnknownCode,
    /// A log entry that retention will remove.
    OldEntry,
    /// There is no table of log entries.
    NoLog,
}

/// What becomes of the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// It is refused, whatever is asked for.
    Refuses,
    /// It is refused, unless it may adjust rows.
    Adjusts,
    /// It is refused, unless another value may be given.
    Suffixes,
    /// It is refused where such values are not to be kept.
    Keeps,
    /// Nothing.
    Tells,
}

/// What whoever imports has decided.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Decisions {
    /// Rows may become what each kind of finding says.
    pub(crate) adjust: bool,
    /// A second token with a value gets another one.
    pub(crate) suffix_duplicates: bool,
    /// Values that are other uids are not to be kept.
    pub(crate) refuse_foreign_uuids: bool,
}

impl Kind {
    /// What it means for an import.
    pub(crate) fn consequence(self) -> Consequence {
        match self {
            Self::Unreadable | Self::SameUid | Self::UnusableValue => Consequence::Refuses,
            Self::SameValue => Consequence::Suffixes,
            Self::ForeignUuid => Consequence::Keeps,
            Self::WhiteSpace | Self::TurnedBounds | Self::SkippedTime | Self::OutsideTime | Self::LargeNumber => {
                Consequence::Adjusts
            }
            _ => Consequence::Tells,
        }
    }

    /// Whether an import with these decisions is refused for it.
    pub(crate) fn refuses(self, decisions: Decisions) -> bool {
        match self.consequence() {
            Consequence::Refuses => true,
            Consequence::Adjusts => !decisions.adjust,
            Consequence::Suffixes => !decisions.suffix_duplicates,
            Consequence::Keeps => decisions.refuse_foreign_uuids,
            Consequence::Tells => false,
        }
    }
}

/// What was found of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// How often.
    pub(crate) count: u64,
    /// The first ones: the uid of the row, and what stands there.
    pub(crate) first: Vec<(String, String)>,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings(BTreeMap<Kind, Found>);

impl Findings {
    /// Adds one. What it says is written down only if it is among the first of its kind.
    pub(super) fn add(&mut self, kind: Kind, row: impl FnOnce() -> (String, String)) {
        let found = self.0.entry(kind).or_default();
        found.count += 1;
        if found.first.len() < EXAMPLES {
            found.first.push(row());
        }
    }

    /// By kind; what refuses an import comes first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Kind, &Found)> {
        self.0.iter().map(|(kind, found)| (*kind, found))
    }

    /// The kinds for which an import with these decisions is refused.
    pub(crate) fn refusing(&self, decisions: Decisions) -> Vec<Kind> {
        self.0.keys().copied().filter(|kind| kind.refuses(decisions)).collect()
    }
}
