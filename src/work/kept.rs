//! Answers that are kept for idempotency keys.

use serde::de::DeserializeOwned;

use crate::store::idempotency::{self, Kept};
use crate::store::{Error, Store};
use crate::token::KeyedRequest;

/// What came of a request, unless that is a refusal and the same request has just been done, or is in progress: it has met
/// its own work, such as a token that is deleted already.
pub(crate) async fn or_kept<A: DeserializeOwned + Send + 'static>(
    store: &Store,
    request: Option<KeyedRequest>,
    done: Result<Kept<A>, Error>,
) -> Result<Kept<A>, Error> {
    let (Err(refusal @ Error::Token(_)), Some(request)) = (&done, request) else { return done };
    let now = store.now();
    match store.read_inline(move |connection| idempotency::find(connection, &request, now)).await {
        Ok(Some(answer)) => Ok(Kept::Before(answer)),
        Err(Error::KeyInProgress) => Err(Error::KeyInProgress),
        _ => Err(refusal.clone()),
    }
}
