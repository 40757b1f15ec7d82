//! Print options, as a print run stores them.

use serde::{Deserialize, Serialize};

use crate::sheet::geometry::Sheet;
use crate::sheet::layout::LayoutOptions;
use crate::sheet::mm::Mm;
use crate::sheet::text_size::TextSize;
use crate::store::Error;
use crate::token::{LABEL_MAX_CHARS, Token};

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
    /// Every choice, and its word in URLs.
    pub(crate) const ALL: [(Self, &'static str); 3] =
        [(Self::Label, "label"), (Self::Value, "value"), (Self::None, "none")];

    /// The text beside the code of a token.
    pub(crate) fn text(self, token: &Token) -> Option<String> {
        match self {
            Self::Label => Some(token.label.clone().unwrap_or_else(|| token.value.clone())),
            Self::Value => Some(token.value.clone()),
            Self::None => None,
        }
    }
}

/// A second, smaller text below the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondLine {
    /// Nothing.
    #[default]
    None,
    /// Until when the token is valid, if there is an end.
    ValidUntil,
    /// The name of its batch, if it is of one.
    Batch,
    /// This text.
    Text(String),
}

/// Most characters of a text that is the same on each label.
pub(crate) const SECOND_TEXT_MAX: usize = LABEL_MAX_CHARS;

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// How large the text is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub text_size: TextSize,
    /// What stands below it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub second_line: SecondLine,
}

/// Options of a print job: those of its runs, and what only the job needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobOptions {
    /// How it is printed.
    #[serde(flatten)]
    pub(crate) print: PrintOptions,
    /// What people call it.
    #[serde(default)]
    pub(crate) title: String,
    /// The fields of the form that asked for it, without uids: the way back.
    #[serde(default)]
    pub(crate) fields: Vec<(String, String)>,
    /// The cursor of the part that is printed without the labels that cannot be.
    #[serde(default)]
    pub(crate) leave_out_at: Option<String>,
}

impl JobOptions {
    /// Reads the stored JSON. None if another version of Tessera wrote something that this one cannot read.
    pub(crate) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The JSON for the store.
    pub(crate) fn json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::Failed(error.to_string()))
    }
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
            text_size: self.text_size,
            has_second: self.text != TextBeside::None && self.second_line != SecondLine::None,
        }
    }

    /// Whether there is text beside the codes.
    pub(crate) fn has_text(&self) -> bool {
        self.text != TextBeside::None || self.second_line != SecondLine::None
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
            text_size: TextSize::Large,
            second_line: SecondLine::Text("Bring \"ID\"".into()),
        };
        assert_eq!(PrintOptions::read(&printing.json().unwrap()), Some(printing.clone()));
        let fields = vec![("q".to_owned(), "x".to_owned())];
        let job = JobOptions { print: printing.clone(), title: "A – B".into(), fields, leave_out_at: None };
        let read = JobOptions::read(&job.json().unwrap()).unwrap();
        assert_eq!((read.print, read.title, read.fields), (printing.clone(), job.title, job.fields));
        // What an earlier version stored is what it was.
        let usual = PrintOptions { text_size: TextSize::Medium, second_line: SecondLine::None, ..printing };
        let json = usual.json().unwrap();
        assert!(!json.contains("text_size") && !json.contains("second"), "{json}");
        assert_eq!(PrintOptions::read(&json), Some(usual));
        assert_eq!(PrintOptions::read("{}"), None);
    }
}
