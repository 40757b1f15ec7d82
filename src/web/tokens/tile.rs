//! `/{uid}`: a token's tile, and its use by a click.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::api::undo::undo_use;
use super::tile_view::{TileOptions, render};
use super::{gone, quick_sets};
use crate::access::Permission;
use crate::token::settle::{self, Answer, Deed, Lookup, NamedUse, RefusedAsk, ReplayKey};
use crate::token::{Problem, Refusal, Uid};
use crate::web::error::Error;
use crate::web::gates::named::gate_of;
use crate::web::guard::{Allowed, Ask, Consume, refuse_prefetch};
use crate::web::notice::Done;
use crate::web::page::see_other;
use crate::web::params::{Form, NoParams, Query};
use crate::web::scan::page::show_linked;
use crate::web::state::App;

/// What the button sends that uses a token.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct UseForm {
    nonce: Option<String>,
    gate: Option<String>,
}

/// Shows a tile; to who may only scan, the verdict on its token.
pub(crate) async fn show(
    who: Allowed<Ask>,
    uid: web::Path<String>,
    request: HttpRequest,
    Query(Done { done }): Query<Done>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let role = who.caller.role;
    if !role.may(Permission::See) {
        return show_linked(&request, &app, &who.caller, uid).await;
    }
    let notice = match done.strip_prefix("did-") {
        Some(action) => quick_sets::notice(&app, uid, action, role).await?,
        None => None,
    };
    match render(&app, &request, role, uid, TileOptions { notice, done, ..TileOptions::default() }).await {
        Err(Error::NotFound) => gone::show(&app, &request, uid).await,
        shown => shown,
    }
}

/// Uses a token once, as `consume_token` does. The form's nonce makes one use of two clicks.
pub(crate) async fn use_once(
    who: Allowed<Consume>,
    request: HttpRequest,
    uid: web::Path<String>,
    Form(form): Form<UseForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    refuse_prefetch(&request)?;
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let key = form.nonce.map(ReplayKey::new).transpose()?.map(|key| who.caller.own(key));
    let what = Lookup { uid: Some(uid), ..Lookup::default() };
    let gate = gate_of(&app, &who.caller, form.gate.as_deref()).await?.map(|gate| gate.id);
    let once = Deed::Use { what, uses: 1, gate };
    let done = match app.store.consume(settle::Ask::new(who.caller.principal, once, key)).await? {
        Answer::Done(receipt, _) => format!("used-{}", receipt.usage_uid),
        Answer::Replayed(_) => "replayed".to_owned(),
        Answer::Refused(RefusedAsk { summary: None, .. }) => return Err(Error::NotFound),
        Answer::Refused(RefusedAsk { refusals, .. }) => {
            format!("refused-{}", refusals.first().map_or(0, Refusal::code))
        }
        Answer::NotKept => return Err(Error::fault("a use was answered as a replay")),
        Answer::Mistaken(error) => return Err(error.into()),
        Answer::Forbidden(why) => return Err(Error::Forbidden(why.into())),
    };
    Ok(see_other(&app, &format!("/{uid}?done={done}")))
}

/// The use that is undone, as the address of the notice's button names it.
#[derive(Deserialize, Validate)]
pub(crate) struct UndoneUse {
    /// Its entry in the usage log.
    usage_uid: Uid,
}

/// Undoes a use of this token, as `undo_consume` does.
pub(crate) async fn undo(
    who: Allowed<Consume>,
    uid: web::Path<String>,
    Query(UndoneUse { usage_uid }): Query<UndoneUse>,
    _form: Form<NoParams>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let done = match undo_use(&app, &who.caller, NamedUse::Entry(usage_uid), None).await {
        Ok(_) => "use-undone",
        Err(Error::Token(error)) if error.problem() == Some(&Problem::AlreadyUndone) => "use-undone-before",
        Err(Error::Token(_) | Error::Forbidden(_)) => "use-not-undone",
        Err(error) => return Err(error),
    };
    Ok(see_other(&app, &format!("/{uid}?done={done}")))
}
