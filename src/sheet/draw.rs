//! The shapes on a page, in millimetres from its top left corner, x to the right and y down.
//!
//! The PDF, the preview and the scan check all draw the same shapes from the layout, so they cannot differ.

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
    /// Its shapes, from back to front.
    pub shapes: Vec<Shape>,
}

/// A shape on a page, in black unless it says otherwise.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A code. Its quiet zone is not part of the shape: the layout keeps it free.
    Code {
        /// Left edge of the dark modules.
        x: f32,
        /// Top edge of the dark modules.
        y: f32,
        /// Side of a module.
        module: f32,
        /// The code.
        code: Arc<Code>,
    },
    /// Characters of one font in one direction, on one line.
    Run(Run),
    /// The outline of a rectangle. The line is centred on the edge.
    Outline {
        /// Left edge.
        x: f32,
        /// Top edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
        /// The line width.
        line: f32,
    },
    /// A white rectangle that hides what was drawn before.
    Clear {
        /// Left edge.
        x: f32,
        /// Top edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
    },
    /// A straight line.
    Line {
        /// Where it begins.
        from: (f32, f32),
        /// Where it ends.
        to: (f32, f32),
        /// The line width.
        line: f32,
    },
}

/// Characters of one font in one direction, on one line.
#[derive(Clone, Debug)]
pub struct Run {
    /// The font, as an index into [`super::fonts::Fonts::faces`].
    pub(crate) face: usize,
    /// Font size: the side of the em square.
    pub(crate) size: f32,
    /// The x coordinate of the first glyph's origin.
    pub(crate) x: f32,
    /// The y coordinate of the baseline.
    pub(crate) y: f32,
    /// The text, in logical order.
    pub(crate) text: String,
    /// The glyphs from left to right.
    pub(crate) glyphs: Vec<Glyph>,
}

/// A glyph of a run. Measures are in ems.
#[derive(Clone, Debug)]
pub(crate) struct Glyph {
    /// Its glyph id in the font.
    pub(crate) id: u32,
    /// The distance to the next glyph's origin.
    pub(crate) advance: f32,
    /// How far it is drawn to the right of its origin.
    pub(crate) dx: f32,
    /// How far it is drawn above the baseline.
    pub(crate) dy: f32,
    /// The bytes of the run's text that it represents.
    pub(crate) range: Range<usize>,
}
