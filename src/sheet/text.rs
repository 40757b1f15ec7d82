//! Sets text in lines within an area.
//!
//! parley knows scripts, directions and line breaks, from Unicode and the fonts. This module decides on the size, the
//! number of lines and what is left out, and ensures that nothing leaves the area.

use std::fmt;
use std::iter::successors;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use skrifa::instance::{LocationRef, Size};
use skrifa::{GlyphId, MetadataProvider};

use super::draw::Run;
use super::fonts::Fonts;
use super::label_layout::Area;
use super::text_shaper::{LINE, Lines, TextShaper, line_count};
use super::text_size::TextSize;

/// A point, the unit of font sizes, in millimetres.
const POINT: f32 = 25.4 / 72.0;
/// The smallest and the largest usual font size: readable at arm's length, and in proportion to a code.
const USUAL_SIZES: (f32, f32) = (6.0 * POINT, 11.0 * POINT);
/// An even smaller size for text that does not fit otherwise: with it, a uid fits on the smallest label.
const MIN_SIZE: f32 = 5.0 * POINT;
/// The steps in which the font size is reduced until the text fits.
const STEP: f32 = 0.5 * POINT;
/// The height of an area, in lines of the usual font size: beside a code, and below it.
const AREA_LINES: (f32, f32) = (9.0, 2.0);
/// The least width of an area, in ems of the usual font size.
const AREA_EMS: f32 = 5.0;
/// The size of a second text, in terms of the first one's.
const SECOND_SIZE: f32 = 0.8;
/// The share of an area's height that a second text may take.
const SECOND_SHARE: f32 = 0.35;
/// The space above a second text, in terms of its size.
const SECOND_GAP: f32 = 0.4;
/// Tolerance when comparing lengths, in millimetres.
const TOLERANCE: f32 = 0.001;

/// Sets texts, on one thread at a time; other threads wait.
pub(crate) struct Typesetter {
    fonts: Arc<Fonts>,
    shaper: Mutex<TextShaper>,
}

/// The characters of a text that no font has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The characters, once each.
    pub(crate) characters: Vec<char>,
    /// The text without them, on one line.
    pub(crate) rest: String,
}

impl fmt::Debug for Typesetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typesetter").field("fonts", &self.fonts).finish_non_exhaustive()
    }
}

impl Typesetter {
    /// Uses these fonts and no system fonts: the print must not depend on the machine.
    pub(crate) fn new(fonts: &Arc<Fonts>) -> Self {
        let shaper = TextShaper::new(fonts);
        Self { fonts: Arc::clone(fonts), shaper: Mutex::new(shaper) }
    }

