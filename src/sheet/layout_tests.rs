//! Layouts, checked through their drawings.

use proptest::prelude::*;

use super::*;
use crate::sheet::presets::{preset, presets};

const UID: &str = "6f1c1d3e-8a0b-4c55-9d39-0b7ce5f1a2b4";
const HOSTILE: [&str; 6] = [
    "Admit one, row 7, seat 12, and a very long way up the stairs behind the great hall",
    "مرحبا بالعالم row 7",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "Z\u{301}\u{301}\u{301}\u{301}\u{323}\u{323}\u{323}\u{323}",
    "</text><script>\"'&",
    "\u{202e}Row 7\u{2066} x",
];

fn fonts() -> Arc<Fonts> {
    Arc::new(Fonts::new(Vec::new()).unwrap())
}

fn item(text: &str) -> LabelItem {
    LabelItem { name: "Ticket 1".into(), code: UID.into(), text: Some(text.into()), second: None }
}

fn items(count: usize) -> Vec<LabelItem> {
    (0..count)
        .map(|number| LabelItem { name: format!("Ticket {number}"), ..item(&format!("Ticket {number}")) })
        .collect()
}

fn layout(sheet: &Sheet, options: LayoutOptions, items: Vec<LabelItem>) -> Result<SheetLayout, Vec<SheetRefusal>> {
    SheetLayout::new(sheet, &options, &fonts(), true, items)
}

fn refusals(refused: Result<SheetLayout, Vec<SheetRefusal>>) -> Vec<String> {
    refused.unwrap_err().iter().map(SheetRefusal::to_string).collect()
}

fn mm(text: &str) -> Mm {
    text.parse().unwrap()
}

/// Fine enough for a uid on every preset.
fn fine() -> LayoutOptions {
    LayoutOptions { dpi: 600, ..LayoutOptions::default() }
}

/// The square of each code on a page, without its quiet zone, and its module.
fn codes(page: &Drawing) -> Vec<(Area, f32)> {
    let code = |shape: &Shape| match shape {
        Shape::Code { x, y, module, code } => {
            let side = module * f32::from(code.modules());
            Some((Area { x: *x, y: *y, width: side, height: side }, *module))
        }
        _ => None,
    };
    page.shapes.iter().filter_map(code).collect()
}

fn ink(page: &Drawing) -> Vec<Area> {
    let typesetter = Typesetter::new(&fonts());
    let run = |shape: &Shape| match shape {
        Shape::Run(run) => typesetter.ink(std::slice::from_ref(run)),
        _ => None,
    };
    page.shapes.iter().filter_map(run).collect()
}

fn grown(area: Area, by: f32) -> Area {
    Area { x: area.x - by, y: area.y - by, width: area.width + 2.0 * by, height: area.height + 2.0 * by }
}

fn holds(outer: Area, inner: Area) -> bool {
    let outer = grown(outer, 0.01);
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.x + inner.width <= outer.x + outer.width
        && inner.y + inner.height <= outer.y + outer.height
}

fn overlap(one: Area, other: Area) -> bool {
    let slack = 0.01;
    one.x + slack < other.x + other.width
        && other.x + slack < one.x + one.width
        && one.y + slack < other.y + other.height
        && other.y + slack < one.y + one.height
}

fn close(one: f32, other: f32) -> bool {
    (one - other).abs() < 0.002
}

