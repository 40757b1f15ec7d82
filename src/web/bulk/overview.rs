//! `/overview`: tokens as tiles, and the bar by which many are changed.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::form::ChangeKind;
use super::selection::{ticked, words};
use crate::access::{Permission, Role};
use crate::qr::Code;
use crate::token::Token;
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::format::{TimeFormatter, tokens};
use crate::web::guard::{Allowed, See};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::paging::PageQuery;
use crate::web::params::{Parts, Query};
use crate::web::state::App;
use crate::web::tokens::page::TokenPage;
use crate::web::tokens::query::{TokenOrder, TokenQuery};
use crate::web::tokens::view::TokenView;

/// How many tiles can be shown on a page.
static ROWS: [usize; 3] = [60, 240, 1_000];
/// The sizes of a tile, of which the stylesheet knows the widths.
const SIZES: std::ops::RangeInclusive<usize> = 1..=5;
const SIZE: usize = 3;
/// The cookie that keeps the size for the next visit.
const SIZE_COOKIE: &str = "tile_size";

#[derive(Template)]
#[template(path = "bulk/overview.html")]
struct OverviewPage {
    page: Page,
    may_edit: bool,
    list: TokenPage,
    tiles: Vec<Tile>,
    kinds: Vec<Choice>,
    uids: String,
    size: usize,
    /// How many tiles a page can show.
    counts: Vec<Choice>,
}

/// How tokens are shown, and what is chosen already: what a browser brings back that had to sign in before it could change
/// them.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct OverviewQuery {
    /// How many tiles a page has.
    show: String,
    size: String,
    uid: Vec<String>,
    uids: String,
    #[serde(rename = "do")]
    kind: String,
}

/// A token with its code.
struct Tile {
    row: TokenView,
    is_selected: bool,
    code: Arc<Code>,
}

/// The tiles of tokens. Codes that are not cached take a while, so they are made on a thread that may block.
async fn tiles(
    app: &web::Data<App>,
    tokens: Vec<Token>,
    selected: HashSet<String>,
    clock: TimeFormatter,
) -> Result<Vec<Tile>, Error> {
    let (shared, texts) = (web::Data::clone(app), app.code_texts().await?);
    let tile = move |token: Token| {
        let code = shared.codes.get(&texts.of(&token)).map_err(|error| Error::fault(error.to_string()))?;
        let row = TokenView::new(&token, clock);
        Ok(Tile { is_selected: selected.contains(&row.uid), row, code })
    };
    let made = web::block(move || tokens.into_iter().map(tile).collect::<Result<Vec<_>, Error>>()).await;
    made.map_err(|error| Error::fault(error.to_string()))?
}

/// The uids that are selected already.
///
/// All of them or none: where some are on another page, the others would be another selection, and their number is told.
fn selected(query: &OverviewQuery, shown: &[String]) -> (HashSet<String>, Option<usize>) {
    let selected: HashSet<String> = ticked(&query.uid).into_iter().chain(words(&query.uids)).collect();
    let is_whole = selected.iter().all(|uid| shown.contains(uid));
    if is_whole { (selected, None) } else { (HashSet::new(), Some(selected.len())) }
}

/// The changes that a role may make.
fn kinds(role: Role, chosen: &str) -> Vec<Choice> {
    let allowed = ChangeKind::ALL.into_iter().filter(|kind| role.may(kind.permission()));
    Choice::list(allowed.map(|kind| (kind.word(), kind.words())), chosen)
}

/// Shows tiles.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    Query(Parts((query, order, place, how))): Query<Parts<(TokenQuery, TokenOrder, PageQuery, OverviewQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let show = how.show.parse().ok().filter(|show| ROWS.contains(show));
    let show = show.unwrap_or(ROWS[0]);
    let more = if show == ROWS[0] { String::new() } else { format!("show={show}") };
    let mut list = TokenPage::read(&app, (query, order, place), "/overview", &more, show).await?;
    let clock = app.time_formatter();
    let uids: Vec<String> = list.tokens.iter().map(|token| token.uid.to_string()).collect();
    let (new_size, role) = (size(&how.size), who.caller.role);
    let (selected, elsewhere) = selected(&how, &uids);
    let notice = elsewhere.map(|count| {
        Notice::refused(format!("{} were selected, not all of them on this page. Select them again.", tokens(count)))
    });
    let template = OverviewPage {
        page: Page::new(&request, Section::Overview).with_notice(notice),
        may_edit: role.may(Permission::Edit),
        kinds: kinds(role, &how.kind),
        uids: uids.join(" "),
        size: new_size.unwrap_or_else(|| kept_size(&request)),
        counts: Choice::words(ROWS.map(|count| count.to_string()), &show.to_string()),
        tiles: tiles(&app, std::mem::take(&mut list.tokens), selected, clock).await?,
        list,
    };
    keep_size(page(&app, template.list.errors.status(), &template)?, &app, new_size)
}

/// The answer with a cookie that keeps a new size.
fn keep_size(mut response: HttpResponse, app: &App, size: Option<usize>) -> Result<HttpResponse, Error> {
    if let Some(size) = size {
        response.add_cookie(&size_cookie(app, size)).map_err(|error| Error::fault(error.to_string()))?;
    }
    Ok(response)
}

fn size(text: &str) -> Option<usize> {
    text.parse().ok().filter(|size| SIZES.contains(size))
}

fn kept_size(request: &HttpRequest) -> usize {
    request.cookie(SIZE_COOKIE).and_then(|cookie| size(cookie.value())).unwrap_or(SIZE)
}

/// Kept for a year. The page's script writes it, too, so it is no secret and not `HttpOnly`.
fn size_cookie(app: &App, size: usize) -> Cookie<'static> {
    Cookie::build(SIZE_COOKIE, size.to_string())
        .path(format!("{}/", app.base))
        .same_site(SameSite::Lax)
        .secure(app.public_url.is_https())
        .max_age(Duration::days(365))
        .finish()
}
