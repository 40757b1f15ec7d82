//! Sheets as they come out of the printer: PDFs are printed into memory, and their codes read by another library than the
//! one that made them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::{env, fs};

use tessera::sheet::calibrate::{self, NOMINAL};
use tessera::sheet::draw::{Drawing, Shape};
use tessera::sheet::fonts::Fonts;
use tessera::sheet::geometry::Sheet;
use tessera::sheet::layout::{LabelItem, LayoutOptions, SheetLayout};
use tessera::sheet::mm::Mm;
use tessera::sheet::pdf::PdfError;
use tessera::sheet::presets::{preset, presets};
use tessera::sheet::proof::{self, Expected, Fault, Unchecked};
use tessera::sheet::raster::{Raster, RasterPages};
use tessera::sheet::text_size::TextSize;
use tessera::sheet::{Area, pdf};
use uuid::Uuid;

fn fonts() -> Arc<Fonts> {
    Arc::new(Fonts::new(Vec::new()).unwrap())
}

fn items(count: u32) -> Vec<LabelItem> {
    let item = |number| {
        let code = Uuid::new_v4().to_string();
        LabelItem {
            name: format!("Ticket {number}"),
            text: Some(format!("Ticket {number}, {code}")),
            code,
            second: None,
        }
    };
    (1..=count).map(item).collect()
}

/// At the first resolution at which it is printable.
fn plan(sheet: &Sheet, options: LayoutOptions, items: &[LabelItem]) -> SheetLayout {
    let at = |dpi| SheetLayout::new(sheet, &LayoutOptions { dpi, ..options }, &fonts(), true, items.to_vec());
    [300, 600].into_iter().find_map(|dpi| at(dpi).ok()).unwrap_or_else(|| panic!("{} is refused", sheet.slug))
}

fn pdf_of(pages: impl IntoIterator<Item = Drawing>) -> Arc<Vec<u8>> {
    Arc::new(pdf::write("Labels", &fonts(), pages, &mut |_| ControlFlow::Continue(())).unwrap())
}

fn pdf_of_plan(plan: &SheetLayout) -> Arc<Vec<u8>> {
    pdf_of((0..plan.pages()).map(|page| plan.page(page)))
}

fn whole(sheet: &Sheet) -> Area {
    Area { x: 0.0, y: 0.0, width: sheet.page_width.f32(), height: sheet.page_height.f32() }
}

/// The dots of the picture that are dark, if there are any in the area.
fn has_ink(picture: &Raster, area: Area) -> bool {
    let (left, top, width, height) = picture.pixels(area);
    (top..top + height).any(|y| (left..left + width).any(|x| picture.is_dark(x, y)))
}

fn save(name: &str, picture: &Raster) {
    let Ok(folder) = env::var("PICTURES") else { return };
    fs::create_dir_all(&folder).unwrap();
    let file = fs::File::create(format!("{folder}/{name}.png")).unwrap();
    let (width, height) = (picture.width(), picture.height());
    let mut encoder = png::Encoder::new(file, width.try_into().unwrap(), height.try_into().unwrap());
    encoder.set_color(png::ColorType::Grayscale);
    let dots: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| 255 * u8::from(!picture.is_dark(x, y)))
        .collect();
    encoder.write_header().unwrap().write_image_data(&dots).unwrap();
}

fn scans(sheet: &Sheet) {
    scans_with(sheet, LayoutOptions::default(), &items(sheet.labels()));
}

fn scans_with(sheet: &Sheet, options: LayoutOptions, items: &[LabelItem]) {
    let plan = plan(sheet, options, items);
    let file = pdf_of_plan(&plan);
    let dpi = plan.options().dpi;
    let failures =
        proof::check(Arc::clone(&file), dpi, [proof::expected(&plan, 0)], &mut |_| ControlFlow::Continue(()));
    assert_eq!(failures, Ok(vec![]), "{}", sheet.slug);

    let pages = RasterPages::read(file).unwrap();
    let (width, height) = pages.size(0).unwrap();
    assert_eq!(pages.count(), 1);
    assert!((width - sheet.page_width.f32()).abs() < 0.01, "{}: {width}", sheet.slug);
    assert!((height - sheet.page_height.f32()).abs() < 0.01, "{}: {height}", sheet.slug);
    let picture = pages.print(0, dpi, whole(sheet)).unwrap();
    save(&sheet.slug, &picture);
    ink_keeps_to_its_place(sheet, &plan, &picture);
}

