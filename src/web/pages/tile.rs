//! `/{uid}`: a token's tile, and its use by a click.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::quick::{self, Quick};
use super::view::Row;
use super::when::{Clock, When, duration};
use super::{Flash, Page, Problems, page, see_other};
use crate::access::{Permission, Role};
use crate::qr::Code;
use crate::store::batches::{self, Batch};
use crate::store::tokens;
use crate::store::usage::{self, Entry};
use crate::token::settle::{Answer, Ask, Lookup, ReplayKey};
use crate::token::{Refusal, State, Token, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume, See};
use crate::web::params::{Form, Params};
use crate::web::state::App;

/// Entries of the usage log on a tile.
const HISTORY: usize = 20;

#[derive(Template)]
#[template(path = "tokens/tile.html")]
struct TilePage {
    page: Page,
    flash: Option<Flash>,
    problems: Problems,
    quick: Option<Quick>,
    title: String,
    row: Row,
    code: Arc<Code>,
    says: String,
    nonce: String,
    valid_from: Option<When>,
    valid_to: Option<When>,
    lock: String,
    created: When,
    batch: Option<Batch>,
    creator: String,
    modified: Option<When>,
    /// Since when it is voided, and by whom.
    voided: Option<(When, String)>,
    zone: String,
    history: Vec<Attempt>,
    may_edit: bool,
    may_delete: bool,
    may_use: bool,
}

/// An entry of the usage log.
struct Attempt {
    when: When,
    who: String,
    refusal: Option<&'static str>,
}

/// The token of a path.
///
/// # Errors
/// Not found, also when the path is no uid; unavailable, when the database cannot be asked.
pub async fn find(app: &App, path: &str) -> Result<Token, Error> {
    let uid: Uid = path.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.look(move |connection| Ok(tokens::by_uid(connection, uid)?)).await?;
    found.map(|(_, token)| token).ok_or(Error::NotFound)
}

/// Shows a tile.
///
/// # Errors
/// As [`find`].
pub async fn show(
    who: Allowed<See>,
    uid: web::Path<String>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let role = who.caller.role;
    let flash = match params.filled("done")?.as_deref().and_then(|done| done.strip_prefix("did-")) {
        Some(action) => quick::flash(&app, uid, action, role).await?,
        None => flash(&params)?,
    };
    answer(&app, &request, role, uid, Said { flash, ..Said::default() }).await
}

/// What a tile says beside its facts.
#[derive(Default)]
pub struct Said {
    /// Its status.
    pub status: StatusCode,
    /// What was done before.
    pub flash: Option<Flash>,
    /// What is wrong with a number of uses to be added.
    pub problems: Problems,
    /// What was typed there.
    pub add_uses: String,
}

/// A tile, for who has this role.
///
/// # Errors
/// As [`find`].
pub async fn answer(app: &App, request: &HttpRequest, role: Role, uid: Uid, said: Said) -> Result<HttpResponse, Error> {
    let found = app.store.look(move |connection| {
        let Some((id, token)) = tokens::by_uid(connection, uid)? else { return Ok(None) };
        let batch = token.batch.map_or(Ok(None), |batch| batches::numbered(connection, batch))?;
        Ok(Some((token, batch, usage::last(connection, id, uid, HISTORY)?)))
    });
    let (token, batch, history) = found.await?.ok_or(Error::NotFound)?;
    let clock = Clock { now: app.store.now(), zone: app.zone };
    let settings = app.settings.get(&app.store).await?;
    let says = app.code_texts_by(&settings).of(&token).into_owned();
    let code = app.codes.get(&says).map_err(|error| Error::fault(error.to_string()))?;
    let row = Row::new(&token, clock);
    let may_edit = role.may(Permission::Edit);
    let template = TilePage {
        page: Page::new(request, "tokens"),
        flash: said.flash,
        problems: said.problems,
        quick: may_edit.then(|| Quick::new(&token, &settings, clock, said.add_uses)),
        title: row.title(),
        code,
        says,
        nonce: Uid::random().to_string(),
        valid_from: token.valid_from.map(|from| clock.tell(from)),
        valid_to: token.valid_to.map(|to| clock.tell(to)),
        lock: duration(token.lock_time),
        created: clock.tell(token.created),
        batch,
        modified: Some(token.modified).filter(|at| *at != token.created).map(|at| clock.tell(at)),
        voided: token.voided.map(|voided| (clock.tell(voided.at), voided.by)),
        creator: token.creator,
        zone: app.zone.to_string(),
        history: history.into_iter().map(|entry| attempt(entry, clock)).collect(),
        may_edit,
        may_delete: role.may(Permission::Delete),
        may_use: role.may(Permission::Consume) && row.state.word == State::Active.word(),
        row,
    };
    page(app, said.status, &template)
}

fn attempt(entry: Entry, clock: Clock) -> Attempt {
    Attempt { when: clock.tell(entry.timestamp), who: entry.user, refusal: entry.error_code.map(refusal) }
}

/// The reason of a refusal, as a tile tells it.
fn refusal(code: i16) -> &'static str {
    match code {
        1 => "it was deleted",
        2 => "it was used up",
        3 => "it was locked",
        4 => "it was out of its time",
        7 => "it was voided",
        _ => "for another reason",
    }
}

/// What was done before this tile was asked for.
fn flash(params: &Params) -> Result<Option<Flash>, Error> {
    let refused = |text: &str| Some(Flash { refused: true, ..Flash::done(text) });
    Ok(match params.filled("done")?.as_deref() {
        Some("added") => Some(Flash::done("The token is added.")),
        Some("saved") => Some(Flash::done("The token is saved.")),
        Some("used") => Some(Flash::done("The token is used once.")),
        Some("replayed") => Some(Flash::done("The token was used once by this click; a second click uses nothing.")),
        Some("same") => Some(Flash::done("It is so already; nothing was changed.")),
        Some("unlimited") => refused("No uses were added: they are unlimited."),
        Some("no-range") => refused("Nothing was changed: there is no such time range any more."),
        Some("not-today") => refused("Nothing was changed: the clock leaves this time range out today."),
        Some("undone") => Some(Flash::done("It is undone.")),
        Some("restored") => Some(Flash::done("The token is restored.")),
        Some(other) => other
            .strip_prefix("refused-")
            .and_then(|code| code.parse().ok())
            .map(|code| Flash { refused: true, ..Flash::done(format!("It was not used: {}.", refusal(code))) }),
        None => None,
    })
}

/// Uses a token once, as `consume_token` does. The form's nonce makes one use of two clicks.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub async fn use_once(
    who: Allowed<Consume>,
    uid: web::Path<String>,
    Form(params): Form,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let key = params.filled("nonce")?.filter(|nonce| nonce.len() <= 36).map(ReplayKey);
    let what = Lookup { uid: Some(uid), ..Lookup::default() };
    let done = match app.store.consume(Ask { who: who.caller.principal, what, key }).await? {
        Answer::Consumed(_) => "used".to_owned(),
        Answer::Replayed(_) => "replayed".to_owned(),
        Answer::Refused { refusal: Refusal::NotExists, .. } => return Err(Error::NotFound),
        Answer::Refused { refusal, .. } => format!("refused-{}", refusal.code()),
        Answer::Mistaken(error) => return Err(error.into()),
    };
    Ok(see_other(&app, &format!("/{uid}?done={done}")))
}
