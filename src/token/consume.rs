//! The rule: may this token be used now, and how does a use change it?
//!
//! The rule is implemented only here. Everything else (the writer, a tile, the list's filter) calls this module, or a
//! test compares it with this module.

use super::answer::{RefusedAsk, TokenSummary};
use super::error::Refusal;
use super::record::{Token, UNLIMITED};
use super::state::State;
use super::time::Micros;
use super::uid::Uid;

/// Uses `token` this many times at once at `now`. Returns the changed token, or every reason against it.
///
/// # Errors
/// The refusals, in the order of the contract: voided, used up, locked, outside the time range.
pub(crate) fn consume(token: &Token, uses: i32, now: Micros) -> Result<Token, Vec<Refusal>> {
    let refusals = refusals(token, uses, now);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut after = token.clone();
    if after.usage_count != UNLIMITED {
        after.usage_count -= uses;
    }
    after.used = token.used.saturating_add(uses.into());
    // After a jump back of the clock, `last_used` must not move back.
    after.last_used = token.last_used.max(Some(now));
    after.lock_start = Some(now);
    Ok(after)
}

/// What using a token, if there is one, would come to. Changes nothing.
///
/// # Errors
/// The refusal.
pub(crate) fn try_consume(token: Option<&Token>, uses: i32, at: Micros) -> Result<Token, Box<RefusedAsk>> {
    let refused = |refusals, summary, retry_at| {
        Box::new(RefusedAsk { refusals, summary, retry_at, at, usage_uid: Uid::random() })
    };
    let Some(token) = token else { return Err(refused(vec![Refusal::NotExists], None, None)) };
    let refuse = |refusals| refused(refusals, Some(TokenSummary::from(token)), retry_at(token, uses, at));
    consume(token, uses, at).map_err(refuse)
}

/// The token's state at `now`, which corresponds to the refusal of a consume.
pub fn state(token: &Token, now: Micros) -> State {
    match refusals(token, 1, now).first() {
        None => State::Active,
        Some(Refusal::Voided(_)) => State::Voided,
        Some(Refusal::UsageCountExceeded { .. }) => State::UsedUp,
        Some(Refusal::LockTimeViolation { .. }) => State::Locked,
        Some(Refusal::TooEarly { .. }) => State::Pending,
        Some(_) => State::Expired,
    }
}

/// The first moment, not before `now`, at which a consume would succeed if nothing else changed.
pub(crate) fn retry_at(token: &Token, uses: i32, now: Micros) -> Option<Micros> {
    if token.voided.is_some() || (token.usage_count != UNLIMITED && token.usage_count < uses) {
        return None;
    }
    let open = locked_until(token, now).unwrap_or(now).max(token.valid_from.unwrap_or(now));
    token.valid_to.is_none_or(|to| open <= to).then_some(open)
}

/// The new start of the lock, if the clock has jumped back to before its start.
///
/// A lock that starts in the future would stay closed for as long as the clock jumped. Instead it restarts at the first
/// attempt after the jump: closed, but for no longer than `lock_time`.
pub(crate) fn restarted_lock(token: &Token, now: Micros) -> Option<Micros> {
    token.lock_start.filter(|start| token.lock_time > 0 && *start > now).map(|_| now)
}

/// Every reason against using a token this many times at once.
pub(crate) fn refusals(token: &Token, uses: i32, now: Micros) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if let Some(voided) = &token.voided {
        refusals.push(Refusal::Voided(voided.clone()));
    }
    if token.usage_count != UNLIMITED && token.usage_count < uses {
        refusals.push(Refusal::UsageCountExceeded { left: token.usage_count });
    }
    if let Some(until) = locked_until(token, now) {
        refusals.push(Refusal::LockTimeViolation { until });
    }
    if let Some(from) = token.valid_from.filter(|from| now < *from) {
        refusals.push(Refusal::TooEarly { from });
    }
    if let Some(to) = token.valid_to.filter(|to| now > *to) {
        refusals.push(Refusal::TooLate { to });
    }
    refusals
}

