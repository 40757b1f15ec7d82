//! A text as a QR code (ISO/IEC 18004), as modules, outlines, SVG and PNG, and a cache of codes.

use std::io::Write as _;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use qrcode::bits::Bits;
use qrcode::ec::construct_codewords;
use qrcode::optimize::{Optimizer, Parser, Segment, total_encoded_len};
use qrcode::types::Mode;
use qrcode::{EcLevel, Version};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::trace::Grid;
use super::{mask, trace};

/// Light modules on each side of a code (ISO/IEC 18004, "quiet zone"), by which scanners find the code.
pub const QUIET_ZONE: u16 = 4;

/// Most pixels per module in [`Code::png`]; the largest code is then 11,840 pixels wide.
pub const MAX_PIXELS_PER_MODULE: u32 = 64;

/// UTF-8 as an extended channel interpretation (AIM ECI assignment 26).
const UTF_8: u32 = 26;

/// The bits of a mode indicator and of an assignment below 128 (ISO/IEC 18004, "ECI mode").
const ECI_BITS: usize = 4 + 8;

/// The default size of a stand-alone SVG, in CSS pixels per module.
const SVG_PIXELS_PER_MODULE: u32 = 8;

/// Size limit of the cache in bytes: about 5,000 codes of a UUID, or 300 of 1,000 letters.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// The expected number of codes in the cache, which determines the number of shards: at most one per 32 codes. A shard
/// then holds at least 128 KiB, and the largest possible code fits.
const CACHE_CODES: usize = 4096;

/// The text does not fit into the largest QR code: 2,953 bytes, or more if it is digits and capitals; 2,952 if it is not
/// ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The text is too long for a QR code")]
pub struct TooLong;

/// The error correction level: how much of a damaged code can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// About 7 %.
    L,
    /// About 15 %, the usual one for print.
    M,
}

impl Level {
    fn ec(self) -> EcLevel {
        match self {
            Self::L => EcLevel::L,
            Self::M => EcLevel::M,
        }
    }
}

/// The QR code of a text. Equal texts give equal codes.
///
/// Coordinates count modules from the top left corner of the quiet zone, x to the right and y down.
#[derive(Debug)]
pub struct Code {
    text: Box<str>,
    side: u16,
    /// Row by row, quiet zone included.
    dark: Box<[bool]>,
    /// Traced on demand: drawing the modules does not need it.
    path: OnceLock<Box<str>>,
}

impl Code {
    /// Calls `visit` with the corners of each outline, without collecting a list.
    pub(crate) fn each_outline(&self, visit: impl FnMut(&[(i32, i32)])) {
        self.grid().each_outline(visit);
    }