#[test]
fn on_every_preset_code_and_text_stay_apart_and_on_the_label() {
    for sheet in presets() {
        let count = usize::try_from(sheet.labels()).unwrap();
        let items: Vec<LabelItem> = HOSTILE.iter().chain([&UID]).cycle().take(count).map(|text| item(text)).collect();
        let layout = layout(sheet, fine(), items).unwrap();
        assert_eq!(layout.pages(), 1);
        let page = layout.page(0);
        let (codes, inks) = (codes(&page), ink(&page));
        assert_eq!(codes.len(), count, "{}", sheet.slug);
        let margin = sheet.margin.f32();
        let reached = grown(Area { x: 0.0, y: 0.0, width: page.width, height: page.height }, -margin);
        for (number, (dark, module)) in codes.iter().enumerate() {
            let (x, y) = layout.corner(u32::try_from(number).unwrap());
            let label = Area { x, y, width: sheet.width.f32(), height: sheet.height.f32() };
            let quiet = grown(*dark, 4.0 * module);
            assert!(holds(label, quiet) && holds(reached, *dark), "{}: {quiet:?} on {label:?}", sheet.slug);
            assert!(!inks.iter().any(|ink| overlap(*ink, quiet)), "{}", sheet.slug);
            let (centre_x, centre_y) = layout.centre();
            assert!(close(dark.x + dark.width / 2.0, x + centre_x) && close(dark.y + dark.height / 2.0, y + centre_y));
            assert_eq!(layout.dark(number).map(|it| close(it.0, dark.x) && close(it.2, dark.width)), Some(true));
        }
        let labels: Vec<Area> = (0..sheet.labels())
            .map(|label| layout.corner(label))
            .map(|(x, y)| Area { x, y, width: sheet.width.f32(), height: sheet.height.f32() })
            .collect();
        for ink in inks {
            assert!(labels.iter().any(|label| holds(*label, ink)) && holds(reached, ink), "{}: {ink:?}", sheet.slug);
        }
    }
}

#[test]
fn a_code_is_as_large_as_the_labels_height_allows() {
    let (dark, module) =
        codes(&layout(preset("avery-l7160").unwrap(), LayoutOptions::default(), items(1)).unwrap().page(0))[0];
    assert!(close(module, 38.1 / 37.0) && close(dark.x, 7.2 + 4.0 * module) && close(dark.y, 15.15 + 4.0 * module));
    // At the paper's edge 5 mm cannot be printed; the quiet zone lies there.
    let (dark, _) =
        codes(&layout(preset("herma-4610").unwrap(), LayoutOptions::default(), items(1)).unwrap().page(0))[0];
    assert!(close(dark.x, 5.0) && close(dark.y, 5.0) && close(dark.width, 19.7));
    // On a square label the text is below the code.
    let sheet = preset("avery-22806").unwrap();
    let page = layout(sheet, LayoutOptions::default(), items(1)).unwrap().page(0);
    let (dark, module) = codes(&page)[0];
    assert!(close(dark.x + dark.width / 2.0, 15.875 + 25.4) && (module * 37.0 - 39.64).abs() < 0.01);
    assert!(ink(&page)[0].y > dark.y + dark.height + 4.0 * module);
    // Without text the code takes the whole label.
    let bare = SheetLayout::new(sheet, &LayoutOptions::default(), &fonts(), false, items(1)).unwrap().page(0);
    assert!(close(codes(&bare)[0].1, 50.8 / 37.0) && ink(&bare).is_empty());
}

#[test]
fn the_code_is_in_the_same_place_on_every_label() {
    let long = format!("https://tickets.example.org/{UID}");
    let mixed = vec![
        item("Row 7"),
        LabelItem { text: None, ..item("") },
        LabelItem { code: long, ..item("Row 7") },
        LabelItem { code: "1".into(), ..item("x") },
    ];
    for sheet in presets().iter().filter(|sheet| sheet.slug != "avery-l4731") {
        let layout = layout(sheet, LayoutOptions { dpi: 1200, ..LayoutOptions::default() }, mixed.clone()).unwrap();
        for (number, (dark, _)) in codes(&layout.page(0)).into_iter().enumerate() {
            let (x, y) = layout.corner(layout.label_of(number).label);
            let (centre_x, centre_y) = layout.centre();
            assert!(close(dark.x + dark.width / 2.0 - x, centre_x) && close(dark.y + dark.height / 2.0 - y, centre_y));
        }
    }
}

