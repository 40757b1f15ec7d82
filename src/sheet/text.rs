//! Text, set in lines within its place.
//!
//! What letters become in which script, which way they run, and where a line may end is Unicode's and the font's matter,
//! and parley's to know. Here: how large, how many lines, what is left out, and that nothing leaves the place.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use parley::fontique::{Blob, Collection, CollectionOptions, FontInfoOverride, SourceCache};
use parley::style::{FontFamily, FontFamilyName, LineHeight, OverflowWrap, StyleProperty};
use parley::{Alignment, AlignmentOptions, FontContext, FontData, Layout, LayoutContext, PositionedLayoutItem};
use skrifa::instance::{LocationRef, Size};
use skrifa::{GlyphId, MetadataProvider};

use super::draw::{Glyph, Run};
use super::fonts::Fonts;
use super::place::Area;

/// A point, the unit of letters, in millimetres.
const POINT: f32 = 25.4 / 72.0;
/// The smallest and the largest letters: what a person reads at arm's length, and what looks well beside a code.
const SIZES: (f32, f32) = (6.0 * POINT, 11.0 * POINT);
/// Smaller letters than that, rather than none: with them a uid is whole on the smallest label.
const LAST: f32 = 5.0 * POINT;
/// From line to line, in parts of the letters' size.
const LINE: f32 = 1.2;
/// How many lines of the usual letters a place is high, beside a code and below it.
const HIGH: (f32, f32) = (9.0, 2.0);
/// How many times the usual letters' size a place is wide, at least.
const WIDE: f32 = 5.0;
/// Lengths are compared with this.
const HAIR: f32 = 0.001;
const ELLIPSIS: char = '…';

/// Sets texts, by one thread at a time: another one waits.
pub struct Typesetter {
    fonts: Arc<Fonts>,
    press: Mutex<Press>,
}

/// What of a text no font has.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// The characters, each once.
    pub characters: Vec<char>,
    /// The text without them, on one line.
    pub rest: String,
}

/// What parley needs to know, and keeps, between texts.
struct Press {
    fonts: FontContext,
    layouts: LayoutContext<()>,
    families: Vec<FontFamilyName<'static>>,
    /// By which number parley knows the data of each face.
    ids: Vec<u64>,
}

impl fmt::Debug for Typesetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typesetter").field("fonts", &self.fonts).finish_non_exhaustive()
    }
}

