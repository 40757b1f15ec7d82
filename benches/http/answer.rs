//! Finds the end of an HTTP response, and its status. Nothing else: a load generator that reads more measures itself.

use std::io;

/// Most headers of a response.
const HEADERS: usize = 48;

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The length of the head, in bytes.
    pub head: usize,
    /// The length of head and body, in bytes.
    pub length: usize,
}

/// The response at the beginning of `bytes`, or none while it is incomplete.
///
/// # Errors
/// It is not a response, or does not say where it ends.
pub fn read(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    let value = |name: &str| response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let length = match (value("content-length"), value("transfer-encoding")) {
        (Some(length), None) => Some(head + number(length.value, 10)?),
        (None, Some(coding)) if coding.value.eq_ignore_ascii_case(b"chunked") => end_of_chunks(bytes, head)?,
        _ => return Err(io::Error::other("an answer that does not say where it ends")),
    };
    Ok(length.filter(|length| *length <= bytes.len()).map(|length| Answer { status, head, length }))
}

/// Where the last chunk ends, if it is there (RFC 9112, section 7.1, without trailers).
fn end_of_chunks(bytes: &[u8], mut at: usize) -> io::Result<Option<usize>> {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let digits = rest[..line].split(|byte| *byte == b';').next().unwrap_or_default();
        let size = number(digits, 16)?;
        at += line + 2 + size + 2;
        if size == 0 {
            return Ok(Some(at));
        }
    }
}

fn number(digits: &[u8], radix: u32) -> io::Result<usize> {
    let text = std::str::from_utf8(digits).map_err(io::Error::other)?;
    usize::from_str_radix(text.trim(), radix).map_err(io::Error::other)
}
