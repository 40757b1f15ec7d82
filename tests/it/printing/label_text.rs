//! How large the text on a label is, and its second line, measured on paper.

use std::sync::Arc;

use reqwest::Method;
use tessera::access::Role;
use tessera::sheet::Area;
use tessera::sheet::presets::preset;
use tessera::sheet::raster::RasterPages;
use tessera::work::printing::options::{PrintOptions, SecondLine};

use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::printing::{fetch_pdf, read_codes, runs_with_tokens};

const SHEET: &str = "avery-l7165";

async fn print(app: &App, query: &[(&str, &str)]) -> Vec<u8> {
    let query = [query, &[("sheet", SHEET)]].concat();
    fetch_pdf(app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&query)).await
}

/// The heights of the lines beside the first code, in millimetres, from top to bottom.
fn lines(pdf: &[u8]) -> Vec<f32> {
    let sheet = preset(SHEET).unwrap();
    let pages = RasterPages::read(Arc::new(pdf.to_vec())).unwrap();
    let left = sheet.left.f32() + sheet.height.f32() + 0.5;
    let (width, height) = (sheet.width.f32() - sheet.height.f32() - 1.0, sheet.height.f32() - 1.0);
    let picture = pages.print(0, 600, Area { x: left, y: sheet.top.f32() + 0.5, width, height }).unwrap();
    let (mut heights, mut rows) = (Vec::new(), 0_u16);
    for y in 0..picture.height() {
        if (0..picture.width()).any(|x| picture.is_dark(x, y)) {
            rows += 1;
        } else if rows > 0 {
            heights.push(f32::from(std::mem::take(&mut rows)) * 25.4 / 600.0);
        }
    }
    heights
}

#[actix_web::test]
async fn text_is_small_medium_or_large_and_codes_stay_where_they_are() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1"), ("label", "Hall")]).await;
    let mut heights = Vec::new();
    for size in ["small", "medium", "large"] {
        let bytes = print(&app, &[("uid", &uid), ("text_size", size)]).await;
        assert_eq!(read_codes(&bytes, preset(SHEET).unwrap(), (0.0, 0.0))[0][0], "T-1");
        let [height] = lines(&bytes)[..] else { panic!("one line of {size} text") };
        heights.push(height);
        let stored = PrintOptions::read(&runs_with_tokens(&app)[0].0.options).unwrap();
        assert_eq!(serde_json::to_value(stored.text_size).unwrap(), size);
    }
    let [small, medium, large] = heights[..] else { panic!("three sizes") };
    assert!((small / medium - 0.75).abs() < 0.05 && (large / medium - 1.5).abs() < 0.05, "{heights:?}");
    // The usual size is the one that is used if nothing is said, to the byte.
    let usual = print(&app, &[("uid", &uid)]).await;
    assert!(usual == print(&app, &[("uid", &uid), ("text_size", "medium"), ("second_line", "none")]).await);
    assert_eq!(runs_with_tokens(&app).len(), 3, "one run a size");
}

#[actix_web::test]
async fn a_second_smaller_line_says_valid_until_batch_or_a_text() {
    let app = App::start().await;
    let dated = app.add(&[("value", "T-1"), ("label", "Hall"), ("valid_to", "2031-11-30T18:00")]).await;
    let body = [("count", "1"), ("label", "Hall"), ("batch_name", "Party")];
    let made = app.post("/add_tokens", &body).await;
    let of_batch = made.check_success().body["token_uids"][0].as_str().unwrap().to_owned();
    let line_count = async |uid: &str, second: &str| {
        let bytes = print(&app, &[("uid", uid), ("second_line", second), ("second_text", "Hat")]).await;
        assert!(!read_codes(&bytes, preset(SHEET).unwrap(), (0.0, 0.0))[0][0].is_empty());
        let heights = lines(&bytes);
        assert!(heights.len() < 2 || heights[1] < heights[0], "{heights:?}");
        heights.len()
    };
    for (second, of_dated, of_other) in [("none", 1, 1), ("valid_until", 2, 1), ("batch", 1, 2), ("text", 2, 2)] {
        let lines_of = (line_count(&dated, second).await, line_count(&of_batch, second).await);
        // “Valid until 30 Nov 2031 18:00” may take two lines.
        assert!(lines_of.0 >= of_dated && (lines_of.0 > 1) == (of_dated > 1), "{second}: {lines_of:?}");
        assert_eq!(lines_of.1, of_other, "{second}");
    }
    let stored = PrintOptions::read(&runs_with_tokens(&app)[0].0.options).unwrap();
    assert_eq!(stored.second_line, SecondLine::Text("Hat".into()));
    // Alone, it is the only line.
    let alone = [("uid", &*dated), ("text", "none"), ("second_line", "text"), ("second_text", "Hat")];
    assert_eq!(lines(&print(&app, &alone).await).len(), 1);
    let run = runs_with_tokens(&app)[0].0.uid.clone();
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get(&format!("/print_runs/{run}")).await.check(200, &["Second line", "“Hat”", "Nothing, medium"]);
    // The check reads what is printed, and the browser prints it.
    let form = [("uid", &*dated), ("text_size", "large"), ("second_line", "text"), ("second_text", "Bring <ID>")];
    viewer.post("/sheet/check", &form).await.check(200, &["1 token checked"]);
    let one = [("uid", &*dated), ("text_size", "large")];
    let glyphs = |text: &str| text.matches("<use").count();
    let (both, alone) = (viewer.post("/sheet/browser", &form).await, viewer.post("/sheet/browser", &one).await);
    assert!(glyphs(&both.text) > glyphs(&alone.text));
    let page = viewer.post("/sheet", &form).await;
    page.check(200, &["Bring &#60;ID&#62;"]);
    assert_eq!(page.field("second_text"), "Bring <ID>");
}

#[actix_web::test]
async fn a_program_that_wants_a_text_has_to_give_one() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let query = [("uid", &*uid), ("second_line", "text")];
    let asked = app.request(Role::Viewer, Method::GET, "/sheet.pdf").header("Accept", "application/json");
    send(asked.query(&query)).await.check_failure("TokenValueError").check_param("second_text");
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get(&format!("/sheet?uid={uid}&second_line=text")).await.check(200, &["Text of the second line"]);
}

#[actix_web::test]
async fn voided_tokens_that_a_filter_leaves_out_are_told() {
    let app = App::start().await;
    for n in 0..5 {
        let uid = app.add(&[("label", &format!("Locker {n}"))]).await;
        if n < 3 {
            app.post(&format!("/{uid}/void_token"), &[]).await.check_success();
        }
    }
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get("/sheet?all=1").await.check(200, &["<strong>2 tokens</strong>", "3 voided tokens are left out."]);
    viewer.get("/sheet?q=Locker+2").await.check(422, &["1 voided token is left out.", "No tokens to print"]);
    assert!(!viewer.get("/sheet?q=Locker+4").await.text.contains("left out"));
}
