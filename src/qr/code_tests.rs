//! Codes are read back by a scanner, from the rendered SVG and from the PNG.

use std::thread;

use proptest::prelude::*;
use qrcode::{Color, QrCode};
use resvg::{tiny_skia, usvg};

use super::*;

/// What only tests look at.
impl Code {
    /// Its text.
    fn text(&self) -> &str {
        &self.text
    }

    /// Whether a module is dark. The quiet zone and everything outside the code is light.
    fn is_dark(&self, x: i32, y: i32) -> bool {
        self.index(x, y).is_some_and(|index| self.dark[index])
    }

    /// The closed outlines of the dark areas, and of the light areas within them, for formats other than SVG.
    ///
    /// An outline begins to the right, turns at every corner, and returns from its last corner to its first. Dark is on
    /// its right-hand side, so the non-zero and the even-odd fill rule give the same picture. It is half as long as
    /// merged rows would be, and has no seams, which show as hairlines where a renderer smooths edges.
    fn outlines(&self) -> Vec<Vec<(i32, i32)>> {
        let mut outlines = Vec::new();
        self.each_outline(|corners| outlines.push(corners.to_vec()));
        outlines
    }

    /// The index of a module in `dark`, if it is within the code.
    fn index(&self, x: i32, y: i32) -> Option<usize> {
        let (x, y, side) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?, usize::from(self.side));
        (x < side && y < side).then_some(y * side + x)
    }
}

const UUID: &str = "6f1c1d3e-8a0b-4c55-9d39-0b7ce5f1a2b4";

/// The pixels of a square picture, true where dark.
struct Picture {
    pixels: usize,
    dark: Vec<bool>,
}

impl Picture {
    fn of_svg(code: &Code, scale: u16) -> Self {
        let tree = usvg::Tree::from_str(&code.svg(), &usvg::Options::default()).unwrap();
        let pixels = u32::from(code.side() * scale);
        let mut map = tiny_skia::Pixmap::new(pixels, pixels).unwrap();
        let zoom = f32::from(code.side() * scale) / tree.size().width();
        resvg::render(&tree, tiny_skia::Transform::from_scale(zoom, zoom), &mut map.as_mut());
        let dark = map.pixels().iter().map(|pixel| match (pixel.alpha(), pixel.red(), pixel.green(), pixel.blue()) {
            (255, 0, 0, 0) => true,
            (255, 255, 255, 255) => false,
            other => panic!("neither black nor white: {other:?}"),
        });
        Self { pixels: pixels as usize, dark: dark.collect() }
    }

    fn of_png(code: &Code, scale: u32) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(code.png(scale))).read_info().unwrap();
        assert_eq!(reader.output_color_type(), (png::ColorType::Grayscale, png::BitDepth::One));
        let pixels = reader.info().width as usize;
        assert_eq!((pixels, reader.info().height as usize), (usize::from(code.side()) * scale as usize, pixels));
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        let row = |bytes: &[u8]| (0..pixels).map(|x| bytes[x / 8] & (128 >> (x % 8)) == 0).collect::<Vec<_>>();
        Self { pixels, dark: bytes.chunks(pixels.div_ceil(8)).flat_map(row).collect() }
    }

    /// What a scanner reads, and the error correction level in the code (ISO/IEC 18004: 0 is M, 1 is L).
    fn read(&self) -> (String, u16) {
        let grey = |x, y| if self.dark[y * self.pixels + x] { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(self.pixels, self.pixels, grey);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        let (meta, text) = grids[0].decode().unwrap();
        (text, meta.ecc_level)
    }

    fn shows(&self, code: &Code) -> bool {
        let side = usize::from(code.side());
        let scale = self.pixels / side;
        let module = |pixel: usize| i32::try_from(pixel / scale).unwrap();
        self.dark
            .iter()
            .zip(0..)
            .all(|(dark, index)| *dark == code.is_dark(module(index % self.pixels), module(index / self.pixels)))
    }
}

/// Checks that a scanner reads `text` from both kinds of picture, and that they show the same modules.
fn check_read(text: &str) -> Code {
    let code = Code::new(text).unwrap();
    let level = u16::from(text.len() > 2_331);
    for picture in [Picture::of_svg(&code, 4), Picture::of_png(&code, 3)] {
        assert!(picture.shows(&code), "{text}");
        assert_eq!(picture.read(), (text.to_owned(), level));
    }
    code
}

fn side(text: &str) -> u16 {
    Code::new(text).unwrap().side()
}

