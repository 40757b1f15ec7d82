//! A page as SVG, for the preview and for printing from the browser.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider as _};

use super::draw::{Drawing, Run, Shape};
use super::fonts::Fonts;
use super::label_layout::Area;
use crate::qr::{QUIET_ZONE, xml_escaped};

/// The name of a page, and what is shown with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageStyle {
    /// The page number, which makes ids unique when several pages are in one HTML document.
    pub(crate) number: usize,
    /// The accessible name.
    pub(crate) label: String,
    /// Marks for the preview only.
    pub(crate) preview: Option<PreviewMarks>,
}

/// Marks for the preview only. The stylesheet colours the classes `edge`, `used` (with `hatch`) and `place`.
#[derive(Clone, Debug, Default)]
pub(crate) struct PreviewMarks {
    /// The labels' areas, in order. Their edges are drawn.
    pub(crate) labels: Vec<Area>,
    /// The areas of labels already used. They are hatched.
    pub(crate) used: Vec<Area>,
    /// The link of a label, without the label's number, which is counted from 1 and appended.
    pub(crate) links: Option<String>,
}

/// An area as an SVG path.
struct Path(Area);

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Area { x, y, width, height } = self.0;
        write!(f, "M{} {}h{}v{}H{}z", Decimal(x), Decimal(y), Decimal(width), Decimal(height), Decimal(x))
    }
}

/// A page as an `svg` element, as large as the page, black on white. All styling is in attributes.
///
/// With links its role is `group`, since an `img` must not contain any. The links are not in the tab order, as a sheet
/// could have hundreds: keyboard users have the form's field for the first label.
pub(crate) fn svg(drawing: &Drawing, fonts: &Fonts, style: &PageStyle) -> String {
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut svg, drawing, fonts, style);
    svg
}

fn write(svg: &mut String, drawing: &Drawing, fonts: &Fonts, style: &PageStyle) -> fmt::Result {
    let preview = style.preview.as_ref();
    let role = if preview.is_some_and(|it| it.links.is_some()) { "group" } else { "img" };
    let label = xml_escaped(&style.label).replace('"', "&quot;");
    let (width, height) = (Decimal(drawing.width), Decimal(drawing.height));
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}mm" height="{height}mm" role="{role}" aria-label="{label}">"#
    )?;
    writeln!(svg, r##"<path fill="#fff" d="M0 0h{width}v{height}H0z"/>"##)?;
    if let Some(preview) = preview {
        writeln!(
            svg,
            r#"<path class="sheet-edge" fill="none" stroke="gray" stroke-width=".4" d="M0 0h{width}v{height}H0z"/>"#
        )?;
        write_background(svg, preview, style.number)?;
    }
    write_glyph_outlines(svg, drawing, fonts, style.number)?;
    svg.push_str("<g fill=\"#000\" stroke=\"none\">\n");
    for shape in &drawing.shapes {
        write_shape(svg, shape, fonts, style.number)?;
    }
    svg.push_str("</g>\n");
    if let Some(PreviewMarks { labels, links: Some(links), .. }) = preview {
        let links = xml_escaped(links).replace('"', "&quot;");
        for (number, label) in (1..).zip(labels) {
            let label_path = Path(*label);
            writeln!(
                svg,
                r##"<a class="place" href="{links}{number}" tabindex="-1"><title>Start here: label {number}</title><path fill="#fff" fill-opacity="0" d="{label_path}"/></a>"##
            )?;
        }
    }
    svg.push_str("</svg>\n");
    Ok(())
}

