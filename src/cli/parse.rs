//! Parsers of arguments, and what is taken from environment variables.

use std::env;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::Command;
use clap::builder::{OsStringValueParser, Resettable, TypedValueParser};

use crate::store::DatabaseUrl;

/// The time zone of this name.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "write the name of a time zone, as in Europe/Vienna or UTC".to_owned())
}

/// A file's path; empty between two colons of a list.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A database. It may have a password, and come from a file that ends with a line end.
pub(super) fn database(text: &str) -> Result<DatabaseUrl, String> {
    without_line_end(text).parse()
}

/// A secret without the line end, if it has one: most programs that write a file end it with one.
pub(crate) fn without_line_end(secret: &str) -> &str {
    let Some(line) = secret.strip_suffix('\n') else { return secret };
    line.strip_suffix('\r').unwrap_or(line)
}

/// The command, whose options do not know environment variables that are set to nothing: that is how a service manager or
/// a compose file unsets one.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let command = command.mut_args(|option| {
        let value = option.get_env().and_then(env::var_os);
        if value.is_some_and(|value| value.is_empty()) { option.env(Resettable::Reset) } else { option }
    });
    command.mut_subcommands(without_empty_variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_loses_one_line_end() {
        for (secret, without) in [
            ("", ""),
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\r\n\r\n", "a\r\n"),
            ("a\r\r\n", "a\r"),
            ("a\r", "a\r"),
            (" a \n", " a "),
            ("\n", ""),
        ] {
            assert_eq!(without_line_end(secret), without, "{secret:?}");
        }
    }
}