#[test]
fn the_side_depends_on_the_version() {
    assert_eq!(side("1"), 21 + 8, "version 1");
    assert_eq!(side(&UUID.to_uppercase()), 25 + 8, "version 2: alphanumeric mode");
    assert_eq!(side(UUID), 29 + 8, "version 3");
    // The most that versions 1 and 40 hold at level M, and 40 at level L (ISO/IEC 18004, table of capacities).
    assert_eq!((side(&"a".repeat(14)), side(&"a".repeat(15))), (29, 33));
    assert_eq!((side(&"A".repeat(20)), side(&"A".repeat(21))), (29, 33));
    assert_eq!((side(&"1".repeat(34)), side(&"1".repeat(35))), (29, 33));
    assert_eq!((side(&"a".repeat(2_331)), side(&"a".repeat(2_332))), (185, 169), "from M to L");
    assert_eq!((side(&"a".repeat(2_953)), Code::new(&"a".repeat(2_954)).err()), (185, Some(TooLong)));
    assert_eq!((side(&"1".repeat(7_089)), Code::new(&"1".repeat(7_090)).err()), (185, Some(TooLong)));
}

#[test]
fn a_code_of_more_than_ascii_has_twelve_bits_more() {
    // One byte less than of ASCII fits into version 1 and into version 40 at level M and L, as each has bits to spare.
    assert_eq!((side(&format!("{}a", "ß".repeat(6))), side(&"ß".repeat(7))), (29, 33));
    assert_eq!((side(&"ß".repeat(1_165)), side(&format!("{}a", "ß".repeat(1_165)))), (185, 169), "from M to L");
    let most = "ß".repeat(1_476);
    assert_eq!((side(&most), Code::new(&format!("{most}a")).err()), (185, Some(TooLong)));
    for text in ["Straße", "ぁ1234567890", &"ß".repeat(7)] {
        let code = Code::at_level(text, Level::L).unwrap();
        assert_eq!(Some(code.modules()), Code::modules_of(text, Level::L));
    }
}

/// Sheets that were printed, and images that browsers keep.
#[test]
fn codes_of_ascii_are_as_they_always_were() {
    for (text, hash) in [
        (UUID, 0x394e_5f8e_ed68_af66_u64.to_be_bytes()),
        ("HTTPS://EXAMPLE.ORG/T/7+A", 0xb13f_c3cc_24b0_45a5_u64.to_be_bytes()),
    ] {
        let digest = Sha256::digest(Code::new(text).unwrap().png(12));
        assert_eq!(digest[..8], hash, "{text}");
    }
    assert_eq!(Code::new(UUID).unwrap().tag(), "6j_NSibrD4dyoTSabR_uQg");
    assert_ne!(Code::new("Straße").unwrap().tag(), "9aX22bbtPeRtE2-yleH5yQ", "as of before there was an ECI");
}

#[test]
fn a_code_has_the_requested_level() {
    for (level, told) in [(Level::L, 1), (Level::M, 0)] {
        for text in [UUID, "https://example.org/6f1c1d3e-8a0b-4c55-9d39-0b7ce5f1a2b4", "12345"] {
            let code = Code::at_level(text, level).unwrap();
            assert_eq!((code.text(), Some(code.modules())), (text, Code::modules_of(text, level)));
            assert_eq!(Picture::of_svg(&code, 4).read(), (text.to_owned(), told));
        }
    }
    let long = "a".repeat(2_332);
    assert_eq!(Code::at_level(&long, Level::M).err(), Some(TooLong));
    assert_eq!((Code::modules_of(&long, Level::M), Code::modules_of(&long, Level::L)), (None, Some(161)));
}

#[test]
fn the_path_outlines_the_dark_modules() {
    let code = Code::new(UUID).unwrap();
    // The outer edge of the top left finder pattern, 7 by 7 modules.
    assert!(code.path().starts_with("m4 4h7v7h-7zm"), "{}", code.path());
    assert!(code.path().ends_with('z'));
    assert!(code.path().len() < 2_000, "{}", code.path().len());
    for corners in code.outlines() {
        assert!(corners.len() >= 4 && corners.len().is_multiple_of(2));
        assert!(corners.iter().all(|(x, y)| (4..=33).contains(x) && (4..=33).contains(y)));
    }
    let path = |rows: [&str; 5]| {
        let dark = rows.concat().chars().map(|module| module == '#').collect();
        trace::svg_path(Code { text: "".into(), side: 5, dark, path: OnceLock::new() }.grid())
    };
    assert_eq!(path([".....", ".###.", ".#.#.", ".###.", "....."]), "m1 1h3v3h-3zm1 2h1v-1h-1z", "a hole");
    let corners = [".....", ".#...", "..#..", ".....", "....."];
    assert_eq!(path(corners), "m1 1h1v1h1v1h-1v-1h-1z", "two that touch at a corner");
    let mut numbers = String::new();
    for number in [0, 9, -10, 99, -100, 185] {
        trace::push(&mut numbers, 'h', number);
    }
    assert_eq!(numbers, "h0h9h-10h99h-100h185");
}

