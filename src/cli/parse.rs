//! Parsers of arguments.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::builder::{OsStringValueParser, TypedValueParser};

/// The time zone of this name.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "write the name of a time zone, as in Europe/Vienna or UTC".to_owned())
}

/// A file's path; empty if an environment variable is set to nothing.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
