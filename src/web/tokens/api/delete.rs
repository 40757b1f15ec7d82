//! `delete_token` and `delete_tokens`.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::named_uid;
use crate::store::tokens;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Delete};
use crate::web::json::{Done, success};
use crate::web::params::{LARGE, Params};
use crate::web::state::App;
use crate::work::actions;

#[derive(Serialize)]
struct Deleted {
    count: usize,
}

/// Deletes a token.
pub(crate) async fn delete_token(
    who: Allowed<Delete>,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["token_uid"])?;
    let uid = named_uid(uid.as_deref().map(String::as_str), &params)?;
    let now = app.store.now();
    app.store.write(move |connection| tokens::delete(connection, &[uid], &who.caller.principal, now)).await?;
    Ok(success(Done {}))
}

/// Deletes all tokens of a list, or none.
pub(crate) async fn delete_tokens(
    who: Allowed<Delete>,
    params: Params<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["token_uids"])?;
    let permit = app.background.long_list_permit().await?;
    app.recheck(&who.caller).await?;
    let uids = params.uids("token_uids")?;
    let count = actions::delete_tokens(&app.background, uids, who.caller.principal, permit).await?;
    app.counts.forget();
    Ok(success(Deleted { count }))
}
