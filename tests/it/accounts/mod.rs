//! Users, their sessions, and keys.

mod account;
mod api_keys;
mod coming_back;
mod ended_meanwhile;
mod kept_cookie;
mod keys;
mod login;
mod not_kept;
mod other_origins;
mod rate_limit;
mod return_addresses;
mod roles;
mod user;
mod users;
