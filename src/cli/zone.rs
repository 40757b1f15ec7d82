//! Time zones on the command line.

use chrono_tz::Tz;

/// The time zone of this name.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "write the name of a time zone, as in Europe/Vienna or UTC".to_owned())
}
