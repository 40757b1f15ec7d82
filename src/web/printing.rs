//! Sheets by their slugs, presets and own ones; and how a run was printed, as it is kept.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::App;
use crate::sheet::geometry::{Sheet, preset, presets};
use crate::sheet::layout::Options;
use crate::sheet::mm::Mm;
use crate::store::sheets::{self, Measures, OwnSheet};
use crate::token::Token;

/// What stands beside a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// The label, or the value where there is none.
    #[default]
    Label,
    /// The value.
    Value,
    /// Nothing.
    None,
}

impl Beside {
    /// Every choice, its word in addresses and its words on the page.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Label, "label", "The label, or else the value"),
        (Self::Value, "value", "The value"),
        (Self::None, "none", "Nothing"),
    ];

    /// Its words on the page.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(beside, ..)| *beside == self).map_or("", |(.., words)| words)
    }

    /// What stands beside the code of a token.
    pub fn text(self, token: &Token) -> Option<String> {
        match self {
            Self::Label => Some(token.label.clone().unwrap_or_else(|| token.value.clone())),
            Self::Value => Some(token.value.clone()),
            Self::None => None,
        }
    }
}

/// How tokens are printed: all that a print run keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printing {
    /// The sheet, whole: it may be changed later, and the run stays what it was.
    pub sheet: Sheet,
    /// The first free label, counted from 1.
    pub start: u32,
    /// Added to every position, to the right.
    pub offset_x: Mm,
    /// Added to every position, downwards.
    pub offset_y: Mm,
    /// What stands beside a code.
    pub text: Beside,
    /// Whether each label's edge is drawn.
    pub outline: bool,
    /// The printer's dots per inch.
    pub dpi: u32,
    /// The printer's name, where one was chosen.
    pub printer: Option<String>,
    /// Whether characters without a glyph are left out.
    pub leave_out: bool,
}

impl Printing {
    /// As the layout takes it.
    pub fn options(&self) -> Options {
        Options {
            start: self.start,
            offset_x: self.offset_x,
            offset_y: self.offset_y,
            outline: self.outline,
            dpi: self.dpi,
            leave_out: self.leave_out,
        }
    }

    /// Whether something stands beside the codes.
    pub fn has_text(&self) -> bool {
        self.text != Beside::None
    }

    /// For the store.
    ///
    /// # Errors
    /// A fault, when it cannot be written.
    pub fn json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::fault(error.to_string()))
    }

    /// As it was kept; none, if another version of Tessera wrote what this one cannot read.
    pub fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// An own sheet as a sheet like others.
pub fn sheet_of(own: &OwnSheet) -> Sheet {
    let Measures { across, down, .. } = own.measures;
    let mm = Mm::from_micrometres;
    let (count, of) = (|count: i32| u16::try_from(count).unwrap_or_default(), &own.measures);
    Sheet {
        slug: own.slug.clone(),
        name: of.name.clone(),
        page_width: mm(of.page_width),
        page_height: mm(of.page_height),
        columns: count(across),
        rows: count(down),
        width: mm(of.width),
        height: mm(of.height),
        left: mm(of.from_left),
        top: mm(of.from_top),
        pitch_x: mm(of.pitch_x),
        pitch_y: mm(of.pitch_y),
        margin: mm(of.margin),
    }
}

/// A sheet as the store keeps it.
pub fn measures_of(sheet: &Sheet) -> Measures {
    let um = Mm::micrometres;
    Measures {
        name: sheet.name.clone(),
        page_width: um(sheet.page_width),
        page_height: um(sheet.page_height),
        across: sheet.columns.into(),
        down: sheet.rows.into(),
        width: um(sheet.width),
        height: um(sheet.height),
        from_left: um(sheet.left),
        from_top: um(sheet.top),
        pitch_x: um(sheet.pitch_x),
        pitch_y: um(sheet.pitch_y),
        margin: um(sheet.margin),
    }
}

/// Whether a slug is not free for an own sheet: a preset has it, or a page.
pub fn is_reserved(slug: &str) -> bool {
    slug == "add" || preset(slug).is_some()
}

impl App {
    /// Every sheet: own ones by name, then the presets.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn sheets(&self) -> Result<Vec<Sheet>, Error> {
        let own = self.store.look(|connection| Ok(sheets::all(connection)?)).await?;
        Ok(own.iter().map(sheet_of).chain(presets().iter().cloned()).collect())
    }

    /// The sheet of that slug.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn sheet(&self, slug: &str) -> Result<Option<Sheet>, Error> {
        if let Some(preset) = preset(slug) {
            return Ok(Some(preset.clone()));
        }
        // None has such a one, and PostgreSQL has no text with it.
        if slug.contains('\0') {
            return Ok(None);
        }
        let slug = slug.to_owned();
        let own = self.store.look(move |connection| Ok(sheets::find(connection, &slug)?)).await?;
        Ok(own.as_ref().map(sheet_of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Micros;
    use crate::token::print::FIRST_SHEET;

    #[test]
    fn sheets_go_to_the_store_and_come_back() {
        for sheet in presets() {
            let (measures, changed) = (measures_of(sheet), Micros::stored(0));
            let own = OwnSheet { slug: sheet.slug.clone(), measures, changed, changed_by: String::new() };
            assert_eq!(sheet_of(&own), *sheet);
            assert!(is_reserved(&sheet.slug));
        }
    }

    #[test]
    fn how_a_run_was_printed_is_read_as_it_was_written() {
        let sheet = preset(FIRST_SHEET).cloned().unwrap();
        let printing = Printing {
            sheet,
            start: 3,
            offset_x: Mm::from_micrometres(-500),
            offset_y: Mm::ZERO,
            text: Beside::Value,
            outline: true,
            dpi: 600,
            printer: Some("HP \"Office\"".into()),
            leave_out: false,
        };
        assert_eq!(Printing::read(&printing.json().unwrap()), Some(printing));
        assert_eq!(Printing::read("{}"), None);
    }
}
