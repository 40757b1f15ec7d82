//! Texts in their areas, checked through the glyphs.

use proptest::prelude::*;

use super::*;

const PLACE: Area = Area { x: 38.1, y: 16.15, width: 24.4, height: 36.1 };
/// The area that the smallest preset leaves beside a code.
const SMALL: Area = Area { x: 10.0, y: 1.0, width: 14.4, height: 8.0 };

fn typesetter() -> Typesetter {
    Typesetter::new(&Arc::new(Fonts::new(Vec::new()).unwrap()))
}

fn with_thin() -> Typesetter {
    let further = vec![("thin.ttf".into(), dejavu::sans::extra_light().to_vec())];
    Typesetter::new(&Arc::new(Fonts::new(further).unwrap()))
}

/// Sets a text, and checks what must hold for every text.
fn set(typesetter: &Typesetter, text: &str, area: Area, centred: bool) -> Vec<Run> {
    let runs = typesetter.set(text, area, centred);
    for run in &runs {
        assert!(run.size.is_finite() && run.x.is_finite() && run.y.is_finite(), "{text:?}");
        for glyph in &run.glyphs {
            assert!(run.text.get(glyph.range.clone()).is_some(), "{text:?} {glyph:?} of {:?}", run.text);
        }
    }
    if let Some(ink) = typesetter.ink(&runs) {
        let (right, bottom) = (area.x + area.width + 0.005, area.y + area.height + 0.005);
        let inside = ink.x >= area.x - 0.005 && ink.y >= area.y - 0.005;
        assert!(inside && ink.x + ink.width <= right && ink.y + ink.height <= bottom, "{text:?}: {ink:?} in {area:?}");
    }
    runs
}

