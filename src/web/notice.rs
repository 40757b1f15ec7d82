//! A notice: what was done, or why it was not, shown at the top of the next page.

use serde::Deserialize;
use validator::Validate;

/// What the address of a page says was done before it was opened, in a word of that page.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Done {
    pub(crate) done: String,
}

/// What was done, or why it was not.
pub(crate) struct Notice {
    /// One sentence.
    pub(crate) text: String,
    /// It was not done.
    pub(crate) is_refused: bool,
    /// The path, below the base path, to which a POST undoes it.
    pub(crate) undo: Option<String>,
}

impl Notice {
    /// Says what was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_refused: false, undo: None }
    }

    /// Says why something was not done.
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { is_refused: true, ..Self::done(text) }
    }

    /// Offers to undo it.
    pub(crate) fn with_undo(self, path: Option<String>) -> Self {
        Self { undo: path, ..self }
    }
}
