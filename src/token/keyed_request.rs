//! A request with an idempotency key.

use super::ask::OwnedKey;

/// A request that is done once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyedRequest {
    /// The key and whose it is.
    pub(crate) key: OwnedKey,
    /// A digest of the view, the token and the parameters: the same key with another one is a mistake.
    pub(crate) digest: String,
}
