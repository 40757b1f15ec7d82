//! The check that it scans: a PDF is printed into memory as a printer would, and its codes are read from there.
//!
//! What reads and what draws are other libraries than those that made the codes and the PDF: a mistake of theirs shows.

use std::fmt::{self, Display, Formatter};
use std::ops::ControlFlow;
use std::sync::Arc;

use rxing::Point;
use rxing::common::cpp_essentials::DecoderResult;
use rxing::common::{BitMatrix, DetectorRXingResult};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};

use super::label_layout::Area;
use super::layout::SheetLayout;
use super::raster::{Raster, RasterPages};

/// How far from its place a code may be, in millimetres.
pub(crate) const TOLERANCE: f32 = 0.3;

/// The most pixels that are in memory at once, if one row of labels does not take more: 64 MiB of them.
const PIXELS: f32 = 16_777_216.0;

/// The most pixels of one row of labels: as the highest row of a preset has them at 1,200 dots an inch.
const ROW_PIXELS: f32 = 48_000_000.0;

/// A label, and what its code is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Its place on the sheet, from 1 along rows.
    pub(crate) label: u32,
    /// What messages call it.
    pub(crate) name: String,
    /// What its code says.
    pub says: String,
    /// The label: the code is looked for within it.
    pub(crate) place: Area,
    /// Where the middle of the code is, in millimetres from the page's upper left corner.
    pub centre: (f32, f32),
}

/// A label that did not pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Its page, from 1.
    pub page: usize,
    /// Its place on the sheet, from 1 along rows.
    pub label: u32,
    /// What messages call it.
    pub name: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a label.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// There is no code, or too little of one.
    Unreadable,
    /// The code says this.
    Says(String),
    /// The code is that many millimetres away from where it should be.
    Off(f32),
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("cannot be read"),
            Self::Says(text) => {
                let short: String = text.chars().take(80).collect();
                let rest = if short.len() < text.len() { "…" } else { "" };
                write!(f, "says something else: {short}{rest}")
            }
            Self::Off(millimetres) => write!(f, "is {millimetres:.1} mm off"),
        }
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchecked {
    /// It was no longer wanted.
    #[error("The check was stopped")]
    Stopped,
    /// The PDF cannot be read, or has not the page.
    #[error("The PDF cannot be read")]
    Pdf,
}

/// What the labels of a plan's page are to be.
pub fn expected(plan: &SheetLayout, page: usize) -> Vec<Expected> {
    let (width, height) = (plan.sheet().width.f32(), plan.sheet().height.f32());
    let centre = plan.centre();
    let label = |number| {
        let item = plan.item(number)?;
        let label = plan.label_of(number).label;
        let (x, y) = plan.corner(label);
        let place = Area { x, y, width, height };
        let (name, says) = (item.name.clone(), item.code.clone());
        Some(Expected { label: label + 1, name, says, place, centre: (x + centre.0, y + centre.1) })
    };
    plan.items_of(page).filter_map(label).collect()
}

/// Reads every code that is expected on the `pages` of a PDF, printed in black and white at `dpi` dots per inch, and
/// tells those that cannot be read, say something else or are more than [`TOLERANCE`] from their place.
///
/// After each page, `checked` hears how many there were, and may stop. What is in memory is a part of a page: at most
/// 64 MiB, or a row of labels of 192 MiB. An A4 page of 65 labels takes about 0.1 s at 300 dpi.
///
/// # Errors
/// As [`Unchecked`] says.
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
            let picture = pdf.print(index, affordable(dpi, band), band).ok_or(Unchecked::Pdf)?;
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

/// The printer's dots per inch, or fewer where a row of labels is so large that it would take gigabytes: there a module has
/// far more dots than a reader needs.
fn affordable(dpi: u32, band: Area) -> u32 {
    let dots = f32::from(u16::try_from(dpi).unwrap_or(u16::MAX)) / 25.4;
    let too_many = band.width * band.height * dots * dots / ROW_PIXELS;
    // Between 1 and what was asked for.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    if too_many > 1.0 { (dots * 25.4 / too_many.sqrt()).max(1.0) as u32 } else { dpi }
}

/// Parts of a page, as wide as it, that have few enough pixels, and the labels on each.
fn bands(mut expected: Vec<Expected>, width: f32, dpi: u32) -> Vec<(Area, Vec<Expected>)> {
    expected.sort_by(|a, b| a.place.y.total_cmp(&b.place.y));
    let dots = f32::from(u16::try_from(dpi).unwrap_or(u16::MAX)) / 25.4;
    let most = PIXELS / (width * dots) / dots;
    let mut bands: Vec<(Area, Vec<Expected>)> = Vec::new();
    for label in expected {
        let bottom = label.place.y + label.place.height;
        match bands.last_mut() {
            Some((band, labels)) if bottom - band.y <= most || label.place.y <= band.y => {
                band.height = band.height.max(bottom - band.y);
                labels.push(label);
            }
            _ => bands.push((Area { x: 0.0, y: label.place.y, width, height: label.place.height }, vec![label])),
        }
    }
    bands
}

/// What is wrong with the label, if anything is.
fn fault(picture: &Raster, expected: &Expected) -> Option<Fault> {
    let read = read(picture, expected.place);
    let Some(best) = read.iter().find(|code| code.says == expected.says).or_else(|| read.first()) else {
        return Some(Fault::Unreadable);
    };
    if best.says != expected.says {
        return Some(Fault::Says(best.says.clone()));
    }
    let off = (best.centre.0 - expected.centre.0).hypot(best.centre.1 - expected.centre.1);
    (off > TOLERANCE).then_some(Fault::Off(off))
}

/// A code that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedCode {
    /// What it says.
    pub says: String,
    /// Its middle, in millimetres from the page's upper left corner.
    pub centre: (f32, f32),
}

/// The codes that lie within `place` of a printed page.
///
/// `rxing`, a port of zxing, reads them: of 1,000 characters with modules of four dots `rqrr` reads only some.
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
    let mut corners = FindFinderPatterns(&matrix, true, 0);
    let codes = GenerateFinderPatternSets(&mut corners).into_iter().filter_map(|corners| {
        let found = SampleQR(&matrix, &corners).ok()?;
        let decoded = Decode(found.getBits()).ok().filter(DecoderResult::isValid)?;
        // Dots: at most some ten thousand.
        #[allow(clippy::cast_precision_loss)]
        let (left, top) = (left as f32, top as f32);
        let mean = |of: fn(&Point) -> f32| found.getPoints().iter().map(of).sum::<f32>() / 4.0;
        let centre = picture.millimetres(left + mean(|point| point.x), top + mean(|point| point.y));
        // Its bytes, which the reader might take for another encoding than UTF-8.
        let says = String::from_utf8_lossy(decoded.content().bytes()).into_owned();
        Some(DecodedCode { says, centre })
    });
    codes.collect()
}
