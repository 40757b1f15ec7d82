//! How large the text on a label is.

use serde::{Deserialize, Serialize};

/// How large the text beside a code is, where it fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextSize {
    /// Three quarters of the usual size.
    Small,
    /// The usual size, in proportion to the label.
    #[default]
    Medium,
    /// Half as large again, unless a word would break.
    Large,
}

impl TextSize {
    /// Every size, and its word in URLs.
    pub(crate) const ALL: [(Self, &'static str); 3] =
        [(Self::Small, "small"), (Self::Medium, "medium"), (Self::Large, "large")];

    /// The size in terms of the usual one.
    pub(super) fn factor(self) -> f32 {
        match self {
            Self::Small => 0.75,
            Self::Medium => 1.0,
            Self::Large => 1.5,
        }
    }
}
