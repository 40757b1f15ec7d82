//! A photo as it is sent, and the shades of grey in it. What it takes in memory is known from its first bytes, and bounded.

use std::io::Cursor;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use png::{ColorType, InterlaceInfo, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::qr::read::Grey;
use crate::token::{Problem, TokenError};
use crate::web::error::Error;
use crate::web::words;

/// Most bytes of a photo: phones' have 2 to 6 MiB.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Most pixels of a photo: phones' have 12 or 24 million, unless their owners want more.
const MOST_PIXELS: usize = 25_000_000;

/// Most pixels along a side.
const MOST_ALONG: usize = 16_384;

/// Most pixels of a JPEG that is not stored by its luma: it takes four times as much in memory. No camera makes one.
const MOST_IN_OTHER_COLOURS: usize = 6_000_000;

/// Passes in which a JPEG may be stored: programs make 10 or so, and each takes as long as a whole picture.
const MOST_PASSES: usize = 32;

/// What a PNG may take in memory beside its pixels: a few rows and a palette.
const PNG_BYTES: usize = 4 * 1024 * 1024;

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub(super) enum PhotoFormat {
    Jpeg,
    Png,
}

impl PhotoFormat {
    /// The kind of file that a request says it sends.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Error> {
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
        let is_plain = header(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
        if !is_plain {
            return Err(Error::UnsupportedType(words::scan::PHOTO_NOT_COMPRESSED));
        }
        let kind = header(CONTENT_TYPE).unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "image/jpeg" => Ok(Self::Jpeg),
            "image/png" => Ok(Self::Png),
            _ => Err(Error::UnsupportedType(words::scan::PHOTO_KINDS)),
        }
    }
}

/// A photo as it is sent.
pub(super) struct Photo {
    /// What it is said to be.
    pub(super) format: PhotoFormat,
    /// The file.
    pub(super) bytes: Vec<u8>,
}

impl Photo {
    /// How many pixels its first bytes say that it has; none if they say nothing. What it really has is known only by
    /// reading it.
    pub(super) fn pixels(&self) -> usize {
        let sides = match self.format {
            PhotoFormat::Jpeg => jpeg_sides(&self.bytes),
            PhotoFormat::Png => png_sides(&self.bytes),
        };
        sides.map_or(0, |(width, height)| width.saturating_mul(height))
    }

    /// The shades of grey in it.
    ///
    /// # Errors
    /// A value error that names `photo`: it is of another kind, is damaged, ends early, or has too many pixels. An API
    /// error when there is nothing.
    pub(super) fn grey(&self) -> Result<Grey, TokenError> {
        if self.bytes.is_empty() {
            return Err(TokenError::unnamed("photo"));
        }
        match self.format {
            PhotoFormat::Jpeg => jpeg(&self.bytes),
            PhotoFormat::Png => png(&self.bytes),
        }
    }
}

fn unreadable(format: &'static str) -> TokenError {
    TokenError::value("photo", Problem::UnreadablePhoto { format: format.into() })
}

fn check_size(width: usize, height: usize, most: usize) -> Result<(), TokenError> {
    if width.max(height) <= MOST_ALONG && width * height <= most {
        return Ok(());
    }
    let [width, height, max_side, max_pixels] = [width, height, MOST_ALONG, most].map(|pixels| pixels as u64);
    Err(TokenError::value("photo", Problem::PhotoTooLarge { width, height, max_side, max_pixels }))
}

fn jpeg_decoder(bytes: &[u8], colors: ColorSpace) -> Result<JpegDecoder<ZCursor<&[u8]>>, TokenError> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(colors).jpeg_set_max_scans(MOST_PASSES);
    // Sizes are checked here, for a message that names them.
    let options = options.set_max_width(usize::from(u16::MAX)).set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| unreadable("JPEG"))?;
    Ok(decoder)
}

/// A JPEG's luma, which nearly all are stored by. What other colours it has is not even decoded.
fn jpeg(bytes: &[u8]) -> Result<Grey, TokenError> {
    let mut decoder = jpeg_decoder(bytes, ColorSpace::Luma)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| unreadable("JPEG"))?;
    let has_luma = matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    check_size(width, height, if has_luma { MOST_PIXELS } else { MOST_IN_OTHER_COLOURS })?;
    if !is_whole_jpeg(bytes) {
        return Err(unreadable("JPEG"));
    }
    let pixels = if has_luma {
        decoder.decode().map_err(|_| unreadable("JPEG"))?
    } else {
        let colors = jpeg_decoder(bytes, ColorSpace::RGB)?.decode().map_err(|_| unreadable("JPEG"))?;
        shades(ColorType::Rgb, &colors).collect()
    };
    grey(width, height, pixels).ok_or_else(|| unreadable("JPEG"))
}