    fn grid(&self) -> Grid<'_> {
        Grid { dark: &self.dark, side: self.side }
    }

    /// The smallest code of `text` at error correction level M, the usual one for print (it restores about 15 % of the
    /// code). A text too long for M, beyond 2,331 bytes of ASCII, gets level L (about 7 %).
    ///
    /// Takes about 0.01 ms for a UUID and 0.3 ms for 1,000 letters, half of it for tracing the outlines.
    ///
    /// # Errors
    /// The text does not fit at level L either.
    pub fn new(text: &str) -> Result<Self, TooLong> {
        let code = Self::at_level(text, Level::M).or_else(|_| Self::at_level(text, Level::L))?;
        // Traces the path now, so that a code in the cache is traced only once.
        code.path();
        Ok(code)
    }

    /// The smallest code of `text` at this level. Its path is traced only on demand, which halves the time.
    ///
    /// # Errors
    /// The text does not fit at this level.
    pub(crate) fn at_level(text: &str, level: Level) -> Result<Self, TooLong> {
        let (version, modules) = encode(text, level.ec()).ok_or(TooLong)?;
        let bare = 17 + 4 * version;
        let side = bare + 2 * QUIET_ZONE;
        let mut dark = vec![false; usize::from(side) * usize::from(side)];
        let rows = dark.chunks_mut(side.into()).skip(QUIET_ZONE.into()).zip(modules.chunks(bare.into()));
        for (row, modules) in rows {
            row[QUIET_ZONE.into()..][..modules.len()].copy_from_slice(modules);
        }
        Ok(Self { text: text.into(), side, dark: dark.into(), path: OnceLock::new() })
    }

    /// The width of the code of `text` at this level in modules, without the quiet zone, if it fits: 21 to 177. Takes a
    /// fraction of the time for the code itself.
    pub(crate) fn modules_of(text: &str, level: Level) -> Option<u16> {
        fitting(text.as_bytes(), level.ec()).map(|(number, ..)| 17 + 4 * number)
    }

    /// The width in modules, without the quiet zone.
    pub(crate) fn modules(&self) -> u16 {
        self.side - 2 * QUIET_ZONE
    }

    /// The width in modules, with the quiet zone: 29 to 185.
    pub fn side(&self) -> u16 {
        self.side
    }

    /// Which modules are dark, row by row, quiet zone included.
    pub fn dark(&self) -> &[bool] {
        &self.dark
    }

    /// The outlines as the `d` attribute of one SVG path, in modules: for `viewBox="0 0 side side"`.
    pub(crate) fn path(&self) -> &str {
        self.path.get_or_init(|| trace::svg_path(self.grid()).into())
    }

    /// A stand-alone SVG file: black on white, with the text as its title.
    pub fn svg(&self) -> String {
        let (side, path, title) = (self.side, self.path(), xml_escaped(&self.text));
        let pixels = u32::from(side) * SVG_PIXELS_PER_MODULE;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{pixels}" height="{pixels}"
 shape-rendering="crispEdges">
<title>{title}</title>
<path fill="#fff" d="M0 0h{side}v{side}H0z"/>
<path d="{path}"/>
</svg>
"##
        )
    }

    /// A PNG file in greyscale with one bit per pixel, including the quiet zone. Equal codes give equal bytes.
    ///
    /// `pixels_per_module` is limited to 1 to [`MAX_PIXELS_PER_MODULE`].
    pub(crate) fn png(&self, pixels_per_module: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let written = self.write_png(pixels_per_module.clamp(1, MAX_PIXELS_PER_MODULE), &mut file);
        debug_assert!(written.is_ok(), "memory takes every byte, and there are as many rows as were announced");
        file
    }

    fn write_png(&self, scale: u32, file: &mut Vec<u8>) -> Result<(), png::EncodingError> {
        const BITS: [u8; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
        let pixels = u32::from(self.side) * scale;
        let mut encoder = png::Encoder::new(file, pixels, pixels);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        // Most rows repeat the one above: this filter turns them into zeros.
        encoder.set_filter(png::Filter::Up);
        let mut writer = encoder.write_header()?;
        let mut rows = writer.stream_writer()?;
        for modules in self.dark.chunks(self.side.into()) {
            let light: Vec<bool> = modules.iter().flat_map(|dark| (0..scale).map(move |_| !dark)).collect();
            let byte = |eight: &[bool]| eight.iter().zip(BITS).map(|(light, bit)| u8::from(*light) * bit).sum();
            let row: Vec<u8> = light.chunks(8).map(byte).collect();
            for _ in 0..scale {
                rows.write_all(&row)?;
            }
        }
        rows.finish()?;
        writer.finish()
    }

    /// The entity tag for the code's images, without quotes: the same for the same text and program version.
    pub(crate) fn tag(&self) -> String {
        // What is not ASCII had other codes once, without an ECI, which a browser may have kept.
        let eci = if self.text.is_ascii() { "" } else { "ECI 26\n" };
        let digest = Sha256::new().chain_update(concat!(env!("CARGO_PKG_VERSION"), "\n")).chain_update(eci);
        let digest = digest.chain_update(&*self.text);
        BASE64_URL_SAFE_NO_PAD.encode(&digest.finalize()[..16])
    }
}

