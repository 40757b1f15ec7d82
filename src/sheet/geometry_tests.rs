//! Every preset, checked by sums.

use super::*;
use crate::sheet::presets::{MARGIN, preset, presets};

fn mm(text: &str) -> Mm {
    text.parse().unwrap()
}

/// An A4 sheet with these figures: columns, rows, width, height, left, top, pitch x and y.
fn sheet(columns: u16, rows: u16, lengths: [&str; 6]) -> Sheet {
    let [width, height, left, top, pitch_x, pitch_y] = lengths.map(mm);
    let (page_width, page_height, margin) = (mm("210"), mm("297"), MARGIN);
    let (slug, name) = ("own".to_owned(), "Our own".to_owned());
    Sheet { slug, name, page_width, page_height, columns, rows, width, height, left, top, pitch_x, pitch_y, margin }
}

fn usual() -> Sheet {
    sheet(3, 7, ["63.5", "38.1", "7.2", "15.15", "66.04", "38.1"])
}

fn fields(sheet: &Sheet) -> Vec<&'static str> {
    sheet.check().iter().map(|misfit| misfit.field).collect()
}

fn message(sheet: &Sheet) -> String {
    let found = sheet.check();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].message.clone()
}

#[test]
fn every_preset_fits_its_page() {
    assert_eq!(presets().len(), 19);
    for preset in presets() {
        assert_eq!(preset.check(), [], "{}", preset.slug);
        let (x, y) = preset.corner(preset.labels() - 1);
        assert!(x + preset.width <= preset.page_width && y + preset.height <= preset.page_height);
    }
}

#[test]
fn preset_names() {
    let l7160 = preset("avery-l7160").unwrap();
    assert_eq!(l7160.name, "Avery L7160, 21 labels of 63.5 × 38.1 mm");
    assert_eq!(
        (l7160.labels(), l7160.corner(0), l7160.corner(4)),
        (21, (mm("7.2"), mm("15.15")), (mm("73.24"), mm("53.25")))
    );
    assert_eq!(preset("avery-22806").unwrap().left, mm("15.875"));
    assert_eq!(preset("avery-L7160"), None);
    let slugs: std::collections::BTreeSet<_> = presets().iter().map(|sheet| &sheet.slug).collect();
    assert_eq!(slugs.len(), presets().len());
}

#[test]
fn only_labels_at_the_papers_edge_have_an_inset() {
    let inset = |slug| preset(slug).unwrap().inset();
    assert_eq!(["herma-4610", "herma-4615", "herma-4616"].map(inset), [mm("5"); 3]);
    assert_eq!((inset("avery-l7160"), inset("avery-l7162")), (Mm::ZERO, mm("0.33")));
    // On the right: 215.9 - 3.96 - 106.36 - 101.6 = 3.98 mm.
    assert_eq!(inset("avery-5163"), mm("1.04"));
}

#[test]
fn a_published_sheet_that_does_not_fit_is_refused() {
    let wrong = sheet(6, 1, ["40", "40", "28.5", "10", "60", "40"]);
    assert_eq!(fields(&wrong), ["columns"]);
    assert_eq!(message(&wrong), "6 columns need 28.5 + 5 × 60 + 40 = 368.5 mm, but the page is 210 mm wide.");
}

#[test]
fn a_roll_is_a_page_with_one_label() {
    let mut roll = sheet(1, 1, ["57", "32", "0", "0", "0", "0"]);
    (roll.page_width, roll.page_height, roll.margin) = (mm("57"), mm("32"), mm("1"));
    assert_eq!((roll.check(), roll.labels(), roll.inset()), (vec![], 1, mm("1")));
    roll.width = mm("58");
    assert_eq!(message(&roll), "1 column needs 0 + 58 = 58 mm, but the page is 57 mm wide.");
}

#[test]
fn every_wrong_field_is_reported() {
    let wrong = |change: fn(&mut Sheet)| {
        let mut sheet = usual();
        change(&mut sheet);
        fields(&sheet)
    };
    assert_eq!(wrong(|_| ()), [""; 0]);
    assert_eq!(wrong(|it| it.slug = "Own sheet".into()), ["slug"]);
    assert_eq!(wrong(|it| it.name = " ".into()), ["name"]);
    assert_eq!(wrong(|it| it.name = "n".repeat(101)), ["name"]);
    assert_eq!(wrong(|it| it.page_width = mm("1000.001")), ["page_width"]);
    assert_eq!(wrong(|it| it.page_height = mm("-297")), ["page_height"]);
    assert_eq!(wrong(|it| it.columns = 0), ["columns"]);
    assert_eq!(wrong(|it| it.rows = 0), ["rows"]);
    assert_eq!(wrong(|it| it.rows = 8), ["rows"]);
    assert_eq!(wrong(|it| it.width = mm("4.999")), ["width"]);
    assert_eq!(wrong(|it| it.height = mm("1001")), ["height", "pitch_y"]);
    assert_eq!(wrong(|it| it.left = mm("-1")), ["left"]);
    assert_eq!(wrong(|it| it.top = mm("-0.001")), ["top"]);
    assert_eq!(wrong(|it| it.pitch_x = mm("63.499")), ["pitch_x"]);
    assert_eq!(wrong(|it| it.pitch_y = mm("38")), ["pitch_y"]);
    assert_eq!(wrong(|it| it.margin = mm("-1")), ["margin"]);
    assert_eq!(wrong(|it| it.margin = mm("31")), ["margin"]);
    assert_eq!(wrong(|it| it.margin = mm("30")), ["margin"], "nothing of a label is left");
    let worst = Sheet { columns: u16::MAX, rows: u16::MAX, pitch_x: Mm::ZERO, pitch_y: Mm::ZERO, ..usual() };
    assert_eq!(fields(&worst), ["pitch_x", "pitch_y", "rows"]);
    let mut many = sheet(101, 100, ["5", "5", "0", "0", "5", "5"]);
    (many.page_width, many.page_height, many.margin) = (LARGEST, LARGEST, Mm::ZERO);
    assert_eq!(message(&many), "A page can have at most 10000 labels. This one would have 10100.");
    assert_eq!(fields(&Sheet { columns: 100, ..many }), [""; 0]);
}

#[test]
fn a_sheet_survives_json() {
    let json = serde_json::to_string(&usual()).unwrap();
    assert!(json.contains(r#""pitch_x":66040"#), "{json}");
    assert_eq!(serde_json::from_str::<Sheet>(&json).unwrap(), usual());
}
