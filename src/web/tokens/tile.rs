//! `/{uid}`: a token's tile, and its use by a click.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::quick_sets;
use super::tile_view::{TileOptions, refusal_reason, render};
use crate::access::Permission;
use crate::token::settle::{self, Answer, Deed, Lookup, RefusedAsk, ReplayKey};
use crate::token::{Refusal, Uid};
use crate::web::error::Error;
use crate::web::gates::named::gate_of;
use crate::web::guard::{Allowed, Ask, Consume, refuse_prefetch};
use crate::web::notice::{Done, Notice};
use crate::web::page::see_other;
use crate::web::params::{Form, Query};
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
        None => notice(&done),
    };
    render(&app, &request, role, uid, TileOptions { notice, ..TileOptions::default() }).await
}

/// What was done before the tile was opened.
fn notice(done: &str) -> Option<Notice> {
    Some(match done {
        "added" => Notice::done("The token is added."),
        "saved" => Notice::done("The token is saved."),
        "used" => Notice::done("The token is used once."),
        "replayed" => Notice::done("The token was used once by this click; a second click uses nothing."),
        "same" => Notice::done("It is so already; nothing was changed."),
        "unlimited" => Notice::refused("No uses were added: they are unlimited."),
        "no-range" => Notice::refused("Nothing was changed: there is no such time range any more."),
        "not-today" => Notice::refused("Nothing was changed: the clock leaves this time range out today."),
        "undone" => Notice::done("It is undone."),
        "restored" => Notice::done("The token is restored."),
        other => {
            let code = other.strip_prefix("refused-").and_then(|code| code.parse().ok())?;
            Notice::refused(format!("It was not used: {}.", refusal_reason(code)))
        }
    })
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
        Answer::Done(..) => "used".to_owned(),
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
