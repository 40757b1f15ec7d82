//! Takes a file, piece by piece.

use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{StreamExt, TryStreamExt};

use super::pages::{find, form_page};
use super::steps::begin_check;
use crate::access::name::is_legible;
use crate::store::imports::{self, Import, Stage, parts};
use crate::token::import::columns::are_names;
use crate::token::import::options::{FileFormat, ImportOptions, Separator};
use crate::token::{Uid, shortened};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Edit};
use crate::web::middleware::RequestInProgress;
use crate::web::page::see_other;
use crate::web::state::App;
use crate::web::words::imports as words;

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
    let (field, says) = match sent {
        Sent::File(Some(uid)) => return Ok(see_other(&app, &format!("/import/{uid}"))),
        Sent::List(Some((uid, options))) => return check_list(uid, options, &who.caller, &app).await,
        Sent::List(None) => ("list", words::NO_LIST),
        Sent::File(None) => ("file", words::NO_FILE),
    };
    let mut errors = FormErrors::default();
    errors.add(field, says);
    form_page(&request, &app, errors).await
}

/// What a form has sent; none where that was empty.
enum Sent {
    File(Option<Uid>),
    List(Option<(Uid, ImportOptions)>),
}

/// Checks a list at once: there is nothing to be chosen.
async fn check_list(
    uid: Uid,
    options: ImportOptions,
    who: &Caller,
    app: &web::Data<App>,
) -> Result<HttpResponse, Error> {
    let import = Import { options, ..find(&uid.to_string(), app).await? };
    begin_check(import, who, app).await?;
    Ok(see_other(app, &format!("/import/{uid}")))
}

/// A pasted list is one of labels, unless its first line names columns.
fn options_of(beginning: &[u8]) -> ImportOptions {
    let text = String::from_utf8_lossy(beginning);
    let first = text.trim_start_matches('\u{feff}').lines().map(str::trim).find(|line| !line.is_empty());
    let first = first.unwrap_or_default();
    let separator = char::from(Separator::of_head(first).byte());
    let cells: Vec<String> = first.split(separator).map(|cell| cell.trim_matches('"').to_owned()).collect();
    let format = if are_names(&cells) { FileFormat::Csv } else { FileFormat::Labels };
    ImportOptions { format: Some(format), trims: true, ..ImportOptions::default() }
}

/// Keeps the file of a form, or the list that was pasted into it.
async fn take(who: &Caller, form: &mut Multipart, app: &web::Data<App>) -> Result<Sent, Error> {
    while let Some(field) = next(form.next()).await? {
        let field = field.map_err(unreadable)?;
        match field.name() {
            Some("file") => {
                let taking = Taking::new(who, app, name_of(&field));
                return Ok(Sent::File(keep(taking, field).await?.map(|(uid, _)| uid)));
            }
            Some("list") => {
                let kept = keep(Taking::new(who, app, words::PASTED_LIST.to_owned()), field).await?;
                let is_blank = |beginning: &[u8]| beginning.trim_ascii().is_empty();
                let kept = kept.filter(|(_, beginning)| !is_blank(beginning));
                return Ok(Sent::List(kept.map(|(uid, beginning)| (uid, options_of(&beginning)))));
            }
            _ => {}
        }
    }
    Ok(Sent::File(None))
}

async fn next<T>(coming: impl Future<Output = T>) -> Result<T, Error> {
    let came = tokio::time::timeout(PATIENCE, coming).await;
    came.map_err(|_| unreadable(words::NOT_WHOLE))
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    crate::token::TokenError::unreadable(words::unreadable(&error)).into()
}

/// Keeps it piece by piece, and returns its uid and its first piece.
async fn keep(mut taking: Taking<'_>, mut field: Field) -> Result<Option<(Uid, Vec<u8>)>, Error> {
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
    /// The first piece.
    beginning: Vec<u8>,
}

impl<'a> Taking<'a> {
    fn new(who: &'a Caller, app: &'a App, name: String) -> Self {
        Self { who, app, name, begun: None, part: 0, size: 0, beginning: Vec::new() }
    }

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
        if self.beginning.is_empty() {
            self.beginning.clone_from(&piece);
        }
        Ok(store.write(move |connection| parts::add(connection, id, (part, &piece), now)).await?)
    }

    async fn end(self) -> Result<Option<(Uid, Vec<u8>)>, Error> {
        let Some((id, uid)) = self.begun else { return Ok(None) };
        let (store, now) = (&self.app.store, self.app.store.now());
        let end = move |connection: &mut _| imports::advance(connection, id, (&[Stage::Sending], Stage::Sent), now);
        store.write(end).await?;
        Ok(Some((uid, self.beginning)))
    }
}

/// The file's name, as far as it can be shown.
fn name_of(field: &Field) -> String {
    let name = field.content_disposition().and_then(|said| said.get_filename()).unwrap_or_default();
    // Some browsers send the whole path.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_good = !name.is_empty() && is_legible(name);
    if is_good { shortened(name, MOST_NAME) } else { words::UNNAMED_FILE.to_owned() }
}