/// The moment at which the lock opens, if it is closed at `now`.
fn locked_until(token: &Token, now: Micros) -> Option<Micros> {
    let start = token.lock_start.filter(|_| token.lock_time > 0)?;
    Some(start.min(now).plus_seconds(token.lock_time)).filter(|until| *until > now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Voided;
    use crate::token::record::tests::token;

    const SECOND: i64 = 1_000_000;

    fn at(seconds: i64) -> Micros {
        Micros::new(1_000 * SECOND + seconds * SECOND).unwrap()
    }

    /// Checks state, refusal and `retry_at` of `token` at second 0.
    #[track_caller]
    fn check_rule(token: &Token, state_word: &str, retry: Option<i64>) {
        assert_eq!(state(token, at(0)).word(), state_word);
        assert_eq!(consume(token, 1, at(0)).is_ok(), state_word == "active");
        assert_eq!(retry_at(token, 1, at(0)), retry.map(at));
    }

    #[test]
    fn the_rule_line_by_line() {
        let plain = token(3);
        check_rule(&plain, "active", Some(0));
        check_rule(&Token { usage_count: 0, ..plain.clone() }, "used_up", None);
        check_rule(&Token { usage_count: UNLIMITED, ..plain.clone() }, "active", Some(0));

        let used = |ago: i64, lock_time: i32| Token {
            last_used: Some(at(-ago)),
            lock_start: Some(at(-ago)),
            lock_time,
            ..plain.clone()
        };
        check_rule(&used(9, 10), "locked", Some(1));
        check_rule(&used(10, 10), "active", Some(0));
        check_rule(&used(0, 0), "active", Some(0));
        check_rule(&used(0, i32::MAX), "locked", Some(i64::from(i32::MAX)));

        let valid = |from: Option<i64>, to: Option<i64>| Token {
            valid_from: from.map(at),
            valid_to: to.map(at),
            ..plain.clone()
        };
        check_rule(&valid(Some(0), None), "active", Some(0));
        check_rule(&valid(None, Some(0)), "active", Some(0));
        check_rule(&valid(Some(5), None), "pending", Some(5));
        check_rule(&valid(Some(5), Some(9)), "pending", Some(5));
        check_rule(&valid(None, Some(-1)), "expired", None);
    }

    #[test]
    fn the_first_reason_is_the_refusal() {
        let voided = Voided { at: at(-3), by: "user:anna".into(), reason: Some("Lost".into()) };
        let all = Token {
            voided: Some(voided),
            usage_count: 0,
            lock_time: 60,
            last_used: Some(at(-1)),
            lock_start: Some(at(-1)),
            valid_to: Some(at(-5)),
            ..token(1)
        };
        check_rule(&all, "voided", None);
        let every: Vec<&str> = refusals(&all, 1, at(0)).iter().map(Refusal::name).collect();
        assert_eq!(
            every,
            ["TokenVoided", "TokenUsageCountExceeded", "TokenLockTimeViolation", "TokenTimeRangeViolation"],
            "and the others come behind it"
        );
        check_rule(&Token { voided: all.voided.clone(), ..token(UNLIMITED) }, "voided", None);
        let all = Token { voided: None, ..all };
        check_rule(&all, "used_up", None);
        check_rule(&Token { usage_count: 1, ..all.clone() }, "locked", None);
        check_rule(&Token { usage_count: 1, lock_time: 0, ..all.clone() }, "expired", None);
        let pending = Token { usage_count: 1, valid_from: Some(at(100)), valid_to: None, ..all };
        check_rule(&pending, "locked", Some(100));
    }

    #[test]
    fn a_use_decrements_the_count_and_sets_the_time() {
        let used = consume(&token(3), 1, at(0)).unwrap();
        assert_eq!((used.usage_count, used.last_used, used.lock_start), (2, Some(at(0)), Some(at(0))));
        assert_eq!(used.modified, token(3).modified);
        assert_eq!(used.used, 1);
        let unlimited = consume(&token(UNLIMITED), 1, at(0)).unwrap();
        assert_eq!((unlimited.usage_count, unlimited.used), (UNLIMITED, 1));
        assert_eq!(consume(&token(1), 1, at(0)).unwrap().usage_count, 0);
    }

    #[test]
    fn several_uses_at_once_are_all_of_them_or_none() {
        let used = consume(&token(3), 3, at(0)).unwrap();
        assert_eq!((used.usage_count, used.used), (0, 3));
        assert_eq!(consume(&token(3), 4, at(0)), Err(vec![Refusal::UsageCountExceeded { left: 3 }]));
        assert_eq!(retry_at(&token(3), 4, at(0)), None);
        let unlimited = consume(&token(UNLIMITED), i32::MAX, at(0)).unwrap();
        assert_eq!((unlimited.usage_count, unlimited.used), (UNLIMITED, i64::from(i32::MAX)));
    }

    #[test]
    fn after_a_clock_jump_the_lock_lasts_exactly_lock_time() {
        let mut jumped = Token { lock_time: 10, last_used: Some(at(3_600)), lock_start: Some(at(3_600)), ..token(5) };
        assert_eq!(consume(&jumped, 1, at(0)), Err(vec![Refusal::LockTimeViolation { until: at(10) }]));
        jumped.lock_start = restarted_lock(&jumped, at(0));
        assert_eq!(jumped.lock_start, Some(at(0)));
        assert_eq!(restarted_lock(&jumped, at(9)), None);
        assert!(consume(&jumped, 1, at(9)).is_err());
        let used = consume(&jumped, 1, at(10)).unwrap();
        assert_eq!((used.last_used, used.lock_start), (Some(at(3_600)), Some(at(10))), "last_used never moves back");
        assert!(consume(&used, 1, at(11)).is_err(), "and the new use locks like any other");
    }
}
