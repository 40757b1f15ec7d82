//! Stylesheet, scripts, icon and what is vendored: embedded, named by their contents, and so cached for ever.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::Embed;
use sha2::{Digest, Sha256};

use super::compression::{Coding, Effort, describe};
use super::error::Error;

#[derive(Embed)]
#[folder = "static/"]
struct Files;

/// An embedded file.
struct Asset {
    name: String,
    /// The name with the beginning of the SHA-256 of its contents, as in `style-1a2b3c4d5e6f.css`.
    address: String,
    kind: &'static str,
    plain: Bytes,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

/// The time is spent once.
const SMALLEST_FIRST: [Coding; 2] = [Coding::Brotli, Coding::Gzip];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| Files::iter().filter_map(|name| asset(&name)).collect());

/// Where the files of others are, as they come out of their packages.
const VENDORED: &str = "vendor/";

/// The worker that reads codes, and its policy: unlike pages it runs WebAssembly.
const WORKER: &str = "scan-worker.js";
const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/// Above this many bytes brotli's best takes seconds, for which whoever comes first would wait: 4 s for a megabyte.
const LARGE: usize = 256 * 1024;

fn asset(name: &str) -> Option<Asset> {
    let plain = contents(name)?;
    let address = address_of(name, &plain)?;
    let kind = match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    };
    Some(Asset { name: name.to_owned(), address, kind, plain, brotli: OnceLock::new(), gzip: OnceLock::new() })
}

/// A file's bytes. Where a script of ours has the name of a vendored file in quotes, it gets that file's address.
fn contents(name: &str) -> Option<Bytes> {
    let bytes = match Files::get(name)?.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    if name.starts_with(VENDORED) || name.rsplit_once('.')?.1 != "js" {
        return Some(bytes);
    }
    let mut script = String::from_utf8(bytes.to_vec()).ok()?;
    for vendored in Files::iter().filter(|other| other.starts_with(VENDORED)) {
        let quoted = format!("\"{vendored}\"");
        if script.contains(&quoted) {
            let address = address_of(&vendored, &contents(&vendored)?)?;
            script = script.replace(&quoted, &format!("\"{address}\""));
        }
    }
    Some(script.into())
}

/// The last part of a file's name, with a hash of what is in it.
fn address_of(name: &str, contents: &[u8]) -> Option<String> {
    let file_name = name.rsplit('/').next()?;
    let (stem, ending) = file_name.rsplit_once('.')?;
    let mut hash = String::new();
    for byte in Sha256::digest(contents).iter().take(6) {
        let _ = write!(hash, "{byte:02x}");
    }
    Some(format!("{stem}-{hash}.{ending}"))
}

impl Asset {
    fn in_coding(&self, coding: Coding) -> &OnceLock<Bytes> {
        match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        }
    }

    async fn compressed(&'static self, coding: Coding) -> Result<Bytes, Error> {
        if let Some(bytes) = self.in_coding(coding).get() {
            return Ok(bytes.clone());
        }
        let effort = if self.plain.len() > LARGE { Effort::Moderate } else { Effort::Thorough };
        let compress = move || coding.compress(&self.plain, effort);
        let compressed = web::block(compress).await.map_err(|error| Error::fault(error.to_string()))?;
        let compressed = compressed.map_err(|error| Error::fault(error.to_string()))?;
        Ok(self.in_coding(coding).get_or_init(|| compressed.into()).clone())
    }
}

/// What an embedded file is called in an address.
pub(crate) fn address(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.address)
}

/// Gives an embedded file. Its contents never change under its name, so it is compressed well, and once.
pub(crate) async fn get(request: HttpRequest, address: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = ASSETS.iter().find(|asset| asset.address == *address).ok_or(Error::NotFound)?;
    let coding = Coding::accepted(&request, SMALLEST_FIRST);
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"));
    response.insert_header((header::CONTENT_TYPE, asset.kind));
    if asset.name == WORKER {
        response.insert_header((header::CONTENT_SECURITY_POLICY, WORKER_POLICY));
    }
    let mut response = response.body(match coding {
        None => asset.plain.clone(),
        Some(coding) => asset.compressed(coding).await?,
    });
    describe(response.headers_mut(), coding);
    Ok(response)
}
