//! Chooses the mask of a code (ISO/IEC 18004, "Data masking") like the crate `qrcode`, but faster.
//!
//! The crate draws a code eight times and looks at each module. Here a word holds a line of modules, an array holds
//! that word under each of the eight masks, and shifts and bit counts find the features that cost penalty points. The
//! drawing itself comes from the crate: where data goes, what each mask inverts, and the format information.

use std::array;
use std::sync::OnceLock;

use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::{Color, EcLevel, Version};

/// In the order of their numbers in the format information. Of equally good masks the first is taken.
const PATTERNS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// How many modules of a line a word holds. The bit after them repeats the first module of the next word, as the
/// neighbour of the last one, for 2×2 blocks that lie in both.
const STRIDE: usize = 63;

/// Light lines around the modules, because a finder-like pattern also counts at the edge of the code.
const EDGE: usize = 4;

/// A word, or a count, under each mask.
type PerMask = [u64; 8];

/// What all codes of a version and level have in common.
struct Layout {
    side: usize,
    /// The function patterns, with room for data.
    blank: Canvas,
    /// The modules that each mask changes, in the order of [`words`]: data and format information, but not function
    /// patterns.
    masks: Vec<PerMask>,
}

impl Layout {
    fn new(version: Version, level: EcLevel) -> Self {
        let mut blank = Canvas::new(version, level);
        blank.draw_all_functional_patterns();
        let side = usize::from(version.width().unsigned_abs());
        let plain = words(&blank.clone().into_colors(), side);
        let masked = PATTERNS.map(|pattern| {
            let mut canvas = blank.clone();
            canvas.apply_mask(pattern);
            words(&canvas.into_colors(), side)
        });
        let masks = plain.iter().enumerate().map(|(at, plain)| array::from_fn(|mask| masked[mask][at] ^ plain));
        Self { side, masks: masks.collect(), blank }
    }

    /// Built at most once each: all of them take about 5 MB, the one for a UUID 6 KB.
    fn of(version: Version, level: EcLevel) -> Option<&'static Self> {
        static LAYOUTS: [[OnceLock<Layout>; 4]; 40] = [const { [const { OnceLock::new() }; 4] }; 40];
        let Version::Normal(number) = version else { return None };
        let layouts = LAYOUTS.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        Some(layouts.get(level as usize)?.get_or_init(|| Self::new(version, level)))
    }

    /// The penalty of each mask for a code with these unmasked `words` ("Evaluation of data masking results").
    ///
    /// These are the crate's numbers. They differ from the letter of the standard: the share of dark modules costs one
    /// point for every half per cent off the middle, instead of ten for every five. The sum is reduced to 16 bits. Some
    /// 7,000 digits crafted for it overflow; the mask is then worse, but the same as the crate's.
    fn penalties(&self, words: &[u64]) -> PerMask {
        let mut count = Penalties::default();
        let mut lines = vec![[0; 8]; self.side + 2 * EDGE];
        for (part, (words, masks)) in words.chunks(self.side).zip(self.masks.chunks(self.side)).enumerate() {
            for ((line, word), masks) in lines[EDGE..].iter_mut().zip(words).zip(masks) {
                *line = masks.map(|mask| mask ^ word);
            }
            let parts = self.side.div_ceil(STRIDE);
            let remaining = self.side - part % parts * STRIDE;
            let own = ones(remaining.min(STRIDE));
            count.patterns(&lines, own);
            count.runs(&lines[EDGE..][..self.side], own);
            // Blocks and dark modules are counted once, since they are the same in both directions.
            if part < parts {
                count.areas(&lines[EDGE..][..self.side], own, ones(remaining.min(STRIDE + 1) - 1));
            }
        }
        let modules = (self.side * self.side) as u64;
        array::from_fn(|mask| {
            // The finders themselves do not cost anything: three in each of nine lines, in both directions.
            let patterns = 40 * count.patterns[mask].saturating_sub(18);
            let balance = (200 * count.dark[mask] / modules).abs_diff(100);
            let penalty = count.runs[mask] + 3 * count.blocks[mask] + patterns + balance;
            penalty % (1 << 16)
        })
    }
}

