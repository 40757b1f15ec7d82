//! The form of the scan page: one field, and what scripts send with it.

use crate::store::gates::Gate;
use crate::token::settle::ReplayKey;
use crate::token::{Micros, TokenError};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::gates::named::{check_rules, gate_of};
use crate::web::params::Params;
use crate::web::params::filters::time;
use crate::web::state::App;
use crate::web::tokens::api::consume::{is_test, uses};

/// What is to be done with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To use its token.
    Use,
    /// To see what its token is, and whether it could be used.
    LookUp,
    /// To see what using it would answer now, or at a moment.
    Test(Option<Micros>),
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
    pub(super) fn read(params: &Params, app: &App, gate: Option<&Gate>) -> Result<Self, Error> {
        let scan = Self::fields(params, app)?;
        scan.check(gate, is_typed(params)?)?;
        Ok(scan)
    }

    /// What was sent, whatever the gate allows.
    pub(super) fn fields(params: &Params, app: &App) -> Result<Self, Error> {
        let wish = if params.filled("look_up")?.is_some() {
            Wish::LookUp
        } else if is_test(params)? {
            Wish::Test(time(params, "at", app.zone)?)
        } else {
            Wish::Use
        };
        Ok(Self {
            code: params.text("code")?.unwrap_or_default(),
            uses: uses(params)?,
            key: params.filled("nonce")?.map(ReplayKey::new).transpose()?,
            wish,
        })
    }

    fn check(&self, gate: Option<&Gate>, is_typed: bool) -> Result<(), Error> {
        check_rules(gate, self.uses, self.wish != Wish::Use)?;
        if is_typed && gate.is_some_and(|gate| !gate.rules.typing) {
            return Err(Error::Forbidden("This gate does not allow typing. Scan the code.".into()));
        }
        Ok(())
    }
}

/// Whether a person typed the code. Who scans sends `source`; without scripts a handheld scanner types, and nobody can tell.
fn is_typed(params: &Params) -> Result<bool, Error> {
    match params.filled("source")?.as_deref() {
        None | Some("camera" | "photo" | "wedge") => Ok(false),
        Some("typed") => Ok(true),
        Some(_) => Err(TokenError::value("source", "source is camera, photo, wedge or typed, or left out").into()),
    }
}

/// The gate that a request names. One that is closed meanwhile is told, and scanning goes on without it.
pub(super) async fn gate(app: &App, caller: &Caller, params: &Params) -> Result<Result<Option<Gate>, String>, Error> {
    match gate_of(app, caller, params).await {
        Ok(gate) => Ok(Ok(gate)),
        Err(Error::Token(error @ TokenError::Value { .. })) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}
