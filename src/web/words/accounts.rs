//! What the pages say of signing in, users, API keys and the own account.

use crate::access::Role;

/// A principal as people read it: `user:anna` is `anna`, and `key:door-3` is `API key door-3`.
pub(crate) fn principal(text: &str) -> String {
    match text.split_once(':') {
        Some(("user", name)) => name.to_owned(),
        Some(("key", name)) => format!("API key {name}"),
        Some(("shell", name)) => format!("{name} (command line)"),
        _ if text == "tessera" => "Tessera".to_owned(),
        _ if text == "nobody" => "someone not signed in".to_owned(),
        _ => text.to_owned(),
    }
}

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
        Role::Viewer => "Sees tokens and usage. Cannot change or use tokens.",
        Role::Editor => "Adds, edits, prints and uses tokens. Cannot void or delete them.",
        Role::Admin => "Everything with tokens, including void and delete. No users or settings.",
        Role::Manager => "Everything, including users, API keys, gates and settings.",
    }
}

#[cfg(test)]
mod tests {
    use super::principal;

    #[test]
    fn principals_are_called_by_their_names() {
        for (text, name) in [
            ("user:anna", "anna"),
            ("key:door-3", "API key door-3"),
            ("shell:root", "root (command line)"),
            ("tessera", "Tessera"),
            ("nobody", "someone not signed in"),
            ("anna", "anna"),
            ("other:anna", "other:anna"),
        ] {
            assert_eq!(principal(text), name);
        }
    }
}
