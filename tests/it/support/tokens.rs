//! New tokens, straight into the store.

use tessera::store::connection::transaction;
use tessera::store::{Connection, tokens};
use tessera::token::{Micros, Token, Uid};

/// A uid that no token has.
pub const MISSING_UID: &str = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";

/// A new token with nothing special.
pub fn token(usage_count: i32) -> Token {
    let uid = Uid::random();
    let now = Micros::now();
    Token {
        uid,
        value: uid.to_string(),
        label: None,
        valid_from: None,
        valid_to: None,
        usage_count,
        lock_time: 0,
        last_used: None,
        lock_start: None,
        used: 0,
        last_entry: None,
        creator: "user:anna".into(),
        created: now,
        modified: now,
        batch: None,
        voided: None,
    }
}

/// Adds it, in a transaction of its own.
pub fn add(connection: &mut Connection, token: &Token) {
    transaction(connection, |connection| tokens::add(connection, token)).unwrap();
}
