//! A simple client for single requests: it creates the tokens, and finds the URLs that are measured.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::answer;

/// Long enough for a write of 100,000 tokens on a slow disk.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A connection with a key.
pub struct Client {
    server: SocketAddr,
    stream: TcpStream,
    key: String,
}

impl Client {
    pub fn connect(server: SocketAddr, key: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { server, stream, key: key.to_owned() })
    }

    /// Gets a page, and returns its text.
    pub fn get(&mut self, path: &str) -> io::Result<String> {
        self.exchange(&get(self.server, &self.key, path), 200)
    }

    /// Posts a form to a JSON view, and returns the JSON.
    pub fn post(&mut self, path: &str, form: &str) -> io::Result<serde_json::Value> {
        let text = self.exchange(&post(self.server, &self.key, path, form), 200)?;
        serde_json::from_str(&text).map_err(io::Error::other)
    }

    /// Posts a form to a page that redirects.
    pub fn send(&mut self, path: &str, form: &str) -> io::Result<()> {
        self.exchange(&post(self.server, &self.key, path, form), 303).map(drop)
    }

    /// Signs a user in, and returns the cookie.
    pub fn sign_in(&mut self, name: &str, password: &str) -> io::Result<String> {
        let form = format!("name={name}&password={password}");
        let head = self.exchange_whole(&post(self.server, &self.key, "/login", &form), &[303])?.0;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
        cookie.map(str::to_owned).ok_or_else(|| io::Error::other("signing in set no cookie"))
    }

    /// Where an answer leads that redirects.
    pub fn location(&mut self, request: &[u8]) -> io::Result<String> {
        let head = self.exchange_whole(request, &[303])?.0;
        let location = head.lines().find_map(|line| line.strip_prefix("location: "));
        location.map(|location| location.trim().to_owned()).ok_or_else(|| io::Error::other("an answer leads nowhere"))
    }

    /// The body of an answer with this status.
    pub fn exchange(&mut self, request: &[u8], expected: u16) -> io::Result<String> {
        self.exchange_any(request, &[expected])
    }

    /// The body of an answer with one of these statuses.
    pub fn exchange_any(&mut self, request: &[u8], expected: &[u16]) -> io::Result<String> {
        self.exchange_whole(request, expected).map(|(_, body)| body)
    }

    /// The head and the body of the answer.
    fn exchange_whole(&mut self, request: &[u8], expected: &[u16]) -> io::Result<(String, String)> {
        self.stream.write_all(request)?;
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 1 << 20];
        loop {
            let count = self.stream.read(&mut chunk)?;
            bytes.extend_from_slice(&chunk[..count]);
            let response = answer::read(&bytes)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            match response {
                Some(answer) if expected.contains(&answer.status) => {
                    let (head, body) = bytes.split_at(answer.head);
                    return Ok((text(head), text(body)));
                }
                Some(_) => {
                    let whole = text(&bytes);
                    return Err(io::Error::other(format!("an answer was not the {expected:?} expected:\n{whole}")));
                }
                None if count == 0 => return Err(io::Error::other("the server closed a connection")),
                None => {}
            }
        }
    }
}

/// The bytes of a GET request. Keys also work for pages.
pub fn get(server: SocketAddr, key: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {key}\r\n\r\n").into_bytes()
}

/// The bytes of a GET request as a browser sends it that is signed in.
pub fn browse(server: SocketAddr, cookie: &str, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nCookie: {cookie}\r\nAccept: text/html\r\nAccept-Encoding: gzip, \
         deflate, br, zstd\r\nSec-Fetch-Site: same-origin\r\n\r\n"
    )
    .into_bytes()
}

/// The bytes of a POST request with a form, which may be empty.
pub fn post(server: SocketAddr, key: &str, path: &str, form: &str) -> Vec<u8> {
    let kind = if form.is_empty() { "" } else { "Content-Type: application/x-www-form-urlencoded\r\n" };
    let length = form.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {key}\r\n{kind}Content-Length: {length}\r\n\
         \r\n{form}"
    )
    .into_bytes()
}
