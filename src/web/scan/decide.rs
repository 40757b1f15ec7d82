//! Decides what becomes of a scan.

use super::code::lookup;
use super::form::{Scan, UndoFields, Wish};
use super::verdict::{Choice, Context, Verdict};
use crate::access::Permission;
use crate::store::gates::Gate;
use crate::store::tokens::list::{TokenFilter, TokenSlice};
use crate::store::tokens::search;
use crate::store::usage::LastUseOf;
use crate::token::answer::visible;
use crate::token::consume::try_consume;
use crate::token::gate::GateRules;
use crate::token::settle::{Answer, Ask, Deed, Lookup, NamedUse, Receipt, RefusedAsk, ReplayKey, TokenSummary};
use crate::token::{Token, TokenError, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::gates::replay::replay_or;
use crate::web::params::filters::search_term;
use crate::web::state::App;
use crate::web::tokens::api::last_use;
use crate::web::tokens::api::undo::undo_use;
use crate::web::words;

/// Tokens that are offered where a label was looked up.
const CHOICES: i64 = 8;

/// Who scans, and where.
pub(super) struct Door<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    pub(super) gate: Option<&'a Gate>,
}

impl Door<'_> {
    /// What may be done here.
    pub(super) fn rules(&self) -> GateRules {
        self.gate.map_or_else(GateRules::default, |gate| gate.rules.clone())
    }

    fn context(&self, is_test: bool) -> Context<'_> {
        Context {
            clock: self.app.time_formatter(),
            base: &self.app.base,
            gate: self.gate.map(|gate| gate.name.as_str()),
            undo_seconds: self.rules().undo_seconds,
            may_see: self.caller.role.may(Permission::See),
            is_test,
        }
    }

    /// The verdict that says what is wrong with a request.
    pub(super) fn mistake(&self, sentence: String) -> Verdict {
        Verdict::mistake(sentence, &self.context(false))
    }

    /// The verdict where the gate that a request names is closed, or not there.
    pub(super) fn lost_gate(&self, why: &TokenError) -> Verdict {
        Verdict::lost_gate(words::scan::choose_a_gate(&why.to_string()), &self.context(false))
    }

    /// The verdict on a scan.
    pub(super) async fn decide(&self, scan: &Scan) -> Result<Verdict, Error> {
        let what = lookup(self.app, &scan.code)?;
        match scan.wish {
            Wish::Use => self.consume(scan, what).await,
            Wish::Test(at) => {
                let token = self.find(what).await?;
                match try_consume(token.as_ref(), scan.uses, at) {
                    Ok(after) => Ok(Verdict::used(&would_be(&after, scan.uses), &self.context(true))),
                    Err(refused) => self.refused(&refused, scan, true).await,
                }
            }
            Wish::LookUp => self.look_up(scan, what).await,
        }
    }

    async fn find(&self, what: Lookup) -> Result<Option<Token>, Error> {
        Ok(self.app.store.look_up(what).await??)
    }

    async fn consume(&self, scan: &Scan, what: Lookup) -> Result<Verdict, Error> {
        let deed = Deed::Use { what, uses: scan.uses, gate: self.gate.map(|gate| gate.id) };
        let ask = Ask::new(self.caller.principal.clone(), deed, scan.key.clone().map(|key| self.caller.own(key)));
        match self.app.store.consume(ask).await? {
            Answer::Done(receipt, _) | Answer::Replayed(receipt) => Ok(Verdict::used(&receipt, &self.context(false))),
            Answer::Refused(refused) => self.refused(&refused, scan, false).await,
            Answer::NotKept => Err(Error::fault("a use was answered as a replay")),
            Answer::Mistaken(error) => Err(error.into()),
            Answer::Forbidden(why) => Err(Error::Forbidden(why.into())),
        }
    }

    /// The verdict on a use that was made before with the same key, where the gate would not allow it now: whose answer was
    /// lost must not be sent away because the gate was closed meanwhile.
    pub(super) async fn replayed(&self, scan: Scan, named: Option<&str>, refusal: Error) -> Result<Verdict, Error> {
        if scan.wish != Wish::Use {
            return Err(refusal);
        }
        let asked = (lookup(self.app, &scan.code)?, scan.uses, scan.key.map(|key| self.caller.own(key)));
        let receipt = replay_or(refusal, (self.app, self.caller, named), asked).await?;
        let gate = self.app.gates.find(&self.app.store, |gate| Some(gate.id) == receipt.gate).await?;
        let there = Door { gate: gate.as_ref(), ..*self };
        Ok(Verdict::used(&receipt, &there.context(false)))
    }

    async fn refused(&self, refused: &RefusedAsk, scan: &Scan, is_test: bool) -> Result<Verdict, Error> {
        let last = last_use(self.app, refused).await?;
        let code = match refused.summary {
            Some(_) => scan.code.clone(),
            None => visible(&scan.code),
        };
        Ok(Verdict::refused(refused, &code, last.as_ref(), &self.context(is_test)))
    }

    /// What a token is, and whether it could be used; by a part of its label for who may see tokens.
    async fn look_up(&self, scan: &Scan, what: Lookup) -> Result<Verdict, Error> {
        let context = self.context(false);
        let Some(token) = self.find(what).await? else {
            let choices = if context.may_see { self.choices(&scan.code).await? } else { Vec::new() };
            let refused = try_consume(None, scan.uses, context.clock.now).err();
            return match (refused, choices.is_empty()) {
                (Some(refused), true) => Ok(Verdict::cannot_be_used(self.refused(&refused, scan, false).await?)),
                _ => Ok(Verdict::choose(choices, &context)),
            };
        };
        match try_consume(Some(&token), scan.uses, context.clock.now) {
            Ok(_) => {
                let last = self.app.store.look_up(LastUseOf(token.uid)).await?;
                // Not the uid, which might be another token's value.
                let code = self.app.public_url.tile(token.uid);
                Ok(Verdict::can_be_used(&token, last.as_ref(), code, &context))
            }
            Err(refused) => Ok(Verdict::cannot_be_used(self.refused(&refused, scan, false).await?)),
        }
    }

    fn choice(&self, token: Token) -> Choice {
        let code = self.app.public_url.tile(token.uid);
        Choice::new(token, code)
    }

    async fn choices(&self, code: &str) -> Result<Vec<Choice>, Error> {
        // What no label can have is in none.
        let Ok(q) = search_term(code.trim().to_owned()) else { return Ok(Vec::new()) };
        let filter = TokenFilter { q: Some(q), ..TokenFilter::default() };
        let (slice, now) = (TokenSlice::newest(None, CHOICES), self.app.store.now());
        let found =
            self.app.store.search(move |connection, limit| search::page(connection, &filter, now, slice, limit));
        Ok(found.await?.into_iter().map(|(_, token)| self.choice(token)).collect())
    }

    /// Undoes a use that was made at this gate.
    pub(super) async fn undo(&self, fields: UndoFields) -> Result<Verdict, Error> {
        let usage_uid = fields.usage_uid.ok_or_else(|| TokenError::unnamed("usage_uid"))?;
        let key = fields.nonce.map(ReplayKey::new).transpose()?.map(|key| self.caller.own(key));
        let (receipt, _) = undo_use(self.app, self.caller, NamedUse::Entry(usage_uid), key).await?;
        Ok(Verdict::undone(&receipt, &self.context(false)))
    }
}

fn would_be(token: &Token, uses: i32) -> Receipt {
    Receipt { summary: TokenSummary::from(token), usage_uid: Uid::random(), uses, gate: None }
}
