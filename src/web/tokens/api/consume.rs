//! `consume_token`.

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::lookup;
use crate::token::settle::{Answer, Ask, ReplayKey, TokenSummary};
use crate::token::{Micros, Refusal, TokenError};
use crate::web::error::{Error, Failure, refusal_status};
use crate::web::guard::{Allowed, Consume, is_prefetch, refuse_foreign_get};
use crate::web::json::success;
use crate::web::params::Params;
use crate::web::state::App;

#[derive(Serialize)]
struct Used {
    consumed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(flatten)]
    summary: TokenSummary,
}

#[derive(Serialize)]
struct Refused<'a> {
    #[serde(flatten)]
    failure: Failure<'a>,
    #[serde(flatten)]
    summary: Option<TokenSummary>,
    retry_at: Option<Micros>,
}

/// Uses a token once.
pub(crate) async fn consume_token(
    who: Allowed<Consume>,
    request: HttpRequest,
    uid: Option<web::Path<String>>,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    // A browser that loads a link ahead of a click must not use up a ticket.
    if is_prefetch(&request) {
        return Err(Error::Forbidden("A token is not consumed by loading a link ahead of time.".into()));
    }
    refuse_foreign_get(&request)?;
    params.only(&["token_uid", "value", "nonce"])?;
    let what = lookup(uid.as_deref().map(String::as_str), &params, &app)?;
    let key = replay_key(&request, &params)?;
    match app.store.consume(Ask { who: who.caller.principal, what, key }).await? {
        Answer::Consumed(summary) => Ok(success(Used { consumed: true, replayed: false, summary })),
        Answer::Replayed(summary) => Ok(success(Used { consumed: true, replayed: true, summary })),
        Answer::Refused { refusal, summary, retry_at, at } => Ok(refused(&refusal, summary, retry_at, at)),
        Answer::Mistaken(error) => Err(error.into()),
    }
}

/// The idempotency key, from the header or from `nonce`.
fn replay_key(request: &HttpRequest, params: &Params) -> Result<Option<ReplayKey>, Error> {
    let wrong = |why: &str| Error::from(TokenError::value("nonce", why));
    let mut headers = request.headers().get_all("idempotency-key");
    let header = headers.next().map(|value| value.to_str().map(str::trim).map(str::to_owned));
    let header = header.transpose().map_err(|_| wrong("The Idempotency-Key is not visible ASCII"))?;
    let nonce = params.text("nonce")?;
    if headers.next().is_some() || (header.is_some() && nonce.is_some() && header != nonce) {
        return Err(wrong("Two idempotency keys are given that are not the same"));
    }
    let Some(key) = header.or(nonce) else { return Ok(None) };
    Ok(Some(ReplayKey::new(key)?))
}

fn refused(refusal: &Refusal, summary: Option<TokenSummary>, retry_at: Option<Micros>, now: Micros) -> HttpResponse {
    let message = refusal.to_string();
    let failure = Failure {
        success: false,
        error: refusal.name(),
        error_code: Some(refusal.code()),
        message: &message,
        param: None,
    };
    let mut response = HttpResponse::build(refusal_status(refusal));
    if let Refusal::LockTimeViolation { until } = refusal {
        let seconds = retry_at.unwrap_or(*until).seconds_after(now);
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    response.json(Refused { failure, summary, retry_at })
}
