//! `query_usage`.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::store::usage::{self, Entry, UsageFilter};
use crate::token::Uid;
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::gates::named::by_name;
use crate::web::guard::{Allowed, See};
use crate::web::json::success;
use crate::web::paging::{cut, more_than};
use crate::web::params::Params;
use crate::web::params::filters::{limit, shown, time, uid_of};
use crate::web::state::App;

#[derive(Serialize)]
struct Usage {
    usage: Vec<Entry>,
    next_cursor: Option<String>,
}

/// Attempts, newest first.
pub(crate) async fn query_usage(
    _who: Allowed<See>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["token_uid", "from", "to", "batch", "print_run", "gate", "limit", "cursor"])?;
    let gate = match params.filled("gate")? {
        Some(name) => Some(by_name(&app, &name).await?.name),
        None => None,
    };
    let filter = UsageFilter {
        token_uid: params.parsed::<Uid>("token_uid")?,
        from: time(&params, "from", app.zone)?,
        to: time(&params, "to", app.zone)?,
        batch: uid_of("batch", &params)?,
        print_run: uid_of("print_run", &params)?,
        gate,
        ..UsageFilter::default()
    };
    let limit = limit(&params)?;
    let uid = |uid: Option<Uid>| uid.map(|uid| uid.to_string());
    let (from, to) = (shown(filter.from), shown(filter.to));
    let parts = [uid(filter.token_uid), from, to, uid(filter.batch), uid(filter.print_run), filter.gate.clone()];
    let cursors = CursorCodec::new("query_usage", &parts);
    let before = cursors.read_from(&params, "cursor")?;
    let page = app
        .store
        .search(move |connection, time| usage::page(connection, &filter, before.as_ref(), more_than(limit), time));
    let (rows, last) = cut(page.await?, limit);
    let next_cursor = last.map(|place| cursors.write(&place));
    Ok(success(Usage { usage: rows.into_iter().map(|(_, entry)| entry).collect(), next_cursor }))
}
