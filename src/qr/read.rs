//! Reads QR codes off pictures. Uses `rxing`, a port of zxing and its C++ version, and another library than the one that
//! makes the codes, so that the bugs of either show.

use rxing::common::cpp_essentials::DecoderResult;
use rxing::common::{BitMatrix, DetectorRXingResult, ECIStringBuilder, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, FinderPatternSet, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer, Luma8Source, Point};

/// A picture in shades of grey, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grey {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// A code that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadCode {
    /// Its text as phones read it: bytes without a character set are UTF-8 if they can be.
    pub text: String,
    /// Its text by the letter of ISO/IEC 18004, as many tills read it: bytes without a character set are ISO 8859-1.
    pub by_the_letter: String,
    /// Its centre in the picture, in pixels.
    pub centre: (f32, f32),
}

/// Up to this many pixels a picture is read as it is, and what is larger is first read in a smaller copy, in which most
/// codes are still large enough: that takes less time, and there is less noise.
const QUICK_PIXELS: usize = 2_000_000;

/// Copies of more pixels than this are not read: codes that only they would show are too small to be held up.
const MOST_PIXELS: usize = 5_000_000;

/// A picture with more places than this that look like a code's corner is not read: looking at them would take minutes,
/// and only who wants that sends it. Pure noise has 2,000 in a million pixels, and a photo hardly any.
const MOST_CORNERS: usize = 10_000;

/// So many sets of three corners are tried in a picture, the most likely ones first.
const MOST_SETS: usize = 2_000;

/// Copies whose shorter side has fewer pixels than this are not read: they show no code.
const LEAST_SIDE: u32 = 160;

impl Grey {
    /// A picture, if there are as many pixels as its width and height say.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let count = usize::try_from(u64::from(width) * u64::from(height)).ok()?;
        (count > 0 && pixels.len() == count).then_some(Self { width, height, pixels })
    }

    /// A copy with half the width and height, of which each pixel is the mean of four.
    fn half(&self) -> Option<Self> {
        let (width, row) = ((self.width / 2) as usize, self.width as usize);
        let mut pixels = Vec::with_capacity(self.pixels.len() / 4);
        for rows in self.pixels.chunks_exact(2 * row) {
            let (upper, lower) = rows.split_at(row);
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            let sum = |pair: &[u8]| pair.iter().map(|pixel| u16::from(*pixel)).sum::<u16>();
            // The mean of four bytes.
            #[allow(clippy::cast_possible_truncation)]
            pixels.extend(pairs.take(width).map(|(upper, lower)| ((sum(upper) + sum(lower) + 2) / 4) as u8));
        }
        Self::new(self.width / 2, self.height / 2, pixels)
    }

    /// Black and white, by the light around each pixel.
    fn black(&self) -> Option<BitMatrix> {
        let source = Luma8Source::new_with_slice(&self.pixels, self.width, self.height).ok()?;
        HybridBinarizer::new(source).get_black_matrix().ok().cloned()
    }

    fn shorter_side(&self) -> u32 {
        self.width.min(self.height)
    }
}

/// The text of a code in a picture, be it black on white or white on black, if one is found. While it looks, which takes a
/// few milliseconds a million pixels, it asks `goes_on` whether it is still wanted.
pub fn read_text(picture: Grey, goes_on: &mut dyn FnMut() -> bool) -> Option<String> {
    let mut copies = vec![picture];
    while let Some(half) = copies.last().filter(|last| last.shorter_side() >= 2 * LEAST_SIDE).and_then(Grey::half) {
        copies.push(half);
    }
    let (quick, slow): (Vec<Grey>, Vec<Grey>) = copies.into_iter().partition(|it| it.pixels.len() <= QUICK_PIXELS);
    let slow = slow.into_iter().rev().filter(|copy| copy.pixels.len() <= MOST_PIXELS);
    for copy in quick.into_iter().chain(slow) {
        let Some(mut black) = copy.black() else { continue };
        for is_inverted in [false, true] {
            if is_inverted {
                black.flip_self();
            }
            if !goes_on() {
                return None;
            }
            if is_crowded(&black) {
                continue;
            }
            let mut sets = corner_sets(&black).into_iter().take(MOST_SETS).take_while(|_| goes_on());
            if let Some(code) = sets.find_map(|corners| read_code(&black, &corners)) {
                return Some(code.text);
            }
        }
    }
    None
}

/// Whether a picture has too many places that look like a code's corner: dark and light in turn, about 1:1:3:1:1.
fn is_crowded(picture: &BitMatrix) -> bool {
    let mut corners = 0;
    for y in (0..picture.height()).step_by(3) {
        let (mut runs, mut run, mut was_dark) = ([0_u32; 5], 0, false);
        for x in 0..picture.width() {
            let is_dark = picture.get(x, y);
            if is_dark != was_dark {
                runs = [runs[1], runs[2], runs[3], runs[4], run];
                corners += usize::from(was_dark && is_corner(runs));
                (run, was_dark) = (0, is_dark);
            }
            run += 1;
        }
    }
    corners > MOST_CORNERS
}

fn is_corner([dark, light, middle, other_light, other_dark]: [u32; 5]) -> bool {
    let is_beside = |run: u32, share: u32| run * share <= middle && run * 6 >= middle;
    middle >= 3
        && [dark, other_dark].into_iter().all(|run| is_beside(run, 2))
        && [light, other_light].into_iter().all(|run| is_beside(run, 1))
}

fn corner_sets(picture: &BitMatrix) -> Vec<FinderPatternSet> {
    GenerateFinderPatternSets(&mut FindFinderPatterns(picture, true, 0))
}

/// The codes in a picture in black and white.
pub(crate) fn read_codes(picture: &BitMatrix) -> impl Iterator<Item = ReadCode> {
    corner_sets(picture).into_iter().filter_map(|corners| read_code(picture, &corners))
}

fn read_code(picture: &BitMatrix, corners: &FinderPatternSet) -> Option<ReadCode> {
    let found = SampleQR(picture, corners).ok()?;
    let decoded = Decode(found.getBits()).ok().filter(DecoderResult::isValid)?;
    let mean = |of: fn(&Point) -> f32| found.getPoints().iter().map(of).sum::<f32>() / 4.0;
    let (text, by_the_letter) = texts(decoded.content());
    Some(ReadCode { text, by_the_letter, centre: (mean(|point| point.x), mean(|point| point.y)) })
}

/// The text of a code as phones read it, and by the letter of the standard.
fn texts(content: &ECIStringBuilder) -> (String, String) {
    if content.has_eci {
        let text = content.to_string();
        return (text.clone(), text);
    }
    let by_the_letter = content.bytes().iter().copied().map(char::from).collect();
    let text = String::from_utf8(content.bytes().to_vec()).unwrap_or_else(|_| content.to_string());
    (text, by_the_letter)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
