//! Tessera, a token server: a token with n uses is used n times.
//!
//! Imports point one way, and a test holds it:
//! `main -> commands -> cli, app -> web -> store -> token -> access`; `commands, app, web -> sheet -> qr`.

pub mod access;
pub mod app;
pub mod cli;
pub mod commands;
pub mod qr;
pub mod sheet;
pub mod store;
pub mod token;
pub mod web;
