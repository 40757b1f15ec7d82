//! The built-in label sheets.

use std::sync::LazyLock;

use super::geometry::Sheet;
use super::mm::Mm;

/// The margin that most printers cannot reach, in micrometres.
pub(crate) const MARGIN: Mm = Mm::from_micrometres(5_000);

const A4: [i32; 2] = [210_000, 297_000];
const LETTER: [i32; 2] = [215_900, 279_400];

/// A preset's figures, in micrometres.
struct Figures {
    slug: &'static str,
    maker: &'static str,
    page: [i32; 2],
    labels: [u16; 2],
    size: [i32; 2],
    first: [i32; 2],
    pitch: [i32; 2],
}

const fn figures(
    slug: &'static str,
    maker: &'static str,
    page: [i32; 2],
    labels: [u16; 2],
    [size, first, pitch]: [[i32; 2]; 3],
) -> Figures {
    Figures { slug, maker, page, labels, size, first, pitch }
}

/// From the list in `LibreOffice`, and from the makers where it has no entry.
#[rustfmt::skip]
const PRESET_FIGURES: [Figures; 19] = [
    figures("avery-l7159", "Avery L7159", A4, [3, 8], [[64_000, 33_860], [6_460, 13_060], [66_540, 33_860]]),
    figures("avery-l7160", "Avery L7160", A4, [3, 7], [[63_500, 38_100], [7_200, 15_150], [66_040, 38_100]]),
    figures("avery-l7162", "Avery L7162", A4, [2, 8], [[99_060, 33_870], [4_670, 13_020], [101_600, 33_870]]),
    figures("avery-l7163", "Avery L7163", A4, [2, 7], [[99_060, 38_100], [4_670, 15_150], [101_600, 38_100]]),
    figures("avery-l7165", "Avery L7165", A4, [2, 4], [[99_060, 67_730], [4_670, 13_040], [101_600, 67_730]]),
    figures("avery-l7651", "Avery L7651", A4, [5, 13], [[38_100, 21_170], [4_670, 10_900], [40_640, 21_170]]),
    figures("avery-l7654", "Avery L7654", A4, [4, 10], [[45_720, 25_400], [9_750, 21_430], [48_260, 25_400]]),
    figures("avery-l4731", "Avery L4731", A4, [7, 27], [[25_400, 10_000], [8_480, 13_430], [27_940, 10_000]]),
    figures("avery-5160", "Avery 5160", LETTER, [3, 10], [[66_680, 25_400], [4_780, 12_700], [69_850, 25_400]]),
    figures("avery-5163", "Avery 5163", LETTER, [2, 5], [[101_600, 50_800], [3_960, 12_700], [106_360, 50_800]]),
    figures("avery-5164", "Avery 5164", LETTER, [2, 3], [[101_600, 84_670], [3_960, 12_700], [106_360, 84_670]]),
    figures("avery-5167", "Avery 5167", LETTER, [4, 20], [[44_450, 12_700], [7_140, 12_700], [52_400, 12_700]]),
    figures("avery-22806", "Avery 22806", LETTER, [3, 4], [[50_800, 50_800], [15_875, 15_875], [66_675, 65_600]]),
    figures("herma-4606", "Herma 4606", A4, [5, 13], [[38_100, 21_200], [9_750, 10_700], [38_100, 21_200]]),
    figures("herma-4608", "Herma 4608", A4, [4, 11], [[48_260, 25_400], [8_480, 8_800], [48_260, 25_400]]),
    figures("herma-4610", "Herma 4610", A4, [4, 10], [[52_500, 29_700], [0, 0], [52_500, 29_700]]),
    figures("herma-4614", "Herma 4614", A4, [3, 8], [[66_000, 33_870], [6_000, 13_030], [66_000, 33_870]]),
    figures("herma-4615", "Herma 4615", A4, [3, 8], [[70_000, 37_125], [0, 0], [70_000, 37_125]]),
    figures("herma-4616", "Herma 4616", A4, [3, 7], [[70_000, 42_420], [0, 0], [70_000, 42_420]]),
];

impl Figures {
    fn sheet(&self) -> Sheet {
        let [[page_width, page_height], [width, height], [left, top], [pitch_x, pitch_y]] =
            [self.page, self.size, self.first, self.pitch].map(|pair| pair.map(Mm::from_micrometres));
        let [columns, rows] = self.labels;
        let slug = self.slug.to_owned();
        let (maker, count) = (self.maker, columns * rows);
        let name = format!("{maker}, {count} labels of {width} × {height} mm");
        let margin = MARGIN;
        Sheet { slug, name, page_width, page_height, columns, rows, width, height, left, top, pitch_x, pitch_y, margin }
    }
}

/// The preset sheets, by maker and number.
pub fn presets() -> &'static [Sheet] {
    static PRESETS: LazyLock<Vec<Sheet>> = LazyLock::new(|| PRESET_FIGURES.iter().map(Figures::sheet).collect());
    &PRESETS
}

/// The preset with this slug.
pub fn preset(slug: &str) -> Option<&'static Sheet> {
    presets().iter().find(|sheet| sheet.slug == slug)
}
