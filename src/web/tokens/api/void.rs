//! `void_token` and `restore_token`.

use actix_web::{HttpResponse, web};

use super::named_uid;
use crate::store::tokens::void;
use crate::token::void::read_reason;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Void};
use crate::web::json::{Done, success};
use crate::web::params::Params;
use crate::web::state::App;

/// Voids a token. One that is voided already gets another reason, if one is given.
pub(crate) async fn void_token(
    who: Allowed<Void>,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["token_uid", "reason"])?;
    let uid = named_uid(uid.as_deref().map(String::as_str), &params)?;
    let reason = params.text("reason")?.map(|text| read_reason(&text)).transpose()?.flatten();
    let (by, now) = (who.caller.principal, app.store.now());
    app.store.write(move |connection| void::void(connection, uid, reason.as_deref(), &by, now)).await?;
    Ok(success(Done {}))
}

/// Restores a voided token; one that is not voided stays as it is.
pub(crate) async fn restore_token(
    who: Allowed<Void>,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["token_uid"])?;
    let uid = named_uid(uid.as_deref().map(String::as_str), &params)?;
    let (by, now) = (who.caller.principal, app.store.now());
    app.store.write(move |connection| void::restore(connection, uid, &by, now)).await?;
    Ok(success(Done {}))
}
