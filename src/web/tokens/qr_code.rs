//! `/{uid}/qr_code` and `/{uid}/qr_code.svg`: the code as a file.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ETag, EntityTag, IfNoneMatch};
use actix_web::{HttpResponse, web};

use crate::web::error::Error;
use crate::web::etag::is_known;
use crate::web::guard::{Allowed, See};
use crate::web::state::App;

/// Pixels of a module in the PNG: a code of 37 modules is 37 mm wide at 300 dpi.
const PIXELS: u32 = 12;

/// The code as a PNG.
pub(crate) async fn png(
    _who: Allowed<See>,
    uid: web::Path<String>,
    known: web::Header<IfNoneMatch>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    file(&uid, &known, &app, "png").await
}

/// The code as an SVG.
pub(crate) async fn svg(
    _who: Allowed<See>,
    uid: web::Path<String>,
    known: web::Header<IfNoneMatch>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    file(&uid, &known, &app, "svg").await
}

async fn file(uid: &str, known: &IfNoneMatch, app: &App, ending: &str) -> Result<HttpResponse, Error> {
    let token = super::tile_view::find(app, uid).await?;
    let code = app.codes.get(&app.code_texts().await?.of(&token)).map_err(|error| Error::fault(error.to_string()))?;
    let tag = EntityTag::new_strong(code.tag());
    let is_known = is_known(known, &tag);
    let mut response = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response.insert_header(ETag(tag));
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    // An SVG is a document: opened by itself, it must be able to do nothing.
    response.insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"));
    let disposition = format!("attachment; filename=\"token-{}.{ending}\"", token.uid);
    response.insert_header((header::CONTENT_DISPOSITION, disposition));
    Ok(match (is_known, ending) {
        (true, _) => response.finish(),
        (false, "png") => response.content_type("image/png").body(code.png(PIXELS)),
        (false, _) => response.content_type("image/svg+xml").body(code.svg()),
    })
}
