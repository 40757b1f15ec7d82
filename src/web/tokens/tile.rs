//! `/{uid}`: a token's tile, and its use by a click.

use actix_web::{HttpRequest, HttpResponse, web};

use super::quick_sets;
use super::tile_view::{TileOptions, refusal_reason, render};
use crate::access::Permission;
use crate::token::settle::{self, Answer, Deed, Lookup, RefusedAsk, ReplayKey};
use crate::token::{Refusal, Uid};
use crate::web::error::Error;
use crate::web::gates::named::gate_of;
use crate::web::guard::{Allowed, Ask, Consume, refuse_prefetch};
use crate::web::notice::Notice;
use crate::web::page::see_other;
use crate::web::params::{RawForm, RawParams};
use crate::web::scan::page::show_linked;
use crate::web::state::App;

/// Shows a tile; to who may only scan, the verdict on its token.
pub(crate) async fn show(
    who: Allowed<Ask>,
    uid: web::Path<String>,
    request: HttpRequest,
    params: RawParams,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let role = who.caller.role;
    if !role.may(Permission::See) {
        return show_linked(&request, &app, &who.caller, uid).await;
    }
    let notice = match params.filled("done")?.as_deref().and_then(|done| done.strip_prefix("did-")) {
        Some(action) => quick_sets::notice(&app, uid, action, role).await?,
        None => notice(&params)?,
    };
    render(&app, &request, role, uid, TileOptions { notice, ..TileOptions::default() }).await
}

/// What was done before the tile was opened.
fn notice(params: &RawParams) -> Result<Option<Notice>, Error> {
    Ok(match params.filled("done")?.as_deref() {
        Some("added") => Some(Notice::done("The token is added.")),
        Some("saved") => Some(Notice::done("The token is saved.")),
        Some("used") => Some(Notice::done("The token is used once.")),
        Some("replayed") => Some(Notice::done("The token was used once by this click; a second click uses nothing.")),
        Some("same") => Some(Notice::done("It is so already; nothing was changed.")),
        Some("unlimited") => Some(Notice::refused("No uses were added: they are unlimited.")),
        Some("no-range") => Some(Notice::refused("Nothing was changed: there is no such time range any more.")),
        Some("not-today") => Some(Notice::refused("Nothing was changed: the clock leaves this time range out today.")),
        Some("undone") => Some(Notice::done("It is undone.")),
        Some("restored") => Some(Notice::done("The token is restored.")),
        Some(other) => {
            let code = other.strip_prefix("refused-").and_then(|code| code.parse().ok());
            code.map(|code| Notice::refused(format!("It was not used: {}.", refusal_reason(code))))
        }
        None => None,
    })
}

/// Uses a token once, as `consume_token` does. The form's nonce makes one use of two clicks.
pub(crate) async fn use_once(
    who: Allowed<Consume>,
    request: HttpRequest,
    uid: web::Path<String>,
    RawForm(params): RawForm,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    refuse_prefetch(&request)?;
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let key = params.filled("nonce")?.map(ReplayKey::new).transpose()?;
    let what = Lookup { uid: Some(uid), ..Lookup::default() };
    let gate = gate_of(&app, &who.caller, params.filled("gate")?.as_deref()).await?.map(|gate| gate.id);
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
