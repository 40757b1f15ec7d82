//! What `consume_token` answers when a token may not be used.

use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use serde::Serialize;

use super::last_use;
use crate::access::Permission;
use crate::store::gates::Gate;
use crate::store::usage;
use crate::token::settle::{RefusedAsk, TokenSummary};
use crate::token::{Micros, Refusal, Uid, Voided};
use crate::web::callers::Caller;
use crate::web::error::{Error, Failure, refusal_status};
use crate::web::state::App;

/// A refusal.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    failure: Failure<'a>,
    #[serde(flatten)]
    summary: Option<TokenSummary>,
    retry_at: Option<Micros>,
    reasons: Vec<Reason>,
    last_use: Option<LastUse>,
    usage_uid: Option<Uid>,
    gate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed: Option<bool>,
}

/// Something that would have to be otherwise.
#[derive(Serialize)]
struct Reason {
    error: &'static str,
    error_code: i16,
    message: String,
    #[serde(flatten)]
    detail: Detail,
}

/// What belongs to a reason: each has its own.
#[derive(Default, Serialize)]
struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    void_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_left: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked_until: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Micros>,
}

#[derive(Serialize)]
struct LastUse {
    timestamp: Micros,
    gate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// The answer to an ask that was refused.
pub(super) struct Refused {
    ask: RefusedAsk,
    gate: Option<Gate>,
    is_test: bool,
}

impl Refused {
    pub(super) fn new(ask: RefusedAsk, gate: Option<Gate>) -> Self {
        Self { ask, gate, is_test: false }
    }

    /// It was only asked what would happen.
    pub(super) fn in_test(self) -> Self {
        Self { is_test: true, ..self }
    }

    /// The answer, as this caller may see it: only who may see the log learns who used or voided a token.
    pub(super) async fn answer(self, app: &App, caller: &Caller) -> Result<HttpResponse, Error> {
        let Self { ask: refused, gate, is_test } = self;
        let may_see = caller.role.may(Permission::See);
        let last_use = last_use(app, &refused).await?.map(|usage::LastUse { timestamp, gate, user }| LastUse {
            timestamp,
            gate,
            user: Some(user).filter(|_| may_see),
        });
        let first = refused.refusals.first().unwrap_or(&Refusal::NotExists);
        let message = first.to_string();
        let (error, error_code) = (first.name(), Some(first.code()));
        let mut response = HttpResponse::build(refusal_status(first));
        if let Refusal::LockTimeViolation { until } = first {
            let seconds = refused.retry_at.unwrap_or(*until).seconds_after(refused.at);
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        Ok(response.json(Body {
            failure: Failure { success: false, error, error_code, message: &message, param: None },
            reasons: refused.refusals.iter().map(|refusal| reason(refusal, may_see)).collect(),
            summary: refused.summary,
            retry_at: refused.retry_at,
            last_use,
            usage_uid: Some(refused.usage_uid).filter(|_| !is_test),
            gate: gate.map(|gate| gate.name),
            test: is_test.then_some(true),
            consumed: is_test.then_some(false),
        }))
    }
}

fn reason(refusal: &Refusal, may_see: bool) -> Reason {
    let none = Detail::default();
    let detail = match refusal.clone() {
        Refusal::NotExists => none,
        Refusal::Voided(Voided { at, by, reason }) => {
            Detail { voided: Some(at), voided_by: Some(by).filter(|_| may_see), void_reason: reason, ..none }
        }
        Refusal::UsageCountExceeded { left } => Detail { uses_left: Some(left), ..none },
        Refusal::LockTimeViolation { until } => Detail { locked_until: Some(until), ..none },
        Refusal::TooEarly { from } => Detail { valid_from: Some(from), ..none },
        Refusal::TooLate { to } => Detail { valid_to: Some(to), ..none },
    };
    Reason { error: refusal.name(), error_code: refusal.code(), message: refusal.to_string(), detail }
}
