//! Where code and text stand on a label: the same on every label of a sheet.

use super::geometry::Sheet;
use crate::qr::{Code, Level, QUIET_ZONE};

/// The fewest dots of a module's side that printers print and scanners read.
const DOTS: f32 = 4.0;
/// What stays free between text and the label's edge.
const PADDING: f32 = 1.0;
/// The narrowest place beside a code that text is put in; where there is less, it stands below.
const NARROWEST: f32 = 10.0;
/// What a strip of text below a code takes of the label's height, and at least: a line of the smallest letters.
const STRIP: (f32, f32) = (0.2, 2.6);
/// Lengths are compared with this: nobody sees a thousandth of a dot.
const HAIR: f32 = 0.001;
/// Millimetres in an inch.
const INCH: f32 = 25.4;

/// A part of a label or a page, in millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Area {
    /// The smallest area that holds both.
    #[must_use]
    pub(crate) fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// The same, elsewhere.
    #[must_use]
    pub(crate) fn moved(self, x: f32, y: f32) -> Self {
        Self { x: self.x + x, y: self.y + y, ..self }
    }
}

/// Where code and text stand on a label, in millimetres from its left upper corner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelLayout {
    /// The square of code and quiet zone; the code's centre is its centre.
    pub(crate) square: Area,
    /// The widest that a code may be without its quiet zone, as the printer does not reach the paper's edge.
    reach: f32,
    /// Where text may stand, if any does.
    pub(crate) text: Option<Area>,
    /// Whether it stands below the code, and so in the middle.
    pub(crate) below: bool,
}

impl LabelLayout {
    /// Of the labels of `sheet`: with the text beside the code, or below it where there is no room.
    pub(crate) fn of(sheet: &Sheet, has_text: bool) -> Self {
        let (width, height, inset) = (sheet.width.f32(), sheet.height.f32(), sheet.inset().f32());
        let edge = PADDING.max(inset);
        let beside = Area { x: height, y: edge, width: width - height - edge, height: height - edge - edge };
        let strip = STRIP.1.max(height * STRIP.0);
        let below = Area { x: edge, y: height - edge - strip, width: width - edge - edge, height: strip };
        let (square, text) = match has_text {
            false => (Self::square(0.0, width, height), None),
            true if beside.width >= NARROWEST => (Self::square(0.0, height, height), Some(beside)),
            true => {
                let side = width.min(below.y);
                (Self::square((width - side) / 2.0, side, below.y), Some(below))
            }
        };
        let below = text.is_some_and(|text| text == below);
        Self { square, reach: square.width - inset - inset, text, below }
    }

    /// The largest square in a space at `x`, in the middle of its height.
    fn square(x: f32, width: f32, height: f32) -> Area {
        let side = width.min(height);
        Area { x, y: (height - side) / 2.0, width: side, height: side }
    }

    /// A module's side in a code of so many modules: as large as quiet zone and reach allow.
    pub(crate) fn module(&self, modules: u16) -> f32 {
        (self.square.width / f32::from(modules + 2 * QUIET_ZONE)).min(self.reach / f32::from(modules))
    }

    /// Where a code of so many modules stands, without its quiet zone.
    pub(crate) fn dark(&self, modules: u16) -> Area {
        let side = self.module(modules) * f32::from(modules);
        let (x, y) = self.centre();
        Area { x: x - side / 2.0, y: y - side / 2.0, width: side, height: side }
    }

    /// The centre of every code.
    pub(crate) fn centre(&self) -> (f32, f32) {
        let half = self.square.width / 2.0;
        (self.square.x + half, self.square.y + half)
    }

    /// Whether a code of so many modules has modules of four dots.
    fn holds(&self, modules: u16, dpi: u32) -> bool {
        self.module(modules) * dots_a_millimetre(dpi) >= DOTS - HAIR
    }

    /// The highest level at which the code of `text` has modules of four dots, and how many modules it has.
    pub(crate) fn level(&self, text: &str, dpi: u32) -> Option<(Level, u16)> {
        [Level::M, Level::L].into_iter().find_map(|level| {
            let modules = Code::modules_of(text, level).filter(|modules| self.holds(*modules, dpi))?;
            Some((level, modules))
        })
    }
}

/// Dots of a printer along a millimetre.
#[expect(clippy::cast_precision_loss, reason = "no printer has millions of dots an inch")]
fn dots_a_millimetre(dpi: u32) -> f32 {
    dpi as f32 / INCH
}
