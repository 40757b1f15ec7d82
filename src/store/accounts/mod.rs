//! Users, keys, sessions, and failed sign-ins.

pub mod keys;
pub(crate) mod login_attempts;
pub(crate) mod sessions;
pub mod users;