#[test]
fn pages_are_in_order_and_offsets_move_everything() {
    let sheet = preset("avery-l7160").unwrap();
    let plain = layout(sheet, LayoutOptions::default(), items(50)).unwrap();
    assert_eq!((plain.pages(), plain.items_of(2), plain.items_of(3), plain.next_start()), (3, 42..50, 50..50, 9));
    let options = LayoutOptions { start: 20, offset_x: mm("1.5"), offset_y: mm("-2"), ..LayoutOptions::default() };
    let moved = layout(sheet, options, items(50)).unwrap();
    assert_eq!((moved.pages(), moved.items_of(0), moved.items_of(1), moved.next_start()), (4, 0..2, 2..23, 7));
    assert_eq!(moved.label_of(0), LabelPosition { page: 0, label: 19 });
    assert_eq!(moved.label_of(2), LabelPosition { page: 1, label: 0 });
    let (before, after) = (codes(&plain.page(0)), codes(&moved.page(0)));
    for (label, (dark, module)) in after.iter().enumerate().map(|(number, code)| (number + 19, code)) {
        let (same, as_large) = before[label];
        assert!(close(dark.x, same.x + 1.5) && close(dark.y, same.y - 2.0) && close(*module, as_large));
    }
    let full = layout(sheet, LayoutOptions::default(), items(21)).unwrap();
    assert_eq!((full.pages(), full.next_start()), (1, 1));
    let none = layout(sheet, LayoutOptions::default(), Vec::new()).unwrap();
    assert_eq!((none.pages(), none.page(0).shapes.len(), none.next_start()), (0, 0, 1));
    assert!(full.page(7).shapes.is_empty());
}

#[test]
fn a_test_print_has_every_label_edge() {
    let sheet = preset("avery-l7651").unwrap();
    let options = LayoutOptions { outline: true, offset_x: mm("0.5"), ..LayoutOptions::default() };
    let page = layout(sheet, options, items(2)).unwrap().page(0);
    let edges: Vec<_> = page.shapes.iter().filter(|shape| matches!(shape, Shape::Outline { .. })).collect();
    assert_eq!(edges.len(), 65);
    assert!(matches!(edges[0], Shape::Outline { x, width, .. } if close(*x, 5.17) && close(*width, 38.1)));
}

#[test]
fn options_outside_their_limits_are_refused() {
    let sheet = preset("avery-l7160").unwrap();
    let with = |options| refusals(layout(sheet, options, items(1)));
    let usual = LayoutOptions::default();
    assert_eq!(with(LayoutOptions { start: 22, ..usual }), ["This sheet has 21 labels. There is no label 22."]);
    assert_eq!(with(LayoutOptions { start: 0, ..usual }), ["Labels are counted from 1."]);
    assert_eq!(
        with(LayoutOptions { dpi: 149, ..usual }),
        ["The printer's resolution must be from 150 to 1200 dpi, not 149."]
    );
    let far = LayoutOptions { offset_x: mm("20.001"), offset_y: mm("-21"), dpi: 1201, ..usual };
    assert_eq!(with(far).len(), 3);
    assert_eq!(with(far)[0], "An offset must be from -20 to 20 mm, not 20.001 mm.");
    let wrong = Sheet { columns: 4, ..sheet.clone() };
    assert_eq!(
        refusals(layout(&wrong, LayoutOptions { start: u32::MAX, ..usual }, items(1))),
        ["4 columns need 7.2 + 3 × 66.04 + 63.5 = 268.82 mm, but the page is 210 mm wide."]
    );
    assert!(layout(sheet, LayoutOptions { start: 21, ..usual }, items(1)).is_ok());
}

#[test]
fn an_offset_must_not_move_anything_off_the_paper() {
    let sheet = preset("herma-4616").unwrap();
    let offset = |x, y| LayoutOptions { offset_x: mm(x), offset_y: mm(y), ..LayoutOptions::default() };
    assert!(layout(sheet, offset("-5", "5"), items(21)).is_ok());
    let refused = refusals(layout(sheet, offset("-6.5", "12"), items(21)));
    assert_eq!(
        refused,
        [
            "With this shift, 1.5 mm of label 1 would be cut off at the paper's left edge.",
            "With this shift, 6.94 mm of label 19 would be cut off at the paper's bottom edge.",
        ]
    );
    // Only labels that are printed count.
    assert!(layout(sheet, offset("0", "12"), items(18)).is_ok());
    // A code without text does not reach as far to the right.
    let bare = SheetLayout::new(sheet, &offset("20", "0"), &fonts(), false, items(3));
    assert!(bare.is_ok());
}

