//! Renders a PDF as a black-and-white printer would, for the scan check.

use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::util::TransformExt as _;
use hayro::hayro_syntax::Pdf;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};

use super::label_layout::Area;

const INCH: f32 = 25.4;

/// The pages of a PDF, counted from 0.
pub struct RasterPages(Pdf);

impl RasterPages {
    /// Parses the file, if it is a PDF.
    pub fn read(file: Arc<Vec<u8>>) -> Option<Self> {
        Pdf::new(file).ok().map(Self)
    }

    /// The number of pages.
    pub fn count(&self) -> usize {
        self.0.pages().len()
    }

    /// Width and height of a page in millimetres, if it exists.
    pub fn size(&self, page: usize) -> Option<(f32, f32)> {
        let (width, height) = self.0.pages().get(page)?.render_dimensions();
        Some((width * INCH / 72.0, height * INCH / 72.0))
    }

    /// Prints part of a page at `dpi`. A dot is dark if at least half of it is. None if there is no such page, or if
    /// the part has more than 65,535 dots along a side.
    pub fn print(&self, page: usize, dpi: u32, part: Area) -> Option<Raster> {
        let page = self.0.pages().get(page)?;
        let dots = f32::from(u16::try_from(dpi).unwrap_or(u16::MAX)) / INCH;
        let (left, top) = ((part.x * dots).floor(), (part.y * dots).floor());
        let width = dot_count(((part.x + part.width) * dots).ceil() - left)?;
        let height = dot_count(((part.y + part.height) * dots).ceil() - top)?;
        let mut context = RenderContext::new(width, height);
        let transform = Affine::translate((-f64::from(left), -f64::from(top)))
            * Affine::scale(f64::from(dpi) / 72.0)
            * page.initial_transform(true).to_kurbo();
        let settings = RenderSettings {
            aliasing_threshold: Some(127),
            hinting: false,
            glyph_caching: false,
            ..RenderSettings::default()
        };
        let cache = RenderCache::new();
        render_into(page, &cache, &InterpreterSettings::default(), &settings, &mut context, transform);
        context.flush();
        let mut pixels = Pixmap::new(width, height);
        let white = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
        context.render_with(&mut pixels, &mut Resources::default(), white);
        let dark = pixels.data().iter().map(|pixel| pixel.r < 128).collect();
        Some(Raster { dots, left, top, width: width.into(), dark })
    }
}

/// A whole number of dots, if it fits into 16 bits.
fn dot_count(dots: f32) -> Option<u16> {
    // Within the bounds of u16.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (1.0..=65_535.0).contains(&dots).then_some(dots as u16)
}

/// Part of a printed page.
#[derive(Clone, Debug)]
pub struct Raster {
    /// Dots per millimetre.
    dots: f32,
    /// Position of the first dot on the page, in dots.
    left: f32,
    top: f32,
    width: usize,
    dark: Box<[bool]>,
}

impl Raster {
    /// Its width in dots.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Its height in dots.
    pub fn height(&self) -> usize {
        self.dark.len() / self.width
    }

    /// Whether a dot is dark; false outside the raster.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.dark.get(y * self.width + x).is_some_and(|dark| *dark)
    }

    /// The dots in a rectangle of the page: first column, first row, number of columns, number of rows.
    pub fn pixels(&self, place: Area) -> (usize, usize, usize, usize) {
        // Clamped to the raster, so within the bounds of an integer.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let range = |from: f32, length: f32, zero: f32, limit: usize| {
            let dot = |millimetres: f32| (millimetres * self.dots - zero).round().clamp(0.0, limit as f32) as usize;
            let (from, to) = (dot(from), dot(from + length));
            (from, to - from)
        };
        let (x, width) = range(place.x, place.width, self.left, self.width());
        let (y, height) = range(place.y, place.height, self.top, self.height());
        (x, y, width, height)
    }

    /// The position on the page, in millimetres, of a point given in dots from the raster's top left corner.
    pub(crate) fn millimetres(&self, x: f32, y: f32) -> (f32, f32) {
        ((x + self.left) / self.dots, (y + self.top) / self.dots)
    }
}
