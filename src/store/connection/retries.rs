//! Transactions that conflict are tried again.

use std::time::Duration;

use crate::store::error::Error;

/// How often a conflicting transaction is tried.
pub(in crate::store) const TRIES: u32 = 8;

/// Calls `attempt` again while it fails with [`Error::Conflict`], up to eight times.
///
/// # Errors
/// The error of `attempt`; unavailable instead of a conflict.
pub fn with_retries<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = Duration::from_millis(1);
    for _ in 1..TRIES {
        match attempt() {
            // A random pause, so that the transactions that conflicted do not meet again.
            Err(Error::Conflict(_)) => std::thread::sleep(pause.mul_f64(rand::random_range(0.5..1.5))),
            result => return result,
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
    attempt().map_err(|error| match error {
        Error::Conflict(why) => Error::Unavailable(format!("others came between again and again: {why}")),
        error => error,
    })
}
