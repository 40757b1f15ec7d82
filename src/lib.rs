//! Tessera, a token server: a token with n uses is used n times.
//!
//! Imports between the modules point in one direction: `main -> commands -> app -> web -> work -> store, sheet ->
//! token, access`; `sheet, web -> qr`. `tests/it/architecture.rs` checks this, and that no files import each other in a
//! circle.

pub mod access;
pub mod app;
pub mod cli;
pub mod commands;
pub mod log;
pub mod qr;
pub mod sheet;
pub mod store;
pub mod token;
pub mod web;
pub mod work;
