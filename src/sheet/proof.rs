//! The scan check: prints a PDF into memory as a printer would, and reads its codes from there.
//!
//! Printing and reading use other libraries than those that made the codes and the PDF, so that their bugs show. A code's
//! text is read twice, as phones do and by the letter of the standard, so that it shows if a code leaves to a guess which
//! letters its bytes are.

use std::fmt::{self, Display, Formatter};
use std::ops::ControlFlow;
use std::sync::Arc;

use rxing::common::BitMatrix;

use super::label_layout::Area;
use super::layout::SheetLayout;
use super::raster::{Raster, RasterPages};
use crate::qr::read::read_codes;

/// How far a code may be from its position, in millimetres.
pub(crate) const TOLERANCE: f32 = 0.3;

/// Most pixels in memory at once, unless a single row of labels takes more: 64 MiB.
const PIXELS: f32 = 16_777_216.0;

/// Most pixels of one row of labels: as many as the highest row of a preset has at 1,200 dpi.
const ROW_PIXELS: f32 = 48_000_000.0;

/// A label, and the code that it should have.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Its position on the sheet, counted from 1 along rows.
    pub(crate) label: u32,
    /// Its name in messages.
    pub(crate) name: String,
    /// The text that its code should have.
    pub says: String,
    /// The label's area, in which the code is searched.
    pub(crate) place: Area,
    /// The centre of the code, in millimetres from the page's top left corner.
    pub centre: (f32, f32),
}

/// A label that failed the check.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Its page, counted from 1.
    pub page: usize,
    /// Its position on the sheet, counted from 1 along rows.
    pub label: u32,
    /// Its name in messages.
    pub name: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a label.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// There is no code, or not enough of it.
    Unreadable,
    /// The code has this text instead.
    Says(String),
    /// The code is this many millimetres from its position.
    Off(f32),
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("cannot be read"),
            Self::Says(text) => {
                let short: String = text.chars().take(80).collect();
                let ellipsis = if short.len() < text.len() { "…" } else { "" };
                write!(f, "says something else: {short}{ellipsis}")
            }
            Self::Off(millimetres) => write!(f, "is {millimetres:.1} mm off"),
        }
    }
}

/// Why the check has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchecked {
    /// The caller stopped it.
    #[error("The check was stopped")]
    Stopped,
    /// The PDF cannot be parsed, or lacks a page.
    #[error("The PDF cannot be read")]
    Pdf,
}

/// The labels of a page, with the codes they should have.
pub fn expected(layout: &SheetLayout, page: usize) -> Vec<Expected> {
    let (width, height) = (layout.sheet().width.f32(), layout.sheet().height.f32());
    let centre = layout.centre();
    let label = |number| {
        let item = layout.item(number)?;
        let label = layout.label_of(number).label;
        let (x, y) = layout.corner(label);
        let place = Area { x, y, width, height };
        let (name, says) = (item.name.clone(), item.code.clone());
        Some(Expected { label: label + 1, name, says, place, centre: (x + centre.0, y + centre.1) })
    };
    layout.items_of(page).filter_map(label).collect()
}

