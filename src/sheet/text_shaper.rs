//! Shapes lines of text with parley.

use std::borrow::Cow;
use std::sync::Arc;

use parley::fontique::{Blob, Collection, CollectionOptions, FontInfoOverride, SourceCache};
use parley::style::{FontFamily, FontFamilyName, LineHeight, OverflowWrap, StyleProperty};
use parley::{Alignment, AlignmentOptions, FontContext, FontData, Layout, LayoutContext, PositionedLayoutItem};

use super::draw::{Glyph, Run};
use super::fonts::Fonts;
use super::label_layout::Area;

/// Line height, in ems.
pub(crate) const LINE: f32 = 1.2;
const ELLIPSIS: char = '…';

/// parley's state, reused between texts.
pub(crate) struct TextShaper {
    fonts: FontContext,
    layouts: LayoutContext<()>,
    families: Vec<FontFamilyName<'static>>,
    /// parley's id for the data of each face.
    ids: Vec<u64>,
}

/// How a text is placed.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    /// The font size.
    pub(crate) size: f32,
    /// The area.
    pub(crate) area: Area,
    /// Whether lines are centred. Otherwise they begin on the side where their script does.
    pub(crate) centred: bool,
}

impl TextShaper {
    /// Uses these fonts and no system fonts: the print must not depend on the machine.
    pub(crate) fn new(fonts: &Fonts) -> Self {
        let options = CollectionOptions { shared: false, system_fonts: false };
        let mut collection = Collection::new(options);
        let (mut families, mut ids) = (Vec::new(), Vec::new());
        for (number, face) in fonts.faces.iter().enumerate() {
            // Each is a family of its own, because two files may contain the same family name.
            let name = format!("face {number}");
            let blob = Blob::new(Arc::<Cow<'static, [u8]>>::clone(&face.data));
            ids.push(blob.id());
            collection.register_fonts(blob, Some(FontInfoOverride { family_name: Some(&name), ..Default::default() }));
            families.push(FontFamilyName::Named(name.into()));
        }
        let fonts = FontContext { collection, source_cache: SourceCache::default() };
        Self { fonts, layouts: LayoutContext::new(), families, ids }
    }

    /// The text in font size 1, on one line.
    pub(crate) fn shape(&mut self, text: &str) -> Layout<()> {
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(self.families.as_slice().into())));
        builder.push_default(StyleProperty::FontSize(1.0));
        builder.push_default(StyleProperty::LineHeight(LineHeight::Absolute(LINE)));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        let mut layout = builder.build(text);
        layout.break_all_lines(None);
        layout
    }

    /// Shortens a text to what fits on this many lines, including an ellipsis. The width is in ems.
    pub(crate) fn shorten(
        &mut self,
        text: &str,
        mut full: Layout<()>,
        width: f32,
        max_lines: f32,
    ) -> (String, Layout<()>) {
        full.break_all_lines(Some(width));
        // Where the text may end: before each letter on the lines that fit.
        let mut ends: Vec<usize> = Vec::new();
        for (line, _) in full.lines().zip(1_u16..).filter(|(_, number)| f32::from(*number) <= max_lines) {
            ends.extend(line.runs().flat_map(|run| run.clusters().map(|it| it.text_range().start).collect::<Vec<_>>()));
        }
        ends.sort_unstable();
        loop {
            let end = ends.pop().unwrap_or_default();
            let mut shortened = text.get(..end).unwrap_or_default().trim_end().to_owned();
            shortened.push(ELLIPSIS);
            let mut layout = self.shape(&shortened);
            layout.break_all_lines(Some(width));
            if line_count(&layout) <= max_lines || end == 0 {
                return (shortened, layout);
            }
        }
    }

    /// The runs of a layout.
    pub(crate) fn runs(&self, mut layout: Layout<()>, text: &str, lines: Lines) -> Vec<Run> {
        let Lines { size, area, centred } = lines;
        layout.align(if centred { Alignment::Center } else { Alignment::Start }, AlignmentOptions::default());
        let top = area.y + (area.height - line_count(&layout) * size * LINE) / 2.0;
        let mut runs: Vec<Run> = Vec::new();
        for line in layout.lines() {
            let range = line.text_range();
            let end = range.start + text.get(range).map_or(0, |line| line.trim_end().len());
            let (first, mut left) = (runs.len(), area.x);
            for item in line.items() {
                let PositionedLayoutItem::GlyphRun(glyph_run) = item else { continue };
                // Space at the end of a line belongs after its last letter (UAX 9, L1), where it is invisible. parley
                // leaves it where its run ends: in the middle of the line, or before its first letter.
                let inverse = glyph_run.run().is_rtl() != layout.is_rtl();
                let (glyphs, space) = glyphs(glyph_run.run(), if inverse { end } else { usize::MAX });
                let text = text.get(glyph_run.run().text_range()).unwrap_or_default().to_owned();
                let (x, y) = (left + glyph_run.offset() * size, top + glyph_run.baseline() * size);
                if !glyphs.is_empty() {
                    runs.push(Run { face: self.face(glyph_run.run().font()), size, x, y, text, glyphs });
                }
                if layout.is_rtl() {
                    runs.iter_mut().skip(first).for_each(|run| run.x += space * size);
                } else {
                    left -= space * size;
                }
            }
        }
        runs
    }

    /// The face for a font of parley.
    fn face(&self, font: &FontData) -> usize {
        self.ids.iter().position(|id| *id == font.data.id()).unwrap_or_default()
    }
}

/// The glyphs of a run from left to right, without those of the text from `end` on; their width is returned instead.
fn glyphs(run: &parley::layout::Run<'_, ()>, end: usize) -> (Vec<Glyph>, f32) {
    let start = run.text_range().start;
    let (mut glyphs, mut space): (Vec<Glyph>, f32) = (Vec::new(), 0.0);
    // In right-to-left text the later letters of a ligature come first. This is where the ligature ends.
    let mut ligature = None;
    for cluster in run.visual_clusters() {
        let range = cluster.text_range();
        if range.start >= end {
            space += cluster.advance();
            continue;
        }
        let mut range = range.start.saturating_sub(start)..range.end.saturating_sub(start);
        if cluster.is_ligature_continuation() {
            match glyphs.last_mut().filter(|_| !run.is_rtl()) {
                Some(first) => first.range.end = range.end,
                None => ligature = ligature.or(Some(range.end)),
            }
            continue;
        }
        range.end = ligature.take().unwrap_or(range.end);
        glyphs.extend(cluster.glyphs().map(|glyph| Glyph {
            id: glyph.id,
            advance: glyph.advance,
            dx: glyph.x,
            dy: -glyph.y,
            range: range.clone(),
        }));
    }
    (glyphs, space)
}

/// The number of lines of a layout, as a float.
#[expect(clippy::cast_precision_loss, reason = "a text has a thousand characters at most")]
pub(crate) fn line_count(layout: &Layout<()>) -> f32 {
    layout.len() as f32
}