/// No ink between the labels and in the quiet zones, and some beside or below each code.
fn ink_keeps_to_its_place(sheet: &Sheet, plan: &SheetLayout, picture: &Raster) {
    let module = plan.page(0).shapes.iter().find_map(|shape| match shape {
        Shape::Code { module, .. } => Some(*module),
        _ => None,
    });
    // A dot less, for what is rounded to whole dots.
    let dot = 25.4 / f32::from(u16::try_from(plan.options().dpi).unwrap());
    let quiet = 4.0 * module.unwrap() - dot;
    let mut free = vec![true; picture.width() * picture.height()];
    for item in 0..plan.items() {
        let (x, y) = plan.corner(plan.label_of(item).label);
        let label = Area { x, y, width: sheet.width.f32(), height: sheet.height.f32() };
        let (left, top, width, height) = picture.pixels(label);
        for row in top..top + height {
            free[row * picture.width() + left..][..width].fill(false);
        }
        let (x, y, side) = plan.dark(item).unwrap();
        let (far, long) = (side + dot, side + 2.0 * quiet);
        for strip in [
            Area { x: x - quiet, y: y - quiet, width: long, height: quiet - dot },
            Area { x: x - quiet, y: y + far, width: long, height: quiet - dot },
            Area { x: x - quiet, y: y - quiet, width: quiet - dot, height: long },
            Area { x: x + far, y: y - quiet, width: quiet - dot, height: long },
        ] {
            assert!(!has_ink(picture, strip), "{} {item}: ink in {strip:?}", sheet.slug);
        }
        assert!(has_ink(picture, Area { x, y, width: side, height: side }));
    }
    for (at, _) in free.iter().enumerate().filter(|(_, free)| **free) {
        let (x, y) = (at % picture.width(), at / picture.width());
        assert!(!picture.is_dark(x, y), "{}: ink between labels at dot {x}, {y}", sheet.slug);
    }
}

fn every_second(part: usize) {
    for sheet in presets().iter().skip(part).step_by(2) {
        scans(sheet);
    }
}

#[test]
fn every_code_of_a_full_sheet_scans_on_its_own_label() {
    every_second(0);
}

#[test]
fn every_code_of_a_full_sheet_scans_on_its_own_label_on_the_other_sheets() {
    every_second(1);
}

#[test]
fn large_text_and_a_second_line_stay_out_of_the_quiet_zone() {
    let options = LayoutOptions { text_size: TextSize::Large, has_second: true, ..LayoutOptions::default() };
    for slug in ["avery-l7160", "avery-l4731", "avery-22806", "herma-4610"] {
        let sheet = preset(slug).unwrap();
        let second = Some("Valid until 30 Nov 2026 18:00, bring a coat".to_owned());
        let items: Vec<LabelItem> =
            items(sheet.labels()).into_iter().map(|item| LabelItem { second: second.clone(), ..item }).collect();
        scans_with(sheet, options, &items);
    }
}

