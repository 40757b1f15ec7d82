//! Users, keys and sessions.

pub(crate) mod account;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod password_attempt;
pub(crate) mod roles;
pub(crate) mod user;
pub(crate) mod users;
