//! What is read of codes of our own and of others.

use proptest::prelude::*;
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use super::*;
use crate::qr::Code;

/// Modules in black and white, with a quiet zone.
fn matrix(side: u32, scale: u32, is_dark: impl Fn(u32, u32) -> bool) -> BitMatrix {
    let mut matrix = BitMatrix::new(side * scale, side * scale).unwrap();
    for (x, y) in (0..side * scale).flat_map(|y| (0..side * scale).map(move |x| (x, y))) {
        matrix.set_bool(x, y, is_dark(x / scale, y / scale));
    }
    matrix
}

fn of_code(code: &Code) -> BitMatrix {
    let side = u32::from(code.side());
    matrix(side, 3, |x, y| code.dark()[(y * side + x) as usize])
}

/// A code as the other library makes it.
fn of_others(code: &QrCode) -> BitMatrix {
    let (width, colors) = (code.width(), code.to_colors());
    let side = u32::try_from(width).unwrap() + 8;
    let at = |place: u32| (place as usize).checked_sub(4).filter(|place| *place < width);
    matrix(side, 3, |x, y| at(x).zip(at(y)).is_some_and(|(x, y)| colors[y * width + x] == Color::Dark))
}

/// A code of these bytes, with an ECI or without.
fn of_bytes(bytes: &[u8], eci: Option<u32>) -> BitMatrix {
    let mut bits = Bits::new(Version::Normal(5));
    if let Some(eci) = eci {
        bits.push_eci_designator(eci).unwrap();
    }
    bits.push_byte_data(bytes).unwrap();
    bits.push_terminator(EcLevel::M).unwrap();
    of_others(&QrCode::with_bits(bits, EcLevel::M).unwrap())
}

#[track_caller]
fn check(matrix: &BitMatrix, text: &str, by_the_letter: &str) {
    let read: Vec<_> = read_codes(matrix).map(|code| (code.text, code.by_the_letter)).collect();
    assert_eq!(read, [(text.to_owned(), by_the_letter.to_owned())]);
}

#[test]
fn bytes_without_a_character_set_are_utf_8_if_they_can_be() {
    check(&of_bytes("Straße".as_bytes(), None), "Straße", "StraÃ\u{9f}e");
    check(&of_bytes("Straße".as_bytes(), Some(26)), "Straße", "Straße");
    check(&of_bytes(b"Stra\xdfe", Some(3)), "Straße", "Straße");
    check(&of_bytes(b"Stra\xdfe, Stra\xdfe", None), "Straße, Straße", "Straße, Straße");
    check(&of_bytes(b"\x83\x65\x83\x58\x83\x67", Some(20)), "テスト", "テスト");
    check(
        &of_others(&QrCode::new(b"\x83\x65\x83\x58\x83\x67\x83\x65\x83\x58\x83\x67").unwrap()),
        "テストテスト",
        "\u{83}e\u{83}X\u{83}g\u{83}e\u{83}X\u{83}g",
    );
}

#[test]
fn a_picture_without_a_code_says_nothing() {
    let noise = |seed: u32, at: u32| (seed.wrapping_add(at).wrapping_mul(0x9E37_79B9) >> 24) as u8;
    for (width, height) in [(1, 1), (3, 2), (40, 1), (1, 40), (70_000, 1), (39, 41), (41, 40), (640, 480)] {
        for pixels in [vec![0; (width * height) as usize], (0..width * height).map(|at| noise(width, at)).collect()] {
            assert_eq!(read_text(Grey::new(width, height, pixels).unwrap(), &mut || true), None, "{width} {height}");
        }
    }
    assert_eq!(Grey::new(0, 0, vec![]), None);
    assert_eq!(Grey::new(2, 2, vec![0; 3]), None);
    assert_eq!(Grey::new(u32::MAX, u32::MAX, vec![0; 3]), None);
}

/// A code of three pixels a module in the middle of a larger picture.
fn picture(text: &str, width: u32, height: u32, dark: u8, light: u8) -> Grey {
    let code = of_code(&Code::new(text).unwrap());
    let (left, top) = ((width - code.width()) / 2, (height - code.height()) / 2);
    let is_dark = |x: u32, y: u32| {
        let (x, y) = (x.checked_sub(left)?, y.checked_sub(top)?);
        (x < code.width() && y < code.height()).then(|| code.get(x, y))
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = places.map(|(x, y)| if is_dark(x, y) == Some(true) { dark } else { light });
    Grey::new(width, height, pixels.collect()).unwrap()
}

#[test]
fn a_small_code_in_a_large_picture_is_read_in_either_colour() {
    for (dark, light) in [(0, 255), (255, 0)] {
        let picture = picture("Straße 7", 2_401, 1_803, dark, light);
        assert_eq!(read_text(picture, &mut || true).as_deref(), Some("Straße 7"));
    }
}

/// Each corner is looked at beside each other one, which here would take minutes.
#[test]
fn a_picture_full_of_corners_is_not_looked_at() {
    let is_dark = |at: u32| {
        let far = (at % 1_400 % 8).abs_diff(3).max((at / 1_400 % 8).abs_diff(3));
        far == 3 || far < 2
    };
    let pixels = (0..1_400 * 1_400).map(|at| if is_dark(at) { 0 } else { 255 }).collect();
    let picture = Grey::new(1_400, 1_400, pixels).unwrap();
    assert!(is_crowded(&picture.black().unwrap()));
    assert_eq!(read_text(picture, &mut || true), None);
}

#[test]
fn what_nobody_waits_for_any_more_is_not_read() {
    let mut tries = 0;
    let read = read_text(picture("here", 400, 300, 0, 255), &mut || {
        tries += 1;
        false
    });
    assert_eq!((read, tries), (None, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn all_readers_agree_on_our_codes(text in prop_oneof![
        "[ -~]{1,60}",
        "\\PC{1,40}",
        "[0-9]{10,20}[äöüßé€ぁ漢😀]{1,20}[0-9A-Z]{10,20}",
        "[äöüß]{1,8}",
    ]) {
        check(&of_code(&Code::new(&text).unwrap()), &text, &text);
    }
}