#[test]
fn start_and_offsets_move_all_alike() {
    let sheet = preset("avery-l7651").unwrap();
    let items = items(4);
    let (offset_x, offset_y) = (Mm::from_micrometres(1_300), Mm::from_micrometres(-800));
    // The last but two of a page: two go to the next one.
    let moved = plan(sheet, LayoutOptions { start: 64, offset_x, offset_y, ..LayoutOptions::default() }, &items);
    let file = pdf_of_plan(&moved);
    let pages = RasterPages::read(file).unwrap();
    assert_eq!(pages.count(), 2);
    let plain = plan(sheet, LayoutOptions::default(), &items);
    let centre = plain.centre();
    let mut shifts = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let spot = moved.label_of(number);
        let (x, y) = sheet.corner(spot.label);
        let place = Area { x: x.f32() + 1.3, y: y.f32() - 0.8, width: 38.1, height: 21.17 };
        let picture = pages.print(spot.page, 600, place).unwrap();
        let read = proof::read(&picture, place);
        assert_eq!(read.iter().map(|code| code.says.as_str()).collect::<Vec<_>>(), [item.code.as_str()]);
        shifts.push((read[0].centre.0 - x.f32() - centre.0, read[0].centre.1 - y.f32() - centre.1));
    }
    for (x, y) in &shifts {
        assert!((x - 1.3).abs() < 0.1 && (y + 0.8).abs() < 0.1, "{shifts:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_and_can_be_stopped() {
    let sheet = preset("avery-l7651").unwrap();
    let plan = plan(sheet, LayoutOptions { outline: true, ..LayoutOptions::default() }, &items(70));
    let first = pdf_of_plan(&plan);
    assert!(first == pdf_of_plan(&plan));
    let mut pages = Vec::new();
    let stopped = pdf::write("Labels", &fonts(), (0..2).map(|page| plan.page(page)), &mut |page| {
        pages.push(page);
        ControlFlow::Break(())
    });
    assert_eq!((stopped, pages), (Err(PdfError::Stopped), vec![1]));
    let stopped = proof::check(first, 300, [vec![], vec![]], &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped, Err(Unchecked::Stopped));
    assert_eq!(proof::check(Arc::new(vec![1]), 300, [vec![]], &mut |_| ControlFlow::Break(())), Err(Unchecked::Pdf));
}

#[test]
fn the_check_says_which_label_fails_and_why() {
    let sheet = preset("avery-l7160").unwrap();
    let mut items = items(4);
    items[3].code = "Eintritt für zwei, Δύο, два".into();
    let plan = plan(sheet, LayoutOptions { start: 3, ..LayoutOptions::default() }, &items);
    let mut expected = proof::expected(&plan, 0);
    let mut drawing = plan.page(0);
    // One is struck through, one is another's, one lies elsewhere, and one is as it should be.
    let (x, y) = expected[0].centre;
    drawing.shapes.push(Shape::Line { from: (x - 15.0, y), to: (x + 15.0, y), line: 9.0 });
    expected[1].says = "something else".into();
    expected[2].centre.0 += 0.5;
    let says = items[1].code.clone();
    let failures = proof::check(pdf_of([drawing]), 300, [expected], &mut |_| ControlFlow::Continue(())).unwrap();
    let told: Vec<(usize, u32, &str)> = failures.iter().map(|it| (it.page, it.label, it.name.as_str())).collect();
    assert_eq!(told, [(1, 3, "Ticket 1"), (1, 4, "Ticket 2"), (1, 5, "Ticket 3")]);
    assert_eq!(failures[0].fault, Fault::Unreadable);
    assert_eq!(failures[1].fault, Fault::Says(says.clone()));
    assert_eq!(failures[2].fault.to_string(), "is 0.5 mm off");
    assert_eq!(failures[1].fault.to_string(), format!("says something else: {says}"));
}

/// A code as it was made once: its bytes are UTF-8, and it does not say so.
#[test]
fn the_check_notices_a_code_that_leaves_its_letters_to_a_guess() {
    let sheet = preset("avery-l7160").unwrap();
    let code = "Straße 7".to_owned();
    let items = vec![LabelItem { name: "Ticket 1".into(), code: code.clone(), ..LabelItem::default() }];
    let plan = plan(sheet, LayoutOptions::default(), &items);
    let mut drawing = plan.page(0);
    let Shape::Code { x, y, module, .. } = drawing.shapes.remove(0) else { panic!("the code comes first") };
    let other = qrcode::QrCode::with_error_correction_level(&code, qrcode::EcLevel::M).unwrap();
    let width = other.width();
    assert_eq!(width, 21, "version 1, as ours");
    for (index, color) in other.to_colors().into_iter().enumerate() {
        let at = |place: usize| f32::from(u16::try_from(place).unwrap()) * module;
        let (left, middle) = (x + at(index % width), y + at(index / width) + module / 2.0);
        if color == qrcode::Color::Dark {
            // A little more, so that there is no seam.
            let (from, to) = ((left, middle), (left + 1.05 * module, middle));
            drawing.shapes.push(Shape::Line { from, to, line: 1.05 * module });
        }
    }
    let expected = proof::expected(&plan, 0);
    let failures = proof::check(pdf_of([drawing]), 300, [expected], &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].fault, Fault::Says("StraÃ\u{9f}e 7".into()), "as ISO 8859-1");
    assert_eq!(
        proof::check(pdf_of_plan(&plan), 300, [proof::expected(&plan, 0)], &mut |_| ControlFlow::Continue(())),
        Ok(vec![])
    );
}

