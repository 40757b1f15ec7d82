//! What the pages say of the audit log.

/// What an entry says after what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// Nothing: the subject repeats who did it, or is ours.
    None,
    /// The subject, which is a name.
    Subject,
    /// The token that is the subject.
    Token,
    /// How many, which is in the details, as in `40 tokens: why`.
    Count,
    /// The name that is in the details, as in `40 tokens: name`.
    Named,
    /// The name that is all of the details.
    Detail,
}

/// An action that is recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionWords {
    /// As it is stored.
    pub(crate) name: &'static str,
    /// What can be chosen in the filter.
    pub(crate) choice: &'static str,
    /// What somebody did.
    pub(crate) did: &'static str,
    /// To whom or what.
    pub(crate) object: Object,
}

const fn action(name: &'static str, choice: &'static str, did: &'static str, object: Object) -> ActionWords {
    ActionWords { name, choice, did, object }
}

/// Every action that is recorded. Others, of older and newer versions, are shown as they are stored.
#[rustfmt::skip]
pub(crate) const ACTIONS: [ActionWords; 43] = [
    action("sign-in", "Signed in", "signed in", Object::None),
    action("sign-in failed", "Sign-in failed", "failed to sign in as", Object::Subject),
    action("sign-out", "Signed out", "signed out", Object::None),
    action("session end", "Sessions ended", "ended", Object::Count),
    action("password refused", "Wrong password", "entered a wrong current password", Object::None),
    action("user add", "User added", "added the user", Object::Subject),
    action("user role", "Role changed", "changed the role of", Object::Subject),
    action("user passwd", "Password set", "set the password of", Object::Subject),
    action("user disable", "User disabled", "disabled the user", Object::Subject),
    action("user enable", "User enabled", "enabled the user", Object::Subject),
    action("user remove", "User removed", "removed the user", Object::Subject),
    action("key add", "API key created", "created the API key", Object::Subject),
    action("key revoke", "API key revoked", "revoked the API key", Object::Subject),
    action("gate add", "Gate added", "added the gate", Object::Subject),
    action("gate change", "Gate changed", "changed the gate", Object::Subject),
    action("gate close", "Gate closed", "closed the gate", Object::Subject),
    action("gate open", "Gate opened", "opened the gate", Object::Subject),
    action("token delete", "Token deleted", "deleted", Object::Token),
    action("token restore", "Deleted token restored", "restored the deleted token", Object::Token),
    action("token void", "Token voided", "voided", Object::Token),
    action("token unvoid", "Voided token restored", "restored the voided token", Object::Token),
    action("batch add", "Batch created", "created the batch", Object::Named),
    action("batch rename", "Batch renamed", "renamed a batch to", Object::Detail),
    action("bulk change", "Many tokens changed", "changed", Object::Count),
    action("bulk delete", "Many tokens deleted", "deleted", Object::Count),
    action("bulk void", "Many tokens voided", "voided", Object::Count),
    action("bulk unvoid", "Many voided tokens restored", "restored", Object::Count),
    action("bulk undo", "Change of many tokens undone", "undid the change of", Object::Count),
    action("import", "Tokens imported", "imported", Object::Count),
    action("import change", "Tokens changed by an import", "changed with an imported file", Object::Count),
    action("import cone", "Moved from cone.tokens", "moved everything from", Object::Subject),
    action("export", "Exported", "exported", Object::Subject),
    action("setting", "Setting changed", "changed the setting", Object::Subject),
    action("print run", "Labels printed", "printed", Object::Count),
    action("print job", "Print job started", "started a print job for", Object::Count),
    action("print job dismiss", "Print job dismissed", "dismissed a print job", Object::None),
    action("sheet add", "Label sheet added", "added the label sheet", Object::Detail),
    action("sheet change", "Label sheet changed", "changed the label sheet", Object::Detail),
    action("sheet remove", "Label sheet removed", "removed the label sheet", Object::Detail),
    action("printer save", "Printer saved", "saved the printer", Object::Subject),
    action("printer remove", "Printer removed", "removed the printer", Object::Subject),
    action("usage retention", "Old log entries removed", "removed old entries from the usage log", Object::None),
    action("restore", "Backup restored", "restored the backup", Object::Subject),
];

/// The words of an action.
pub(crate) fn words(action: &str) -> Option<&'static ActionWords> {
    ACTIONS.iter().find(|known| known.name == action)
}

/// What people call an action.
pub(crate) fn choice(action: &str) -> Option<&'static str> {
    words(action).map(|known| known.choice)
}

/// What was done, where the details say which part of tokens was changed.
pub(crate) fn changed(part: &str) -> String {
    format!("changed the {part} of")
}

/// A token whose label is unknown, by the beginning of its ID.
pub(crate) fn token(uid: &str) -> String {
    let start: String = uid.chars().take(8).collect();
    format!("token {start}")
}

/// What was exported, by the name of its file.
pub(crate) fn exported(name: &str) -> &str {
    match name {
        "usage" => "the usage log",
        "audit" => "the audit log",
        "print-runs" => "printed sheets",
        name => name,
    }
}

/// What a setting was and is.
pub(crate) fn setting(before: &str, after: &str) -> String {
    format!("Before: {before}. After: {after}.")
}
