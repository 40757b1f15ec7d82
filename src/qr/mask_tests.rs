//! The modules equal the crate's, bit by bit.

use proptest::prelude::*;
use qrcode::QrCode;
use qrcode::bits::Bits;
use qrcode::ec::construct_codewords;

use super::*;

const LEVELS: [EcLevel; 2] = [EcLevel::M, EcLevel::L];

/// As much of `data` as fills this share, in thousandths, of a code of the version and level.
fn bits(version: Version, level: EcLevel, data: &[u8], part: usize) -> Bits {
    let mut length = data.len().min(Bits::new(version).max_len(level).unwrap() * part / 1_000);
    loop {
        let mut bits = Bits::new(version);
        if bits.push_optimal_data(&data[..length]).and_then(|()| bits.push_terminator(level)).is_ok() {
            return bits;
        }
        length = length * 9 / 10;
    }
}

fn check_same(number: i16, level: EcLevel, data: &[u8], part: usize) -> Vec<bool> {
    let version = Version::Normal(number);
    let (theirs, ours) = (bits(version, level, data, part), bits(version, level, data, part));
    let theirs = QrCode::with_bits(theirs, level).unwrap().into_colors();
    let (codewords, correction) = construct_codewords(&ours.into_bytes(), version, level).unwrap();
    let ours = masked(version, level, &codewords, &correction).unwrap();
    assert!(theirs.iter().map(|color| *color == Color::Dark).eq(ours.iter().copied()), "{number} {level:?} {data:?}");
    ours
}

#[test]
fn every_version_has_the_same_mask_as_in_the_crate() {
    for (number, level) in (1..=40).flat_map(|number| LEVELS.map(|level| (number, level))) {
        check_same(number, level, &[], 0);
        let data: Vec<u8> = (0..3_000_i32).map(|i| (i * i / 7 + i / 3 + i32::from(number)).to_le_bytes()[0]).collect();
        check_same(number, level, &data, 125);
    }
}

#[test]
fn every_mask_is_best_for_some_text() {
    let mut chosen = [0; 8];
    for (number, text) in (1..=4).flat_map(|number| (0..60).map(move |text| (number, format!("ticket {text}")))) {
        let modules = check_same(number, EcLevel::M, text.as_bytes(), 1_000);
        // The format information in row 8, of which 101 is inverted.
        let at = 8 * (17 + 4 * usize::from(number.unsigned_abs()));
        let [a, b, c] = [!modules[at + 2], modules[at + 3], !modules[at + 4]].map(usize::from);
        chosen[4 * a + 2 * b + c] += 1;
    }
    assert!(chosen.iter().all(|times| *times > 0), "{chosen:?}");
}

#[test]
fn a_micro_code_has_no_layout() {
    assert_eq!(masked(Version::Micro(1), EcLevel::L, &[], &[]), None);
    assert_eq!(masked(Version::Normal(41), EcLevel::L, &[], &[]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_texts_have_the_same_mask_as_in_the_crate(
        number in 1_i16..=40,
        level in prop::sample::select(&LEVELS),
        part in 0_usize..400,
        text in prop_oneof![
            "[0-9]{0,7100}",
            "[0-9A-Z $%*+./:-]{0,4300}",
            "[ -~]{0,3000}",
            "\\PC{0,1000}",
            "[01]{0,3000}[a-z]{0,1000}[A-Z]{0,1000}",
            "(a|0|A ){0,3000}",
        ],
    ) {
        check_same(number, level, text.as_bytes(), part);
    }
}
