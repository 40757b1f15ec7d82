//! How often tokens had been used before actions on them, when a use turns out not to count.

use diesel::prelude::*;

use crate::store::connection::Connection;
use crate::store::schema::action_tokens;
use crate::token::Micros;
use crate::token::settle::TokenId;

/// Lowers the counters that actions on a token since this moment have noted. The caller has locked the token.
pub(in crate::store) fn lower(connection: &mut Connection, token: TokenId, since: Micros, by: i64) -> QueryResult<()> {
    let done = action_tokens::table.filter(action_tokens::token.eq(token)).filter(action_tokens::stamp.is_not_null());
    let since = done.filter(action_tokens::modified.gt(since.get()));
    diesel::update(since).set(action_tokens::used.eq(action_tokens::used - by)).execute(connection).map(drop)
}
