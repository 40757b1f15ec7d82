//! Stylesheet, script and icon: embedded, named by their contents, and so cached for ever.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::Embed;

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

fn asset(name: &str) -> Option<Asset> {
    let file = Files::get(name)?;
    let (stem, ending) = name.rsplit_once('.')?;
    let mut hash = String::new();
    for byte in file.metadata.sha256_hash().iter().take(6) {
        let _ = write!(hash, "{byte:02x}");
    }
    let kind = match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let plain = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let address = format!("{stem}-{hash}.{ending}");
    Some(Asset { name: name.to_owned(), address, kind, plain, brotli: OnceLock::new(), gzip: OnceLock::new() })
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
        let compress = move || coding.compress(&self.plain, Effort::Thorough);
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
    let mut response = response.body(match coding {
        None => asset.plain.clone(),
        Some(coding) => asset.compressed(coding).await?,
    });
    describe(response.headers_mut(), coding);
    Ok(response)
}
