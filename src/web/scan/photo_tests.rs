//! Photos of every kind, and what is none.

use std::io::Write as _;

use flate2::Crc;
use flate2::write::ZlibEncoder;
use png::BitDepth;

use super::*;
use crate::qr::read::read_text;

/// A picture with a gradient, in which each pixel differs from those around it.
const SIDE: usize = 21;

fn shade(x: usize, y: usize) -> u8 {
    u8::try_from((x * 11 + y * 7) % 256).unwrap()
}

fn shades_of(is_right: impl Fn(u8) -> u8) -> Vec<u8> {
    (0..SIDE * SIDE).map(|at| is_right(shade(at % SIDE, at / SIDE))).collect()
}

fn read(format: PhotoFormat, bytes: &[u8]) -> Result<Grey, TokenError> {
    Photo { format, bytes: bytes.to_vec() }.grey()
}

#[track_caller]
fn check(file: &[u8], pixels: Vec<u8>) {
    assert_eq!(read(PhotoFormat::Png, file).unwrap(), grey(SIDE, SIDE, pixels).unwrap());
}

#[track_caller]
fn check_refused(format: PhotoFormat, bytes: &[u8], why: &str) {
    let error = read(format, bytes).unwrap_err();
    assert_eq!((error.name(), error.param()), ("TokenValueError", Some("photo")), "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

/// A file in which `pixel` gives each shade's samples.
fn file(color: ColorType, depth: BitDepth, pixel: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    let mut file = Vec::new();
    let side = u32::try_from(SIDE).unwrap();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette((0..=255).flat_map(|shade| [shade; 3]).collect::<Vec<u8>>());
    }
    let data: Vec<u8> = (0..SIDE * SIDE).flat_map(|at| pixel(shade(at % SIDE, at / SIDE))).collect();
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
    file
}

#[test]
fn png_of_every_colour() {
    let (eight, sixteen) = (BitDepth::Eight, BitDepth::Sixteen);
    check(&file(ColorType::Grayscale, eight, |shade| vec![shade]), shades_of(|shade| shade));
    check(&file(ColorType::Grayscale, sixteen, |shade| vec![shade, 9]), shades_of(|shade| shade));
    check(&file(ColorType::Indexed, eight, |shade| vec![shade]), shades_of(|shade| shade));
    check(&file(ColorType::Rgb, eight, |shade| vec![shade; 3]), shades_of(|shade| shade));
    check(&file(ColorType::Rgb, eight, |_| vec![255, 0, 0]), shades_of(|_| 76));
    check(&file(ColorType::Rgba, eight, |shade| vec![shade, shade, shade, 255]), shades_of(|shade| shade));
    // Black on nothing is what some programs make codes of.
    check(&file(ColorType::GrayscaleAlpha, eight, |shade| vec![0, shade]), shades_of(|shade| 255 - shade));
    check(&file(ColorType::Rgba, sixteen, |_| vec![0; 8]), shades_of(|_| 255));
}

/// A part of a PNG file.
fn chunk(name: &str, data: &[u8]) -> Vec<u8> {
    let named = [name.as_bytes(), data].concat();
    let mut crc = Crc::new();
    crc.update(&named);
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &named, &crc.sum().to_be_bytes()].concat()
}

fn header(width: u32, height: u32, interlace: u8) -> Vec<u8> {
    let data = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, interlace]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk("IHDR", &data)].concat()
}

