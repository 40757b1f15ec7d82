//! `/healthz` and `/readyz`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;

use crate::support::app::App;

#[actix_web::test]
async fn health_is_open() {
    for base_path in ["", "/tickets"] {
        let app = App::start_at(base_path).await;
        for path in ["/healthz", "/readyz"] {
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(app.anonymous(method, path).send().await.unwrap().status(), 200);
            }
            let root = app.base.replace("/tickets", "");
            assert_eq!(reqwest::get(format!("{root}{path}")).await.unwrap().status(), 200);
        }
    }
}

/// A proxy keeps its connections for a minute, and must not find one closed under its request. (The library's own limit would
/// be five seconds.)
#[actix_web::test]
async fn a_connection_may_be_idle_for_longer_than_a_moment() {
    let app = App::start().await;
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    let asked_twice = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        for pause in [0, 6] {
            std::thread::sleep(Duration::from_secs(pause));
            connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = [0; 4_096];
            let count = connection.read(&mut answer).unwrap();
            assert!(answer[..count].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..count]));
        }
    });
    asked_twice.await.unwrap();
}
