//! `/deleted` and `/{uid}/restore`: deletions of the last 30 days, and undoing them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::access::who;
use crate::store;
use crate::store::cursor::Cursor;
use crate::store::tokens::delete;
use crate::store::tokens::delete::DeletedToken;
use crate::token::{TokenError, Uid};
use crate::web::cursor::{After, CursorCodec};
use crate::web::error::Error;
use crate::web::format::FormattedTime;
use crate::web::guard::{Allowed, Delete};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::paging::{cut, more_than};
use crate::web::params::Query;
use crate::web::state::App;
use crate::web::words::tile as words;

/// Tokens on a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "tokens/deleted.html")]
struct DeletedPage {
    page: Page,
    error: Option<String>,
    rows: Vec<DeletedRow>,
    older: Option<String>,
}

struct DeletedRow {
    uid: String,
    value: String,
    label: Option<String>,
    when: FormattedTime,
    by: String,
}

fn cursors() -> CursorCodec {
    CursorCodec::new("deleted", &[])
}

/// Shows what can be restored, the last deletion first.
pub(crate) async fn show(
    _who: Allowed<Delete>,
    request: HttpRequest,
    Query(place): Query<After>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let after = cursors().after(&place)?;
    list(&request, &app, after, StatusCode::OK, None).await
}

async fn list(
    request: &HttpRequest,
    app: &App,
    after: Option<Cursor>,
    status: StatusCode,
    error: Option<String>,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let work = move |connection: &mut _| Ok(delete::page(connection, clock.now, after.as_ref(), more_than(ROWS))?);
    let (found, last) = cut(app.store.read(work).await?, ROWS);
    let older = last.map(|place| format!("{}/deleted?after={}", app.base, cursors().write(&place)));
    let row = |(_, gone): (Cursor, DeletedToken)| DeletedRow {
        uid: gone.uid,
        value: gone.value,
        label: gone.label,
        when: clock.format(gone.at),
        by: who(&gone.by),
    };
    let rows = found.into_iter().map(row).collect();
    page(app, status, &DeletedPage { page: Page::new(request, Section::Tokens), error, rows, older })
}

/// Whether a token is deleted, and can be restored.
pub(crate) async fn can_be_restored(app: &App, uid: Uid) -> Result<bool, Error> {
    let now = app.store.now();
    Ok(app.store.read_inline(move |connection| Ok(delete::can_be_restored(connection, uid, now)?)).await?)
}

/// Restores a token, unless another one has got its value meanwhile.
pub(crate) async fn restore(
    who: Allowed<Delete>,
    uid: web::Path<String>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let (by, now) = (who.caller.principal, app.store.now());
    match app.store.write(move |connection| delete::restore(connection, uid, &by, now)).await {
        Ok(()) => Ok(see_other(&app, &format!("/{uid}?done=restored"))),
        Err(store::Error::Token(TokenError::Value { .. })) => {
            list(&request, &app, None, StatusCode::CONFLICT, Some(words::VALUE_TAKEN.into())).await
        }
        // Sent twice, or from two tabs: it is restored.
        Err(store::Error::Token(TokenError::Unknown(_)))
            if super::tile_view::find(&app, &uid.to_string()).await.is_ok() =>
        {
            Ok(see_other(&app, &format!("/{uid}?done=restored")))
        }
        Err(error) => Err(error.into()),
    }
}