#[test]
fn values_of_a_thousand_characters_scan() {
    let sheet = preset("avery-l7165").unwrap();
    let code = |number: usize| format!("{number} {}", "Admit one, row 7. ".repeat(60)).chars().take(1_000).collect();
    let items: Vec<LabelItem> = (0..8).map(|number| LabelItem { code: code(number), ..LabelItem::default() }).collect();
    let plan = SheetLayout::new(sheet, &LayoutOptions::default(), &fonts(), false, items).unwrap();
    let expected: Vec<Expected> = proof::expected(&plan, 0);
    assert_eq!(expected.len(), 8);
    let failures = proof::check(pdf_of_plan(&plan), 300, [expected], &mut |_| ControlFlow::Continue(()));
    assert_eq!(failures, Ok(vec![]));
}

#[test]
fn the_test_page_measures_in_millimetres_from_the_papers_edge() {
    let sheet = preset("herma-4610").unwrap();
    for (offset_x, offset_y) in [(Mm::ZERO, Mm::ZERO), (Mm::from_micrometres(1_500), Mm::from_micrometres(-2_000))] {
        let page = calibrate::page(sheet, offset_x, offset_y, &fonts());
        let picture = RasterPages::read(pdf_of([page])).unwrap().print(0, 600, whole(sheet)).unwrap();
        save(&format!("test-page-{}", offset_x.micrometres()), &picture);
        let (x, y) = (offset_x.f32(), offset_y.f32());
        // Within 0.1 mm of where a line should be, and not beside it.
        let at = |x: f32, y: f32| has_ink(&picture, Area { x: x - 0.1, y: y - 0.1, width: 0.2, height: 0.2 });
        // An edge of a label may lie beside a tick.
        let alone = |tick: f32, pitch: f32| (0.6..pitch - 0.6).contains(&(tick % pitch));
        for tick in (16..=200_u16).map(f32::from) {
            assert!(at(tick + x, 11.0 + y) && at(11.0 + x, tick + y), "tick {tick}");
            assert!(!alone(tick, 52.5) || !at(tick + 0.25 + x, 11.0 + y), "beside tick {tick}");
            assert!(!alone(tick, 29.7) || !at(11.0 + x, tick + 0.25 + y), "beside tick {tick} down");
        }
        let nominal = NOMINAL.f32();
        assert!(at(nominal + x, 140.0 + y) && at(100.0 + x, nominal + y));
        let (left, line) = (55.0 + x, 178.0 + y);
        assert!(at(left + 0.1, line) && at(left + 99.9, line) && !at(left - 0.4, line) && !at(left + 100.4, line));
        let codes = proof::read(&picture, whole(sheet));
        assert_eq!(codes.iter().map(|code| code.says.as_str()).collect::<Vec<_>>(), ["TESSERA TEST PAGE"; 4]);
    }
}

#[test]
fn the_test_page_of_a_roll_label_is_a_cross_and_a_code() {
    let millimetres = |number| Mm::from_micrometres(number * 1_000);
    let sheet = Sheet {
        slug: "roll".into(),
        name: "Roll".into(),
        page_width: millimetres(57),
        page_height: millimetres(32),
        columns: 1,
        rows: 1,
        width: millimetres(57),
        height: millimetres(32),
        left: Mm::ZERO,
        top: Mm::ZERO,
        pitch_x: millimetres(57),
        pitch_y: millimetres(32),
        margin: Mm::ZERO,
    };
    let page = calibrate::page(&sheet, Mm::ZERO, Mm::ZERO, &fonts());
    let picture = RasterPages::read(pdf_of([page])).unwrap().print(0, 203, whole(&sheet)).unwrap();
    save("test-page-roll", &picture);
    assert_eq!(proof::read(&picture, whole(&sheet)).len(), 1);
}