#[test]
fn a_code_that_is_too_fine_is_refused_with_a_remedy() {
    let small = preset("avery-l4731").unwrap();
    let refused = layout(small, LayoutOptions::default(), items(3)).unwrap_err();
    let SheetRefusal::TooFine { item: 0, items: all, remedy, .. } = &refused[0] else { panic!("{refused:?}") };
    assert_eq!(all, &[0, 1, 2]);
    let sheet = remedy.sheet.map(|sheet| sheet.slug.as_str());
    assert_eq!((remedy.characters, remedy.dpi, sheet), (Some(17), Some(600), Some("avery-l7651")));
    assert_eq!(
        refused[0].to_string(),
        "The code of Ticket 0 (36 characters) is too fine for Avery L4731, 189 labels of 25.4 × 10 mm at 300 dpi, and \
         so are 2 other labels. Use a code of at most 17 characters of this kind, a printer with 600 dpi, or the label sheet \
         Avery L7651, \
         65 labels of 38.1 × 21.17 mm."
    );
    // The suggested remedy works, and the next smaller one does not.
    let cut = |most: usize| LabelItem { code: UID[..most].into(), ..item("x") };
    assert!(layout(small, LayoutOptions::default(), vec![cut(17)]).is_ok());
    assert!(layout(small, LayoutOptions::default(), vec![cut(18)]).is_err());
    assert!(layout(small, fine(), items(1)).is_ok());
    let letter = preset("avery-5167").unwrap();
    let long = LabelItem { code: "x".repeat(1_000), name: "Long".into(), ..item("x") };
    let refused = layout(letter, LayoutOptions { dpi: 203, ..fine() }, vec![item("x"), long]).unwrap_err();
    let SheetRefusal::TooFine { item: 1, name, remedy, .. } = &refused[0] else { panic!("{refused:?}") };
    assert_eq!((name.as_str(), remedy.dpi), ("Long", Some(1200)));
    assert_eq!(remedy.sheet.map(|sheet| sheet.slug.as_str()), Some("avery-5164"));
}

#[test]
fn the_level_is_the_highest_that_is_printable() {
    // 60 letters need version 4 at level M, and version 4 at L holds 78: on a label with room for at most 41 modules.
    let sheet = preset("avery-l7651").unwrap();
    let text = "x".repeat(70);
    let levels = |dpi| {
        let layout =
            layout(sheet, LayoutOptions { dpi, ..fine() }, vec![LabelItem { code: text.clone(), ..item("x") }])
                .unwrap();
        layout.levels[0]
    };
    assert_eq!((Code::modules_of(&text, Level::L), Code::modules_of(&text, Level::M)), (Some(33), Some(37)));
    // A module is 21.17 / 45 mm at M: 4 dots from 216 dpi on; 21.17 / 41 at L: from 197 on.
    assert_eq!((levels(216), levels(215), levels(197)), (Level::M, Level::L, Level::L));
    assert!(
        layout(sheet, LayoutOptions { dpi: 196, ..fine() }, vec![LabelItem { code: text.clone(), ..item("x") }])
            .is_err()
    );
}

#[test]
fn a_character_without_a_glyph_is_reported_or_left_out() {
    let sheet = preset("avery-l7160").unwrap();
    let texts = ["Row 7 🦀", "入 🦀", "🦀🦀", "plain", "🦀 x"];
    let items: Vec<LabelItem> =
        texts.iter().zip(1..).map(|(text, number)| LabelItem { name: format!("T{number}"), ..item(text) }).collect();
    assert_eq!(
        refusals(layout(sheet, LayoutOptions::default(), items.clone())),
        ["No font has the characters 🦀 (U+1F980), 入 (U+5165). Labels with them: T1, T2, T3 and 1 more."]
    );
    let layout = layout(sheet, LayoutOptions { leave_out: true, ..LayoutOptions::default() }, items.clone()).unwrap();
    let left: Vec<Option<&str>> = (0..5).map(|number| layout.item(number).unwrap().text.as_deref()).collect();
    assert_eq!(left, [Some("Row 7"), None, None, Some("plain"), Some("x")]);
    // Without text, no glyph is missing.
    assert!(SheetLayout::new(sheet, &LayoutOptions::default(), &fonts(), false, items).is_ok());
}

/// The ink of a page's texts, one area a label, and the square of its code.
fn text_and_code(options: LayoutOptions, item: &LabelItem) -> Vec<(Area, Area)> {
    let all = |sheet: &Sheet| {
        let page = layout(sheet, LayoutOptions { dpi: 1200, ..options }, vec![item.clone()]).unwrap().page(0);
        (ink(&page).into_iter().reduce(Area::with).unwrap(), codes(&page)[0].0)
    };
    presets().iter().map(all).collect()
}

