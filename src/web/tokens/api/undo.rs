//! `undo_consume`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::consume::header_key;
use crate::access::Permission;
use crate::token::settle::{Answer, Ask, Deed, NamedUse, Receipt, ReplayKey, TokenSummary};
use crate::token::{TokenError, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume};
use crate::web::json::success;
use crate::web::params::Params;
use crate::web::state::App;

/// What is wrong with an undo that names no use.
const NEITHER: &str = "usage_uid or nonce must name the use that is to be undone.";

#[derive(Serialize)]
struct Body {
    undone: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(flatten)]
    summary: TokenSummary,
    uses: i32,
    usage_uid: Uid,
    gate: Option<String>,
}

/// Undoes a use: what it took is given back, once.
pub(crate) async fn undo_consume(
    who: Allowed<Consume>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    params.only(&["nonce", "usage_uid"])?;
    let key = header_key(&request)?.map(ReplayKey::new).transpose()?;
    let (receipt, replayed) = undo_use(&app, &who.caller, named_use(&params)?, key).await?;
    undone(&app, receipt, replayed).await
}

/// Undoes a use for a caller, and returns whether that was done before for the same key.
///
/// # Errors
/// A value error, unknown or forbidden, when it cannot be undone.
pub(crate) async fn undo_use(
    app: &App,
    caller: &Caller,
    which: NamedUse,
    key: Option<ReplayKey>,
) -> Result<(Receipt, bool), Error> {
    let deed = Deed::Undo { which, anybody: caller.role.may(Permission::Edit) };
    match app.store.consume(Ask::new(caller.principal.clone(), deed, key)).await? {
        Answer::Done(receipt, _) => Ok((receipt, false)),
        Answer::Replayed(receipt) => Ok((receipt, true)),
        Answer::Mistaken(error) => Err(error.into()),
        Answer::Forbidden(why) => Err(Error::Forbidden(why.into())),
        Answer::Refused(_) | Answer::NotKept => Err(Error::fault("an undo was answered as a use")),
    }
}

async fn undone(app: &App, receipt: Receipt, replayed: bool) -> Result<HttpResponse, Error> {
    let Receipt { summary, usage_uid, uses, gate } = receipt;
    let gate = app.gates.name(&app.store, gate).await?;
    Ok(success(Body { undone: true, replayed, summary, uses, usage_uid, gate }))
}

/// The use that is to be undone: by the key with which the caller made it, or by its entry in the log.
fn named_use(params: &Params) -> Result<NamedUse, Error> {
    match (params.filled("nonce")?, params.filled("usage_uid")?) {
        (Some(nonce), None) => Ok(NamedUse::Key(ReplayKey::new(nonce)?)),
        (None, Some(uid)) => {
            let wrong = |_| TokenError::value("usage_uid", "usage_uid is not the uid of an entry in the usage log");
            Ok(NamedUse::Entry(uid.parse::<Uid>().map_err(wrong)?))
        }
        (Some(_), Some(_)) => {
            Err(TokenError::value("usage_uid", "nonce and usage_uid both name a use; give one").into())
        }
        (None, None) => Err(TokenError::unnamed("usage_uid", NEITHER).into()),
    }
}
