//! Tessera, a token server: a token with n uses is used n times.
//!
//! The rooms, and which way imports point (`tests/it/architecture.rs` holds it, and that no files import each other in a
//! circle): `main -> commands -> app -> web -> work -> store, sheet -> token, access`; `sheet, web -> qr`.

pub mod access;
pub mod app;
pub mod cli;
pub mod commands;
pub mod qr;
pub mod sheet;
pub mod store;
pub mod token;
pub mod web;
pub mod work;
