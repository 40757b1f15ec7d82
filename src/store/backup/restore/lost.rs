//! What a database knows that the backup to be restored does not.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::{count, count_star};
use diesel::prelude::*;

use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::schema::{keys, tokens, usage, users};
use crate::token::Micros;

/// What is forgotten by a restore, and what it brings back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Uses that are forgotten.
    pub(crate) uses: i64,
    /// Tokens that were used by them, and can be used again.
    pub(crate) tokens: i64,
    /// Tokens that were voided or deleted, and are good again.
    pub(crate) good_again: GoodAgain,
    /// Keys that were revoked, and work again.
    pub(crate) keys: Vec<String>,
    /// Users who were removed, and may sign in again.
    pub(crate) users: Vec<String>,
    /// Users and what of them is as it was, as in `anna (password, role viewer)`.
    pub(crate) changed: Vec<String>,
}

/// Tokens that are good again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct GoodAgain {
    /// How many.
    pub(crate) count: usize,
    /// The uids of the first.
    pub(crate) first: BTreeSet<String>,
}

/// Uids that are named.
const NAMED: usize = 10;

/// A user, as far as it concerns who may do what.
struct User {
    password_hash: String,
    role: String,
    is_disabled: bool,
}

/// Compares the database that was there with the backup of `taken`.
pub(super) fn compare(old: &mut Connection, backup: &mut Connection, taken: Micros) -> QueryResult<Lost> {
    let (uses, tokens) = forgotten(old, backup, taken)?;
    let good_again = good_again(old, backup)?;
    let known: BTreeSet<Vec<u8>> = keys(old)?.into_values().collect();
    let keys = keys(backup)?.into_iter().filter(|(_, hash)| !known.contains(hash));
    let keys = keys.map(|(name, _)| name).collect();
    let current = users(old)?;
    let (mut removed, mut changed) = (Vec::new(), Vec::new());
    for (name, before) in users(backup)? {
        let Some(now) = current.get(&name) else {
            removed.push(name);
            continue;
        };
        let mut what = Vec::new();
        if now.password_hash != before.password_hash {
            what.push("password".to_owned());
        }
        if now.role != before.role {
            what.push(format!("role {}", before.role));
        }
        if now.is_disabled != before.is_disabled {
            what.push(if before.is_disabled { "disabled" } else { "no longer disabled" }.to_owned());
        }
        if !what.is_empty() {
            changed.push(format!("{name} ({})", what.join(", ")));
        }
    }
    Ok(Lost { uses, tokens, good_again, keys, users: removed, changed })
}

/// The old database's uses that the backup does not have, and of how many tokens they are.
fn forgotten(old: &mut Connection, backup: &mut Connection, taken: Micros) -> QueryResult<(i64, i64)> {
    let newest = usage::table.order(usage::id.desc()).select((usage::id, usage::uid)).limit(1);
    let newest: Option<(i64, String)> = newest.get_result(backup).optional()?;
    // By the entries' numbers, as clocks jump; unless the backup is of another database, or its entries have been removed.
    let same = match &newest {
        Some((id, uid)) => {
            let same = usage::table.find(id).filter(usage::uid.eq(uid)).select(usage::id);
            same.get_result::<i64>(old).optional()?
        }
        None => None,
    };
    let uses = usage::table.filter(usage::error_code.is_null()).filter(usage::uses.gt(0));
    let counts = (count_star(), count(usage::token_uid).aggregate_distinct());
    match same {
        Some(id) => uses.filter(usage::id.gt(id)).select(counts).get_result(old),
        None => uses.filter(usage::timestamp.gt(taken.get())).select(counts).get_result(old),
    }
}

/// The tokens that the old database refuses and the backup does not.
fn good_again(old: &mut Connection, backup: &mut Connection) -> QueryResult<GoodAgain> {
    let mut good = GoodAgain::default();
    let mut last = i64::MIN;
    loop {
        let refused = tokens::voided_at.is_not_null().or(tokens::deleted_at.is_not_null());
        let page = tokens::table.filter(tokens::id.gt(last)).filter(refused).order(tokens::id);
        let page = page.select((tokens::id, tokens::uid)).limit(i64::try_from(MOST_KEYS).unwrap_or(1));
        let page: Vec<(i64, String)> = page.load(old)?;
        let Some((newest, _)) = page.last() else { return Ok(good) };
        last = *newest;
        let uids = page.iter().map(|(_, uid)| uid);
        let again = tokens::table.filter(tokens::uid.eq_any(uids)).filter(tokens::voided_at.is_null());
        let again = again.filter(tokens::deleted_at.is_null()).select(tokens::uid);
        let again: Vec<String> = again.load(backup)?;
        good.count += again.len();
        good.first.extend(again);
        while good.first.len() > NAMED {
            good.first.pop_last();
        }
    }
}

fn keys(connection: &mut Connection) -> QueryResult<BTreeMap<String, Vec<u8>>> {
    let keys: Vec<(String, Vec<u8>)> = keys::table.select((keys::name, keys::hash)).load(connection)?;
    Ok(keys.into_iter().collect())
}

fn users(connection: &mut Connection) -> QueryResult<BTreeMap<String, User>> {
    let columns = (users::name, users::password_hash, users::role, users::disabled_at);
    let rows: Vec<(String, String, String, Option<i64>)> = users::table.select(columns).load(connection)?;
    let user = |(name, password_hash, role, disabled): (String, String, String, Option<i64>)| {
        (name, User { password_hash, role, is_disabled: disabled.is_some() })
    };
    Ok(rows.into_iter().map(user).collect())
}
