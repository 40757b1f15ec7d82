//! What a JSON view answers when it fails.

use schemars::JsonSchema;
use serde::Serialize;

use crate::token::{Micros, Problem, Refusal, Uid, Voided};

/// A failure: its name, its code, a sentence for people, and the data of which the sentence is made.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Failure {
    /// Always false.
    #[schemars(extend("const" = false))]
    pub(crate) success: bool,
    /// What kind of error it is.
    pub(crate) error: &'static str,
    /// The code of an error about tokens, or null.
    pub(crate) error_code: Option<i16>,
    /// A sentence for people, in English. Programs look at `error`, `reason` and `detail`.
    pub(crate) message: String,
    /// The parameter that is at fault, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) param: Option<String>,
    /// The place in the list, from 0, of the item that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<usize>,
    /// What is wrong with the request, in a word that stays. `TokenValueError` and `TokenAPIError` have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The data of the error.
    pub(crate) detail: Detail,
}

/// The data of an error.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Detail {
    /// What is wrong with the request.
    Problem(Problem),
    /// Why a token cannot be used.
    Refusal(RefusalDetail),
    /// Other facts.
    Facts(Facts),
}

/// What belongs to a refusal: each has its own.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct RefusalDetail {
    /// Since when it is voided.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<Micros>,
    /// By whom, for roles that see the usage log.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided_by: Option<String>,
    /// Why, if a reason was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    void_reason: Option<String>,
    /// How many uses are left: fewer than were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_left: Option<i32>,
    /// The first moment at which it is no longer locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    locked_until: Option<Micros>,
    /// The first moment at which it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Micros>,
    /// The last moment at which it was valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Micros>,
}

impl RefusalDetail {
    /// Of a refusal; only who may see the log learns who voided a token.
    pub(crate) fn of(refusal: &Refusal, may_see: bool) -> Self {
        let none = Self::default();
        match refusal.clone() {
            Refusal::NotExists => none,
            Refusal::Voided(Voided { at, by, reason }) => {
                Self { voided: Some(at), voided_by: Some(by).filter(|_| may_see), void_reason: reason, ..none }
            }
            Refusal::UsageCountExceeded { left } => Self { uses_left: Some(left), ..none },
            Refusal::LockTimeViolation { until } => Self { locked_until: Some(until), ..none },
            Refusal::TooEarly { from } => Self { valid_from: Some(from), ..none },
            Refusal::TooLate { to } => Self { valid_to: Some(to), ..none },
        }
    }
}

/// Facts about an error that is not about a parameter or a use.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct Facts {
    /// The token that does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_uid: Option<Uid>,
    /// The methods that the address takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow: Option<String>,
    /// The address whose page sent the request, as its browser says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    /// The addresses whose pages may send it: `--public-url`, and the host that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) accepted_origins: Vec<String>,
    /// Seconds to wait before the next try, as `Retry-After` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<i64>,
    /// How many are allowed in 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<i64>,
    /// How many there were in the last 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<i64>,
    /// It may have been done: nobody knows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) may_be_done: bool,
    /// Where the server's log has more about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

impl Failure {
    /// Of a use that was refused.
    pub(crate) fn of_refusal(refusal: &Refusal, may_see: bool) -> Self {
        Self {
            success: false,
            error: refusal.name(),
            error_code: Some(refusal.code()),
            message: refusal.to_string(),
            param: None,
            place: None,
            reason: None,
            detail: Detail::Refusal(RefusalDetail::of(refusal, may_see)),
        }
    }
}