/// The smallest version that holds `text` at `level`, if any, and its modules row by row.
///
/// Uses the crate except for two things: the mask, which takes the crate nearly all of its time (see `mask.rs`), and
/// the choice of modes. The crate takes pairs of UTF-8 bytes that could be Shift JIS for Kanji, and a scanner then
/// shows other characters (zxing issue 708). Here they are bytes.
///
/// By the letter of the standard, bytes without an ECI are ISO 8859-1. Phones guess UTF-8 if they are valid UTF-8
/// (zxing's `StringUtils.guessCharset`), but others guess otherwise: zbar, which many tills use, takes `Straße` for
/// Shift JIS. Therefore a code of more than ASCII says that it is UTF-8. Some hand scanners type the ECI's number then;
/// so a code of ASCII, which all read alike, has none.
fn encode(text: &str, level: EcLevel) -> Option<(u16, Vec<bool>)> {
    let data = text.as_bytes();
    let (number, version, segments) = fitting(data, level)?;
    let mut bits = Bits::new(version);
    if !text.is_ascii() {
        bits.push_eci_designator(UTF_8).ok()?;
    }
    bits.push_segments(data, segments.into_iter()).ok()?;
    bits.push_terminator(level).ok()?;
    let (data, correction) = construct_codewords(&bits.into_bytes(), version, level).ok()?;
    Some((number, mask::masked(version, level, &data, &correction)?))
}

/// The smallest version that holds `data` at `level`, if any, and the segments for it.
fn fitting(data: &[u8], level: EcLevel) -> Option<(u16, Version, Vec<Segment>)> {
    let segments = segments(data);
    let eci = if data.is_ascii() { 0 } else { ECI_BITS };
    // Segment headers grow only at versions 10 and 27; only there the best choice of modes may change.
    [1..=9, 10..=26, 27..=40].into_iter().find_map(|mut numbers: RangeInclusive<u16>| {
        let normal = |number: u16| number.try_into().map(Version::Normal).ok();
        let largest = normal(*numbers.end())?;
        let segments: Vec<Segment> = Optimizer::new(segments.iter().copied(), largest).collect();
        let length = eci + total_encoded_len(&segments, largest);
        let fits = |version| Bits::new(version).max_len(level).is_ok_and(|limit| length <= limit);
        let (number, version) =
            numbers.find_map(|number| Some((number, normal(number).filter(|version| fits(*version))?)))?;
        Some((number, version, segments))
    })
}

/// Splits `data` into segments by mode, without Kanji.
fn segments(data: &[u8]) -> Vec<Segment> {
    let without_kanji = |mode| if mode == Mode::Kanji { Mode::Byte } else { mode };
    Parser::new(data).map(|segment| Segment { mode: without_kanji(segment.mode), ..segment }).collect()
}

/// Escapes `text` as XML character data. Characters that XML 1.0 cannot contain, even escaped, become U+FFFD.
pub fn xml_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A cache of recently used codes, of at most about 16 MiB. Shared by threads.
///
/// `quick_cache`, because it limits bytes, has a lock per shard which is never held while a code is made, makes a code
/// only once when several threads want it at the same time, and is small. `lru` behind a mutex does none of that.
#[derive(Debug)]
pub struct Codes(Cache<String, Arc<Code>, Bytes>);

impl Codes {
    fn with_room(codes: usize, bytes: u64) -> Self {
        Self(Cache::with_weighter(codes, bytes, Bytes))
    }

    /// The code of `text`. Waits if another thread is just making it.
    ///
    /// # Errors
    /// The text does not fit into a QR code.
    pub(crate) fn get(&self, text: &str) -> Result<Arc<Code>, TooLong> {
        self.0.get_or_insert_with(text, || Code::new(text).map(Arc::new))
    }
}

impl Default for Codes {
    fn default() -> Self {
        Self::with_room(CACHE_CODES, CACHE_BYTES)
    }
}

/// Weighs an entry by its memory.
#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<String, Arc<Code>> for Bytes {
    fn weight(&self, text: &String, code: &Arc<Code>) -> u64 {
        (size_of::<Code>() + 2 * text.len() + code.dark.len() + code.path().len()) as u64
    }
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