#[test]
fn the_svg_is_xml_without_styles_and_has_the_text_as_its_title() {
    for text in ["</title><script>alert(1)</script>", "a & b < c > d \"e\" 'f' &amp; ]]>", "\u{85} é 😀 日本"] {
        let code = Code::new(text).unwrap();
        let svg = code.svg();
        let document = usvg::roxmltree::Document::parse(&svg).unwrap();
        let named = |name| document.descendants().filter(move |node| node.has_tag_name(name));
        assert_eq!(named("title").next().unwrap().text(), Some(text));
        assert_eq!((named("path").count(), named("script").count()), (2, 0));
        assert!(!svg.contains("style"));
        let root = document.root_element();
        assert_eq!(root.attribute("viewBox"), Some(format!("0 0 {0} {0}", code.side()).as_str()));
        assert_eq!(root.attribute("width"), Some((code.side() * 8).to_string().as_str()));
    }
    assert_eq!(
        xml_escaped("\0\u{8}\t\n\u{b}\u{1f} \u{7f}\u{ffff}"),
        "\u{fffd}\u{fffd}\t\n\u{fffd}\u{fffd} \u{7f}\u{fffd}"
    );
}

#[test]
fn equal_texts_have_equal_images_and_tags() {
    let (one, same, other) = (Code::new(UUID).unwrap(), Code::new(UUID).unwrap(), Code::new("other").unwrap());
    assert_eq!((one.png(4), one.svg(), one.tag()), (same.png(4), same.svg(), same.tag()));
    assert_ne!(one.tag(), other.tag());
    assert!(one.tag().len() == 22 && one.tag().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    assert_eq!(one.png(0), one.png(1));
    assert_eq!(other.png(u32::MAX), other.png(MAX_PIXELS_PER_MODULE));
    for scale in [1, 2, 5, 8] {
        assert!(Picture::of_png(&one, scale).shows(&one));
    }
}

#[test]
fn utf_8_is_not_taken_for_shift_jis() {
    for text in ["ぁぁぁぁぁぁぁぁ", "麻杏石甘口服液"] {
        assert!(Parser::new(text.as_bytes()).any(|segment| segment.mode == Mode::Kanji));
        assert!(segments(text.as_bytes()).iter().all(|segment| segment.mode != Mode::Kanji));
        check_read(text);
    }
}

#[test]
fn the_longest_values_scan() {
    let letters: String = (0..1_000_u32).map(|i| char::from(b'a' + u8::try_from(i * i % 41 % 26).unwrap())).collect();
    for text in [letters, "😀".repeat(300), "日本語".repeat(133), "a".repeat(2_332)] {
        check_read(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_scanner_reads_what_was_written(text in prop_oneof![
        "[0-9]{1,40}",
        "[0-9A-Z $%*+./:-]{1,60}",
        "[ -~]{1,120}",
        "\\PC{1,40}",
        "[0-9]{10,20}[äöüßé€ぁ漢😀]{1,20}[0-9]{10,20}",
        "https://[a-z]{3,12}\\.example/[a-z0-9/]{0,40}\\?t=[A-Za-z0-9_%&=-]{1,60}",
    ]) {
        let code = check_read(&text);
        // If nothing looks like Kanji, version and modes are the same as the crate's.
        if text.is_ascii() {
            let theirs = QrCode::new(&text).unwrap();
            let width = i32::try_from(theirs.width()).unwrap();
            prop_assert_eq!(width + 8, i32::from(code.side()));
            let mut places = (0..width * width).map(|index| code.is_dark(index % width + 4, index / width + 4));
            let same = theirs.into_colors().iter().all(|color| places.next() == Some(*color == Color::Dark));
            prop_assert!(same);
        }
    }
}

#[test]
fn the_cache_stays_within_its_limit() {
    let codes = Codes::with_room(32, 64 * 1024);
    for number in 0..100 {
        let text = format!("token {number}");
        let code = codes.get(&text).unwrap();
        assert_eq!(*code.text, *text);
        assert!(Arc::ptr_eq(&code, &codes.get(&text).unwrap()), "{text}");
        assert!(codes.0.weight() <= 64 * 1024);
    }
    assert!((5..100).contains(&codes.0.len()), "{}", codes.0.len());
    let long = "1".repeat(7_090);
    assert_eq!((codes.get(&long).err(), codes.get(&long).err()), (Some(TooLong), Some(TooLong)));
    let largest = "a".repeat(2_953);
    let codes = Codes::default();
    assert!(Arc::ptr_eq(&codes.get(&largest).unwrap(), &codes.get(&largest).unwrap()));
}

#[test]
fn threads_share_one_code() {
    let codes = Codes::default();
    let all: Vec<Arc<Code>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| codes.get(UUID).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(all.iter().all(|code| Arc::ptr_eq(code, &all[0])));
}
