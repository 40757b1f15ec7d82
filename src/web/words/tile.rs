//! What the pages say of one token: on its tile, and in the forms that add and change it.

use crate::access::Role;

pub(crate) const NONE: &str = "none";
pub(crate) const UNLIMITED: &str = "unlimited";

pub(crate) const ADDED: &str = "Token added.";
pub(crate) const SAVED: &str = "Changes saved.";
pub(crate) const SAVED_PRINTED: &str =
    "Changes saved. The printed label has the old value and no longer works. Print a new label.";
pub(crate) const USED_BEFORE: &str = "Used once. The second click was ignored.";
pub(crate) const USE_UNDONE_BEFORE: &str = "This use was already undone.";
pub(crate) const USE_NOT_UNDONE: &str = "This use can't be undone any more.";
pub(crate) const NO_CHANGE: &str = "No change needed.";
pub(crate) const UNLIMITED_ALREADY: &str = "No uses added: this token has unlimited uses.";
pub(crate) const NO_SUCH_RANGE: &str = "Nothing changed: this time range no longer exists.";
pub(crate) const NOT_TODAY: &str = "Nothing changed: the clock change skips this time range today.";
pub(crate) const UNDONE: &str = "Change undone.";
pub(crate) const RESTORED: &str = "Token restored.";
pub(crate) const VOIDED: &str = "Token voided.";
pub(crate) const NO_LIMITS: &str = "Time limits removed.";
pub(crate) const TOO_MANY_USES: &str = "A token has at most 2,147,483,647 uses. Add fewer.";
pub(crate) const VALUE_TAKEN: &str =
    "Token not restored: another token has the same value now. Change that token's value first.";

/// What the forms call a field.
pub(crate) fn field(name: &str) -> &'static str {
    match name {
        "value" => "Value",
        "label" => "Label",
        "valid_from" => "Valid from",
        "valid_to" => "Valid to",
        "usage_count" => "Uses left",
        _ => "Lock after each use",
    }
}

/// A token was used.
pub(crate) fn used(left: &str) -> String {
    format!("Used. {}.", capital(left))
}

/// A use was undone.
pub(crate) fn use_undone(left: &str) -> String {
    format!("Use undone. {}.", capital(left))
}

/// A token was not used.
pub(crate) fn not_used(reason: &str) -> String {
    format!("Not used: {reason}.")
}

/// Why a use was refused, by its code.
pub(crate) fn refusal(code: i16) -> &'static str {
    match code {
        1 => "deleted",
        2 => "used up",
        3 => "locked",
        4 => "not valid at that time",
        7 => "voided",
        _ => "another reason",
    }
}

/// When a token is valid.
pub(crate) fn valid_from_to(from: &str, to: &str) -> String {
    format!("Valid from {from} to {to}")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Why a role sees no more buttons.
pub(crate) fn limits(role: Role) -> Option<&'static str> {
    match role {
        Role::Scanner | Role::Viewer => Some("Your role can look at this token, not use or change it."),
        Role::Editor => Some("Only administrators can void or delete tokens."),
        Role::Admin | Role::Manager => None,
    }
}
