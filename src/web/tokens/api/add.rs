//! `add_token` and `add_tokens`.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{FIELDS, check_link, raw_fields};
use crate::access::Principal;
use crate::store::batches::NewBatch;
use crate::store::tokens;
use crate::token::input::{Origin, RawFields};
use crate::token::{LIST_MAX, Token, TokenError, Uid, batch};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::success;
use crate::web::params::Params;
use crate::web::state::App;
use crate::work;

#[derive(Serialize)]
struct Added {
    token_uid: Uid,
}

#[derive(Serialize)]
struct AddedMany {
    count: usize,
    token_uids: Vec<Uid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_uid: Option<Uid>,
}

/// Adds a token, with the uid in the path or a new one.
pub(crate) async fn add_token(
    who: Allowed<Edit>,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&FIELDS)?;
    let raw = raw_fields(&params)?;
    raw.require()?;
    let uid = uid.map_or_else(|| Ok(Uid::random()), |uid| uid.parse())?;
    check_link(&app, raw.value.as_deref(), uid)?;
    let token = describe(&app, raw, uid, &who.caller.principal).await?;
    app.store.write(move |connection| tokens::add(connection, &token)).await?;
    Ok(success(Added { token_uid: uid }))
}

/// Adds as many tokens as are asked for, or none; as a batch, when it is given a name.
pub(crate) async fn add_tokens(who: Allowed<Edit>, params: Params, app: web::Data<App>) -> Result<HttpResponse, Error> {
    params.only(&["count", "valid_from", "valid_to", "usage_count", "lock_time", "label", "batch_name"])?;
    let absent = if params.text("count")?.is_some() {
        TokenError::value("count", format!("count must be a whole number from 1 to {LIST_MAX}"))
    } else {
        TokenError::missing("count")
    };
    let count = params.number("count", 1..=LIST_MAX)?.ok_or(absent)?;
    let name = params.filled("batch_name")?;
    name.as_deref().map(batch::check_name).transpose()?;
    let mut raw = raw_fields(&params)?;
    let pattern = raw.label.take().unwrap_or_default();
    let model = describe(&app, raw, Uid::random(), &who.caller.principal).await?;
    let batch = name.map(|name| NewBatch { uid: Uid::random(), name, count });
    let batch_uid = batch.as_ref().map(|batch| batch.uid);
    let by = who.caller.principal;
    let token_uids = work::batches::add_tokens(&app.background, model, pattern, count, batch, by).await?;
    Ok(success(AddedMany { count, token_uids, batch_uid }))
}

async fn describe(app: &App, raw: RawFields, uid: Uid, who: &Principal) -> Result<Token, Error> {
    let defaults = app.settings.get(&app.store).await?.defaults();
    let origin = Origin { uid, creator: who.to_string(), created: app.store.now() };
    Ok(raw.new_token(origin, defaults, app.zone)?)
}
