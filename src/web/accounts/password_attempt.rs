//! Trying a password: throttled by name and by address, two at a time, and the same work for names that do not exist.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;

use crate::access::Principal;
use crate::store::accounts::login_attempts::Admission;
use crate::store::accounts::users::Credentials;
use crate::store::accounts::{login_attempts, users};
use crate::store::{self, Connection, audit};
use crate::token::Micros;
use crate::web::error::Error;
use crate::web::state::App;

/// What is kept of a name: it may be a megabyte.
const NAME_CHARS: usize = 64;
/// How often and how long a try waits for others that are under way.
const WAITS: u32 = 50;
const WAIT: Duration = Duration::from_millis(100);

/// A try that may be made.
pub(crate) struct PasswordAttempt {
    ids: Vec<i64>,
    address: String,
}

/// What a failure is in the audit. One that is throttled is not recorded: a flood must not fill it.
pub(crate) struct FailureRecord {
    /// Who tried, as far as is known.
    pub(crate) by: Principal,
    /// What the failure is called.
    pub(crate) action: &'static str,
}

/// Records a failure in the audit. A name that no user has is not kept: it may be a password in the wrong field.
pub(crate) fn record(
    connection: &mut Connection,
    refused: &FailureRecord,
    name: &str,
    address: &str,
    now: Micros,
) -> Result<(), store::Error> {
    let is_known = users::find(connection, name)?.is_some();
    let subject = if is_known { name } else { "an unknown name" };
    audit::record(connection, &refused.by, refused.action, subject, address, now)
}

/// Whence a request came.
pub(crate) fn client(app: &App, request: &HttpRequest) -> String {
    app.proxies.client(request).map(|address| address.to_string()).unwrap_or_default()
}

impl PasswordAttempt {
    /// Waits for the turn to try the password of `name` from where `request` came.
    ///
    /// # Errors
    /// Too many failures of the name or the address within the last minute.
    pub(crate) async fn begin(app: &App, request: &HttpRequest, name: &str) -> Result<Self, Error> {
        let name: String = name.chars().take(NAME_CHARS).collect();
        let address = app.proxies.client(request).map(network).unwrap_or_default();
        let subjects = [format!("name:{name}"), format!("address:{address}")];
        for _ in 0..WAITS {
            let permit = app.login_permits.acquire().await;
            let (wanted, now) = (subjects.clone(), app.store.now());
            let tried = app.store.write(move |connection| Ok(login_attempts::begin(connection, &wanted, now)?));
            let tried = tried.await?;
            drop(permit);
            match tried {
                Admission::Allowed(ids) => return Ok(Self { ids, address: client(app, request) }),
                Admission::Wait(seconds) => return Err(Error::TooManyRequests(seconds)),
                Admission::Soon => tokio::time::sleep(WAIT).await,
            }
        }
        Err(Error::TooManyRequests(1))
    }

    /// The user of that name, if this is the user's password; a failure counts, and is recorded.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked; then the try does not count.
    pub(crate) async fn check(
        &self,
        app: &App,
        name: &str,
        password: String,
        refused: FailureRecord,
    ) -> Result<Option<Credentials>, Error> {
        let checked = check(app, name, password).await;
        let (ids, address, now) = (self.ids.clone(), self.address.clone(), app.store.now());
        let failed = matches!(checked, Ok(None));
        let name = name.to_owned();
        let recorded = app.store.write(move |connection| {
            if !failed {
                return Ok(login_attempts::forgive(connection, &ids)?);
            }
            login_attempts::failed(connection, &ids)?;
            record(connection, &refused, &name, &address, now)
        });
        recorded.await?;
        checked
    }
}

async fn check(app: &App, name: &str, password: String) -> Result<Option<Credentials>, Error> {
    let wanted = name.to_owned();
    let found = app.store.read_inline(move |connection| Ok(users::credentials(connection, &wanted)?)).await?;
    let hash = found.as_ref().map(|user| user.password_hash.clone());
    let is_good = app.background.passwords.verify(password, hash).await?;
    Ok(found.filter(|_| is_good))
}

/// Whoever has an IPv6 address has the 2^64 beside it, too (RFC 6177, section 2).
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_with_its_network() {
        for (address, counts_as) in [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")] {
            assert_eq!(network(address.parse().unwrap()), counts_as);
        }
    }
}
