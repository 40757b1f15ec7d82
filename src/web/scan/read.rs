//! `/scan/read`: what the QR code in a photo says.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::photo::{MOST_BYTES, Photo, PhotoFormat};
use crate::qr::read::read_text;
use crate::token::TokenError;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume};
use crate::web::json::success;
use crate::web::params::{Params, whole_body};
use crate::web::state::App;
use crate::work::render_pool::RenderTask;

#[derive(Serialize)]
struct ReadPhoto {
    text: Option<String>,
}

/// Reads the code in a photo, or finds none. Uses nothing.
pub(crate) async fn read(
    who: Allowed<Consume>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    Params::of_query(request.query_string())?.only(&[])?;
    let format = PhotoFormat::of(&request)?;
    app.photo_rate.count(&who.caller.via.hash())?;
    let bytes = whole_body(&request, payload, MOST_BYTES).await?;
    app.recheck(&who.caller).await?;
    let photo = Photo { format, bytes };
    let text = app.background.render_pool.run(1, move |work| text_of(photo, work)).await??;
    Ok(success(ReadPhoto { text }))
}

fn text_of(photo: Photo, work: &mut RenderTask) -> Result<Option<String>, TokenError> {
    let picture = photo.grey()?;
    drop(photo);
    Ok(read_text(picture, &mut || work.should_continue()))
}
