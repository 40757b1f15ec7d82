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
        /// left, right, top or bottom.
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
        /// The indices of all items whose code is too fine.
        items: Vec<usize>,
        /// The sheet's name.
        sheet: String,
        /// The printer's resolution.
        dpi: u32,
        /// What would help the worst code, and therefore all of them.
        remedy: Box<Remedy>,
    },
    /// No font has some characters.
    NoGlyph {
        /// The characters, most frequent first: the first ten.
        characters: Vec<char>,
        /// How many more there are.
        more: usize,
        /// The names of the first tokens with such a character in their text.
        names: Vec<String>,
        /// The indices of all items with one.
        items: Vec<usize>,
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
    /// For a code on a label with this many texts.
    pub(super) fn of(sheet: &Sheet, texts: u8, dpi: u32, code: &str) -> Self {
        let layout = LabelLayout::of(sheet, texts);
        let starts: Vec<usize> = code.char_indices().map(|(at, _)| at).collect();
        // More characters need more modules.
        let too_many = starts.partition_point(|end| *end == 0 || layout.level(&code[..*end], dpi).is_some());
        let area = |sheet: &Sheet| i64::from(sheet.width.micrometres()) * i64::from(sheet.height.micrometres());
        let is_other_paper =
            |other: &Sheet| (other.page_width, other.page_height) != (sheet.page_width, sheet.page_height);
        let fits = |other: &&'static Sheet| LabelLayout::of(other, texts).level(code, dpi).is_some();
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

    /// Why, for people who are told the names of the labels apart.
    pub(crate) fn without_names(&self) -> String {
        match self {
            Self::NoGlyph { characters, more, .. } => format!("{}.", missing_characters(characters, *more)),
            _ => self.to_string(),
        }
    }

    /// The indices of the items that cannot be printed; none if all of them are affected alike.
    pub(crate) fn items(&self) -> &[usize] {
        match self {
            Self::TooFine { items, .. } | Self::NoGlyph { items, .. } => items,
            _ => &[],
        }
    }
}

/// Which characters no font has, without a full stop.
fn missing_characters(characters: &[char], more: usize) -> String {
    let all: Vec<String> = characters.iter().map(|c| format!("{c} (U+{:04X})", u32::from(*c))).collect();
    let plural = if all.len() > 1 { "s" } else { "" };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("No font has the character{plural} {}{more}", all.join(", "))
}

impl fmt::Display for SheetRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sheet { message } => f.write_str(message),
            Self::Start { start: 0, .. } => f.write_str("Labels are counted from 1."),
            Self::Start { start, labels: 1 } => write!(f, "This sheet has 1 label. There is no label {start}."),
            Self::Start { start, labels } => write!(f, "This sheet has {labels} labels. There is no label {start}."),
            Self::Offset { offset, .. } => {
                write!(f, "An offset must be from -{FARTHEST} to {FARTHEST} mm, not {offset} mm.")
            }
            Self::Dpi { dpi } => {
                let (least, most) = (DPI.start(), DPI.end());
                write!(f, "The printer's resolution must be from {least} to {most} dpi, not {dpi}.")
            }
            Self::OffPaper { label, edge, by, .. } => {
                write!(f, "With this shift, {by} mm of label {label} would be cut off at the paper's {edge} edge.")
            }
            Self::TooFine { name, characters, items, sheet, dpi, remedy, .. } => {
                write!(f, "The code of {name} ({characters} characters) is too fine for {sheet} at {dpi} dpi")?;
                match items.len() {
                    0 | 1 => {}
                    2 => f.write_str(", and so is 1 other label")?,
                    count => write!(f, ", and so are {} other labels", count - 1)?,
                }
                write!(f, ". {remedy}.")
            }
            Self::NoGlyph { characters, more, names, items } => {
                let what = if characters.len() > 1 { "them" } else { "this character" };
                write!(f, "{}. Labels with {what}: {}", missing_characters(characters, *more), names.join(", "))?;
                match items.len() - names.len() {
                    0 => f.write_str("."),
                    others => write!(f, " and {others} more."),
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
                format!("a code of at most {limit} character{plural} of this kind")
            }),
            self.dpi.map(|dpi| format!("a printer with {dpi} dpi")),
            self.sheet.map(|sheet| format!("the label sheet {}", sheet.name)),
        ];
        let help: Vec<String> = help.into_iter().flatten().collect();
        match help.as_slice() {
            [] => f.write_str("No built-in label sheet and no common printer can print this code"),
            [first] => write!(f, "Use {first}"),
            [first, last] => write!(f, "Use {first} or {last}"),
            [first @ .., last] => write!(f, "Use {}, or {last}", first.join(", ")),
        }
    }
}
