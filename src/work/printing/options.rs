//! Print options, as a print run stores them.

use serde::{Deserialize, Serialize};

use crate::sheet::geometry::Sheet;
use crate::sheet::layout::LayoutOptions;
use crate::sheet::mm::Mm;
use crate::store::Error;
use crate::token::Token;

/// The text beside a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextBeside {
    /// The label, or the value if there is none.
    #[default]
    Label,
    /// The value.
    Value,
    /// Nothing.
    None,
}

impl TextBeside {
    /// Every choice, its word in URLs and its words on the page.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Label, "label", "The label, or else the value"),
        (Self::Value, "value", "The value"),
        (Self::None, "none", "Nothing"),
    ];

    /// Its words on the page.
    pub(crate) fn words(self) -> &'static str {
        Self::ALL.iter().find(|(beside, ..)| *beside == self).map_or("", |(.., words)| words)
    }

    /// The text beside the code of a token.
    pub(crate) fn text(self, token: &Token) -> Option<String> {
        match self {
            Self::Label => Some(token.label.clone().unwrap_or_else(|| token.value.clone())),
            Self::Value => Some(token.value.clone()),
            Self::None => None,
        }
    }
}

/// Print options, as a print run stores them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintOptions {
    /// The complete sheet: it may be changed later, and the run stays as it was.
    pub sheet: Sheet,
    /// The first free label, counted from 1.
    pub start: u32,
    /// Added to every position, to the right.
    pub offset_x: Mm,
    /// Added to every position, downwards.
    pub offset_y: Mm,
    /// What stands beside a code.
    pub text: TextBeside,
    /// Whether each label's edge is drawn.
    pub outline: bool,
    /// The printer's dots per inch.
    pub dpi: u32,
    /// The printer's name, if one was chosen.
    pub printer: Option<String>,
    /// Whether characters without a glyph are left out.
    pub(crate) leave_out: bool,
}

impl PrintOptions {
    /// The options for the layout.
    pub(crate) fn layout_options(&self) -> LayoutOptions {
        LayoutOptions {
            start: self.start,
            offset_x: self.offset_x,
            offset_y: self.offset_y,
            outline: self.outline,
            dpi: self.dpi,
            leave_out: self.leave_out,
        }
    }

    /// Whether there is text beside the codes.
    pub(crate) fn has_text(&self) -> bool {
        self.text != TextBeside::None
    }

    /// The JSON for the store.
    ///
    /// Failed when it cannot be serialised.
    pub(crate) fn json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::Failed(error.to_string()))
    }

    /// Reads the stored JSON. None if another version of Tessera wrote something that this one cannot read.
    pub fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::presets::preset;
    use crate::token::print::FIRST_SHEET;

    #[test]
    fn print_options_survive_json() {
        let sheet = preset(FIRST_SHEET).cloned().unwrap();
        let printing = PrintOptions {
            sheet,
            start: 3,
            offset_x: Mm::from_micrometres(-500),
            offset_y: Mm::ZERO,
            text: TextBeside::Value,
            outline: true,
            dpi: 600,
            printer: Some("HP \"Office\"".into()),
            leave_out: false,
        };
        assert_eq!(PrintOptions::read(&printing.json().unwrap()), Some(printing));
        assert_eq!(PrintOptions::read("{}"), None);
    }
}
