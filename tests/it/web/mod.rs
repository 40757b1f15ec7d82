//! What all addresses share: headers, errors, static files, and requests of any kind.

mod addresses;
mod assets;
mod bad_input;
mod compression;
mod docs;
mod errors;
mod etag;
mod headers;
mod health;
mod hostile;
mod negotiation;
mod old_http;
mod vendor;
mod words;

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 in hexadecimal.
fn sha256(contents: &[u8]) -> String {
    let digest = Sha256::digest(contents);
    digest.iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}
