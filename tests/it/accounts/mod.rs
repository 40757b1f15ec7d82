//! Users, their sessions, and keys.

mod account;
mod api_keys;
mod coming_back;
mod keys;
mod login;
mod roles;
mod user;
mod users;
