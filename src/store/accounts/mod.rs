//! Users, keys, sessions, and failed sign-ins.

pub mod keys;
pub mod login_attempts;
pub mod sessions;
pub mod users;