fn packed(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn png_in_passes() {
    // Where each pass begins, and its steps (PNG, section 8.2).
    let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
    let mut data = Vec::new();
    for (left, top, across, down) in passes {
        for y in (top..SIDE).step_by(down) {
            data.push(0);
            data.extend((left..SIDE).step_by(across).map(|x| shade(x, y)));
        }
    }
    let side = u32::try_from(SIDE).unwrap();
    let file = [header(side, side, 1), chunk("IDAT", &packed(&data)), chunk("IEND", &[])].concat();
    check(&file, shades_of(|shade| shade));
}

#[test]
fn a_bomb_is_refused_by_its_first_bytes() {
    let nothing = packed(&vec![0; 1_000_000]);
    for (width, height) in [(100_000, 100_000), (8_000, 6_250), (20_000, 1), (1, 20_000)] {
        let file = [header(width, height, 0), chunk("IDAT", &nothing), chunk("IEND", &[])].concat();
        check_refused(PhotoFormat::Png, &file, "send a smaller one");
    }
    let most = [header(u32::MAX >> 1, u32::MAX >> 1, 0), chunk("IDAT", &nothing)].concat();
    check_refused(PhotoFormat::Png, &most, "not a readable PNG file");
    // A size that is read, and a text of gigabytes beside it that is not.
    let text = [&b"a\0\0"[..], &packed(&vec![b'x'; 50_000_000])].concat();
    let bomb = [header(2, 1, 0), chunk("zTXt", &text), chunk("IDAT", &packed(&[0, 7, 9])), chunk("IEND", &[])].concat();
    assert_eq!(read(PhotoFormat::Png, &bomb).unwrap(), grey(2, 1, vec![7, 9]).unwrap());
}

#[test]
fn what_is_no_photo_or_not_the_whole_of_one_is_refused() {
    let whole = file(ColorType::Rgb, BitDepth::Eight, |shade| vec![shade, 255 - shade, 7]);
    for length in [1, 8, 20, 40, whole.len() / 2, whole.len() - 20] {
        check_refused(PhotoFormat::Png, &whole[..length], "not a readable PNG file");
    }
    check_refused(PhotoFormat::Png, b"GIF89a", "not a readable PNG");
    for other in [&whole[..], b"hello", b"\xff\xd8", b"\xff\xd8\xff\xe0\0\x10JFIF\0", &[0xFF; 1_000]] {
        check_refused(PhotoFormat::Jpeg, other, "not a readable JPEG file");
    }
    assert_eq!(read(PhotoFormat::Png, b"").unwrap_err().name(), "TokenAPIError");
}

#[test]
fn a_jpeg_in_other_colours_is_read() {
    let cmyk = include_bytes!("../../../tests/it/scan/cmyk.jpg");
    let (read, same) = (read(PhotoFormat::Jpeg, cmyk).unwrap(), super::jpeg(JPEG).unwrap());
    assert!(read_text(read, &mut || true).is_some_and(|text| Some(text) == read_text(same, &mut || true)));
    // By Adobe's part, its colours are red, green and blue (transform 0), or what a fourth would make of them (2).
    for transform in [0, 2] {
        let adobe = [&b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"[..], &[transform]].concat();
        assert!(super::jpeg(&[&JPEG[..2], &adobe, &JPEG[2..]].concat()).is_ok(), "{transform}");
    }
    // Of these, fewer pixels are read.
    let mut large = cmyk.to_vec();
    let frame = large.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0x0B, 0xB8, 0x0B, 0xB8]);
    check_refused(PhotoFormat::Jpeg, &large, "3,000 by 3,000 pixels. At most 16,384 on a side and 6,000,000 in total");
}

#[test]
fn how_many_pixels_there_are_is_known_before_a_photo_is_read() {
    let pixels = |format, bytes: &[u8]| Photo { format, bytes: bytes.to_vec() }.pixels();
    assert_eq!(pixels(PhotoFormat::Jpeg, JPEG), 400 * 400);
    assert_eq!(pixels(PhotoFormat::Jpeg, include_bytes!("../../../tests/it/scan/progressive.jpg")), 400 * 400);
    assert_eq!(pixels(PhotoFormat::Png, &header(5_000, 4_000, 0)), 20_000_000);
    for nothing in [&b""[..], b"GIF89a", &JPEG[..20], &header(2, 2, 0)[..22]] {
        assert_eq!((pixels(PhotoFormat::Jpeg, nothing), pixels(PhotoFormat::Png, nothing)), (0, 0));
    }
}

const JPEG: &[u8] = include_bytes!("../../../tests/it/scan/photo.jpg");

#[test]
fn a_photo_is_refused_or_read_wherever_it_ends_or_is_damaged() {
    assert!(read(PhotoFormat::Jpeg, JPEG).is_ok());
    for length in (1..JPEG.len()).step_by(13) {
        check_refused(PhotoFormat::Jpeg, &JPEG[..length], "not complete");
    }
    assert!(read(PhotoFormat::Jpeg, &[JPEG, b"what phones put behind it"].concat()).is_ok());
    for at in (2..JPEG.len()).step_by(7) {
        let mut damaged = JPEG.to_vec();
        damaged[at] ^= 0x5A;
        let _ = read(PhotoFormat::Jpeg, &damaged);
    }
}

#[test]
fn a_photo_of_fifty_megapixels_is_refused() {
    let mut large = JPEG.to_vec();
    let frame = large.windows(2).position(|bytes| matches!(bytes, [0xFF, 0xC0 | 0xC2])).unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0x18, 0x6A, 0x1F, 0x40]);
    check_refused(PhotoFormat::Jpeg, &large, "8,000 by 6,250 pixels. At most 16,384 on a side and 25,000,000 in total");
}
