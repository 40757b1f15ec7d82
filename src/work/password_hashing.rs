//! Hashes passwords, a few at a time: each takes 19 MiB of memory and a core (see `access::password`).

use std::sync::LazyLock;

use tokio::sync::Semaphore;

use crate::access::password;
use crate::store::Error;

/// How many passwords are hashed at once.
const PERMITS: usize = 2;

/// The hash of a password that nobody has. It is verified for unknown names, so that these take as long as known ones
/// and reveal nothing about which names exist.
static UNKNOWN_USER_HASH: LazyLock<String> =
    LazyLock::new(|| password::hash(&password::generate()).unwrap_or_default());

/// Computes the hash for unknown names in advance, so that the first of them takes no longer than later ones.
pub(crate) fn prepare() {
    std::thread::spawn(|| LazyLock::force(&UNKNOWN_USER_HASH).len());
}

/// Hashes and verifies passwords off the request threads.
pub(crate) struct PasswordHasher {
    permits: Semaphore,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self { permits: Semaphore::new(PERMITS) }
    }
}

impl PasswordHasher {
    /// The PHC string of a password.
    ///
    /// # Errors
    /// Failed when there is no random salt or no memory.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        let _permit = self.permits.acquire().await;
        let hash = tokio::task::spawn_blocking(move || password::hash(&password)).await;
        hash.map_err(|error| Error::Failed(error.to_string()))?.map_err(Error::Failed)
    }

    /// Whether a password matches this PHC string. Without a PHC string it does not, after the same time.
    ///
    /// # Errors
    /// Failed when hashing panicked.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        // No stored password is longer, and hashing a longer one would only waste time.
        if password.chars().count() > password::MAX_CHARS {
            return Ok(false);
        }
        let _permit = self.permits.acquire().await;
        let verified = tokio::task::spawn_blocking(move || {
            password::verify(&password, hash.as_ref().unwrap_or(&UNKNOWN_USER_HASH)) && hash.is_some()
        });
        verified.await.map_err(|error| Error::Failed(error.to_string()))
    }
}