/// The modules of the code of `data` and its error correction codewords, row by row, true if dark, under the mask with
/// the lowest penalty. `None` for a Micro QR code.
pub(crate) fn masked(version: Version, level: EcLevel, data: &[u8], correction: &[u8]) -> Option<Vec<bool>> {
    let layout = Layout::of(version, level)?;
    let mut canvas = layout.blank.clone();
    canvas.draw_data(data, correction);
    let words = words(&canvas.into_colors(), layout.side);
    let (_, mask) = layout.penalties(&words).into_iter().zip(0..).min()?;
    let mut modules = Vec::with_capacity(layout.side * layout.side);
    for row in 0..layout.side {
        for at in (row..).step_by(layout.side).take(layout.side.div_ceil(STRIDE)) {
            let word = words[at] ^ layout.masks[at][mask];
            let remaining = layout.side * (row + 1) - modules.len();
            modules.extend((0..remaining.min(STRIDE)).map(|bit| word >> bit & 1 == 1));
        }
    }
    Some(modules)
}

/// The dark modules as bits: the first [`STRIDE`] modules of each row from top to bottom, then the next ones, and so on
/// to the right; then the columns in the same way.
fn words(colors: &[Color], side: usize) -> Vec<u64> {
    let mut words = Vec::with_capacity(2 * side * side.div_ceil(STRIDE));
    for (line, step) in [(side, 1), (1, side)] {
        for first in (0..side).step_by(STRIDE) {
            let last = side.min(first + STRIDE + 1) - 1;
            words.extend((0..side).map(|number| {
                let along = colors[number * line + first * step..=number * line + last * step].iter().step_by(step);
                along.rev().fold(0, |word, color| word << 1 | u64::from(*color == Color::Dark))
            }));
        }
    }
    words
}

fn ones(bits: usize) -> u64 {
    (1 << bits) - 1
}

/// Counts the features that cost penalty points, under each mask. Features along a line are counted across lines, 63
/// lines at once: through the columns' words for the rows, and through the rows' words for the columns.
#[derive(Default)]
struct Penalties {
    /// Points for runs: three for five modules of a colour in a line, and one for each further module.
    runs: PerMask,
    /// 2×2 blocks of one colour, including overlapping ones.
    blocks: PerMask,
    /// Dark and light as 1:1:3:1:1 with four light modules before or after, including the finders themselves.
    patterns: PerMask,
    dark: PerMask,
}

impl Penalties {
    fn runs(&mut self, lines: &[PerMask], own: u64) {
        let mut before = PerMask::default();
        for [a, b, c, d, e] in lines.array_windows() {
            for mask in 0..8 {
                let all = a[mask] & b[mask] & c[mask] & d[mask] & e[mask];
                let any = a[mask] | b[mask] | c[mask] | d[mask] | e[mask];
                let five = (all | !any) & own;
                // A run of n has n - 4 windows of five, one of which is the first, and costs n - 2.
                self.runs[mask] += ones_of(five) + 2 * ones_of(five & !before[mask]);
                before[mask] = five;
            }
        }
    }

    fn patterns(&mut self, lines: &[PerMask], own: u64) {
        for [a, b, c, d, dark, light, x, y, z, light_too, dark_too, e, f, g, h] in lines.array_windows() {
            for mask in 0..8 {
                let ends = dark[mask] & !light[mask] & !light_too[mask] & dark_too[mask];
                let before = a[mask] | b[mask] | c[mask] | d[mask];
                let after = e[mask] | f[mask] | g[mask] | h[mask];
                let found = ends & x[mask] & y[mask] & z[mask] & !(before & after) & own;
                self.patterns[mask] += ones_of(found);
            }
        }
    }

    fn areas(&mut self, lines: &[PerMask], own: u64, pairs: u64) {
        for mask in 0..8 {
            self.dark[mask] += lines.iter().map(|line| ones_of(line[mask] & own)).sum::<u64>();
        }
        for [a, b] in lines.array_windows() {
            for mask in 0..8 {
                let (a, down) = (a[mask], !(a[mask] ^ b[mask]));
                self.blocks[mask] += ones_of(down & down >> 1 & !(a ^ a >> 1) & pairs);
            }
        }
    }
}

fn ones_of(word: u64) -> u64 {
    u64::from(word.count_ones())
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
