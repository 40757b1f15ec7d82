//! What the pages say of the settings.

use crate::token::quoted;
use crate::web::format::grouped;

/// A setting was saved.
pub(crate) const SAVED: &str = "Saved.";
/// Links in codes cannot be chosen.
pub(crate) const LINK_NEEDS_URL: &str =
    "Links need this server's public address. Start the server with --public-url first.";
/// The chosen label sheet is gone.
pub(crate) const SHEET_GONE: &str = "This label sheet was removed. Choose another.";
/// Neither kind of code was chosen.
pub(crate) const CHOOSE_CODES: &str = "Choose what QR codes contain.";
/// Why codes contain values although the settings want links.
pub(crate) const NO_LINKS: &str = "QR codes contain values, not links: this server was started without --public-url \
                                   (TESSERA_PUBLIC_URL), so its public address is unknown.";
/// A number without a limit.
pub(crate) const UNLIMITED: &str = "unlimited";
/// An empty list or text.
pub(crate) const NONE: &str = "none";
/// Codes contain links.
pub(crate) const CODES_HOLD_LINKS: &str = "a link to the token's page";
/// Codes contain values.
pub(crate) const CODES_HOLD_VALUES: &str = "the token's value";

/// A time of a time range cannot be read; `label` is the field's.
pub(crate) fn not_a_time(label: &str) -> String {
    format!("“{label}” must be a time such as 08:00.")
}

/// A quick count cannot be read.
pub(crate) fn not_a_count(text: &str) -> String {
    format!("{} must be a whole number from 0 to 2,147,483,647, or the word unlimited.", quoted(text))
}

/// As in `1 day` and `400 days`.
pub(crate) fn days(count: i32) -> String {
    format!("{} day{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// As in `1 label` and `500,000 labels`.
pub(crate) fn labels(count: i32) -> String {
    format!("{} label{}", grouped(count), if count == 1 { "" } else { "s" })
}
