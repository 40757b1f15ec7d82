//! Stylesheet, script and icon: embedded, named by their contents, and so cached for ever.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rust_embed::Embed;

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
    bytes: Cow<'static, [u8]>,
}

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
    Some(Asset { name: name.to_owned(), address: format!("{stem}-{hash}.{ending}"), kind, bytes: file.data })
}

/// What an embedded file is called in an address.
pub(crate) fn address(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.address)
}

/// Gives an embedded file. Its contents never change under its name.
pub(crate) async fn get(address: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = ASSETS.iter().find(|asset| asset.address == *address).ok_or(Error::NotFound)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"));
    response.insert_header((header::CONTENT_TYPE, asset.kind));
    Ok(response.body(match &asset.bytes {
        Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        Cow::Owned(bytes) => web::Bytes::copy_from_slice(bytes),
    }))
}
