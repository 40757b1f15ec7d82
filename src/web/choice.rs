//! The options of a select, or the radio buttons of a group.

/// An option that can be chosen.
pub(crate) struct Choice {
    /// What the form sends.
    pub(crate) value: String,
    /// What the page shows.
    pub(crate) label: String,
    pub(crate) is_selected: bool,
}

impl Choice {
    /// An option.
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, is_selected: bool) -> Self {
        Self { value: value.into(), label: label.into(), is_selected }
    }

    /// The options of a list of values and labels, of which the one with the value `selected` is selected.
    pub(crate) fn list<V: Into<String>, L: Into<String>>(
        options: impl IntoIterator<Item = (V, L)>,
        selected: &str,
    ) -> Vec<Self> {
        let choice = |(value, label): (V, L)| {
            let value = value.into();
            Self { is_selected: value == selected, value, label: label.into() }
        };
        options.into_iter().map(choice).collect()
    }

    /// The options of a list of words that are their own labels.
    pub(crate) fn words<W: Into<String>>(words: impl IntoIterator<Item = W>, selected: &str) -> Vec<Self> {
        let both = |word: W| {
            let word = word.into();
            (word.clone(), word)
        };
        Self::list(words.into_iter().map(both), selected)
    }
}
