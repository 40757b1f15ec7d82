//! The benchmark's reading of answers: one that ends too early or too late would be a wrong measurement.

#[path = "../../../benches/http/answer.rs"]
mod answer;

use answer::{Answer, read};

/// Holds that the answer is whole with its last byte, and not before.
fn check(text: &str, status: u16, body: usize) {
    let bytes = text.as_bytes();
    for cut in 0..bytes.len() {
        assert_eq!(read(&bytes[..cut]).unwrap(), None, "{:?}", &text[..cut]);
    }
    let whole = Answer { status, head: bytes.len() - body, length: bytes.len() };
    assert_eq!(read(bytes).unwrap(), Some(whole));
}

#[test]
fn an_answer_ends_where_it_says() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", 200, 3);
    check("HTTP/1.1 303 See Other\r\ncontent-length: 0\r\nlocation: /\r\n\r\n", 303, 0);
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\nA;x=y\r\n0\r\n\r\n12345\r\n0\r\n\r\n",
        200,
        32,
    );
}

#[test]
fn an_answer_without_an_end_is_an_error() {
    for bad in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "SSH-2.0-x\r\n"] {
        assert!(read(bad.as_bytes()).is_err(), "{bad}");
    }
}
