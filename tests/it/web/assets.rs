//! Static files.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Method;

use super::sha256;
use crate::support::app::App;
use crate::support::browser::Browser;

#[actix_web::test]
async fn static_files_are_kept_for_ever_and_packed() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::new(&app);
    let login = browser.get("/login").await;
    let path = login.text.split("href=\"/tickets").find(|part| part.starts_with("/static/style-")).unwrap();
    let path = path.split('"').next().unwrap();
    let packed = browser.request(Method::GET, path).header("Accept-Encoding", "br").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "br");
    let style = browser.get(path).await;
    style.check(200, &["--accent"]);
    assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    browser.get("/static/style-000000000000.css").await.check(404, &["Page not found"]);
    browser.get("/static/..%2fCargo.toml").await.check(404, &[]);
}

const WORKER: &str = include_str!("../../../static/scan-worker.js");
const READER: &[u8] = include_bytes!("../../../static/vendor/zxing/zxing_reader.js");
const WASM: &[u8] = include_bytes!("../../../static/vendor/zxing/zxing_reader.wasm");

/// A static file's address.
fn address(stem: &str, ending: &str, contents: &[u8]) -> String {
    format!("{stem}-{}.{ending}", &sha256(contents)[..12])
}

#[actix_web::test]
async fn the_worker_that_reads_codes_may_run_webassembly_and_names_its_parts() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::new(&app);
    let parts = [("js", READER), ("wasm", WASM)].map(|(ending, part)| address("zxing_reader", ending, part));
    let mut script = WORKER.to_owned();
    for part in &parts {
        let ending = part.rsplit('.').next().unwrap();
        script = script.replace(&format!("\"vendor/zxing/zxing_reader.{ending}\""), &format!("\"{part}\""));
    }
    let worker = browser.get(&format!("/static/{}", address("scan-worker", "js", script.as_bytes()))).await;
    assert_eq!((worker.status, &worker.text), (200, &script));
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    assert_eq!(worker.headers["content-security-policy"], policy);
    for (part, kind) in parts.iter().zip(["text/javascript; charset=utf-8", "application/wasm"]) {
        let answer = browser.get(&format!("/static/{part}")).await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, kind));
        assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
        assert!(!answer.headers["content-security-policy"].to_str().unwrap().contains("wasm"));
    }
}

#[actix_web::test]
async fn what_is_large_is_packed_and_comes_as_it_was() {
    let app = App::start().await;
    let browser = Browser::new(&app);
    let path = format!("/static/{}", address("zxing_reader", "wasm", WASM));
    for (coding, most) in [("br", 380_000), ("gzip", 420_000)] {
        let answer = browser.request(Method::GET, &path).header("Accept-Encoding", coding).send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], coding);
        let packed = answer.bytes().await.unwrap();
        assert!(packed.len() < most, "{coding}: {}", packed.len());
        let mut plain = Vec::new();
        match coding {
            "br" => brotli::Decompressor::new(&*packed, 4_096).read_to_end(&mut plain).unwrap(),
            _ => GzDecoder::new(&*packed).read_to_end(&mut plain).unwrap(),
        };
        assert!(plain == WASM, "{coding}");
    }
}

/// The tests in a browser look at the dark scheme only for what colours can break.
#[test]
fn the_dark_scheme_changes_colours_and_nothing_else() {
    let style = include_str!("../../../static/style.css");
    let mut parts = style.split("@media (prefers-color-scheme: dark) {");
    let dark = parts.nth(1).unwrap().split_once('}').unwrap().0;
    assert!(parts.next().is_none() && dark.trim_start().starts_with(":root {"), "one block of variables");
    let declarations: Vec<_> = dark.split_once('{').unwrap().1.trim().lines().map(str::trim).collect();
    assert!(declarations.len() > 10);
    for declaration in declarations {
        let (name, value) = declaration.split_once(": ").unwrap();
        assert!(name.starts_with("--") && value.starts_with('#') && value.len() == 8, "{declaration}");
    }
}
