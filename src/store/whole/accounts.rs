//! Who may enter, where tokens are used, and how all is set.

use super::table::{Key, Table, moment, number, text};

/// The tables.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "users",
        about: "Who may sign in. Their passwords are not here.",
        columns: &[
            text("name", "users.name", "The name."),
            text("role", "users.role", "scanner, viewer, editor, admin or manager."),
            moment("created", "users.created", "When the user was added."),
            moment("modified", "users.modified", "When the user was last changed."),
            moment("disabled", "users.disabled_at", "Since when the user may not sign in; empty otherwise."),
            moment("last_sign_in", "users.last_sign_in", "The last time that the user signed in."),
        ],
        from: "users",
        condition: "1 = 1",
        key: Key::Number("users.id"),
    },
    Table {
        name: "keys",
        about: "API keys. Their texts are not known to Tessera; the hashes by which it knows them are not here.",
        columns: &[
            text("uid", "keys.uid", "Its ID; another key may get the same name later."),
            text("name", "keys.name", "The name."),
            text("prefix", "keys.prefix", "Its first characters."),
            text("role", "keys.role", "scanner, viewer, editor, admin or manager."),
            number("rate", "keys.rate", "Requests a second that each instance takes; empty if there is no limit."),
            text("gate", "gates.name", "The gate at which it uses tokens, if it is tied to one."),
            text("creator", "keys.creator", "Who made it."),
            moment("created", "keys.created", "When it was made."),
            moment("expires", "keys.expires", "When it ends; empty if never."),
            moment("last_used", "keys.last_used", "When it was last used, to the minute."),
            text("last_address", "keys.last_address", "The address from which it was then used."),
        ],
        from: "keys LEFT JOIN gates ON gates.id = keys.gate",
        condition: "1 = 1",
        key: Key::Number("keys.id"),
    },
    Table {
        name: "gates",
        about: "Where tokens are used, closed gates included.",
        columns: &[
            text("uid", "gates.uid", "Its ID."),
            text("name", "gates.name", "Its name."),
            text("rules", "gates.rules", "What it allows, as JSON."),
            moment("closed", "gates.disabled_at", "Since when it is closed; empty if it is open."),
            moment("created", "gates.created", "When it was added."),
            moment("changed", "gates.changed", "When it was last changed."),
            text("changed_by", "gates.changed_by", "Who changed it."),
        ],
        from: "gates",
        condition: "1 = 1",
        key: Key::Number("gates.id"),
    },
    Table {
        name: "settings",
        about: "Settings that somebody has changed; all others are as Tessera comes.",
        columns: &[
            text("name", "settings.name", "The setting."),
            text("value", "settings.value", "Its value, as JSON."),
            moment("changed", "settings.changed", "When it was changed."),
            text("changed_by", "settings.changed_by", "Who changed it."),
        ],
        from: "settings",
        condition: "settings.name <> 'cookie_key'",
        key: Key::Few("settings.name"),
    },
    Table {
        name: "audit",
        about: "Who did what to users, keys, settings and tokens, and who signed in; oldest first.",
        columns: &[
            moment("timestamp", "audit.timestamp", "When it was done."),
            text("user", "audit.principal", "Who did it."),
            text("action", "audit.action", "What was done."),
            text("subject", "audit.subject", "To whom or what."),
            text("detail", "audit.detail", "What else is to be known."),
            number("number", "audit.id", "The entry's number."),
        ],
        from: "audit",
        condition: "1 = 1",
        key: Key::Number("audit.id"),
    },
];
