//! What stands on a page, in millimetres from its upper left corner, x to the right and y down.
//!
//! The layout says it once, and the PDF, the preview and the check that it scans all draw this: they cannot differ.

use std::ops::Range;
use std::sync::Arc;

use crate::qr::Code;

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// Its width.
    pub(crate) width: f32,
    /// Its height.
    pub(crate) height: f32,
    /// What stands on it, from the back to the front.
    pub shapes: Vec<Shape>,
}

/// One thing on a page: black, unless it says otherwise.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A code, without its quiet zone, which the layout keeps free.
    Code {
        /// Left edge of its dark square.
        x: f32,
        /// Upper edge of its dark square.
        y: f32,
        /// Side of a module.
        module: f32,
        /// The code.
        code: Arc<Code>,
    },
    /// Characters of one font in one direction, on one line.
    Run(Run),
    /// The edge of a rectangle; the line's middle is on the edge.
    Outline {
        /// Left edge.
        x: f32,
        /// Upper edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
        /// The line's thickness.
        line: f32,
    },
    /// A white rectangle: what was drawn before is not seen there.
    Clear {
        /// Left edge.
        x: f32,
        /// Upper edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
    },
    /// A straight line.
    Line {
        /// Its beginning.
        from: (f32, f32),
        /// Its end.
        to: (f32, f32),
        /// Its thickness.
        line: f32,
    },
}

/// Characters of one font in one direction, on one line.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which of the fonts: its place in [`super::fonts::Fonts::faces`].
    pub(crate) face: usize,
    /// Size of the font: the side of its em square.
    pub(crate) size: f32,
    /// Where the first glyph's origin is.
    pub(crate) x: f32,
    /// Where the baseline is.
    pub(crate) y: f32,
    /// What it says, in the order of reading.
    pub(crate) text: String,
    /// Its glyphs from left to right.
    pub(crate) glyphs: Vec<Glyph>,
}

/// A glyph of a run. Its measures are parts of the font's size.
#[derive(Clone, Debug)]
pub(crate) struct Glyph {
    /// Its number in the font.
    pub(crate) id: u32,
    /// How far the next one's origin is.
    pub(crate) advance: f32,
    /// How far it is drawn to the right of its origin.
    pub(crate) dx: f32,
    /// How far it is drawn above the baseline.
    pub(crate) dy: f32,
    /// The bytes of the run's text that it stands for.
    pub(crate) range: Range<usize>,
}
