//! A batch of sample tokens, for who has none yet: added and removed by one click each.

use std::time::Duration;

use actix_web::{HttpResponse, web};

use super::add::begin;
use crate::store::actions::{ActionRequest, ActionResult};
use crate::store::batches::{self, Batch, NewBatch};
use crate::store::tokens::list::TokenFilter;
use crate::store::tokens::selection::Selection;
use crate::token::action::Action;
use crate::token::input::{Origin, RawFields};
use crate::token::label::LabelSeries;
use crate::token::{Token, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Delete, Edit};
use crate::web::page::see_other;
use crate::web::params::{Form, NoParams};
use crate::web::state::App;
use crate::web::words::batches as words;
use crate::work;

/// How long the answer waits until they are gone.
const MOMENT: Duration = Duration::from_secs(2);
/// Tokens of the sample.
const COUNT: usize = 12;
/// Digits of their numbers.
const DIGITS: usize = 2;

/// Whether a batch looks like the sample, so that one click may remove it.
pub(super) fn is_sample(batch: &Batch) -> bool {
    batch.name == words::SAMPLE && usize::try_from(batch.count) == Ok(COUNT)
}

/// Adds the sample, unless there is one already.
pub(crate) async fn add(who: Allowed<Edit>, _form: Form<NoParams>, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let find = |connection: &mut _| {
        let Some(batch) = batches::named(connection, words::SAMPLE)?.into_iter().find(is_sample) else {
            return Ok(None);
        };
        let counts = batches::count_tokens(connection, &[batch.id])?.pop();
        Ok(counts.filter(|(_, counts)| counts.there > 0).map(|_| batch.uid))
    };
    if let Some(uid) = app.store.read(find).await? {
        return Ok(see_other(&app, &format!("/batches/{uid}?done=sample")));
    }
    let by = who.caller.principal;
    let model = model(&app, by.to_string()).await?;
    let new = NewBatch { uid: Uid::random(), name: words::SAMPLE.into(), count: COUNT };
    let uid = begin(&app, new, model, LabelSeries::new(words::SAMPLE, DIGITS, 1), by).await?;
    Ok(see_other(&app, &format!("/batches/{uid}?done=sample")))
}

async fn model(app: &App, creator: String) -> Result<Token, Error> {
    let defaults = app.settings.get(&app.store).await?.defaults();
    let origin = Origin { uid: Uid::random(), creator, created: app.store.now() };
    Ok(RawFields::default().new_token(origin, defaults, app.zone)?)
}

/// Removes the tokens of the sample, and leads to what was done, where it can be undone. Other batches are looked at first.
pub(crate) async fn remove(
    who: Allowed<Delete>,
    uid: web::Path<String>,
    _form: Form<NoParams>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.read(move |connection| Ok(batches::find(connection, uid)?)).await?;
    let batch = found.ok_or(Error::NotFound)?;
    if !is_sample(&batch) {
        return Ok(see_other(&app, &format!("/batches/{uid}")));
    }
    let permit = app.background.long_list_permit().await?;
    app.recheck(&who.caller).await?;
    let selection = Selection::Filter(TokenFilter { batch: Some(uid), ..TokenFilter::default() });
    let request = ActionRequest { uid: Uid::random(), selection, action: Action::Delete, digest: None };
    let done = work::actions::perform(&app.background, request, who.caller.principal, permit).await?;
    app.counts.forget();
    match done {
        (ActionResult::Done(action), carried_out) => {
            if let Some(carried_out) = carried_out {
                let _ = tokio::time::timeout(MOMENT, carried_out).await;
            }
            Ok(see_other(&app, &format!("/actions/{action}?done=done")))
        }
        // Sent twice: there is nothing left.
        (ActionResult::Nothing(_) | ActionResult::Stale(_), _) => Ok(see_other(&app, &format!("/batches/{uid}"))),
    }
}
