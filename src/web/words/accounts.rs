//! What the pages say of signing in, users, API keys and the own account.

use crate::access::Role;
use crate::web::format::grouped;

/// A role's name at the head of a line, so that it is not taken for a user's.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Scanner => "Scanner",
        Role::Viewer => "Viewer",
        Role::Editor => "Editor",
        Role::Admin => "Admin",
        Role::Manager => "Manager",
    }
}

/// What a role may do.
pub(crate) fn role_may(role: Role) -> &'static str {
    match role {
        Role::Scanner => "Scans tokens at the door. Cannot see the list of tokens.",
        Role::Viewer => "Sees and prints tokens, and sees usage. Cannot change or use tokens.",
        Role::Editor => "Adds, edits, prints and uses tokens. Cannot void or delete them.",
        Role::Admin => "Everything with tokens, including void and delete. No users or settings.",
        Role::Manager => "Everything, including users, API keys, gates and settings.",
    }
}

/// A user whose name is also a role's: neither must be taken for the other.
pub(crate) fn name_is_no_role(name: &str, role: Role) -> String {
    format!("The name is {name}, the role is {}.", role_name(role))
}

/// No role was chosen.
pub(crate) const CHOOSE_ROLE: &str = "Choose a role.";

/// Shown for unknown names and wrong passwords alike: nobody learns which names there are.
pub(crate) const WRONG_SIGN_IN: &str = "Wrong name or password.";

/// The browser did not keep the session cookie.
pub(crate) fn cookie_not_kept(public_url: &str) -> String {
    format!(
        "You are not signed in. Your browser sends the session cookie over https only: open {public_url} and sign in there. If \
         that address is wrong, ask an administrator to change it with --public-url."
    )
}

/// A user was added.
pub(crate) fn user_added(name: &str) -> String {
    format!("User {name} added.")
}

/// A user was removed.
pub(crate) fn user_removed(name: &str) -> String {
    format!("User {name} removed and signed out everywhere.")
}

/// A user has another role.
pub(crate) fn role_changed(name: &str) -> String {
    format!("Role changed. {name} is signed out everywhere.")
}

/// A user has that role already.
pub(crate) fn role_unchanged(name: &str) -> String {
    format!("No change: {name} already has this role.")
}

/// A user has another password.
pub(crate) fn password_reset(name: &str) -> String {
    format!("Password changed. {name} is signed out everywhere.")
}

/// A user cannot sign in any more.
pub(crate) fn user_disabled(name: &str) -> String {
    format!("{name} is disabled and signed out everywhere.")
}

/// A user can sign in again.
pub(crate) fn user_enabled(name: &str) -> String {
    format!("{name} is enabled and can sign in again.")
}

/// Somebody has reset the own password.
pub(crate) const OWN_PASSWORD_RESET: &str = "Password changed. You are signed out everywhere.";
/// Somebody has changed the own password.
pub(crate) const OWN_PASSWORD_CHANGED: &str = "Password changed. You are signed out everywhere else.";
/// A session was ended.
pub(crate) const SESSION_ENDED: &str = "That browser is signed out.";
/// All other sessions were ended.
pub(crate) const OTHER_SESSIONS_ENDED: &str = "You are signed out everywhere else.";
/// An API key has no password and no sessions.
pub(crate) const KEY_HAS_NO_ACCOUNT: &str = "An API key has no account. Sign in with a name and password.";
/// The current password is wrong.
pub(crate) const NOT_CURRENT_PASSWORD: &str = "Wrong current password.";
/// The repeated password differs.
pub(crate) const NOT_REPEATED: &str = "The two new passwords are different.";
/// The password was changed between the check and the change.
pub(crate) const PASSWORD_CHANGED_MEANWHILE: &str =
    "Your password was just changed somewhere else. Reload this page, then try again.";

/// As in `1 session` and `3 sessions`.
pub(crate) fn sessions(count: usize) -> String {
    format!("{} session{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// An API key was made.
pub(crate) const KEY_CREATED: &str = "API key created. It works now.";
/// An API key was revoked.
pub(crate) const KEY_REVOKED: &str = "API key revoked. It no longer works.";
/// The time at which a new key expires is not in the future.
pub(crate) const KEY_EXPIRES_IN_PAST: &str = "“Valid until” must be in the future.";
/// The gate for a key is gone.
pub(crate) const KEY_GATE_GONE: &str = "This gate was removed. Choose another.";
/// A key that is tied to no gate.
pub(crate) const NO_GATE: &str = "Any gate";
