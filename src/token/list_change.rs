//! A change of a list of tokens, of which either all are changed or none.

use std::collections::{HashMap, HashSet};

use super::action::{Action, Target};
use super::error::TokenError;
use super::input::Change;
use super::problem::Problem;
use super::record::{Token, Voided};
use super::time::Micros;
use super::uid::Uid;
use crate::access::{Permission, Principal};

/// Most tokens of a list in which values are changed: that is done in one step, as values are unique.
pub(crate) const VALUES_MAX: usize = 200;

/// A change of a list of tokens.
#[derive(Debug)]
pub(crate) struct ListChange {
    /// Each once.
    uids: Vec<Uid>,
    /// Where each stands in the list as it was sent.
    places: Vec<usize>,
    what: What,
}

/// What becomes of each token.
#[derive(Debug)]
enum What {
    Update(Vec<Change>),
    Void(Option<String>),
    Restore,
    Delete,
}

impl ListChange {
    /// Changes of each token what is given for it.
    ///
    /// # Errors
    /// A value error that names the place of a token that is listed twice, or values of too many tokens.
    pub(crate) fn update(changes: Vec<(Uid, Change)>) -> Result<Self, TokenError> {
        let has_value = |(_, change): &(Uid, Change)| change.value.is_some();
        if changes.len() > VALUES_MAX
            && let Some(place) = changes.iter().position(has_value)
        {
            let problem = Problem::TooManyValues { max: VALUES_MAX as u64 };
            return Err(TokenError::value("value", problem).in_list("tokens", place));
        }
        let mut places = HashMap::with_capacity(changes.len());
        for (place, (uid, _)) in changes.iter().enumerate() {
            if let Some(first) = places.insert(*uid, place) {
                let problem = Problem::ListedTwice { first: first as u64 };
                return Err(TokenError::value("token_uid", problem).in_list("tokens", place));
            }
        }
        let (uids, changes) = changes.into_iter().unzip();
        Ok(Self::new(uids, What::Update(changes)))
    }

    /// Voids each token. One that is voided already gets the reason, if there is one.
    pub(crate) fn void(uids: Vec<Uid>, reason: Option<String>) -> Self {
        Self::new(uids, What::Void(reason))
    }

    /// Restores each token that is voided.
    pub(crate) fn restore(uids: Vec<Uid>) -> Self {
        Self::new(uids, What::Restore)
    }

    /// Deletes each token.
    pub(crate) fn delete(uids: Vec<Uid>) -> Self {
        Self::new(uids, What::Delete)
    }

    fn new(listed: Vec<Uid>, what: What) -> Self {
        let mut seen = HashSet::with_capacity(listed.len());
        let once = listed.into_iter().enumerate().filter(|(_, uid)| seen.insert(*uid));
        let (places, uids) = once.unzip();
        Self { uids, places, what }
    }

    /// The tokens; one that is listed several times counts once.
    pub(crate) fn uids(&self) -> &[Uid] {
        &self.uids
    }

    /// Whether it deletes.
    pub(crate) fn deletes(&self) -> bool {
        matches!(self.what, What::Delete)
    }

    /// The permission that it needs.
    pub(crate) fn permission(&self) -> Permission {
        match self.what {
            What::Update(_) => Permission::Edit,
            What::Void(_) | What::Restore | What::Delete => Permission::Delete,
        }
    }

    /// The error, with the place in the list.
    pub(crate) fn at_place(&self, place: usize, error: TokenError) -> TokenError {
        let list = if matches!(self.what, What::Update(_)) { "tokens" } else { "token_uids" };
        error.in_list(list, self.places.get(place).copied().unwrap_or(place))
    }

    /// The error of a token that does not exist, with its place in the list.
    pub(crate) fn at_unknown(&self, error: TokenError) -> TokenError {
        let TokenError::Unknown(uid) = error else { return error };
        let place = self.uids.iter().position(|other| *other == uid);
        place.map_or(TokenError::Unknown(uid), |place| self.at_place(place, TokenError::Unknown(uid)))
    }

    /// What becomes of the token at a place if `by` changes it at the moment `at`. A deletion leaves its fields as they are.
    ///
    /// # Errors
    /// A value error when the changed token breaks a limit.
    pub(crate) fn apply(&self, place: usize, token: &Token, by: &Principal, at: Micros) -> Result<Token, TokenError> {
        let voided = match (&self.what, &token.voided) {
            (What::Update(changes), _) => return Ok(changes[place].apply(token)?),
            (What::Delete, voided) => voided.clone(),
            (What::Restore, _) => None,
            (What::Void(reason), voided) => Some(Voided::again(voided.as_ref(), reason.as_deref(), by, at)),
        };
        Ok(Token { voided, ..token.clone() })
    }

    /// The same, written down for an action: uses that are made before it is carried out count.
    pub(crate) fn target(&self, place: usize, before: &Token, after: &Token) -> Target {
        let sets_uses = matches!(&self.what, What::Update(changes) if changes[place].changes_uses());
        Target::new(after, sets_uses.then_some((after.usage_count, before.used)))
    }

    /// The action that it is if it is a long one.
    pub(crate) fn action(&self) -> Action {
        match &self.what {
            What::Update(changes) => Action::Update { sets_uses: changes.iter().any(Change::changes_uses) },
            What::Void(reason) => Action::Void { reason: reason.clone() },
            What::Restore => Action::Unvoid,
            What::Delete => Action::Delete,
        }
    }
}
