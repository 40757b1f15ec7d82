//! What tests start and talk to.

pub mod app;
pub mod audit;
pub mod browser;
pub mod cluster;
mod cluster_tests;
#[macro_use]
pub mod database;
pub mod described;
pub mod export;
pub mod forms;
pub mod frames;
pub mod gates;
mod http_answer;
pub mod imports;
pub mod printing;
pub mod process;
pub mod raw;
pub mod settings;
pub mod sources;
pub mod tokens;
pub mod trace;
pub mod usage_log;
