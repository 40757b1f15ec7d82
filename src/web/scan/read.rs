//! `/scan/read`: what the QR code in a photo says.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::photo::{MOST_BYTES, Photo, PhotoFormat};
use crate::qr::read::read_text;
use crate::token::{Problem, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume};
use crate::web::json::Answer;
use crate::web::openapi::operation::{DescribesRequest, Operation, ViewAnswer};
use crate::web::params::{RawParams, counted_body};
use crate::web::state::App;
use crate::web::words;
use crate::work::photo_queue::{NoPlace, Place, Turn};
use crate::work::render_pool::RenderTask;

/// A photo on which more work than this was done without a code is taken to have none: others wait.
const MOST_WORK: Duration = Duration::from_secs(2);

const DESCRIPTION: &str = "\
Reads the QR code in a photo, for scanning where the browser cannot read codes itself.

The body is the file. It has at most 8 MiB, 25,000,000 pixels and 16,384 along a side; a JPEG that is not stored by its luma \
(CMYK, RGB) has at most 6,000,000 pixels. A photo that is damaged or has no end is a `TokenValueError` that names `photo`. \
It uses no token. Each key or session may have two photos a second read, and two at \
once here, one that is read and one that waits; any more are a 429. Photos are read one after another, small ones first; when \
too many wait, the last in that order is a 503. What is not found in two seconds of work is taken as not there.";

/// A photo was read.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReadPhoto {
    /// What the QR code in it says, or null if none is found.
    text: Option<String>,
}

impl ViewAnswer for ReadPhoto {
    fn example() -> Value {
        json!({"text": Uid::example()})
    }
}

/// A photo, which is the whole body.
pub(crate) struct PhotoBody(web::Payload);

impl FromRequest for PhotoBody {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(web::Payload::from_request(request, payload).into_inner().map(Self))
    }
}

impl DescribesRequest for PhotoBody {
    fn describe(operation: &mut Operation) {
        operation.file = Some((&["image/jpeg", "image/png"], DESCRIPTION));
        let unreadable = Problem::UnreadablePhoto { format: "JPEG".into() };
        operation.errors.extend([
            TokenError::unnamed("photo").into(),
            TokenError::value("photo", unreadable).into(),
            Error::UnsupportedType(words::scan::PHOTO_KINDS),
            Error::TooManyPhotos(words::scan::OWN_PHOTOS_WAIT),
        ]);
    }
}

/// Reads the code in a photo, or finds none. Uses nothing.
pub(crate) async fn read(
    who: Allowed<Consume>,
    request: HttpRequest,
    PhotoBody(payload): PhotoBody,
    app: web::Data<App>,
) -> Result<Answer<ReadPhoto>, Error> {
    RawParams::of_query(request.query_string())?.only(&[])?;
    let format = PhotoFormat::of(&request)?;
    let device = who.caller.via.hash();
    let mut place =
        app.photo_queue.place(device).map_err(|NoPlace| Error::TooManyPhotos(words::scan::OWN_PHOTOS_WAIT))?;
    app.photo_rate.count(&device)?;
    let mut count = |bytes| place.add_bytes(bytes).map_err(|NoPlace| Error::Busy(words::scan::PHOTOS_WAIT));
    let photo = Photo { format, bytes: counted_body(&request, payload, MOST_BYTES, &mut count).await? };
    let turn = turn(&app, &place, photo.pixels()).await?;
    app.recheck(&who.caller).await?;
    let held = (place, turn);
    let text = app.background.render_pool.run_photo(move |work| text_of(photo, held, work)).await??;
    Ok(Answer(ReadPhoto { text }))
}

/// Waits for a photo's turn. When the server is to end, nobody does any more.
async fn turn(app: &App, place: &Place, pixels: usize) -> Result<Turn, Error> {
    tokio::select! {
        biased;
        () = app.background.shutdown.begun() => Err(Error::Busy(words::scan::RESTARTING)),
        turn = place.turn(pixels) => turn.map_err(|NoPlace| Error::Busy(words::scan::PHOTOS_WAIT)),
    }
}

/// Holds the photo's place and turn until it is read, whether or not somebody still waits for it.
fn text_of(photo: Photo, _held: (Place, Turn), work: &mut RenderTask) -> Result<Option<String>, TokenError> {
    let picture = photo.grey()?;
    drop(photo);
    Ok(read_text(picture, &mut || work.should_continue() && work.worked() < MOST_WORK))
}
