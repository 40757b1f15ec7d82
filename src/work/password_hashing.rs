//! Hashing passwords, a few at a time: each takes 19 MiB and a core (see `access::password`).

use std::sync::LazyLock;

use tokio::sync::Semaphore;

use crate::access::password;
use crate::store::Error;

/// How many passwords are hashed at once.
const AT_ONCE: usize = 2;

/// A password that nobody has. It is checked for names that do not exist, so that these take as long and nobody learns
/// which names there are.
static NOBODY: LazyLock<String> = LazyLock::new(|| password::hash(&password::generate()).unwrap_or_default());

/// Prepares what the first unknown name needs, so that it takes no longer than later ones.
pub(crate) fn prepare() {
    std::thread::spawn(|| LazyLock::force(&NOBODY).len());
}

/// Hashes and verifies passwords off the request threads.
pub(crate) struct PasswordHasher {
    permits: Semaphore,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self { permits: Semaphore::new(AT_ONCE) }
    }
}

impl PasswordHasher {
    /// The PHC string of a password.
    ///
    /// # Errors
    /// Failed, when the machine gives no random salt or no memory.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        let _permit = self.permits.acquire().await;
        let hash = tokio::task::spawn_blocking(move || password::hash(&password)).await;
        hash.map_err(|error| Error::Failed(error.to_string()))?.map_err(Error::Failed)
    }

    /// Whether a password is the one of this PHC string. Without one it is not, and takes as long to say.
    ///
    /// # Errors
    /// Failed, when hashing panicked.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        // No password is longer, and hashing a longer one is only work.
        if password.chars().count() > password::MAX_CHARS {
            return Ok(false);
        }
        let _permit = self.permits.acquire().await;
        let verified = tokio::task::spawn_blocking(move || {
            password::verify(&password, hash.as_ref().unwrap_or(&NOBODY)) && hash.is_some()
        });
        verified.await.map_err(|error| Error::Failed(error.to_string()))
    }
}