impl Typesetter {
    /// With these fonts and no others: what is printed must not depend on the machine.
    pub fn new(fonts: &Arc<Fonts>) -> Self {
        let options = CollectionOptions { shared: false, system_fonts: false };
        let mut collection = Collection::new(options);
        let (mut families, mut ids) = (Vec::new(), Vec::new());
        for (number, face) in fonts.faces.iter().enumerate() {
            // Each is a family of its own, as two files may say the same of themselves.
            let name = format!("face {number}");
            let blob = Blob::new(Arc::<std::borrow::Cow<'static, [u8]>>::clone(&face.data));
            ids.push(blob.id());
            collection.register_fonts(blob, Some(FontInfoOverride { family_name: Some(&name), ..Default::default() }));
            families.push(FontFamilyName::Named(name.into()));
        }
        let fonts_known = FontContext { collection, source_cache: SourceCache::default() };
        let press = Press { fonts: fonts_known, layouts: LayoutContext::new(), families, ids };
        Self { fonts: Arc::clone(fonts), press: Mutex::new(press) }
    }

    /// What of `text` no font has. White space that would end a line is a space in what is left.
    pub fn missing(&self, text: &str) -> Missing {
        let mut rest: String = text.chars().map(|c| if self.is_gap(c) { ' ' } else { c }).collect();
        let mut characters = Vec::new();
        // What is left may join to something else, which no font has.
        while !self.has_all(&rest) {
            let ranges = self.uncovered(&rest);
            if ranges.is_empty() {
                break;
            }
            for character in ranges.iter().flat_map(|range| self.culprits(&rest[range.clone()])) {
                if !characters.contains(&character) {
                    characters.push(character);
                }
            }
            for range in ranges.into_iter().rev() {
                rest.replace_range(range, "");
            }
        }
        Missing { characters, rest: rest.trim().to_owned() }
    }

    /// Whether it is white space that ends a line, or that no font has.
    fn is_gap(&self, c: char) -> bool {
        let ends = matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        ends || (!c.is_ascii() && c.is_whitespace() && !self.is_in_some(c))
    }

    /// Whether the first font has all of a text: then nothing else needs to be asked.
    fn has_all(&self, text: &str) -> bool {
        let charmap = || Some(self.fonts.faces.first()?.font()?.charmap());
        let printable = |c: char| c == ' ' || c.is_ascii_graphic();
        text.chars().all(printable)
            || charmap().is_some_and(|map| text.chars().all(|c| printable(c) || map.map(c).is_some()))
    }

    fn is_in_some(&self, c: char) -> bool {
        self.fonts.faces.iter().filter_map(super::fonts::Face::font).any(|font| font.charmap().map(c).is_some())
    }

    /// The parts of a text for which there is no glyph, in their order.
    fn uncovered(&self, text: &str) -> Vec<Range<usize>> {
        let mut press = self.press.lock().unwrap_or_else(PoisonError::into_inner);
        let layout = press.shaped(text);
        let runs = layout.lines().flat_map(|line| line.runs().collect::<Vec<_>>());
        let clusters = runs.flat_map(|run| run.clusters().collect::<Vec<_>>());
        let bare = clusters.filter(|cluster| cluster.glyphs().any(|glyph| glyph.id == 0));
        let mut ranges: Vec<Range<usize>> = bare.map(|cluster| cluster.text_range()).collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup();
        ranges
    }

    /// The characters that are at fault where a part of a text has no glyph: those that are in no font, else all, as
    /// they are in different ones and cannot be joined.
    fn culprits(&self, part: &str) -> Vec<char> {
        let without: Vec<char> = part.chars().filter(|c| !self.is_in_some(*c)).collect();
        let visible: Vec<char> = without.iter().copied().filter(|c| !is_joiner(*c)).collect();
        if visible.is_empty() { part.chars().collect() } else { visible }
    }

    /// The text within `area`, in the middle of its height; `centred` or as its script begins: at the left or right edge.
    ///
    /// It takes as many lines as there is room for. Where that is not enough the letters become smaller, and where
    /// this is not enough either the text ends with an ellipsis.
    pub fn set(&self, text: &str, area: Area, centred: bool) -> Vec<Run> {
        let mut press = self.press.lock().unwrap_or_else(PoisonError::into_inner);
        let high = LINE * if centred { HIGH.1 } else { HIGH.0 };
        let usual = (area.height / high).min(area.width / WIDE).clamp(SIZES.0, SIZES.1);
        let room = |size: f32| ((area.height + HAIR) / (size * LINE)).floor().max(1.0);
        let mut layout = press.shaped(text);
        // The letters are shaped once: what differs with their size is how many of them a line takes.
        let fits = |size: &f32| {
            layout.break_all_lines(Some(area.width / size));
            whole_lines(&layout) <= room(*size)
        };
        let mut runs = if let Some(size) = [usual, SIZES.0, LAST].into_iter().find(fits) {
            press.runs(layout, text, Lines { size, area, centred })
        } else {
            let size = SIZES.0;
            let (text, layout) = press.shortened(text, layout, area.width / size, room(size));
            press.runs(layout, &text, Lines { size, area, centred })
        };
        drop(press);
        self.keep_within(&mut runs, area);
        runs
    }

    /// Where letters are drawn beyond their place (stacks of marks, letters wider than a line), everything becomes as
    /// small as it must.
    fn keep_within(&self, runs: &mut [Run], area: Area) {
        let Some(ink) = self.ink(runs) else { return };
        let scale = (area.width / ink.width).min(area.height / ink.height).min(1.0);
        let near =
            |ink: f32, length: f32, from: f32, room: f32| ink.clamp(from, (from + room - length * scale).max(from));
        let x = near(ink.x, ink.width, area.x, area.width);
        let y = near(ink.y, ink.height, area.y, area.height);
        if scale < 1.0 || (x - ink.x).abs() > HAIR || (y - ink.y).abs() > HAIR {
            for run in runs {
                run.x = x + (run.x - ink.x) * scale;
                run.y = y + (run.y - ink.y) * scale;
                run.size *= scale;
            }
        }
    }

    /// The area that the letters' outlines take, if any has one.
    pub fn ink(&self, runs: &[Run]) -> Option<Area> {
        let mut ink: Option<Area> = None;
        for run in runs {
            let font = self.fonts.faces.get(run.face)?.font()?;
            let metrics = font.glyph_metrics(Size::new(run.size), LocationRef::default());
            let mut x = run.x;
            for glyph in &run.glyphs {
                let (left, base) = (x + glyph.dx * run.size, run.y - glyph.dy * run.size);
                x += glyph.advance * run.size;
                let Some(bounds) = metrics.bounds(GlyphId::new(glyph.id)) else { continue };
                let (width, height) = (bounds.x_max - bounds.x_min, bounds.y_max - bounds.y_min);
                if width > 0.0 || height > 0.0 {
                    let area = Area { x: left + bounds.x_min, y: base - bounds.y_max, width, height };
                    ink = Some(ink.map_or(area, |ink| ink.with(area)));
                }
            }
        }
        ink
    }
}

/// How a text stands in its place.
#[derive(Clone, Copy)]
struct Lines {
    size: f32,
    area: Area,
    centred: bool,
}

impl Press {
    /// The text in letters of size 1, on one line.
    fn shaped(&mut self, text: &str) -> Layout<()> {
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(self.families.as_slice().into())));
        builder.push_default(StyleProperty::FontSize(1.0));
        builder.push_default(StyleProperty::LineHeight(LineHeight::Absolute(LINE)));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        let mut layout = builder.build(text);
        layout.break_all_lines(None);
        layout
    }

    /// As much of the beginning of a text as fits in so many lines with an ellipsis behind it. The width is in parts of
    /// the letters' size.
    fn shortened(&mut self, text: &str, mut whole: Layout<()>, width: f32, room: f32) -> (String, Layout<()>) {
        whole.break_all_lines(Some(width));
        // Where the text may end: before each of the letters in the lines that there is room for.
        let mut ends: Vec<usize> = Vec::new();
        for (line, _) in whole.lines().zip(1_u16..).filter(|(_, number)| f32::from(*number) <= room) {
            ends.extend(line.runs().flat_map(|run| run.clusters().map(|it| it.text_range().start).collect::<Vec<_>>()));
        }
        ends.sort_unstable();
        loop {
            let end = ends.pop().unwrap_or_default();
            let mut shortened = text.get(..end).unwrap_or_default().trim_end().to_owned();
            shortened.push(ELLIPSIS);
            let mut layout = self.shaped(&shortened);
            layout.break_all_lines(Some(width));
            if whole_lines(&layout) <= room || end == 0 {
                return (shortened, layout);
            }
        }
    }

    /// The letters of a layout.
    fn runs(&self, mut layout: Layout<()>, text: &str, lines: Lines) -> Vec<Run> {
        let Lines { size, area, centred } = lines;
        layout.align(if centred { Alignment::Center } else { Alignment::Start }, AlignmentOptions::default());
        let top = area.y + (area.height - whole_lines(&layout) * size * LINE) / 2.0;
        let mut runs = Vec::new();
        for item in layout.lines().flat_map(|line| line.items().collect::<Vec<_>>()) {
            let PositionedLayoutItem::GlyphRun(found) = item else { continue };
            let run = found.run();
            let range = run.text_range();
            let mut glyphs = Vec::new();
            for cluster in run.visual_clusters() {
                let part = cluster.text_range();
                let part = part.start.saturating_sub(range.start)..part.end.saturating_sub(range.start);
                glyphs.extend(cluster.glyphs().map(|glyph| Glyph {
                    id: glyph.id,
                    advance: glyph.advance,
                    dx: glyph.x,
                    dy: -glyph.y,
                    range: part.clone(),
                }));
            }
            let face = self.face(run.font());
            let (x, y) = (area.x + found.offset() * size, top + found.baseline() * size);
            let text = text.get(range).unwrap_or_default().to_owned();
            runs.push(Run { face, size, x, y, text, glyphs });
        }
        runs
    }

    /// Which face parley means.
    fn face(&self, font: &FontData) -> usize {
        self.ids.iter().position(|id| *id == font.data.id()).unwrap_or_default()
    }
}

/// How many lines a layout has, as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "a text has a thousand characters at most")]
fn whole_lines(layout: &Layout<()>) -> f32 {
    layout.len() as f32
}

/// Whether a character only says how its neighbours join: it is not what is missing.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
