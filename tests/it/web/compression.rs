//! Compressed answers.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::{Method, header};
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::process::Place;
use crate::support::trace;

#[actix_web::test]
async fn a_page_is_compressed_in_one_piece_for_whoever_takes_it_so() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let plain = browser.get("/").await;
    assert_eq!(plain.headers.get("vary").map(header::HeaderValue::as_bytes), Some(&b"accept-encoding"[..]));
    for (accept, coding) in [("gzip, deflate, br, zstd", "gzip"), ("br", "br"), ("gzip;q=0.1, br;q=0.9", "br")] {
        let answer = browser.request(Method::GET, "/").header("Accept-Encoding", accept).send().await.unwrap();
        let headers = answer.headers().clone();
        assert_eq!(headers["content-encoding"], coding, "{accept}");
        assert_eq!(headers["vary"], "accept-encoding");
        let body = answer.bytes().await.unwrap();
        assert_eq!(headers["content-length"], body.len().to_string(), "in one piece");
        assert!(body.len() < plain.text.len() * 2 / 3, "{} of {}", body.len(), plain.text.len());
        if coding == "gzip" {
            let mut text = String::new();
            GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
            assert!(text.contains("</html>"));
        }
    }
    for accept in ["identity", "zstd", "gzip;q=0", "\u{7f}"] {
        let request = browser.request(Method::GET, "/").header("Accept-Encoding", accept);
        let Ok(answer) = request.send().await else { continue };
        assert!(!answer.headers().contains_key("content-encoding"), "{accept}");
    }
    // Small, or with a secret: as it is.
    let request = browser.request(Method::GET, "/login").header("Accept-Encoding", "gzip");
    assert!(!request.send().await.unwrap().headers().contains_key("content-encoding"));
}

/// How gzip begins (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What waits for another packet's acknowledgement waits 40 ms (RFC 896 and RFC 1122, section 4.2.3.2).
#[actix_web::test]
async fn no_answer_waits_for_an_acknowledgement() {
    trace::check();
    let place = Place::new();
    let file = place.path("trace");
    let mut server =
        place.serve_under(&trace::command("trace=setsockopt,write,writev,sendto,sendmsg", file.to_str().unwrap()));
    let key = place.key("manager");
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let page = client.get(format!("{}/add", server.base)).bearer_auth(&key).header("Accept-Encoding", "gzip");
        assert_eq!(page.send().await.unwrap().headers()["content-encoding"], "gzip");
    }
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    let calls = trace::read(&file);
    assert!(std::fs::read_to_string(&file).unwrap().contains("TCP_NODELAY, [1]"));
    let answers = calls.iter().filter(|call| call.data.starts_with(b"HTTP/1.1 200"));
    let whole: Vec<bool> = answers.map(|call| call.data.windows(2).any(|bytes| bytes == GZIP)).collect();
    assert_eq!(whole, [true; 3], "head and body leave in one write");
}
