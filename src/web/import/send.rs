//! Takes a file, piece by piece.

use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{StreamExt, TryStreamExt};

use super::pages::form_page;
use crate::access::name::is_legible;
use crate::store::imports::{self, Stage, parts};
use crate::token::{Uid, shortened};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Edit};
use crate::web::middleware::RequestInProgress;
use crate::web::page::see_other;
use crate::web::state::App;

/// Most bytes of a file: a million lines have some 120 MiB. The command line takes larger ones.
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// How long nothing may come of a file that is being sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest name of a file, in characters.
const MOST_NAME: usize = 100;

/// Takes a file, and leads to its page.
///
/// # Errors
/// The body is no form with a file, is too large, or ends early; nothing of it is kept then.
pub(crate) async fn send(
    who: Allowed<Edit>,
    request: HttpRequest,
    body: web::Payload,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut form = Multipart::new(request.headers(), body);
    let sent = {
        // A body that never ends must not delay the shutdown of the server.
        let _paused = RequestInProgress::pause(&request);
        take(&who.caller, &mut form, &app).await?
    };
    if let Some(uid) = sent {
        return Ok(see_other(&app, &format!("/import/{uid}")));
    }
    let mut errors = FormErrors::default();
    errors.add("file", "Choose a file that is not empty.");
    form_page(&request, &app, errors).await
}

/// Keeps the file of a form, and returns its uid; none, if there is none.
async fn take(who: &Caller, form: &mut Multipart, app: &web::Data<App>) -> Result<Option<Uid>, Error> {
    while let Some(field) = next(form.next()).await? {
        let field = field.map_err(unreadable)?;
        if field.name() == Some("file") {
            return keep(who, field, app).await;
        }
    }
    Ok(None)
}

async fn next<T>(coming: impl Future<Output = T>) -> Result<T, Error> {
    let came = tokio::time::timeout(PATIENCE, coming).await;
    came.map_err(|_| unreadable("it was not sent whole in time"))
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    crate::token::TokenError::unreadable(format!("The file cannot be taken: {error}.")).into()
}

async fn keep(who: &Caller, mut field: Field, app: &web::Data<App>) -> Result<Option<Uid>, Error> {
    let mut taking = Taking { who, app, name: name_of(&field), begun: None, part: 0, size: 0 };
    let mut bytes: Vec<u8> = Vec::with_capacity(parts::PART);
    while let Some(chunk) = next(field.try_next()).await?.map_err(unreadable)? {
        bytes.extend_from_slice(&chunk);
        while bytes.len() >= parts::PART {
            let rest = bytes.split_off(parts::PART);
            taking.add(std::mem::replace(&mut bytes, rest)).await?;
        }
    }
    if !bytes.is_empty() {
        taking.add(bytes).await?;
    }
    taking.end().await
}

/// A file that is being taken.
struct Taking<'a> {
    who: &'a Caller,
    app: &'a App,
    name: String,
    /// Its id and uid, as soon as there is anything of it.
    begun: Option<(i64, Uid)>,
    part: i32,
    size: usize,
}

impl Taking<'_> {
    async fn add(&mut self, piece: Vec<u8>) -> Result<(), Error> {
        self.app.recheck(self.who).await?;
        self.size += piece.len();
        if self.size > MOST_BYTES {
            return Err(Error::TooLarge(MOST_BYTES));
        }
        let (store, part, now) = (&self.app.store, self.part, self.app.store.now());
        let id = if let Some((id, _)) = self.begun {
            id
        } else {
            let (uid, name, by) = (Uid::random(), self.name.clone(), self.who.principal.clone());
            let begin = move |connection: &mut _| imports::begin(connection, uid, &name, &by, now);
            self.begun.insert((store.write(begin).await?, uid)).0
        };
        self.part += 1;
        Ok(store.write(move |connection| parts::add(connection, id, (part, &piece), now)).await?)
    }

    async fn end(self) -> Result<Option<Uid>, Error> {
        let Some((id, uid)) = self.begun else { return Ok(None) };
        let (store, now) = (&self.app.store, self.app.store.now());
        let end = move |connection: &mut _| imports::advance(connection, id, (&[Stage::Sending], Stage::Sent), now);
        store.write(end).await?;
        Ok(Some(uid))
    }
}

/// The file's name, as far as it can be shown.
fn name_of(field: &Field) -> String {
    let name = field.content_disposition().and_then(|said| said.get_filename()).unwrap_or_default();
    // Some browsers send the whole path.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_good = !name.is_empty() && is_legible(name);
    if is_good { shortened(name, MOST_NAME) } else { "tokens".to_owned() }
}
