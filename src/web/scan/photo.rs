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
use crate::token::TokenError;
use crate::web::error::Error;
use crate::web::format::grouped;

/// Most bytes of a photo: phones' have 2 to 6 MiB.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Most pixels of a photo: phones' have 12 or 24 million, unless their owners want more.
const MOST_PIXELS: usize = 25_000_000;

/// Most pixels along a side.
const MOST_ALONG: usize = 16_384;

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
        let kind = header(CONTENT_TYPE).filter(|_| is_plain).unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "image/jpeg" => Ok(Self::Jpeg),
            "image/png" => Ok(Self::Png),
            _ => Err(Error::UnsupportedType("The body must be a photo: image/jpeg or image/png.")),
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
    /// The shades of grey in it.
    ///
    /// # Errors
    /// A value error that names `photo`: it is of another kind, is damaged, ends early, or has too many pixels. An API
    /// error when there is nothing.
    pub(super) fn grey(&self) -> Result<Grey, TokenError> {
        if self.bytes.is_empty() {
            let message = "The photo is missing: the body is empty.".to_owned();
            return Err(TokenError::Api { param: Some("photo".into()), message });
        }
        match self.format {
            PhotoFormat::Jpeg => jpeg(&self.bytes),
            PhotoFormat::Png => png(&self.bytes),
        }
    }
}

fn unreadable(kind: &str) -> TokenError {
    TokenError::value("photo", format!("The photo is no {kind} file that can be read, or not the whole of it"))
}

fn check_size(width: usize, height: usize) -> Result<(), TokenError> {
    if width.max(height) <= MOST_ALONG && width * height <= MOST_PIXELS {
        return Ok(());
    }
    let shown = |number: usize| grouped(i64::try_from(number).unwrap_or(i64::MAX));
    let message = format!(
        "The photo has {} by {} pixels; at most {} along a side and {} in all are read, so send it smaller",
        shown(width),
        shown(height),
        shown(MOST_ALONG),
        shown(MOST_PIXELS)
    );
    Err(TokenError::value("photo", message))
}

/// A JPEG's luma, which it is stored by. What other colours it has is not even decoded.
fn jpeg(bytes: &[u8]) -> Result<Grey, TokenError> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
    // Sizes are checked here, for a message that names them.
    let options = options.set_max_width(usize::from(u16::MAX)).set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| unreadable("JPEG"))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| unreadable("JPEG"))?;
    check_size(width, height)?;
    if !is_whole_jpeg(bytes) {
        return Err(unreadable("JPEG"));
    }
    let pixels = decoder.decode().map_err(|_| unreadable("JPEG"))?;
    grey(width, height, pixels).ok_or_else(|| unreadable("JPEG"))
}

/// Whether a JPEG's picture has an end; the decoder makes up what is missing. Only markers have an ending of their own in
/// what follows the first scan's beginning, and a thumbnail comes before that, in a segment.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const SCAN: u8 = 0xDA;
    const END: [u8; 2] = [0xFF, 0xD9];
    let mut at = 2;
    while let Some([0xFF, kind, rest @ ..]) = bytes.get(at..) {
        match rest {
            _ if *kind == SCAN => return rest.windows(2).any(|marker| marker == END),
            [high, low, ..] if *kind != 0xFF => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
            // Bytes that fill up.
            _ => at += 1,
        }
    }
    false
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
    check_size(width, height)?;
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
