//! The choice of a role, with what each may do: in the forms of users and of keys.

use crate::access::Role;
use crate::web::form_errors::FormErrors;

/// A role that can be chosen.
pub(crate) struct RoleChoice {
    /// The word.
    pub(crate) word: &'static str,
    /// What it may do, in short.
    pub(crate) may: &'static str,
    pub(crate) is_chosen: bool,
}

/// Every role, the least first.
pub(crate) fn choices(chosen: Option<Role>) -> [RoleChoice; 5] {
    Role::ALL.map(|role| RoleChoice { word: role.word(), may: may(role), is_chosen: chosen == Some(role) })
}

fn may(role: Role) -> &'static str {
    match role {
        Role::Scanner => "Uses tokens and asks for one exact value. Sees no lists.",
        Role::Viewer => "Sees tokens and usage. Changes and uses nothing.",
        Role::Editor => "Sees, uses, adds and edits tokens.",
        Role::Admin => "As an editor, and voids and deletes tokens.",
        Role::Manager => "As an admin, and looks after settings, users and keys.",
    }
}

/// The role that was chosen by its word; an error is added when there is none.
pub(crate) fn chosen(word: &str, errors: &mut FormErrors) -> Option<Role> {
    let role = word.parse().ok();
    if role.is_none() {
        errors.add("role", "Choose one of the five roles.");
    }
    role
}
