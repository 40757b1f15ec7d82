//! `/`: the tokens, as a list or as tiles.

use std::collections::HashSet;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::bar::{Bar, SelectedQuery, selected};
use super::open::ScannedSearch;
use super::page::TokenPage;
use super::place::ListPlace;
use super::query::{TokenOrder, TokenQuery};
use super::row::ListRow;
use super::tiles::{self, Tiles};
use crate::access::{Permission, Role};
use crate::store::actions::past;
use crate::store::batches::BatchesOf;
use crate::token::{Token, Uid};
use crate::web::bulk::done::changed_notice;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Ask};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page, see_other};
use crate::web::paging::PageQuery;
use crate::web::params::{Parts, Query};
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    page: Page,
    may_edit: bool,
    list: TokenPage,
    /// It is a page behind the first.
    is_behind: bool,
    bar: Bar,
    rows: Vec<ListRow>,
    tiles: Option<Tiles>,
    /// What was selected has been changed.
    is_changed: bool,
}

/// What was done before the page was opened, and to which token, or by which action.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ListDone {
    done: String,
    token: String,
    changed: String,
}

/// The size of a tile.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct TileSize {
    size: String,
}

/// The parameters of the list.
type ListQuery =
    Parts<(TokenQuery, TokenOrder, PageQuery, Parts<(ListPlace, TileSize, SelectedQuery, ListDone, ScannedSearch)>)>;

/// Shows a page of the list, or leads to the token whose code was scanned into its search field.
pub(crate) async fn show(
    who: Allowed<Ask>,
    request: HttpRequest,
    Query(Parts((query, order, at, Parts((place, size, ticks, done, scanned))))): Query<ListQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let role = who.caller.role;
    // Who may only scan begins at the door.
    if !role.may(Permission::See) {
        return Ok(see_other(&app, "/scan"));
    }
    if let Some(uid) = scanned.token(&app, &query.q).await? {
        return Ok(see_other(&app, &format!("/{uid}")));
    }
    let list = TokenPage::read(&app, (query, order, &place), &at, place.rows()).await?;
    let (selected, reselect) = selected(&ticks, &list.tokens);
    let (notice, new_size) = (notice(&app, role, &done).await?, tiles::size(&size.size));
    let size = place.is_tiles().then(|| new_size.unwrap_or_else(|| tiles::kept_size(&request)));
    let (rows, tiles) = match size {
        Some(size) => (Vec::new(), Some(Tiles::new(&app, &list.tokens, selected, (size, place.rows())).await?)),
        None => (rows(&app, &list.tokens, &selected).await?, None),
    };
    let template = ListPage {
        is_changed: notice.is_some() && !done.changed.is_empty(),
        page: Page::new(&request, Section::Tokens).with_notice(notice.or(reselect)),
        may_edit: role.may(Permission::Edit),
        is_behind: place.is_behind(),
        bar: Bar::new(role, &list.tokens, list.count, &ticks),
        rows,
        tiles,
        list,
    };
    tiles::keep_size(page(&app, template.list.errors.status(), &template)?, &app, new_size)
}

/// The rows of tokens, with the names of their batches.
async fn rows(app: &App, tokens: &[Token], selected: &HashSet<String>) -> Result<Vec<ListRow>, Error> {
    let (batches, clock) = (app.store.look_up(BatchesOf::tokens(tokens)).await?, app.time_formatter());
    let row = |token| ListRow::new(token, &batches, clock, |uid| selected.contains(uid));
    Ok(tokens.iter().map(row).collect())
}

/// What was done before the page was opened. Of an action, what the database says of it.
async fn notice(app: &App, role: Role, ListDone { done, token, changed }: &ListDone) -> Result<Option<Notice>, Error> {
    if done == "deleted" {
        let undo = token.parse::<Uid>().ok().map(|uid| format!("/{uid}/restore"));
        return Ok(Some(Notice::done(words::tokens::DELETED).with_undo(undo)));
    }
    let Some(uid) = changed.parse::<Uid>().ok().filter(|_| done == "changed") else { return Ok(None) };
    let action = app.store.read_inline(move |connection| Ok(past::find(connection, uid)?)).await?;
    Ok(action.and_then(|action| changed_notice(&action, role, app.store.now())))
}