/// The lines from top to bottom, each with its runs from left to right.
fn lines(runs: &[Run]) -> Vec<String> {
    let mut lines: Vec<(f32, String)> = Vec::new();
    for run in runs {
        match lines.last_mut() {
            Some((y, line)) if (*y - run.y).abs() < 0.01 => line.push_str(&run.text),
            _ => lines.push((run.y, run.text.clone())),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn points(runs: &[Run]) -> f32 {
    runs[0].size / POINT
}

#[test]
fn text_breaks_between_words_and_is_centred_vertically() {
    let typesetter = typesetter();
    let runs = set(&typesetter, "Admit one, row 7, seat 12", PLACE, false);
    assert_eq!(lines(&runs), ["Admit one, ", "row 7, seat 12"]);
    let ink = typesetter.ink(&runs).unwrap();
    assert!((ink.y + ink.height / 2.0 - (PLACE.y + PLACE.height / 2.0)).abs() < 0.7, "{ink:?}");
    assert!((9.0..10.0).contains(&points(&runs)), "{}", points(&runs));
    assert!(runs.iter().all(|run| (run.x - PLACE.x).abs() < 0.01));
}

#[test]
fn a_word_longer_than_a_line_is_broken() {
    let typesetter = typesetter();
    let uid = "6f1c1d3e-8a0b-4c55-9d39-0b7ce5f1a2b4";
    let url = format!("https://tickets.example.org/{uid}");
    for text in [uid, &url] {
        for area in [PLACE, SMALL] {
            let runs = set(&typesetter, text, area, false);
            let whole = lines(&runs).concat();
            if !whole.contains('…') {
                assert_eq!(whole, text);
            }
        }
    }
    assert_eq!(lines(&set(&typesetter, uid, SMALL, false)).concat(), uid, "a uid is whole on the smallest label");
}

#[test]
fn text_that_does_not_fit_ends_with_an_ellipsis() {
    let typesetter = typesetter();
    let words = "Admission to the great hall on the second floor ".repeat(20);
    for area in [PLACE, SMALL] {
        let runs = set(&typesetter, words.trim(), area, false);
        let lines = lines(&runs);
        let whole = lines.concat();
        assert!(whole.ends_with('…') && words.starts_with(whole.trim_end_matches('…')), "{whole}");
        assert!((points(&runs) - 6.0).abs() < 0.01);
        assert_eq!(lines.len(), if area == SMALL { 3 } else { 14 });
    }
    let whole = lines(&set(&typesetter, &"W".repeat(1_000), SMALL, false)).concat();
    assert!(whole.ends_with("W…") && whole.len() > 15, "{whole}");
}

#[test]
fn letters_shrink_before_text_is_cut() {
    let typesetter = typesetter();
    let large = Area { width: 60.0, height: 80.0, ..PLACE };
    assert!((points(&set(&typesetter, "Ticket 0001", large, false)) - 11.0).abs() < 0.01);
    assert!((points(&set(&typesetter, "Ticket 0001", SMALL, false)) - 6.0).abs() < 0.01);
    let sizes = [1, 3, 5].map(|times| {
        let many = "Admission to the great hall on the second floor ".repeat(times);
        let runs = set(&typesetter, many.trim(), PLACE, false);
        assert!(!lines(&runs).concat().contains('…'));
        points(&runs)
    });
    assert!(sizes[0] > 9.0 && sizes.is_sorted_by(|one, next| one > next) && sizes[2] > 4.99, "{sizes:?}");
}

#[test]
fn right_to_left_text_begins_at_the_right() {
    let typesetter = typesetter();
    let right = PLACE.x + PLACE.width;
    for text in ["مرحبا بالعالم", "مرحبا row 7", "שלום עולם"] {
        let runs = set(&typesetter, text, PLACE, false);
        let first = runs.iter().find(|run| run.text.starts_with(text.chars().next().unwrap())).unwrap();
        let end = first.x + first.glyphs.iter().map(|glyph| glyph.advance).sum::<f32>() * first.size;
        assert!((end - right).abs() < 0.01, "{text}: {end}");
        // Its first letter is drawn last, as glyphs are ordered from left to right.
        assert_eq!(first.glyphs.last().unwrap().range.start, 0, "{text}");
    }
    // A Latin word within it is to the left of the first word, and reads from left to right.
    let runs = set(&typesetter, "مرحبا row", PLACE, false);
    let [latin, arabic] = ["row", "مرحبا "].map(|text| runs.iter().find(|run| run.text == text).unwrap());
    assert!(latin.x < arabic.x);
    assert_eq!(latin.glyphs[0].range, 0..1);
    // An Arabic word in a Latin text runs in the other direction.
    let runs = set(&typesetter, "row مرحبا", PLACE, false);
    assert!((runs[0].x - PLACE.x).abs() < 0.01 && runs[0].text == "row ");
}

#[test]
fn a_trailing_space_takes_no_room_in_mixed_directions() {
    let typesetter = typesetter();
    let right = PLACE.x + PLACE.width;
    let place = |area: Area, centred| {
        let runs = set(&typesetter, "مرحبا بالعالم row 7 (VIP) 2026", area, centred);
        let line: Vec<Run> = runs.into_iter().filter(|run| run.text.contains("(VIP)")).collect();
        typesetter.ink(&line).unwrap()
    };
    let ink = place(PLACE, false);
    assert!((ink.x + ink.width - right).abs() < 0.4, "{ink:?}");
    // In a Latin text the next Latin word follows the Arabic one directly, with only their space between.
    let runs = set(&typesetter, "row مرحبا بالعالم seat", Area { width: 21.0, ..PLACE }, false);
    let first: Vec<&Run> = runs.iter().filter(|run| (run.y - runs[0].y).abs() < 0.01).collect();
    let advance = |run: &Run| run.glyphs.iter().map(|glyph| glyph.advance).sum::<f32>() * run.size;
    assert!(first.array_windows().all(|[one, next]| close(one.x + advance(one), next.x)), "{first:?}");
    assert!(close(runs[0].x, PLACE.x));
}

fn close(one: f32, other: f32) -> bool {
    (one - other).abs() < 0.01
}

#[test]
fn arabic_letters_join_and_marks_are_on_their_letters() {
    let typesetter = typesetter();
    let ids = |text: &str| -> Vec<u32> {
        set(&typesetter, text, PLACE, false).iter().flat_map(|run| run.glyphs.iter().map(|glyph| glyph.id)).collect()
    };
    // The letter on its own, and three in a word: at its end, in its middle, at its beginning.
    let (alone, word) = (ids("ه"), ids("ههه"));
    assert_eq!((alone.len(), word.len()), (1, 3));
    assert!(word.iter().all(|id| *id != alone[0]) && word[0] != word[1] && word[1] != word[2]);
    assert_eq!(ids("e\u{301}"), ids("é"));
    let marked = set(&typesetter, "x\u{301}", PLACE, false);
    assert_eq!(marked[0].glyphs.len(), 2);
    assert!(marked[0].glyphs[1].advance.abs() < 0.001);
}

#[test]
fn a_ligature_covers_all_its_letters() {
    let typesetter = typesetter();
    for (text, ligature, letters) in [("fit", 0..2, 2), ("الا", 2..6, 2), ("لا", 0..4, 1)] {
        let runs = set(&typesetter, text, PLACE, false);
        let ranges: Vec<Range<usize>> = runs[0].glyphs.iter().map(|glyph| glyph.range.clone()).collect();
        assert!(ranges.len() == letters && ranges.contains(&ligature), "{text}: {ranges:?}");
    }
}

#[test]
fn missing_characters_are_reported_and_can_be_left_out() {
    let typesetter = typesetter();
    let missing = |text: &str| {
        let Missing { characters, rest } = typesetter.missing(text);
        (characters.into_iter().collect::<String>(), rest)
    };
    let none = String::new;
    assert_eq!(missing("Row 7, Zürich, Київ, שלום"), (none(), "Row 7, Zürich, Київ, שלום".into()));
    assert_eq!(missing("入口 7"), ("入口".into(), "7".into()));
    assert_eq!(missing("a🦀b🦀"), ("🦀".into(), "ab".into()));
    assert_eq!(missing("👩\u{200d}🚀 up"), ("👩🚀".into(), "up".into()));
    assert_eq!(missing("\u{f8ff}"), ("\u{f8ff}".into(), none()));
    assert_eq!(missing("one\u{2028}two\u{3000}three\u{85}four"), (none(), "one two three four".into()));
    assert_eq!(missing("a\u{200d}b\u{ad}c\u{200e}").0, "");
}

#[test]
fn a_further_font_supplies_missing_characters() {
    let typesetter = with_thin();
    // The first font has all of its characters, so the text stays in one font.
    let runs = set(&typesetter, "Zürich, Київ", PLACE, false);
    assert!(runs.iter().all(|run| run.face == 0));
    // As a fallback for a font that has only its own characters.
    let faces = typesetter.fonts.faces.iter().rev().cloned().collect();
    let reversed = Typesetter::new(&Arc::new(Fonts { faces }));
    let lacks = |face: &crate::sheet::fonts::Face, c: char| face.font().unwrap().charmap().map(c).is_none();
    let only = ('\u{a0}'..'\u{ffff}')
        .filter(|c| c.is_alphabetic())
        .find(|c| lacks(&reversed.fonts.faces[0], *c) && !lacks(&reversed.fonts.faces[1], *c))
        .unwrap();
    let runs = set(&reversed, &format!("a{only}b"), PLACE, false);
    let mut faces: Vec<usize> = runs.iter().map(|run| run.face).collect();
    faces.dedup();
    assert_eq!(faces, [0, 1, 0], "{only}");
    assert!(reversed.missing(&format!("a{only}b")).characters.is_empty());
}

#[test]
fn stacked_marks_and_giant_letters_stay_in_the_area() {
    let typesetter = typesetter();
    let stack = format!("Z{}", "\u{301}\u{323}".repeat(40));
    for text in [stack.as_str(), "\u{fdf2}", "\u{2a0c}\u{2a0c}", "\u{fdf2} row \u{fdf2}", "…", " ", ""] {
        for area in [PLACE, SMALL, Area { width: 3.0, height: 2.6, ..SMALL }] {
            set(&typesetter, text, area, false);
            set(&typesetter, text, area, true);
        }
    }
}

#[test]
fn setting_text_is_deterministic() {
    let (one, other) = (typesetter(), typesetter());
    let text = "Row 7 مرحبا e\u{301} 6f1c1d3e-8a0b";
    let shown = |typesetter: &Typesetter| format!("{:?}", typesetter.set(text, PLACE, false));
    assert_eq!(shown(&one), shown(&other));
    one.set("something else", SMALL, true);
    assert_eq!(shown(&one), shown(&other));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_text_leaves_its_area(
        text in prop_oneof![
            "\\PC{0,200}",
            "[ -~]{0,200}",
            "[\u{590}-\u{5ff}\u{600}-\u{6ff} a-z0-9]{1,200}",
            "[a-z\u{300}-\u{36f}]{1,200}",
            "[\u{2000}-\u{206f}a-z\u{627}-\u{63a}]{1,60}",
        ],
        width in 3.0_f32..80.0,
        height in 2.6_f32..60.0,
        centred: bool,
    ) {
        let typesetter = typesetter();
        let Missing { rest, .. } = typesetter.missing(&text);
        let runs = set(&typesetter, &rest, Area { x: 12.5, y: 3.25, width, height }, centred);
        let bare = runs.iter().flat_map(|run| &run.glyphs).filter(|glyph| glyph.id == 0).count();
        prop_assert_eq!(bare, 0, "{:?}", rest);
    }
}