    /// The characters of `text` that no font has. White space that would end a line becomes a space in the rest.
    pub(crate) fn missing(&self, text: &str) -> Missing {
        let mut rest: String = text.chars().map(|c| if self.is_gap(c) { ' ' } else { c }).collect();
        let mut characters = Vec::new();
        // The rest may form new combinations that no font has.
        while !self.has_all(&rest) {
            let ranges = self.uncovered(&rest);
            if ranges.is_empty() {
                break;
            }
            for character in ranges.iter().flat_map(|range| self.characters_to_blame(&rest[range.clone()])) {
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

    /// Whether a character is white space that ends a line, or white space that no font has.
    fn is_gap(&self, c: char) -> bool {
        let ends = matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        ends || (!c.is_ascii() && c.is_whitespace() && !self.is_in_some(c))
    }

    /// Whether the first font has all characters of a text: a fast path.
    fn has_all(&self, text: &str) -> bool {
        let charmap = || Some(self.fonts.faces.first()?.font()?.charmap());
        let printable = |c: char| c == ' ' || c.is_ascii_graphic();
        text.chars().all(printable)
            || charmap().is_some_and(|map| text.chars().all(|c| printable(c) || map.map(c).is_some()))
    }

    fn is_in_some(&self, c: char) -> bool {
        self.fonts.faces.iter().filter_map(super::fonts::Face::font).any(|font| font.charmap().map(c).is_some())
    }

    /// The parts of a text without a glyph, in order.
    fn uncovered(&self, text: &str) -> Vec<Range<usize>> {
        let mut shaper = self.shaper.lock().unwrap_or_else(PoisonError::into_inner);
        let layout = shaper.shape(text);
        let runs = layout.lines().flat_map(|line| line.runs().collect::<Vec<_>>());
        let clusters = runs.flat_map(|run| run.clusters().collect::<Vec<_>>());
        let without_glyph = clusters.filter(|cluster| cluster.glyphs().any(|glyph| glyph.id == 0));
        let mut ranges: Vec<Range<usize>> = without_glyph.map(|cluster| cluster.text_range()).collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup();
        ranges
    }

    /// The characters to blame for a part without a glyph: those that no font has, otherwise all of them, because they
    /// are in different fonts and cannot be combined.
    fn characters_to_blame(&self, part: &str) -> Vec<char> {
        let without: Vec<char> = part.chars().filter(|c| !self.is_in_some(*c)).collect();
        let visible: Vec<char> = without.iter().copied().filter(|c| !is_joiner(*c)).collect();
        if visible.is_empty() { part.chars().collect() } else { visible }
    }

    /// Sets the text within `area`, centred vertically. Horizontally it is centred if `centred`, otherwise it begins at
    /// the left or right edge, as its script does.
    ///
    /// It uses as many lines as fit. If that is not enough, the letters become smaller, and if that is still not
    /// enough, the text ends with an ellipsis.
    pub(crate) fn set(&self, text: &str, area: Area, centred: bool) -> Vec<Run> {
        self.set_from(self.first_size(text, area, centred, TextSize::Medium), text, area, centred)
    }

    /// Sets the text of a label and a second, smaller one below it, the two centred together.
    pub(crate) fn set_label(&self, texts: [Option<&str>; 2], area: Area, centred: bool, size: TextSize) -> Vec<Run> {
        let (first, second) = match texts {
            [Some(first), Some(second)] => (first, second),
            [text, other] => {
                let Some(text) = text.or(other) else { return Vec::new() };
                return self.set_from(self.first_size(text, area, centred, size), text, area, centred);
            }
        };
        let size = self.first_size(first, area, centred, size);
        let second_size = (size * SECOND_SIZE).max(MIN_SIZE);
        let second_height = (area.height * SECOND_SHARE).max(MIN_SIZE * LINE).min(area.height / 2.0);
        let height = area.height - second_height;
        let mut runs = self.set_from(size, first, Area { height, ..area }, centred);
        let lower = Area { y: area.y + height, height: second_height, ..area };
        let mut below = self.set_from(second_size, second, lower, centred);
        if let (Some(upper), Some(lower)) = (self.ink(&runs), self.ink(&below)) {
            let free = area.height - upper.height - lower.height;
            let gap = (second_size * SECOND_GAP).min(free);
            let top = area.y + (free - gap) / 2.0;
            for run in &mut runs {
                run.y += top - upper.y;
            }
            for run in &mut below {
                run.y += top + upper.height + gap - lower.y;
            }
        }
        runs.append(&mut below);
        runs
    }

    /// The font size to begin with. A large text becomes no larger than its longest word allows.
    fn first_size(&self, text: &str, area: Area, centred: bool, size: TextSize) -> f32 {
        let high = LINE * if centred { AREA_LINES.1 } else { AREA_LINES.0 };
        let usual = (area.height / high).min(area.width / AREA_EMS).clamp(USUAL_SIZES.0, USUAL_SIZES.1);
        let wanted = (usual * size.factor()).max(MIN_SIZE);
        if wanted <= usual {
            return wanted;
        }
        let mut shaper = self.shaper.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = text.split_whitespace().map(|word| shaper.shape(word).width()).fold(0.0, f32::max);
        wanted.min((area.width / longest).max(usual))
    }

    /// Sets the text in this font size, or in a smaller one if it does not fit.
    fn set_from(&self, usual: f32, text: &str, area: Area, centred: bool) -> Vec<Run> {
        let mut shaper = self.shaper.lock().unwrap_or_else(PoisonError::into_inner);
        let max_lines = |size: f32| ((area.height + TOLERANCE) / (size * LINE)).floor().max(1.0);
        let mut sizes = successors(Some(usual), |size| (*size > MIN_SIZE).then_some((size - STEP).max(MIN_SIZE)));
        let mut layout = shaper.shape(text);
        let length = layout.width();
        // The text is shaped once: the size only determines how much of it fits on a line.
        let fits = |size: &f32| {
            let (width, max_lines) = (area.width / size, max_lines(*size));
            // Most sizes of a long text turn out to be too large without breaking lines.
            length <= width * max_lines && {
                layout.break_all_lines(Some(width));
                line_count(&layout) <= max_lines
            }
        };
        let mut runs = if let Some(size) = sizes.find(fits) {
            shaper.runs(layout, text, Lines { size, area, centred })
        } else {
            let size = USUAL_SIZES.0.min(usual);
            let (text, layout) = shaper.shorten(text, layout, area.width / size, max_lines(size));
            shaper.runs(layout, &text, Lines { size, area, centred })
        };
        drop(shaper);
        self.keep_within(&mut runs, area);
        runs
    }

    /// Shrinks everything if something is drawn outside the area, such as stacked marks or letters wider than a line.
    fn keep_within(&self, runs: &mut [Run], area: Area) {
        let Some(ink) = self.ink(runs) else { return };
        let scale = (area.width / ink.width).min(area.height / ink.height).min(1.0);
        let shift = |ink: f32, length: f32, from: f32, available: f32| {
            ink.clamp(from, (from + available - length * scale).max(from))
        };
        let x = shift(ink.x, ink.width, area.x, area.width);
        let y = shift(ink.y, ink.height, area.y, area.height);
        if scale < 1.0 || (x - ink.x).abs() > TOLERANCE || (y - ink.y).abs() > TOLERANCE {
            for run in runs {
                run.x = x + (run.x - ink.x) * scale;
                run.y = y + (run.y - ink.y) * scale;
                run.size *= scale;
            }
        }
    }

    /// The bounding box of the letters' outlines, if there are any.
    pub(crate) fn ink(&self, runs: &[Run]) -> Option<Area> {
        let mut ink: Option<Area> = None;
        for run in runs {
            let font = self.fonts.faces.get(run.face)?.font()?;
            // In the font's units: sizes are rounded to 1/64, which is too coarse in millimetres.
            let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
            let unit = run.size / f32::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em.max(1));
            let mut x = run.x;
            for glyph in &run.glyphs {
                let (left, base) = (x + glyph.dx * run.size, run.y - glyph.dy * run.size);
                x += glyph.advance * run.size;
                let Some(bounds) = metrics.bounds(GlyphId::new(glyph.id)) else { continue };
                let (width, height) = ((bounds.x_max - bounds.x_min) * unit, (bounds.y_max - bounds.y_min) * unit);
                if width > 0.0 || height > 0.0 {
                    let area = Area { x: left + bounds.x_min * unit, y: base - bounds.y_max * unit, width, height };
                    ink = Some(ink.map_or(area, |ink| ink.with(area)));
                }
            }
        }
        ink
    }
}

/// Whether a character only controls how its neighbours join: it is not the missing one.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
