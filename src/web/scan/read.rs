//! `/scan/read`: what the QR code in a photo says.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::photo::{MOST_BYTES, Photo, PhotoFormat};
use crate::qr::read::read_text;
use crate::token::TokenError;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume};
use crate::web::json::success;
use crate::web::params::{Params, counted_body};
use crate::web::state::App;
use crate::work::photo_queue::{NoPlace, Place, Turn};
use crate::work::render_pool::RenderTask;

/// A photo on which more work than this was done without a code is taken to have none: others wait.
const MOST_WORK: Duration = Duration::from_secs(2);

const OWN_PHOTOS: &str =
    "A photo of this key or session is being read, and another one waits; try again when one of them is answered.";
const OTHER_PHOTOS: &str = "Other photos are being read; try again in a second.";
const ENDING: &str = "The server is about to end; try again in a moment.";

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
    let device = who.caller.via.hash();
    let mut place = app.photo_queue.place(device).map_err(|NoPlace| Error::TooManyPhotos(OWN_PHOTOS))?;
    app.photo_rate.count(&device)?;
    let mut count = |bytes| place.add_bytes(bytes).map_err(|NoPlace| Error::Busy(OTHER_PHOTOS));
    let photo = Photo { format, bytes: counted_body(&request, payload, MOST_BYTES, &mut count).await? };
    let turn = turn(&app, &place, photo.pixels()).await?;
    app.recheck(&who.caller).await?;
    let held = (place, turn);
    let text = app.background.render_pool.run_photo(move |work| text_of(photo, held, work)).await??;
    Ok(success(ReadPhoto { text }))
}

/// Waits for a photo's turn. When the server is to end, nobody does any more.
async fn turn(app: &App, place: &Place, pixels: usize) -> Result<Turn, Error> {
    tokio::select! {
        biased;
        () = app.background.shutdown.begun() => Err(Error::Busy(ENDING)),
        turn = place.turn(pixels) => turn.map_err(|NoPlace| Error::Busy(OTHER_PHOTOS)),
    }
}

/// Holds the photo's place and turn until it is read, whether or not somebody still waits for it.
fn text_of(photo: Photo, _held: (Place, Turn), work: &mut RenderTask) -> Result<Option<String>, TokenError> {
    let picture = photo.grey()?;
    drop(photo);
    Ok(read_text(picture, &mut || work.should_continue() && work.worked() < MOST_WORK))
}
