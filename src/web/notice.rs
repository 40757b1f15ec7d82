//! A notice: what was done, shown on the next page.

/// What was done, told on the next page.
pub(crate) struct Notice {
    /// One sentence.
    pub(crate) text: String,
    /// It was not done.
    pub(crate) refused: bool,
    /// The uid of what can be undone: of a token whose deletion, or, on a tile, of an action.
    pub(crate) undo: Option<String>,
}

impl Notice {
    /// Of something that was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), refused: false, undo: None }
    }
}
