//! A token's tile as a page: the code, the facts, what can be done by one click, and the history.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::quick_buttons::Quick;
use super::tile_notice;
use super::view::TokenView;
use crate::access::{Permission, Role, who};
use crate::qr::Code;
use crate::store::batches::Batch;
use crate::store::tokens::{ByUid, TileOf};
use crate::store::usage::Entry;
use crate::token::combining::has_combining_forms;
use crate::token::{Token, Uid};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter, duration};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::state::App;
use crate::web::words::tile as words;

#[derive(Template)]
#[template(path = "tokens/tile.html")]
struct TilePage {
    page: Page,
    errors: FormErrors,
    quick: Option<Quick>,
    title: String,
    row: TokenView,
    code: Arc<Code>,
    says: String,
    nonce: String,
    valid_from: Option<FormattedTime>,
    valid_to: Option<FormattedTime>,
    lock: String,
    created: FormattedTime,
    batch: Option<Batch>,
    creator: String,
    /// Its value can be read in two ways by scanners.
    combines: bool,
    modified: Option<FormattedTime>,
    /// Since when it is voided, and by whom.
    voided: Option<(FormattedTime, String)>,
    zone: String,
    history: Vec<Attempt>,
    /// Why there are no more buttons.
    limits: Option<&'static str>,
    may_use: bool,
}

/// An entry of the usage log.
struct Attempt {
    when: FormattedTime,
    who: String,
    refusal: Option<&'static str>,
    is_undo: bool,
    /// How many uses, where it is not one.
    uses: Option<u32>,
    gate: Option<String>,
}

/// The token of a path.
pub(crate) async fn find(app: &App, path: &str) -> Result<Token, Error> {
    let uid: Uid = path.parse().map_err(|_| Error::NotFound)?;
    app.store.look_up(ByUid(uid)).await?.ok_or(Error::NotFound)
}

/// What a tile shows beside its facts.
#[derive(Default)]
pub(crate) struct TileOptions {
    pub(crate) status: StatusCode,
    pub(crate) notice: Option<Notice>,
    /// What was done before, in a word of the address, if there is no notice of it yet.
    pub(crate) done: String,
    /// What is wrong with the number of uses to be added.
    pub(crate) errors: FormErrors,
    /// The number of uses to be added, as it was sent.
    pub(crate) add_uses: String,
}

/// A tile, as a role may see it.
pub(crate) async fn render(
    app: &App,
    request: &HttpRequest,
    role: Role,
    uid: Uid,
    options: TileOptions,
) -> Result<HttpResponse, Error> {
    let tile = app.store.look_up(TileOf(uid)).await?.ok_or(Error::NotFound)?;
    let token = &tile.token;
    let clock = app.time_formatter();
    let settings = app.settings.get(&app.store).await?;
    let says = app.code_texts_by(&settings).of(token).into_owned();
    let code = app.codes.get(&says).map_err(|error| Error::fault(error.to_string()))?;
    let row = TokenView::new(token, clock);
    let may_edit = role.may(Permission::Edit);
    let notice = options.notice.or_else(|| tile_notice::notice(&options.done, &tile, role));
    let template = TilePage {
        page: Page::new(request, Section::Tokens).with_notice(notice),
        errors: options.errors,
        quick: may_edit.then(|| Quick::new(token, &settings, clock, options.add_uses)),
        title: row.title(),
        code,
        says,
        nonce: Uid::random().to_string(),
        valid_from: token.valid_from.map(|from| clock.format(from)),
        valid_to: token.valid_to.map(|to| clock.format(to)),
        lock: duration(token.lock_time),
        created: clock.format(token.created),
        batch: tile.batch.clone(),
        modified: Some(token.modified).filter(|at| *at != token.created).map(|at| clock.format(at)),
        voided: token.voided.as_ref().map(|voided| (clock.format(voided.at), who(&voided.by))),
        creator: who(&token.creator),
        combines: has_combining_forms(&token.value),
        zone: app.zone.to_string(),
        history: tile.history.iter().map(|entry| attempt(entry, clock)).collect(),
        limits: words::limits(role),
        may_use: role.may(Permission::Consume) && row.is_active(),
        row,
    };
    page(app, options.status, &template)
}

fn attempt(entry: &Entry, clock: TimeFormatter) -> Attempt {
    Attempt {
        when: clock.format(entry.timestamp),
        who: entry.user.clone(),
        refusal: entry.error_code.map(words::refusal),
        is_undo: entry.uses < 0,
        uses: Some(entry.uses.unsigned_abs()).filter(|uses| *uses != 1),
        gate: entry.gate.clone(),
    }
}
