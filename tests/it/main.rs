//! The integration tests, in one binary: the real server on a free port, a database of its own per test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(missing_docs)]

#[macro_use]
mod support;

mod accounts;
mod architecture;
mod audit;
mod backup;
mod batches;
mod bulk;
mod cone;
mod dependencies;
mod export;
mod gates;
mod imports;
mod model;
mod openapi;
mod printing;
mod scale;
mod scan;
mod settings;
mod system;
mod tokens;
mod usage;
mod web;
