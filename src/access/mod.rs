//! Who may do what. No I/O: names, roles, keys and passwords as values.

pub mod api_key;
pub(crate) mod name;
pub mod password;
pub mod rate;
pub(crate) mod session;
mod who;

pub(crate) use who::who;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest name of a user or a key, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 64;

/// Who acts: `user:anna` or `key:door-3`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The user with this name.
    pub fn user(name: &str) -> Self {
        Self(format!("user:{name}").into())
    }

    /// The API key with this name.
    pub fn key(name: &str) -> Self {
        Self(format!("key:{name}").into())
    }

    /// A principal from the database.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// A person in the machine's shell, with the name of their account.
    pub fn shell(name: &str) -> Self {
        Self(format!("shell:{name}").into())
    }

    /// Tessera itself, acting without a request.
    pub(crate) fn itself() -> Self {
        Self("tessera".into())
    }

    /// Somebody who is not signed in.
    pub(crate) fn nobody() -> Self {
        Self("nobody".into())
    }

    /// The text in logs and the database.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose idempotency keys are meant: a user's, or an API key's. Another API key that gets the same name has others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyOwner(Arc<str>);

impl KeyOwner {
    /// The API key with this uid.
    pub(crate) fn api_key(uid: &str) -> Self {
        Self(format!("key:{uid}").into())
    }

    /// The text in the database.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Principal> for KeyOwner {
    /// A user, whose name is theirs alone.
    fn from(user: &Principal) -> Self {
        Self(Arc::clone(&user.0))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Consumes tokens and looks up single values: a door.
    Scanner,
    /// Sees everything, changes nothing.
    Viewer,
    /// Also consumes, adds and edits tokens.
    Editor,
    /// Also deletes tokens.
    Admin,
    /// Also manages settings, users and keys.
    Manager,
}

/// A permission: a column of the contract's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See tokens and usage.
    See,
    /// Look up one exact value.
    Ask,
    /// Use a token.
    Consume,
    /// Add and edit tokens.
    Edit,
    /// Delete tokens.
    Delete,
    /// Manage settings, users and keys.
    Manage,
}

impl Role {
    /// Every role, from the fewest permissions to the most.
    pub const ALL: [Self; 5] = [Self::Scanner, Self::Viewer, Self::Editor, Self::Admin, Self::Manager];

    /// Whether the role has the permission.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Ask => true,
            Permission::Consume => self != Self::Viewer,
            Permission::See => self != Self::Scanner,
            Permission::Edit => matches!(self, Self::Editor | Self::Admin | Self::Manager),
            Permission::Delete => matches!(self, Self::Admin | Self::Manager),
            Permission::Manage => self == Self::Manager,
        }
    }

    /// The word on the command line and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scanner => "scanner",
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Manager => "manager",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let role = Self::ALL.into_iter().find(|role| role.word() == text);
        role.ok_or_else(|| format!("a role is one of {}", Self::ALL.map(Self::word).join(", ")))
    }
}

/// Whom a filter asks for: a whole principal, as forms offer them (`user:anna` is not `user:annabel`, too), or else a part of
/// one, as people type it.
pub(crate) fn who_filter(text: String) -> (Option<String>, Option<String>) {
    let is_whole =
        ["user:", "key:"].iter().any(|kind| text.strip_prefix(kind).is_some_and(|name| check_name(name).is_ok()));
    if is_whole { (Some(text), None) } else { (None, Some(who::who_part(&text))) }
}

/// Checks the name of a user or a key: 1 to 64 letters, digits and `. _ @ -`, so that it looks the same in a log line,
/// in a shell and in a URL.
///
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
    let is_good = name.chars().all(allowed) && name::is_legible(name) && !name.starts_with('-');
    if is_good && (1..=NAME_MAX_CHARS).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(format!("A name needs 1 to {NAME_MAX_CHARS} letters, digits or . _ @ -, and can't start with a hyphen."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_table_of_roles() {
        use Permission::{Ask, Consume, Delete, Edit, Manage, See};
        let table = [
            (Role::Scanner, vec![Ask, Consume]),
            (Role::Viewer, vec![See, Ask]),
            (Role::Editor, vec![See, Ask, Consume, Edit]),
            (Role::Admin, vec![See, Ask, Consume, Edit, Delete]),
            (Role::Manager, vec![See, Ask, Consume, Edit, Delete, Manage]),
        ];
        for (role, allowed) in table {
            for permission in [See, Ask, Consume, Edit, Delete, Manage] {
                assert_eq!(role.may(permission), allowed.contains(&permission), "{role} {permission:?}");
            }
            assert_eq!(role.word().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn names() {
        for good in ["anna", "door-3", "a.b_c@example.org", "Zoë", &"x".repeat(64)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", " ", "a b", "a:b", "a/b", "-a", "a\n", "<b>", "anna\u{3164}", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
