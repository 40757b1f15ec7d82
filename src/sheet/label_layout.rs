//! Where code and text are on a label: the same on every label of a sheet.

use super::geometry::Sheet;
use crate::qr::{Code, Level, QUIET_ZONE};

/// The fewest printer dots per module side that print and scan reliably.
const MIN_DOTS: f32 = 4.0;
/// Space between text and the label's edge, in millimetres.
const PADDING: f32 = 1.0;
/// The narrowest area beside a code that is used for text, in millimetres; if there is less, the text goes below.
const MIN_TEXT_WIDTH: f32 = 10.0;
/// The height of a text strip below a code: as a share of the label's height, and at least this many millimetres for
/// each text, which is one line of the smallest letters.
const STRIP: (f32, f32) = (0.2, 2.6);
/// Tolerance when comparing lengths: a thousandth of a dot is invisible.
const TOLERANCE: f32 = 0.001;
/// Millimetres in an inch.
const INCH: f32 = 25.4;

/// A rectangle on a label or a page, in millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Area {
    /// The smallest area that contains both.
    #[must_use]
    pub(crate) fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// The same area, shifted.
    #[must_use]
    pub(crate) fn moved(self, x: f32, y: f32) -> Self {
        Self { x: self.x + x, y: self.y + y, ..self }
    }
}

/// Where code and text are on a label, in millimetres from its top left corner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelLayout {
    /// The square for code and quiet zone. The code is centred in it.
    pub(crate) square: Area,
    /// The greatest width of a code without its quiet zone, since the printer does not reach the paper's edge.
    reach: f32,
    /// The area for text, if there is any.
    pub(crate) text: Option<Area>,
    /// Whether the text is below the code, and therefore centred.
    pub(crate) below: bool,
}

impl LabelLayout {
    /// The layout for the labels of `sheet` with room for this many texts: beside the code, or below it if there is no
    /// room beside it.
    pub(crate) fn of(sheet: &Sheet, texts: u8) -> Self {
        let (width, height, inset) = (sheet.width.f32(), sheet.height.f32(), sheet.inset().f32());
        let edge = PADDING.max(inset);
        let beside = Area { x: height, y: edge, width: width - height - edge, height: height - edge - edge };
        let strip = (STRIP.1 * f32::from(texts)).max(height * STRIP.0);
        let below = Area { x: edge, y: height - edge - strip, width: width - edge - edge, height: strip };
        let (square, text) = match texts > 0 {
            false => (Self::square(0.0, width, height), None),
            true if beside.width >= MIN_TEXT_WIDTH => (Self::square(0.0, height, height), Some(beside)),
            true => {
                let side = width.min(below.y);
                (Self::square((width - side) / 2.0, side, below.y), Some(below))
            }
        };
        let below = text.is_some_and(|text| text == below);
        Self { square, reach: square.width - inset - inset, text, below }
    }

    /// The largest square at `x` within this width and height, centred vertically.
    fn square(x: f32, width: f32, height: f32) -> Area {
        let side = width.min(height);
        Area { x, y: (height - side) / 2.0, width: side, height: side }
    }

    /// The side of a module, for a code with this many modules: as large as quiet zone and reach allow.
    pub(crate) fn module(&self, modules: u16) -> f32 {
        (self.square.width / f32::from(modules + 2 * QUIET_ZONE)).min(self.reach / f32::from(modules))
    }

    /// The area of a code with this many modules, without its quiet zone.
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

    /// Whether a code with this many modules has modules of at least four dots.
    fn holds(&self, modules: u16, dpi: u32) -> bool {
        self.module(modules) * dots_a_millimetre(dpi) >= MIN_DOTS - TOLERANCE
    }

    /// The highest level at which the code of `text` has modules of four dots, and its number of modules.
    pub(crate) fn level(&self, text: &str, dpi: u32) -> Option<(Level, u16)> {
        [Level::M, Level::L].into_iter().find_map(|level| {
            let modules = Code::modules_of(text, level).filter(|modules| self.holds(*modules, dpi))?;
            Some((level, modules))
        })
    }
}

/// The printer's dots per millimetre.
#[expect(clippy::cast_precision_loss, reason = "no printer has millions of dots an inch")]
fn dots_a_millimetre(dpi: u32) -> f32 {
    dpi as f32 / INCH
}
