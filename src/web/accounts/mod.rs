//! Users, keys and sessions.

pub mod account;
pub mod keys;
pub mod login;
pub mod password_attempt;
pub mod roles;
pub mod user;
pub mod users;
