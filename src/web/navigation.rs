//! The navigation at the top of every page.

use crate::access::{Permission, Role};

/// A part of the application.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Tokens,
    Overview,
    Scan,
    Usage,
    Print,
    Settings,
    Users,
    Keys,
    Gates,
    Audit,
    /// The own account, which is linked apart from the others.
    Account,
}

/// A link of the navigation.
pub(crate) struct NavigationLink {
    /// Below the base path.
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    /// The page belongs to this section.
    pub(crate) is_current: bool,
}

/// Paths and names, in the order of the page.
const LINKS: [(Section, &str, &str); 10] = [
    (Section::Tokens, "/", "Tokens"),
    (Section::Overview, "/overview", "Overview"),
    (Section::Scan, "/scan", "Scan"),
    (Section::Usage, "/usage", "Usage"),
    (Section::Print, "/sheet", "Print"),
    (Section::Settings, "/settings", "Settings"),
    (Section::Users, "/users", "Users"),
    (Section::Keys, "/keys", "Keys"),
    (Section::Gates, "/gates", "Gates"),
    (Section::Audit, "/audit", "Audit"),
];

impl Section {
    fn permission(self) -> Option<Permission> {
        match self {
            Self::Tokens | Self::Overview | Self::Usage | Self::Print => Some(Permission::See),
            Self::Scan => Some(Permission::Consume),
            Self::Settings | Self::Users | Self::Keys | Self::Gates | Self::Audit => Some(Permission::Manage),
            Self::Account => None,
        }
    }
}

/// The sections that a role may open.
pub(crate) fn links(role: Role, current: Option<Section>) -> Vec<NavigationLink> {
    let open = LINKS.into_iter().filter(|(section, ..)| section.permission().is_none_or(|needed| role.may(needed)));
    open.map(|(section, path, name)| NavigationLink { path, name, is_current: current == Some(section) }).collect()
}
