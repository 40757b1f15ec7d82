//! Reasons for not printing a sheet, and what would help.

use std::fmt;

use super::geometry::Sheet;
use super::label_layout::LabelLayout;
use super::mm::Mm;
use super::presets::presets;

/// Common printer resolutions, in dots per inch.
pub(crate) const USUAL_DPI: [u32; 5] = [203, 300, 360, 600, 1200];
/// The resolutions that can be chosen.
pub(crate) const DPI: std::ops::RangeInclusive<u32> = 150..=1200;
/// The largest offset, in either direction.
pub(crate) const FARTHEST: Mm = Mm::from_micrometres(20_000);
/// How many tokens a refusal names.
pub(super) const NAMED: usize = 3;

/// Why a sheet is not printed. Displays as one sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum SheetRefusal {
    /// The sheet's fields are wrong.
    Sheet {
        /// The first error from [`Sheet::check`].
        message: String,
    },
    /// `start` is beyond the sheet.
    Start {
        /// The requested label.
        start: u32,
        /// How many labels the sheet has.
        labels: u32,
    },
    /// An offset is too large.
    Offset {
        /// `offset_x` or `offset_y`.
        field: &'static str,
        /// The requested offset.
        offset: Mm,
    },
    /// There are no printers with this resolution.
    Dpi {
        /// The requested resolution.
        dpi: u32,
    },
    /// An offset moves something off the paper.
    OffPaper {
        /// `offset_x` or `offset_y`.
        field: &'static str,
        /// The label that is furthest off, counted from 1.
        label: u32,
        /// left, right, upper or lower.
        edge: &'static str,
        /// How much of it would be cut off.
        by: Mm,
    },
    /// Some codes have modules of fewer than four dots.
    TooFine {
        /// The index of the worst item.
        item: usize,
        /// Its name.
        name: String,
        /// The number of characters in its code.
        characters: usize,
        /// How many codes are too fine.
        count: usize,
        /// The sheet's name.
        sheet: String,
        /// The printer's resolution.
        dpi: u32,
        /// What would help the worst code, and therefore all of them.
        remedy: Box<Remedy>,
    },
    /// No font has this character.
    NoGlyph {
        /// The character.
        character: char,
        /// The names of the first tokens with this character in their text.
        names: Vec<String>,
        /// How many tokens have it.
        count: usize,
    },
}

/// The smallest changes that would each make a code printable. `None` if a change of that kind does not help.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remedy {
    /// A code with this many characters of the same kind could be printed.
    pub(crate) characters: Option<usize>,
    /// The coarsest common printer that could print it.
    pub(crate) dpi: Option<u32>,
    /// The preset with the smallest labels on which it could be printed, on the same paper if possible.
    pub(crate) sheet: Option<&'static Sheet>,
}

impl Remedy {
    pub(super) fn of(sheet: &Sheet, has_text: bool, dpi: u32, code: &str) -> Self {
        let layout = LabelLayout::of(sheet, has_text);
        let starts: Vec<usize> = code.char_indices().map(|(at, _)| at).collect();
        // More characters need more modules.
        let too_many = starts.partition_point(|end| *end == 0 || layout.level(&code[..*end], dpi).is_some());
        let area = |sheet: &Sheet| i64::from(sheet.width.micrometres()) * i64::from(sheet.height.micrometres());
        let is_other_paper =
            |other: &Sheet| (other.page_width, other.page_height) != (sheet.page_width, sheet.page_height);
        let fits = |other: &&'static Sheet| LabelLayout::of(other, has_text).level(code, dpi).is_some();
        Self {
            characters: too_many.checked_sub(1).filter(|limit| *limit > 0),
            dpi: USUAL_DPI.into_iter().find(|finer| *finer > dpi && layout.level(code, *finer).is_some()),
            sheet: presets().iter().filter(fits).min_by_key(|other| (is_other_paper(other), area(other))),
        }
    }
}

impl SheetRefusal {
    /// The parameter to blame.
    pub(crate) fn field(&self) -> &'static str {
        match self {
            Self::Sheet { .. } | Self::TooFine { .. } => "sheet",
            Self::Start { .. } => "start",
            Self::Offset { field, .. } | Self::OffPaper { field, .. } => field,
            Self::Dpi { .. } => "dpi",
            Self::NoGlyph { .. } => "text",
        }
    }
}

impl fmt::Display for SheetRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sheet { message } => f.write_str(message),
            Self::Start { start: 0, .. } => f.write_str("Labels are counted from 1."),
            Self::Start { start, labels: 1 } => write!(f, "The sheet has 1 label, and none with the number {start}."),
            Self::Start { start, labels } => {
                write!(f, "The sheet has {labels} labels, and none with the number {start}.")
            }
            Self::Offset { offset, .. } => {
                write!(f, "An offset must be -{FARTHEST} to {FARTHEST} mm, and not {offset} mm.")
            }
            Self::Dpi { dpi } => {
                let (least, most) = (DPI.start(), DPI.end());
                write!(f, "The printer's resolution must be {least} to {most} dpi, and not {dpi}.")
            }
            Self::OffPaper { label, edge, by, .. } => {
                write!(f, "With this offset label {label} would be cut off by {by} mm at the paper's {edge} edge.")
            }
            Self::TooFine { name, characters, count, sheet, dpi, remedy, .. } => {
                write!(f, "The code of {name} ({characters} characters) is too fine for {sheet} at {dpi} dpi")?;
                match count - 1 {
                    0 => {}
                    1 => f.write_str(", as is one other")?,
                    others => write!(f, ", as are {others} others")?,
                }
                write!(f, "; {remedy}.")
            }
            Self::NoGlyph { character, names, count } => {
                let number = u32::from(*character);
                write!(f, "No font has the character {character} (U+{number:04X}), which is in the text of ")?;
                f.write_str(&names.join(", "))?;
                match count - names.len() {
                    0 => f.write_str("."),
                    1 => f.write_str(" and one other."),
                    others => write!(f, " and {others} others."),
                }
            }
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let help = [
            self.characters.map(|limit| {
                let plural = if limit == 1 { "" } else { "s" };
                format!("a code of at most {limit} such character{plural}")
            }),
            self.dpi.map(|dpi| format!("a printer of {dpi} dpi")),
            self.sheet.map(|sheet| format!("the sheet {}", sheet.name)),
        ];
        let help: Vec<String> = help.into_iter().flatten().collect();
        match help.as_slice() {
            [] => f.write_str("no usual sheet or printer can print it"),
            [first] => write!(f, "{first} would do"),
            [first, last] => write!(f, "{first} or {last} would do"),
            [first @ .., last] => write!(f, "{}, or {last} would do", first.join(", ")),
        }
    }
}
