//! Writes pages as a PDF: codes and text as vectors, to be printed at 100 %.

use std::ops::ControlFlow;
use std::sync::Arc;

use krilla::color::luma;
use krilla::geom::{Path, PathBuilder, Point, Rect, Transform};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Data, Document, SerializeSettings};

use super::draw::{Drawing, Run, Shape};
use super::fonts::Fonts;
use super::viewer_preferences;
use crate::qr::{Code, QUIET_ZONE};

/// PDF units, which are 1/72 inch, per millimetre.
const POINTS: f32 = 72.0 / 25.4;

/// Why there is no PDF.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// The caller stopped it.
    #[error("The PDF was stopped")]
    Stopped,
    /// A font cannot be read.
    #[error("The font \"{0}\" cannot be read")]
    Font(String),
    /// A page has no size, or a run names a font that does not exist: a bug in the layout.
    #[error("A page cannot be drawn")]
    Page,
    /// A bug in the library.
    #[error("The PDF cannot be written: {0}")]
    Library(String),
}

/// Writes the pages as a PDF file with this title, in English.
///
/// Every page is exactly as large as its drawing, and the file asks to be printed without scaling. Text can be copied.
/// Fonts are reduced to the characters in use. Equal input gives equal bytes.
///
/// Pages are taken one at a time, so that only one drawing is in memory. After each page, `drawn` is called with the
/// number of pages so far, and may stop. A code takes about 0.2 ms and 700 bytes of the compressed file.
///
pub fn write(
    title: &str,
    fonts: &Fonts,
    pages: impl IntoIterator<Item = Drawing>,
    drawn: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Vec<u8>, PdfError> {
    let load = |face: &super::fonts::Face| {
        let data: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(Bytes(Arc::clone(&face.data)));
        Font::new(Data::from(data), 0).ok_or_else(|| PdfError::Font(face.name.clone()))
    };
    let fonts: Vec<Font> = fonts.faces.iter().map(load).collect::<Result<_, _>>()?;
    let mut document = Document::new_with(SerializeSettings { enable_tagging: false, ..SerializeSettings::default() });
    document
        .set_metadata(Metadata::new().title(title.to_owned()).language("en".to_owned()).creator("Tessera".to_owned()));
    for (index, drawing) in pages.into_iter().enumerate() {
        let size = PageSettings::from_wh(drawing.width * POINTS, drawing.height * POINTS).ok_or(PdfError::Page)?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for shape in &drawing.shapes {
            draw(&mut surface, shape, &fonts).ok_or(PdfError::Page)?;
        }
        surface.finish();
        page.finish();
        if drawn(index + 1).is_break() {
            return Err(PdfError::Stopped);
        }
    }
    let file = document.finish().map_err(|error| PdfError::Library(format!("{error:?}")))?;
    viewer_preferences::without_scaling(file)
        .ok_or_else(|| PdfError::Library("its catalog is not where it should be".to_owned()))
}

/// The contents of a font file, shared without copying.
struct Bytes(Arc<std::borrow::Cow<'static, [u8]>>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn draw(surface: &mut Surface<'_>, shape: &Shape, fonts: &[Font]) -> Option<()> {
    match shape {
        Shape::Code { x, y, module, code } => {
            let quiet = f32::from(QUIET_ZONE) * module;
            let scale = module * POINTS;
            let (left, top) = ((x - quiet) * POINTS, (y - quiet) * POINTS);
            // In modules, so that the path has small integers.
            surface.push_transform(&Transform::from_row(scale, 0.0, 0.0, scale, left, top));
            fill(surface, luma::Color::black());
            surface.draw_path(&outlines(code)?);
            surface.pop();
        }
        Shape::Run(run) => {
            fill(surface, luma::Color::black());
            text(surface, run, fonts.get(run.face)?);
        }
        Shape::Outline { x, y, width, height, line } => {
            stroke(surface, *line);
            surface.draw_path(&rectangle(*x, *y, *width, *height)?);
        }
        Shape::Clear { x, y, width, height } => {
            fill(surface, luma::Color::white());
            surface.draw_path(&rectangle(*x, *y, *width, *height)?);
        }
        Shape::Line { from, to, line } => {
            let mut path = PathBuilder::new();
            path.move_to(from.0 * POINTS, from.1 * POINTS);
            path.line_to(to.0 * POINTS, to.1 * POINTS);
            stroke(surface, *line);
            surface.draw_path(&path.finish()?);
        }
    }
    Some(())
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(x * POINTS, y * POINTS, width * POINTS, height * POINTS)?);
    path.finish()
}

/// Fills with SVG's default rule.
fn fill(surface: &mut Surface<'_>, color: luma::Color) {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: color.into(), rule: FillRule::NonZero, ..Fill::default() }));
}

fn stroke(surface: &mut Surface<'_>, millimetres: f32) {
    surface.set_fill(None);
    let (paint, width) = (luma::Color::black().into(), millimetres * POINTS);
    surface.set_stroke(Some(Stroke { paint, width, ..Stroke::default() }));
}

/// The code's outlines, in modules from the corner of its quiet zone.
fn outlines(code: &Code) -> Option<Path> {
    let mut path = PathBuilder::new();
    code.each_outline(|corners| {
        for (index, (x, y)) in corners.iter().enumerate() {
            // A code's side is at most 185.
            #[allow(clippy::cast_precision_loss)]
            let (x, y) = (*x as f32, *y as f32);
            if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path.close();
    });
    path.finish()
}

fn text(surface: &mut Surface<'_>, run: &Run, font: &Font) {
    let glyph = |glyph: &super::draw::Glyph| {
        let id = GlyphId::new(glyph.id);
        KrillaGlyph::new(id, glyph.advance, glyph.dx, glyph.dy, 0.0, glyph.range.clone(), None)
    };
    let glyphs: Vec<KrillaGlyph> = run.glyphs.iter().map(glyph).collect();
    let start = Point::from_xy(run.x * POINTS, run.y * POINTS);
    surface.draw_glyphs(start, &glyphs, font.clone(), &run.text, run.size * POINTS, false);
}