/// Prints the `pages` of a PDF in black and white at `dpi`, reads the expected codes, and returns the labels whose code
/// cannot be read, has another text, or is more than [`TOLERANCE`] from its position.
///
/// After each page, `checked` is called with the number of pages so far, and may stop. Only part of a page is in
/// memory: at most 64 MiB, or a row of labels of 192 MiB. An A4 page of 65 labels takes about 0.1 s at 300 dpi.
///
pub fn check(
    pdf: Arc<Vec<u8>>,
    dpi: u32,
    pages: impl IntoIterator<Item = Vec<Expected>>,
    checked: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Vec<Failure>, Unchecked> {
    let pdf = RasterPages::read(pdf).ok_or(Unchecked::Pdf)?;
    let mut failures = Vec::new();
    for (index, expected) in pages.into_iter().enumerate() {
        let page_width = pdf.size(index).ok_or(Unchecked::Pdf)?.0;
        for (band, expected) in bands(expected, page_width, dpi) {
            let picture = pdf.print(index, affordable_dpi(dpi, band), band).ok_or(Unchecked::Pdf)?;
            failures.extend(expected.into_iter().filter_map(|expected| {
                let fault = fault(&picture, &expected)?;
                Some(Failure { page: index + 1, label: expected.label, name: expected.name, fault })
            }));
        }
        if checked(index + 1).is_break() {
            return Err(Unchecked::Stopped);
        }
    }
    Ok(failures)
}

/// The printer's resolution, or less if a row of labels is so large that it would take gigabytes: its modules then have
/// far more dots than a reader needs.
fn affordable_dpi(dpi: u32, band: Area) -> u32 {
    let dots = f32::from(u16::try_from(dpi).unwrap_or(u16::MAX)) / 25.4;
    let too_many = band.width * band.height * dots * dots / ROW_PIXELS;
    // Between 1 and `dpi`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    if too_many > 1.0 { (dots * 25.4 / too_many.sqrt()).max(1.0) as u32 } else { dpi }
}

/// Divides a page into bands with few enough pixels, each with its labels.
fn bands(mut expected: Vec<Expected>, width: f32, dpi: u32) -> Vec<(Area, Vec<Expected>)> {
    expected.sort_by(|a, b| a.place.y.total_cmp(&b.place.y));
    let dots = f32::from(u16::try_from(dpi).unwrap_or(u16::MAX)) / 25.4;
    let max_height = PIXELS / (width * dots) / dots;
    let mut bands: Vec<(Area, Vec<Expected>)> = Vec::new();
    for label in expected {
        let bottom = label.place.y + label.place.height;
        match bands.last_mut() {
            Some((band, labels)) if bottom - band.y <= max_height || label.place.y <= band.y => {
                band.height = band.height.max(bottom - band.y);
                labels.push(label);
            }
            _ => bands.push((Area { x: 0.0, y: label.place.y, width, height: label.place.height }, vec![label])),
        }
    }
    bands
}

/// The fault of a label, if it has one.
fn fault(picture: &Raster, expected: &Expected) -> Option<Fault> {
    let read = read(picture, expected.place);
    let Some(best) = read.iter().find(|code| code.says == expected.says).or_else(|| read.first()) else {
        return Some(Fault::Unreadable);
    };
    // A phone may guess the letters that a till does not.
    if let Some(other) = [&best.says, &best.by_the_letter].into_iter().find(|text| **text != expected.says) {
        return Some(Fault::Says(other.clone()));
    }
    let off = (best.centre.0 - expected.centre.0).hypot(best.centre.1 - expected.centre.1);
    (off > TOLERANCE).then_some(Fault::Off(off))
}

/// A code that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedCode {
    /// Its text as phones read it.
    pub says: String,
    /// Its text as readers that go by the letter of the standard read it.
    pub by_the_letter: String,
    /// Its centre, in millimetres from the page's top left corner.
    pub centre: (f32, f32),
}

/// Reads the codes within `place` of a printed page.
///
/// Uses `rxing`, a port of zxing: `rqrr` fails to read some codes of 1,000 characters with modules of four dots.
pub fn read(picture: &Raster, place: Area) -> Vec<DecodedCode> {
    let (left, top, width, height) = picture.pixels(place);
    let matrix = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    let Some(Ok(mut matrix)) = matrix.map(|(width, height)| BitMatrix::new(width, height)) else { return Vec::new() };
    for (row, y) in (top..top + height).zip(0..) {
        for (column, x) in (left..left + width).zip(0..) {
            if picture.is_dark(column, row) {
                matrix.set(x, y);
            }
        }
    }
    // A few ten thousand dots at most.
    #[allow(clippy::cast_precision_loss)]
    let (left, top) = (left as f32, top as f32);
    let codes = read_codes(&matrix).map(|code| DecodedCode {
        says: code.text,
        by_the_letter: code.by_the_letter,
        centre: picture.millimetres(left + code.centre.0, top + code.centre.1),
    });
    codes.collect()
}
