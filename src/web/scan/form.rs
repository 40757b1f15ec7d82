//! The forms of the scan page: one field, and what scripts send with it.

use serde::Deserialize;
use validator::Validate;

use crate::store::gates::Gate;
use crate::token::settle::ReplayKey;
use crate::token::{Given, Micros, TokenError, Uid, WrittenTime};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::params::Parts;
use crate::web::state::App;
use crate::web::tokens::api::consume::{Yes, test_moment};
use crate::web::words;

/// What is to be done with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To use its token.
    Use,
    /// To see what its token is, and whether it could be used.
    LookUp,
    /// To see what using it would answer at a moment.
    Test(Micros),
}

/// Which gate somebody is at.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct AtGate {
    /// Its name. Empty for none, by somebody's choice.
    pub(super) gate: Given<String>,
}

impl AtGate {
    /// The gate's name, if there is one.
    pub(super) fn name(&self) -> Option<&str> {
        self.gate.as_value().map(String::as_str)
    }
}

/// What the page shows: it comes with its address, and each of its forms sends it.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Shown {
    /// What is scanned, or was opened and is looked at.
    pub(super) code: String,
    /// Whether only what using it would answer is asked for.
    pub(super) test: bool,
    /// Whether somebody wants to choose the gate, whatever the device remembers.
    pub(super) choose: bool,
}

/// How the page's script takes an answer.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Wanted {
    /// The verdict alone is wanted.
    pub(super) fragment: bool,
}

/// What a form of the page sends with its own fields.
pub(super) type Around = Parts<(AtGate, Shown, Wanted)>;

/// What the form sends beside the code, and the page's script.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ScanFields {
    /// To look the token up, instead of using it.
    look_up: bool,
    #[validate(range(min = 1, max = i32::MAX))]
    uses: Option<i32>,
    test: Option<Yes>,
    at: Option<WrittenTime>,
    nonce: Option<String>,
    source: Option<Source>,
}

/// What undoes a use.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct UndoFields {
    pub(super) usage_uid: Option<Uid>,
    pub(super) nonce: Option<String>,
}

/// Where a code comes from. Who scans says so; without scripts a handheld scanner types, and nobody can tell.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Source {
    Camera,
    Photo,
    Wedge,
    Typed,
}

/// A scan.
pub(super) struct Scan {
    pub(super) code: String,
    pub(super) uses: i32,
    pub(super) key: Option<ReplayKey>,
    pub(super) wish: Wish,
    source: Option<Source>,
}

impl Scan {
    /// A look at the token of a code.
    ///
    /// # Errors
    /// Forbidden, where the gate does not allow it.
    pub(super) fn look_up(code: String, gate: Option<&Gate>) -> Result<Self, Error> {
        let scan = Self { code, uses: 1, key: None, wish: Wish::LookUp, source: None };
        scan.check(gate)?;
        Ok(scan)
    }

    /// What was sent, whatever the gate allows.
    ///
    /// # Errors
    /// A value error for what is outside its limits.
    pub(super) fn of(shown: &Shown, fields: ScanFields, app: &App) -> Result<Self, TokenError> {
        let wish = if fields.look_up {
            Wish::LookUp
        } else if let Some(at) = test_moment(fields.test, fields.at.as_ref(), app)? {
            Wish::Test(at)
        } else {
            Wish::Use
        };
        let key = fields.nonce.map(ReplayKey::new).transpose()?;
        let (code, uses) = (shown.code.clone(), fields.uses.unwrap_or(1));
        Ok(Self { code, uses, key, wish, source: fields.source })
    }

    /// Holds that the gate allows it.
    ///
    /// # Errors
    /// Forbidden.
    pub(super) fn check(&self, gate: Option<&Gate>) -> Result<(), Error> {
        check_rules(gate, self.uses, self.wish != Wish::Use)?;
        if self.source == Some(Source::Typed) && gate.is_some_and(|gate| !gate.rules.typing) {
            return Err(Error::Forbidden(words::scan::NO_TYPING.into()));
        }
        Ok(())
    }
}

/// The gate that a request names. One that is closed meanwhile is told, and scanning goes on without it.
pub(super) async fn gate(app: &App, caller: &Caller, at: &AtGate) -> Result<Result<Option<Gate>, TokenError>, Error> {
    match gate_of(app, caller, at.name()).await {
        Ok(gate) => Ok(Ok(gate)),
        Err(Error::Token(error @ TokenError::Value { .. })) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}
