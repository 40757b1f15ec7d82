//! `edit_token` and `update_token`.

use actix_web::{HttpResponse, web};

use super::{FIELDS, check_link, named_uid, raw_fields};
use crate::store::tokens;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::{Done, success};
use crate::web::params::Params;
use crate::web::state::App;

/// Changes a token as cone.tokens does: four fields must be present.
pub(crate) async fn edit_token(
    _who: Allowed<Edit>,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&[&FIELDS[..], &["token_uid"]].concat())?;
    raw_fields(&params)?.require()?;
    change(uid, &params, &app).await
}

/// Changes of a token what is given, and nothing else.
pub(crate) async fn update_token(
    _who: Allowed<Edit>,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&[&FIELDS[..], &["token_uid", "add_uses"]].concat())?;
    change(uid, &params, &app).await
}

async fn change(uid: Option<web::Path<String>>, params: &Params, app: &App) -> Result<HttpResponse, Error> {
    let uid = named_uid(uid.as_deref().map(String::as_str), params)?;
    let raw = raw_fields(params)?;
    check_link(app, raw.value.as_deref(), uid)?;
    let change = raw.change(app.zone)?;
    let now = app.store.now();
    app.store.write(move |connection| tokens::change(connection, uid, &change, now)).await?;
    Ok(success(Done {}))
}
