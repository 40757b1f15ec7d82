//! HTTP/1.0, as nginx speaks it to its upstreams when nobody says otherwise.

use tessera::access::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::{App, add_key};
use crate::support::raw::{header, until_closed};

/// What is answered without its length, and what with it.
const STREAMED: [&str; 7] = [
    "/export/tokens",
    "/export/tokens?format=jsonl",
    "/export/usage",
    "/usage.csv",
    "/export/audit",
    "/export/batches",
    "/export/print_runs",
];

#[actix_web::test]
async fn http_1_0_gets_no_chunks() {
    let app = App::start().await;
    let key = add_key(&mut app.connection(), "old", Role::Manager, None);
    let uid = app.add(&[("value", "one of them")]).await;
    app.consume(&uid).await.check_success();
    let ask = async |method: &str, path: &str, version: &str, more: &str, body: &str| {
        let request = format!(
            "{method} {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{more}Content-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        until_closed(&app.base, &request).await
    };
    for path in STREAMED {
        for more in ["", "Connection: keep-alive\r\n", "Connection: close\r\n"] {
            let (head, body) = ask("GET", path, "1.0", more, "").await;
            assert!(head.starts_with("HTTP/1.0 200 "), "{path}: {head}");
            for absent in ["transfer-encoding", "content-length"] {
                assert_eq!(header(&head, absent), "", "{path}: {head}");
            }
            assert_ne!(header(&head, "connection"), "keep-alive", "{path}: {head}");
            let by_chunks = ask("GET", path, "1.1", "Connection: close\r\n", "").await;
            assert_eq!(header(&by_chunks.0, "transfer-encoding"), "chunked", "{path}: it is streamed");
            let body = String::from_utf8(body).unwrap();
            // Both are the same but for their frames, and for the export in between, which the audit has.
            let chunks = String::from_utf8(by_chunks.1).unwrap();
            assert!(!body.is_empty() && body.lines().all(|line| chunks.contains(line)), "{path}: {body} {chunks}");
        }
        let (head, body) = ask("HEAD", path, "1.0", "", "").await;
        assert!(body.is_empty() && header(&head, "transfer-encoding").is_empty(), "{path}: {head}");
    }
    let (head, body) = ask("POST", "/sheet/check", "1.0", "", "all=1&sheet=avery-l7160").await;
    assert!(head.starts_with("HTTP/1.0 200 ") && header(&head, "transfer-encoding").is_empty(), "{head}");
    assert!(String::from_utf8(body).unwrap().trim_end().ends_with("</html>"));
    // What is made in one piece says its length, compressed or not.
    for (path, more) in [
        ("/", ""),
        ("/", "Accept-Encoding: gzip\r\n"),
        ("/sheet.pdf?all=1", ""),
        ("/query_tokens", ""),
        ("/openapi.json", "Accept-Encoding: gzip\r\n"),
        ("/nothing", ""),
    ] {
        let (head, body) = ask("GET", path, "1.0", more, "").await;
        assert_eq!(header(&head, "content-length"), body.len().to_string(), "{path}: {head}");
        assert_eq!(header(&head, "transfer-encoding"), "", "{path}: {head}");
    }
}

#[actix_web::test]
async fn http_1_0_keeps_its_connection_where_the_length_is_known() {
    let app = App::start().await;
    let mut socket = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    for _ in 0..3 {
        socket.write_all(b"GET /healthz HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n").await.unwrap();
        let mut answer = [0; 4_096];
        let count = socket.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
        assert!(answer.starts_with("HTTP/1.0 200 ") && answer.ends_with("ok\n"), "{answer}");
        assert_eq!(header(&answer, "connection"), "keep-alive", "{answer}");
    }
    // Without being asked to, it does not.
    let (head, body) = until_closed(&app.base, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!((header(&head, "content-length"), &*body), ("3", &b"ok\n"[..]));
}
