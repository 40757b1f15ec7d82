//! The form of the scan page: one field, and what scripts send with it.

use serde::Deserialize;
use validator::Validate;

use crate::store::gates::Gate;
use crate::token::settle::ReplayKey;
use crate::token::{Micros, TokenError, WrittenTime};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::params::RawParams;
use crate::web::state::App;
use crate::web::tokens::api::consume::{Yes, test_moment};

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

/// What the form sends, and the page's script.
#[derive(Deserialize, Validate)]
pub(super) struct ScanFields {
    #[serde(default)]
    code: String,
    /// To look the token up, instead of using it.
    #[serde(default)]
    look_up: bool,
    #[validate(range(min = 1, max = i32::MAX))]
    uses: Option<i32>,
    test: Option<Yes>,
    at: Option<WrittenTime>,
    nonce: Option<String>,
    source: Option<Source>,
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
}

impl Scan {
    /// A look at the token of a code.
    ///
    /// # Errors
    /// Forbidden, where the gate does not allow it.
    pub(super) fn look_up(code: String, gate: Option<&Gate>) -> Result<Self, Error> {
        let scan = Self { code, uses: 1, key: None, wish: Wish::LookUp };
        scan.check(gate, false)?;
        Ok(scan)
    }

    /// Reads a scan at a gate.
    ///
    /// # Errors
    /// A value error for what is outside its limits; forbidden for what the gate does not allow.
    pub(super) fn read(params: &RawParams, app: &App, gate: Option<&Gate>) -> Result<Self, Error> {
        let fields: ScanFields = params.typed(false)?;
        let is_typed = fields.source == Some(Source::Typed);
        let scan = Self::of(fields, app)?;
        scan.check(gate, is_typed)?;
        Ok(scan)
    }

    /// What was sent, whatever the gate allows.
    pub(super) fn fields(params: &RawParams, app: &App) -> Result<Self, Error> {
        Self::of(params.typed(false)?, app)
    }

    fn of(fields: ScanFields, app: &App) -> Result<Self, Error> {
        let wish = if fields.look_up {
            Wish::LookUp
        } else if let Some(at) = test_moment(fields.test, fields.at.as_ref(), app)? {
            Wish::Test(at)
        } else {
            Wish::Use
        };
        let key = fields.nonce.map(ReplayKey::new).transpose()?;
        Ok(Self { code: fields.code, uses: fields.uses.unwrap_or(1), key, wish })
    }

    fn check(&self, gate: Option<&Gate>, is_typed: bool) -> Result<(), Error> {
        check_rules(gate, self.uses, self.wish != Wish::Use)?;
        if is_typed && gate.is_some_and(|gate| !gate.rules.typing) {
            return Err(Error::Forbidden("This gate does not allow typing. Scan the code.".into()));
        }
        Ok(())
    }
}

/// The gate that a request names. One that is closed meanwhile is told, and scanning goes on without it.
pub(super) async fn gate(
    app: &App,
    caller: &Caller,
    params: &RawParams,
) -> Result<Result<Option<Gate>, TokenError>, Error> {
    match gate_of(app, caller, params.filled("gate")?.as_deref()).await {
        Ok(gate) => Ok(Ok(gate)),
        Err(Error::Token(error @ TokenError::Value { .. })) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}