/// The background: the labels' edges, and hatching on used labels.
fn write_background(svg: &mut String, preview: &PreviewMarks, page: usize) -> fmt::Result {
    if !preview.used.is_empty() {
        writeln!(
            svg,
            r#"<defs><pattern id="hatch-{page}" width="2" height="2" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" fill="none" stroke="gray" stroke-width=".4" d="M.5 0v2"/></pattern></defs>"#
        )?;
        write_path_of(svg, &format!(r#"class="used" fill="url(#hatch-{page})""#), &preview.used)?;
    }
    write_path_of(svg, r#"class="edge" fill="none" stroke="silver" stroke-width=".2""#, &preview.labels)
}

fn write_path_of(svg: &mut String, attributes: &str, areas: &[Area]) -> fmt::Result {
    if areas.is_empty() {
        return Ok(());
    }
    write!(svg, "<path {attributes} d=\"")?;
    for area in areas {
        write!(svg, "{}", Path(*area))?;
    }
    svg.push_str("\"/>\n");
    Ok(())
}

/// The glyphs of a page, once each, in their font's units.
fn write_glyph_outlines(svg: &mut String, drawing: &Drawing, fonts: &Fonts, page: usize) -> fmt::Result {
    let mut used: BTreeMap<(usize, u32), String> = BTreeMap::new();
    let parsed_fonts: Vec<_> = fonts.faces.iter().map(super::fonts::Face::font).collect();
    for shape in &drawing.shapes {
        let Shape::Run(run) = shape else { continue };
        let Some(Some(font)) = parsed_fonts.get(run.face) else { continue };
        for glyph in &run.glyphs {
            used.entry((run.face, glyph.id)).or_insert_with(|| outline(font, glyph.id));
        }
    }
    if used.is_empty() {
        return Ok(());
    }
    svg.push_str("<defs>");
    for ((face, glyph), path) in used {
        write!(svg, r#"<path id="g{page}-{face}-{glyph}" d="{path}"/>"#)?;
    }
    svg.push_str("</defs>\n");
    Ok(())
}

/// A glyph as an SVG path in the font's units, y down; empty if it is invisible.
fn outline(font: &FontRef<'_>, glyph: u32) -> String {
    let mut pen = Pen(String::new());
    if let Some(outline) = font.outline_glyphs().get(GlyphId::new(glyph)) {
        // A glyph with invalid data is left out, as PDF viewers do.
        let _ = outline.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut pen);
    }
    pen.0
}

fn write_shape(svg: &mut String, shape: &Shape, fonts: &Fonts, page: usize) -> fmt::Result {
    match shape {
        Shape::Code { x, y, module, code } => {
            let quiet = f32::from(QUIET_ZONE) * module;
            let (x, y, scale, path) = (Decimal(x - quiet), Decimal(y - quiet), Decimal(*module), code.path());
            let transform = format!("translate({x} {y})scale({scale})");
            writeln!(svg, r#"<path shape-rendering="crispEdges" transform="{transform}" d="{path}"/>"#)
        }
        Shape::Run(run) => write_run(svg, run, fonts, page),
        Shape::Outline { x, y, width, height, line } => {
            let path = Path(Area { x: *x, y: *y, width: *width, height: *height });
            writeln!(svg, r##"<path fill="none" stroke="#000" stroke-width="{}" d="{path}"/>"##, Decimal(*line))
        }
        Shape::Clear { x, y, width, height } => {
            let path = Path(Area { x: *x, y: *y, width: *width, height: *height });
            writeln!(svg, r##"<path fill="#fff" d="{path}"/>"##)
        }
        Shape::Line { from, to, line } => {
            let path = format!("M{} {}L{} {}", Decimal(from.0), Decimal(from.1), Decimal(to.0), Decimal(to.1));
            writeln!(svg, r##"<path fill="none" stroke="#000" stroke-width="{}" d="{path}"/>"##, Decimal(*line))
        }
    }
}

fn write_run(svg: &mut String, run: &Run, fonts: &Fonts, page: usize) -> fmt::Result {
    let font = fonts.faces.get(run.face).and_then(super::fonts::Face::font);
    let Some(font) = font else { return Ok(()) };
    let units: f32 = font.metrics(Size::unscaled(), LocationRef::default()).units_per_em.into();
    let (x, y, scale, face) = (Decimal(run.x), Decimal(run.y), Decimal(run.size / units), run.face);
    write!(svg, "<g transform=\"translate({x} {y})scale({scale})\">")?;
    let mut at = 0.0;
    for glyph in &run.glyphs {
        write!(svg, r##"<use href="#g{page}-{face}-{}" x="{}""##, glyph.id, FontUnits((at + glyph.dx) * units))?;
        if glyph.dy != 0.0 {
            write!(svg, r#" y="{}""#, FontUnits(-glyph.dy * units))?;
        }
        svg.push_str("/>");
        at += glyph.advance;
    }
    svg.push_str("</g>\n");
    Ok(())
}

/// Collects an outline as an SVG path, with y down.
struct Pen(String);

impl Pen {
    fn push(&mut self, letter: char, points: &[(f32, f32)]) {
        self.0.push(letter);
        for (index, (x, y)) in points.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            let _ = write!(self.0, "{space}{} {}", FontUnits(*x), FontUnits(-y));
        }
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.push('M', &[(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push('L', &[(x, y)]);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.push('Q', &[(cx, cy), (x, y)]);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.push('C', &[(cx0, cy0), (cx1, cy1), (x, y)]);
    }

    fn close(&mut self) {
        self.0.push('z');
    }
}

/// Formats a number with up to six significant decimals and no trailing zeros: accurate to a tenth of a micrometre on a
/// page, and for a code's module to a millionth of a millimetre.
struct Decimal(f32);

impl Display for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_rounded(f, self.0, if self.0.abs() < 1.0 { 6 } else { 4 })
    }
}

/// Formats a number in a font's units, of which there are about 2,000 in the height of a character.
struct FontUnits(f32);

impl Display for FontUnits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_rounded(f, self.0, 0)
    }
}

fn write_rounded(f: &mut Formatter<'_>, number: f32, decimals: usize) -> fmt::Result {
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    f.write_str(if matches!(text, "-0" | "") { "0" } else { text })
}

#[cfg(test)]
#[path = "svg_tests.rs"]
mod tests;