#[test]
fn a_larger_text_and_a_second_line_move_no_code_that_has_text_beside_it() {
    let plain = item("Locker 1");
    let two = LabelItem { second: Some("Valid until 30 Nov".into()), ..plain.clone() };
    let medium = text_and_code(LayoutOptions::default(), &plain);
    let size = |text_size| text_and_code(LayoutOptions { text_size, ..LayoutOptions::default() }, &plain);
    let (small, large) = (size(TextSize::Small), size(TextSize::Large));
    for ((medium, small), large) in medium.iter().zip(&small).zip(&large) {
        assert!(small.0.height < medium.0.height && large.0.height > medium.0.height, "{small:?} {medium:?} {large:?}");
        assert!(small.1 == medium.1 && large.1 == medium.1, "the code stays where it is");
    }
    let second = LayoutOptions { has_second: true, ..LayoutOptions::default() };
    for (with, sheet) in text_and_code(second, &two).iter().zip(presets()) {
        let beside = LabelLayout::of(sheet, 2);
        let quiet = 4.0 * beside.module(29);
        let (text, code) = with;
        let is_clear = text.x > code.x + code.width + quiet || text.y > code.y + code.height + quiet;
        assert!(is_clear, "{}: {text:?} {code:?}", sheet.slug);
        // A label without the second text has its code in the same place.
        let alone = layout(sheet, LayoutOptions { dpi: 1200, ..second }, vec![plain.clone()]).unwrap().page(0);
        assert_eq!(codes(&alone)[0].0, *code);
    }
}

#[test]
fn a_roll_prints_one_label_per_page() {
    let roll = Sheet {
        slug: "roll".into(),
        name: "Roll".into(),
        page_width: mm("57"),
        page_height: mm("32"),
        columns: 1,
        rows: 1,
        width: mm("57"),
        height: mm("32"),
        left: Mm::ZERO,
        top: Mm::ZERO,
        pitch_x: Mm::ZERO,
        pitch_y: Mm::ZERO,
        margin: mm("1"),
    };
    let layout = layout(&roll, LayoutOptions { dpi: 203, ..LayoutOptions::default() }, items(3)).unwrap();
    assert_eq!((layout.pages(), layout.next_start(), codes(&layout.page(2)).len()), (3, 1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_printed_correctly_or_refused(
        sheet in prop::sample::select(presets()),
        code in prop_oneof!["[0-9a-f-]{1,60}", "[ -~]{1,300}", "\\PC{1,100}"],
        text in "\\PC{0,200}",
        (start, x, y) in (0_u32..200, -21_000_i32..21_000, -21_000_i32..21_000),
        dpi in prop::sample::select(&[150_u32, 203, 300, 600, 1200]),
        has_text: bool,
        (second, text_size) in (
            prop::option::of("\\PC{1,60}"),
            prop::sample::select(&[TextSize::Small, TextSize::Medium, TextSize::Large]),
        ),
    ) {
        let (offset_x, offset_y) = (Mm::from_micrometres(x), Mm::from_micrometres(y));
        let has_second = second.is_some();
        let options =
            LayoutOptions { start, offset_x, offset_y, outline: false, dpi, leave_out: true, text_size, has_second };
        let items = vec![LabelItem { name: "T".into(), code, text: Some(text), second }; 2];
        match SheetLayout::new(&sheet, &options, &fonts(), has_text, items) {
            Err(refused) => prop_assert!(refused.iter().all(|it| it.to_string().ends_with('.'))),
            Ok(layout) => {
                let page = layout.page(0);
                let paper = Area { x: 0.0, y: 0.0, width: page.width, height: page.height };
                for (dark, module) in codes(&page) {
                    prop_assert!(holds(paper, dark));
                    #[expect(clippy::cast_precision_loss)]
                    let dots = module * dpi as f32 / 25.4;
                    prop_assert!(dots > 3.99, "{}", dots);
                }
                prop_assert!(ink(&page).into_iter().all(|ink| holds(paper, ink)));
            }
        }
    }
}
