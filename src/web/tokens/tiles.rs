//! Tokens as tiles: how many there are on a page, how large they are, and the code of each.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};

use super::place::ListPlace;
use super::view::TokenView;
use crate::qr::Code;
use crate::token::Token;
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::state::App;

/// The sizes of a tile, of which the stylesheet knows the widths.
const SIZES: std::ops::RangeInclusive<usize> = 1..=5;
const SIZE: usize = 3;
/// The cookie that keeps the size for the next visit.
const SIZE_COOKIE: &str = "tile_size";

/// A token with its code.
pub(crate) struct Tile {
    pub(crate) row: TokenView,
    pub(crate) is_selected: bool,
    pub(crate) code: Arc<Code>,
}

/// How tiles are shown.
pub(crate) struct Tiles {
    pub(crate) shown: Vec<Tile>,
    pub(crate) size: usize,
    counts: Vec<Choice>,
}

impl Tiles {
    /// How many tiles a page can show.
    pub(crate) fn counts(&self) -> &[Choice] {
        &self.counts
    }

    /// The tiles of tokens. Codes that are not cached take a while, so they are made on a thread that may block.
    pub(crate) async fn new(
        app: &web::Data<App>,
        tokens: &[Token],
        selected: HashSet<String>,
        (size, rows): (usize, usize),
    ) -> Result<Self, Error> {
        let (shared, texts, clock) = (web::Data::clone(app), app.code_texts().await?, app.time_formatter());
        let tokens = tokens.to_vec();
        let tile = move |token: Token| {
            let code = shared.codes.get(&texts.of(&token)).map_err(|error| Error::fault(error.to_string()))?;
            let row = TokenView::new(&token, clock);
            Ok(Tile { is_selected: selected.contains(&row.uid), row, code })
        };
        let made = web::block(move || tokens.into_iter().map(tile).collect::<Result<Vec<_>, Error>>()).await;
        let tiles = made.map_err(|error| Error::fault(error.to_string()))??;
        let counts = Choice::words(ListPlace::tile_rows().map(|count| count.to_string()), &rows.to_string());
        Ok(Self { shown: tiles, size, counts })
    }
}

/// The answer with a cookie that keeps a new size.
pub(crate) fn keep_size(mut response: HttpResponse, app: &App, size: Option<usize>) -> Result<HttpResponse, Error> {
    if let Some(size) = size {
        response.add_cookie(&size_cookie(app, size)).map_err(|error| Error::fault(error.to_string()))?;
    }
    Ok(response)
}

/// The size that an address says.
pub(crate) fn size(text: &str) -> Option<usize> {
    text.parse().ok().filter(|size| SIZES.contains(size))
}

/// The size of the last visit.
pub(crate) fn kept_size(request: &HttpRequest) -> usize {
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
