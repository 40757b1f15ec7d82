//! The mask of a code (ISO/IEC 18004, "Data masking"), chosen as the crate `qrcode` chooses it, only faster.
//!
//! The crate draws a code eight times and looks at one module after another. Here a word holds a line of modules, a
//! vector the same word under each of the eight masks, and the features that cost are counted with shifts and bit
//! counts. What is drawn still comes from the crate: where data goes, what each mask inverts, and how it is announced
//! in the format information.

use std::array;
use std::sync::OnceLock;

use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::{Color, EcLevel, Version};

/// By their number in the format information, which is also the order in which the first of the best is taken.
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

/// How many modules of a line a word counts. The bit after them is the first of the next word once more: the
/// neighbour of the last, for the blocks that lie in both.
const STRIDE: usize = 63;

/// Light lines around the modules, because a pattern is a finder's also where the code ends beside it.
const EDGE: usize = 4;

/// What a word, or what is counted in it, is under each mask.
type Eight = [u64; 8];

/// What all codes of a version and level have in common.
struct Layout {
    side: usize,
    /// With the function patterns, and room for data.
    blank: Canvas,
    /// What each mask changes, function patterns apart, in the order of [`words`]: data, and the format information.
    masks: Vec<Eight>,
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

    /// Made at most once: all of them are about 5 MB, the one for a UUID 6 KB.
    fn of(version: Version, level: EcLevel) -> Option<&'static Self> {
        static LAYOUTS: [[OnceLock<Layout>; 4]; 40] = [const { [const { OnceLock::new() }; 4] }; 40];
        let Version::Normal(number) = version else { return None };
        let layouts = LAYOUTS.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        Some(layouts.get(level as usize)?.get_or_init(|| Self::new(version, level)))
    }

    /// The penalty of each mask for a code that is `words` before masking ("Evaluation of data masking results").
    ///
    /// The crate's figures, which differ from the standard's letter in that the share of dark modules costs a point for
    /// every half per cent off the middle instead of ten for every five. Of the sum it keeps 16 bits: some 7,000 digits
    /// made for it overflow, and then the mask is poorer, but the same.
    fn penalties(&self, words: &[u64]) -> Eight {
        let mut count = Count::default();
        let mut lines = vec![[0; 8]; self.side + 2 * EDGE];
        for (part, (words, masks)) in words.chunks(self.side).zip(self.masks.chunks(self.side)).enumerate() {
            for ((line, word), masks) in lines[EDGE..].iter_mut().zip(words).zip(masks) {
                *line = masks.map(|mask| mask ^ word);
            }
            let parts = self.side.div_ceil(STRIDE);
            let left = self.side - part % parts * STRIDE;
            let own = ones(left.min(STRIDE));
            count.patterns(&lines, own);
            count.runs(&lines[EDGE..][..self.side], own);
            // Blocks and dark modules are the same whichever way one looks.
            if part < parts {
                count.areas(&lines[EDGE..][..self.side], own, ones(left.min(STRIDE + 1) - 1));
            }
        }
        let modules = (self.side * self.side) as u64;
        array::from_fn(|mask| {
            // The finders themselves: three in each of nine lines, both ways, cost nothing.
            let patterns = 40 * count.patterns[mask].saturating_sub(18);
            let balance = (200 * count.dark[mask] / modules).abs_diff(100);
            let penalty = count.runs[mask] + 3 * count.blocks[mask] + patterns + balance;
            penalty % (1 << 16)
        })
    }
}

/// The modules of the code of `data` and its error correction codewords, row by row, true where dark, with the mask of the
/// lowest penalty. `None` for a Micro QR code.
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
            let left = layout.side * (row + 1) - modules.len();
            modules.extend((0..left.min(STRIDE)).map(|bit| word >> bit & 1 == 1));
        }
    }
    Some(modules)
}

/// The dark modules as bits: the rows' first [`STRIDE`] modules, first row first, then their next ones, and so on to the
/// right; then the columns in the same way.
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

/// The features that cost, under each mask. What goes along a line is counted across lines: in 63 lines at once, of the
/// columns for the rows and of the rows for the columns.
#[derive(Default)]
struct Count {
    /// Points: three for five modules of a colour in a line, and one for each more.
    runs: Eight,
    /// Squares of two by two modules of a colour, also overlapping.
    blocks: Eight,
    /// Dark and light as 1:1:3:1:1, the finders' own included, with four light modules before or after.
    patterns: Eight,
    dark: Eight,
}

impl Count {
    fn runs(&mut self, lines: &[Eight], own: u64) {
        let mut before = Eight::default();
        for [a, b, c, d, e] in lines.array_windows() {
            for mask in 0..8 {
                let all = a[mask] & b[mask] & c[mask] & d[mask] & e[mask];
                let any = a[mask] | b[mask] | c[mask] | d[mask] | e[mask];
                let five = (all | !any) & own;
                // A run of n is n - 4 times five, of which one is the first, and costs n - 2.
                self.runs[mask] += ones_of(five) + 2 * ones_of(five & !before[mask]);
                before[mask] = five;
            }
        }
    }

    fn patterns(&mut self, lines: &[Eight], own: u64) {
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

    fn areas(&mut self, lines: &[Eight], own: u64, pairs: u64) {
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
