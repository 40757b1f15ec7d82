//! Many photos at once: those who send them wait, and nobody else for long.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use reqwest::{Method, RequestBuilder};
use tessera::access::Role;

use super::read::{PHOTO, SAYS};
use crate::support::app::{App, send};
use crate::support::process::Place;

/// A PNG of 9 million pixels in a few kilobytes, which takes seconds where tests are not optimised.
fn bomb() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 3_000, 3_000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header().unwrap().write_image_data(&vec![0; 375 * 3_000]).unwrap();
    file
}

fn photo(app: &App, role: Role, kind: &str, bytes: impl Into<reqwest::Body>) -> RequestBuilder {
    app.request(role, Method::POST, "/scan/read").header("Content-Type", kind).body(bytes)
}

#[actix_web::test]
async fn a_device_has_one_photo_read_and_one_waiting() {
    let app = App::start().await;
    let key = photo(&app, Role::Scanner, "image/jpeg", "").build().unwrap();
    let key = key.headers()["authorization"].to_str().unwrap();
    let head = format!("POST /scan/read HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: image/jpeg\r\n");
    let begin = || {
        let mut socket = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).unwrap();
        socket.write_all(format!("{head}Content-Length: 1000\r\n\r\nx").as_bytes()).unwrap();
        socket
    };
    let being_sent = [begin(), begin()];
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let third = send(photo(&app, Role::Scanner, "image/jpeg", PHOTO)).await;
    assert_eq!(third.check_failure("TooManyRequests").header("retry-after"), "1");
    assert!(third.body["message"].as_str().unwrap().contains("still being read"), "{third:?}");
    send(photo(&app, Role::Editor, "image/jpeg", PHOTO)).await.check_success();
    drop(being_sent);
    // The server sees in its own time that they have gone.
    let mut again = send(photo(&app, Role::Scanner, "image/jpeg", PHOTO)).await;
    for _ in 0..20 {
        if again.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        again = send(photo(&app, Role::Scanner, "image/jpeg", PHOTO)).await;
    }
    again.check_success();
}

#[actix_web::test]
async fn large_photos_delay_neither_small_ones_nor_sheets() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let (bomb, start) = (bomb(), Instant::now());
    let large = [Role::Editor, Role::Admin, Role::Manager].into_iter().flat_map(|role| [role; 2]).map(|role| {
        let request = photo(&app, role, "image/png", bomb.clone());
        async move {
            assert_eq!(send(request).await.check_success().body["text"], serde_json::Value::Null);
            start.elapsed()
        }
    });
    let others = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let small = async {
            let read = send(photo(&app, Role::Scanner, "image/jpeg", PHOTO)).await;
            assert_eq!(read.check_success().body["text"], SAYS);
            start.elapsed()
        };
        let sheet = async {
            let sheet = app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&[("uid", &uid)]);
            assert_eq!(sheet.send().await.unwrap().status(), 200);
            start.elapsed()
        };
        join(small, sheet).await
    };
    let (large, (small, sheet)) = join(join_all(large), others).await;
    println!("small {small:?}, sheet {sheet:?}, large {large:?}");
    let before = |other: Duration| large.iter().filter(|large| **large < other).count();
    assert!(before(small) <= 2, "{small:?} {large:?}");
    assert!(before(sheet) <= 3, "{sheet:?} {large:?}");
}

#[actix_web::test]
async fn sigterm_refuses_photos_that_wait() {
    let place = Place::new();
    let mut server = place.serve();
    let bomb = bomb();
    let keys = ["scanner", "editor", "admin"].map(|role| place.key(role));
    let photos = keys.iter().flat_map(|key| [key; 2]).map(|key| {
        let request = server.post(key, "/scan/read").header("Content-Type", "image/png").body(bomb.clone());
        tokio::spawn(async move { send(request).await })
    });
    let photos: Vec<_> = photos.collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.terminate();
    let answers = join_all(photos).await.into_iter().map(Result::unwrap);
    let refused: Vec<_> = answers.filter(|answer| answer.status != 200).collect();
    for answer in &refused {
        assert_eq!(answer.check_failure("Unavailable").header("retry-after"), "1");
        assert!(answer.body["message"].as_str().unwrap().contains("is restarting"), "{answer:?}");
    }
    assert!(refused.len() >= 3, "{}", refused.len());
    assert_eq!(server.wait(), Some(0));
}
