//! The integration tests, in one binary: the real server on a free port, a database of its own per test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(missing_docs)]

mod app;
mod browser;
mod cluster;
mod cluster_tests;
#[macro_use]
mod database;
mod process;
mod trace;
mod usage_log;

mod access;
mod actions;
mod add;
mod architecture;
mod audit_page;
mod bad_input;
mod batches;
mod cli;
mod coming_back;
mod consume;
mod copy;
mod crash;
mod delete;
mod durability;
mod edit;
mod hostile;
mod http_answer;
mod instances;
mod keys_page;
mod load;
mod model;
mod outage;
mod overview;
mod pages;
mod print_jobs;
mod print_pages;
mod print_store;
mod promise;
mod qr_codes;
mod query;
mod quick_sets;
mod schema;
mod serve;
mod settings_page;
mod sheet;
mod sheet_proof;
mod sheet_refused;
mod sign_in;
mod store;
mod usage_csv;
mod usage_page;
mod usage_retention;
mod users_page;
mod void;
mod void_page;
mod writer;