/// The parts of a JPEG up to its first scan: of which kind, and what comes after that. A thumbnail is within a part.
fn jpeg_parts(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        while let Some([0xFF, kind, rest @ ..]) = bytes.get(at..) {
            match rest {
                [high, low, ..] if *kind != 0xFF => {
                    at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
                    return Some((*kind, rest));
                }
                // Bytes that fill up.
                _ => at += 1,
            }
        }
        None
    })
}

/// Whether a JPEG's picture has an end; the decoder makes up what is missing. Only markers have an ending of their own in
/// what follows the first scan's beginning.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const SCAN: u8 = 0xDA;
    const END: [u8; 2] = [0xFF, 0xD9];
    let scan = jpeg_parts(bytes).find(|(kind, _)| *kind == SCAN);
    scan.is_some_and(|(_, rest)| rest.windows(2).any(|marker| marker == END))
}

/// Width and height by the frame header (ITU-T T.81, B.2.2).
fn jpeg_sides(bytes: &[u8]) -> Option<(usize, usize)> {
    let is_frame = |kind: u8| matches!(kind, 0xC0..=0xCF) && !matches!(kind, 0xC4 | 0xC8 | 0xCC);
    let (_, frame) = jpeg_parts(bytes).find(|(kind, _)| is_frame(*kind))?;
    let [_, _, _, y0, y1, x0, x1, ..] = frame else { return None };
    Some((u16::from_be_bytes([*x0, *x1]).into(), u16::from_be_bytes([*y0, *y1]).into()))
}

/// Width and height by the first part (PNG, section 11.2.2).
fn png_sides(bytes: &[u8]) -> Option<(usize, usize)> {
    let side =
        |at: usize| bytes.get(at..at + 4).and_then(|side| Some(u32::from_be_bytes(side.try_into().ok()?) as usize));
    side(16).zip(side(20))
}

fn grey(width: usize, height: usize, pixels: Vec<u8>) -> Option<Grey> {
    Grey::new(width.try_into().ok()?, height.try_into().ok()?, pixels)
}

/// A PNG's shades of grey, on white where one can see through it. Row by row: its colours would take eight times as much.
fn png(bytes: &[u8]) -> Result<Grey, TokenError> {
    let failed = |_| unreadable("PNG");
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: PNG_BYTES });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(failed)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    check_size(width, height, MOST_PIXELS)?;
    let (color, _) = reader.output_color_type();
    let mut pixels = vec![u8::MAX; width * height];
    let mut rows = pixels.chunks_exact_mut(width);
    let mut interlaced = Vec::new();
    while let Some(row) = reader.next_interlaced_row().map_err(failed)? {
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                let target = rows.next().ok_or_else(|| unreadable("PNG"))?;
                target.iter_mut().zip(shades(color, row.data())).for_each(|(pixel, shade)| *pixel = shade);
            }
            InterlaceInfo::Adam7(info) => interlaced.push((*info, shades(color, row.data()).collect::<Vec<u8>>())),
        }
    }
    for (info, row) in interlaced {
        png::expand_interlaced_row(&mut pixels, width, &row, &info, 8);
    }
    grey(width, height, pixels).ok_or_else(|| unreadable("PNG"))
}

/// The shades of grey of a row of colours with 8 bits each.
fn shades(color: ColorType, row: &[u8]) -> impl Iterator<Item = u8> {
    let samples = color.samples();
    row.chunks_exact(samples).map(move |pixel| {
        let (colors, alpha) = match color {
            ColorType::GrayscaleAlpha | ColorType::Rgba => pixel.split_at(samples - 1),
            ColorType::Grayscale | ColorType::Rgb | ColorType::Indexed => (pixel, &[][..]),
        };
        let shade = match colors {
            // BT.601, as JPEG has it, in 256ths.
            [red, green, blue] => (77 * u32::from(*red) + 150 * u32::from(*green) + 29 * u32::from(*blue)) / 256,
            grey => grey.first().copied().unwrap_or(u8::MAX).into(),
        };
        let alpha = alpha.first().map_or(255, |alpha| u32::from(*alpha));
        u8::try_from(255 - (255 - shade) * alpha / 255).unwrap_or(u8::MAX)
    })
}

#[cfg(test)]
#[path = "photo_tests.rs"]
mod tests;
