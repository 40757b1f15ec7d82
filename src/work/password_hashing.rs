//! Hashes passwords, a few at a time: each takes 19 MiB of memory and a core (see `access::password`).

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use crate::access::password;
use crate::store::Error;

/// How many passwords are hashed at once.
const PERMITS: usize = 2;

/// The hash of a password that nobody has. It is verified for unknown names, so that these take as long as known ones
/// and reveal nothing about which names exist.
static UNKNOWN_USER_HASH: LazyLock<String> =
    LazyLock::new(|| password::hash(&password::generate("")).unwrap_or_default());

/// Computes the hash for unknown names in advance, so that the first of them takes no longer than later ones.
pub(crate) fn prepare() {
    std::thread::spawn(|| LazyLock::force(&UNKNOWN_USER_HASH).len());
}

/// Hashes and verifies passwords off the request threads.
pub(crate) struct PasswordHasher {
    permits: Arc<Semaphore>,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(PERMITS)) }
    }
}

impl PasswordHasher {
    /// The PHC string of a password.
    ///
    /// # Errors
    /// Failed when there is no random salt or no memory.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        self.run(move || password::hash(&password)).await?.map_err(Error::Failed)
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
        self.run(move || password::verify(&password, hash.as_ref().unwrap_or(&UNKNOWN_USER_HASH)) && hash.is_some())
            .await
    }

    /// The permit belongs to the work: a client that resets its connection ends the request, and not the hashing.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let permit =
            Arc::clone(&self.permits).acquire_owned().await.map_err(|error| Error::Failed(error.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|error| Error::Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn who_goes_away_frees_no_permit_while_the_work_goes_on() {
        let hasher = PasswordHasher::default();
        let mut releases = Vec::new();
        for _ in 0..PERMITS {
            let (release, held) = mpsc::channel::<()>();
            let mut work = Box::pin(hasher.run(move || held.recv().is_ok()));
            assert!(work.as_mut().now_or_never().is_none(), "it has begun");
            releases.push(release);
        }
        assert_eq!(hasher.permits.available_permits(), 0, "all were dropped, and none has ended");
        drop(releases);
        assert!(hasher.run(|| true).await.unwrap());
    }
}
