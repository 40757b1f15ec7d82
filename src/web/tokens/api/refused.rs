//! What `consume_token` answers when a token may not be used.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Serialize;

use super::last_use;
use crate::access::Permission;
use crate::store::gates::Gate;
use crate::store::usage;
use crate::token::settle::{RefusedAsk, TokenSummary};
use crate::token::{Micros, Refusal, Uid, Voided};
use crate::web::callers::Caller;
use crate::web::error::{Error, refusal_status};
use crate::web::failure::{Failure, RefusalDetail};
use crate::web::openapi::operation::{DescribesAnswer, Operation};
use crate::web::state::App;

/// A use that was refused.
pub(crate) struct RefusedUse {
    status: StatusCode,
    /// Seconds until it is worth trying again.
    retry_after: Option<i64>,
    body: Body,
}

/// Why a token was not used.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RefusedUse")]
struct Body {
    #[serde(flatten)]
    failure: Failure,
    #[serde(flatten)]
    summary: Option<TokenSummary>,
    /// When the same request would succeed if nothing else changed, or null.
    retry_at: Option<Micros>,
    /// Everything that would have to be otherwise, in the order of the checks.
    reasons: Vec<Reason>,
    /// The last use that was not undone, or null.
    last_use: Option<LastUse>,
    /// The uid of the entry in the usage log; null in a test.
    usage_uid: Option<Uid>,
    /// The name of the gate, or null.
    gate: Option<String>,
    /// It was only asked what would happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<bool>,
    /// False, in a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed: Option<bool>,
}

/// Something that would have to be otherwise.
#[derive(Serialize, JsonSchema)]
struct Reason {
    /// Its name.
    error: &'static str,
    /// Its code.
    error_code: i16,
    /// A sentence for people.
    message: String,
    #[serde(flatten)]
    detail: RefusalDetail,
}

/// The last use of the token.
#[derive(Serialize, JsonSchema)]
struct LastUse {
    /// When.
    timestamp: Micros,
    /// At which gate, or null.
    gate: Option<String>,
    /// Who used it, for roles that see the usage log.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

impl RefusedUse {
    /// The response.
    pub(super) fn response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.json(self.body)
    }
}

/// An entry of the examples.
const USAGE_UID: &str = "0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7";

/// One of each, of the token of the examples.
impl DescribesAnswer for RefusedUse {
    fn describe(operation: &mut Operation) {
        let at = |text: &str| Micros::read(text, Tz::UTC).unwrap_or(Micros::EPOCH);
        let summary = TokenSummary::example(at("2026-09-22T08:30:00Z"));
        let voided = Voided { at: at("2026-09-23T09:00:00Z"), by: "user:anna".into(), reason: Some("Lost".into()) };
        let refusals = [
            Refusal::NotExists,
            Refusal::Voided(voided),
            Refusal::UsageCountExceeded { left: 0 },
            Refusal::TooLate { to: at("2026-09-21T22:00:00Z") },
            Refusal::LockTimeViolation { until: at("2026-09-22T08:30:10Z") },
        ];
        for refusal in refusals {
            let is_known = refusal != Refusal::NotExists;
            let last_use =
                LastUse { timestamp: at("2026-09-22T08:30:00Z"), gate: None, user: Some("key:door-3".into()) };
            let body = Body {
                failure: Failure::of_refusal(&refusal, true),
                summary: is_known.then(|| match refusal {
                    Refusal::UsageCountExceeded { left } => TokenSummary { usage_count: left, ..summary.clone() },
                    _ => summary.clone(),
                }),
                retry_at: match refusal {
                    Refusal::LockTimeViolation { until } => Some(until),
                    _ => None,
                },
                reasons: vec![reason(&refusal, true)],
                last_use: is_known.then_some(last_use),
                usage_uid: USAGE_UID.parse().ok(),
                gate: None,
                test: None,
                consumed: None,
            };
            let schema = operation.generator.subschema_for::<Body>();
            let example = serde_json::to_value(body).ok();
            operation.answer(refusal_status(&refusal), "application/json", schema, example);
        }
    }
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
    pub(super) async fn answer(self, app: &App, caller: &Caller) -> Result<RefusedUse, Error> {
        let Self { ask: refused, gate, is_test } = self;
        let may_see = caller.role.may(Permission::See);
        let last_use = last_use(app, &refused).await?.map(|usage::LastUse { timestamp, gate, user }| LastUse {
            timestamp,
            gate,
            user: Some(user).filter(|_| may_see),
        });
        let first = refused.refusals.first().unwrap_or(&Refusal::NotExists);
        let retry_after = match first {
            Refusal::LockTimeViolation { until } => Some(refused.retry_at.unwrap_or(*until).seconds_after(refused.at)),
            _ => None,
        };
        let status = refusal_status(first);
        let body = Body {
            failure: Failure::of_refusal(first, may_see),
            reasons: refused.refusals.iter().map(|refusal| reason(refusal, may_see)).collect(),
            retry_at: refused.retry_at,
            last_use,
            usage_uid: Some(refused.usage_uid).filter(|_| !is_test),
            gate: gate.map(|gate| gate.name),
            test: is_test.then_some(true),
            consumed: is_test.then_some(false),
            summary: refused.summary,
        };
        Ok(RefusedUse { status, retry_after, body })
    }
}

fn reason(refusal: &Refusal, may_see: bool) -> Reason {
    Reason {
        error: refusal.name(),
        error_code: refusal.code(),
        message: refusal.to_string(),
        detail: RefusalDetail::of(refusal, may_see),
    }
}
