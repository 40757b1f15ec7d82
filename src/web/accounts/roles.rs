//! Roles as people read them, and the choice of one in the forms of users and of keys.

use crate::access::Role;
use crate::web::form_errors::FormErrors;
use crate::web::words;

/// A role, with what it may do.
pub(crate) struct RoleView {
    /// The word that forms send.
    pub(crate) word: &'static str,
    /// The name that people read.
    pub(crate) name: &'static str,
    /// What it may do, in short.
    pub(crate) may: &'static str,
}

impl RoleView {
    pub(crate) fn new(role: Role) -> Self {
        Self { word: role.word(), name: words::accounts::role_name(role), may: words::accounts::role_may(role) }
    }
}

/// A role that can be chosen.
pub(crate) struct RoleChoice {
    pub(crate) role: RoleView,
    pub(crate) is_chosen: bool,
}

/// Every role, the least first.
pub(crate) fn choices(chosen: Option<Role>) -> [RoleChoice; 5] {
    Role::ALL.map(|role| RoleChoice { role: RoleView::new(role), is_chosen: chosen == Some(role) })
}

/// What keeps a user's name from being taken for a role; none if it is no role's name, or the user's own.
pub(crate) fn name_note(name: &str, role: Role) -> Option<String> {
    let named: Role = name.to_lowercase().parse().ok()?;
    (named != role).then(|| words::accounts::name_is_no_role(name, role))
}

/// The role that was chosen by its word; an error is added when there is none.
pub(crate) fn chosen(word: &str, errors: &mut FormErrors) -> Option<Role> {
    let role = word.parse().ok();
    if role.is_none() {
        errors.add("role", words::accounts::CHOOSE_ROLE);
    }
    role
}

#[cfg(test)]
mod tests {
    use super::name_note;
    use crate::access::Role;

    #[test]
    fn a_name_that_is_another_roles_is_told_apart() {
        assert_eq!(name_note("admin", Role::Manager).as_deref(), Some("The name is admin, the role is Manager."));
        assert_eq!(name_note("Viewer", Role::Editor).as_deref(), Some("The name is Viewer, the role is Editor."));
        for (name, role) in [("admin", Role::Admin), ("anna", Role::Manager), ("administrator", Role::Viewer)] {
            assert_eq!(name_note(name, role), None, "{name}");
        }
    }
}
