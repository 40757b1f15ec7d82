//! The code on the tile and in both downloads, read back by another library than the one that made it.

use diesel::connection::SimpleConnection;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use reqwest::Method;
use resvg::{tiny_skia, usvg};
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::process::Place;
use crate::support::settings::save_setting;

/// What a scanner reads in a picture of grey values.
fn read(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> String {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().unwrap().1
}

fn read_svg(svg: &str) -> String {
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default()).unwrap();
    let scale = 800.0 / tree.size().width();
    let mut picture = tiny_skia::Pixmap::new(800, 800).unwrap();
    picture.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut picture.as_mut());
    read(800, 800, |x, y| picture.pixels()[y * 800 + x].red())
}

fn read_png(bytes: &[u8]) -> String {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut grey = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut grey).unwrap();
    let (width, height) = (frame.width as usize, frame.height as usize);
    read(width, height, |x, y| grey[y * frame.line_size + x])
}

async fn check(app: &App, browser: &mut Browser<'_>, value: &str) {
    let uid = app.add(&[("value", value)]).await;
    let tile = browser.get(&format!("/{uid}")).await;
    let start = tile.text.find("<svg viewBox=\"0 0 ").map(|_| tile.text.find("role=\"img\"").unwrap()).unwrap();
    let start = tile.text[..start].rfind("<svg").unwrap();
    let inline = &tile.text[start..start + tile.text[start..].find("</svg>").unwrap() + 6];
    assert_eq!(inline.matches("<path").count(), 1, "one path");
    let inline = inline.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1);
    let svg = browser.get(&format!("/{uid}/qr_code.svg")).await;
    let png = browser.request(Method::GET, &format!("/{uid}/qr_code")).send().await.unwrap();
    let png = png.bytes().await.unwrap();
    let value = value.to_owned();
    let reads = tokio::task::spawn_blocking(move || [read_svg(&inline), read_svg(&svg.text), read_png(&png)]);
    for (what, text) in ["tile", "svg", "png"].iter().zip(reads.await.unwrap()) {
        assert_eq!(text, value, "{what}");
    }
}

#[actix_web::test]
async fn the_tile_and_both_downloads_say_the_value() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let long = "Lorem ipsum 0123456789 ".repeat(43).trim().to_owned();
    let values = [
        "x",
        "90c29d4e-0000-4573-8e3f-not-a-uid",
        "https://example.org/a?b=c&d=%20#e",
        "Ärzte – 診察券 😀",
        "ぁぁぁ麻杏石甘口服液",
        &long,
    ];
    for value in values {
        check(&app, &mut browser, value).await;
    }
    let any = prop_oneof!["[!-~]{1,40}", "[a-z0-9/:.?=&%-]{1,80}", "\\PC{1,60}"];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..16 {
        let value = any.new_tree(&mut runner).unwrap().current();
        let value: String = value.trim().chars().filter(|c| !c.is_control()).collect();
        let taken = app.get("/query_token", &[("value", &value)]).await;
        if !value.is_empty() && value.trim() == value && taken.body["token"].is_null() {
            check(&app, &mut browser, &value).await;
        }
    }
}

#[actix_web::test]
async fn downloads_have_names_and_tags() {
    let app = App::start().await;
    let browser = Browser::of(&app, Role::Viewer).await;
    let uid = app.add(&[]).await;
    for (path, kind, ending) in [("qr_code", "image/png", "png"), ("qr_code.svg", "image/svg+xml", "svg")] {
        let path = format!("/{uid}/{path}");
        let file = browser.request(Method::GET, &path).send().await.unwrap();
        let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), kind);
        assert_eq!(header("content-disposition"), format!("attachment; filename=\"token-{uid}.{ending}\""));
        let again = browser.request(Method::GET, &path).header("If-None-Match", header("etag")).send().await.unwrap();
        assert_eq!(again.status(), 304);
        let other = browser.request(Method::GET, &path).header("If-None-Match", "\"other\"").send().await.unwrap();
        assert_eq!(other.status(), 200);
    }
}

#[actix_web::test]
async fn codes_hold_links_when_the_public_url_is_given() {
    let app = App::start_as("https://tickets.example/shop").await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uid = app.add(&[("value", "T-1"), ("usage_count", "5")]).await;
    let link = format!("https://tickets.example/shop/{uid}");
    let file =
        |browser: &Browser<'_>, ending: &str| browser.request(Method::GET, &format!("/{uid}/qr_code{ending}")).send();
    let tag = file(&browser, "").await.unwrap().headers()["etag"].clone();
    for (holds, says) in [("link", link.as_str()), ("value", "T-1")] {
        save_setting(&mut browser, "code_holds", &[("code_holds", holds)])
            .await
            .check_leads_to("/shop/settings?done=code_holds");
        let tile = browser.get(&format!("/{uid}")).await;
        tile.check(200, &[&format!("aria-label=\"QR code that says {says}\""), "<span class=\"value\">T-1</span>"]);
        let path = tile.text.split("crispEdges\"><path d=\"").nth(1).unwrap().split('"').next().unwrap();
        browser.get("/?view=tiles").await.check(200, &[path]);
        let (png, svg) = (file(&browser, "").await.unwrap(), file(&browser, ".svg").await.unwrap());
        assert_eq!(png.headers()["etag"] == tag, holds == "value");
        let (png, svg) = (png.bytes().await.unwrap(), svg.text().await.unwrap());
        let reads = tokio::task::spawn_blocking(move || (read_png(&png), read_svg(&svg))).await.unwrap();
        assert_eq!(reads, (says.to_owned(), says.to_owned()));
        app.post("/consume_token", &[("value", says)]).await.check_success();
    }
}

#[actix_web::test]
async fn without_a_public_url_codes_hold_values_and_it_is_told_why() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/settings").await.check(200, &["value=\"link\" disabled", "started without"]);
    save_setting(&mut browser, "code_holds", &[("code_holds", "link")]).await.check(422, &["Links need this server"]);
    let link = "INSERT INTO settings VALUES ('code_holds', '\"link\"', 0, 'user:anna')";
    app.connection().batch_execute(link).unwrap();
    browser.get("/settings").await.check(200, &["QR codes contain values, not links: this server was started without"]);
    let uid = app.add(&[("value", "T-1")]).await;
    browser.get(&format!("/{uid}")).await.check(200, &["QR code that says T-1"]);

    let place = Place::new();
    place.works(&["migrate"]);
    place.connection().batch_execute(link).unwrap();
    assert!(place.serve().log().contains("started without --public-url"));
    let given = place.serve_after("export TESSERA_PUBLIC_URL=https://tickets.example");
    assert!(!given.log().contains("started without --public-url"), "{}", given.log());
}
