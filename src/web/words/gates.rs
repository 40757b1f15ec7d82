//! What the pages say of gates.

/// The form's name for a gate's name.
pub(crate) const NAME: &str = "Name";
/// The form's name for the time within which a use can be undone.
pub(crate) const UNDO_WITHIN: &str = "Undo a scan within";
/// No use can be undone.
pub(crate) const NO_UNDO: &str = "No undo";
/// How long a use can be undone, as the form offers it: seconds and words.
pub(crate) const UNDO_TIMES: [(i32, &str); 6] = [
    (30, "30 seconds"),
    (60, "1 minute"),
    (300, "5 minutes"),
    (900, "15 minutes"),
    (3_600, "1 hour"),
    (86_400, "1 day"),
];

/// Another number of seconds than the form offers.
pub(crate) fn seconds(undo: &str) -> String {
    format!("{undo} seconds")
}

/// A gate was added.
pub(crate) fn added(name: &str) -> String {
    format!("Gate {name} added.")
}

/// A gate was saved.
pub(crate) fn saved(name: &str) -> String {
    format!("Gate {name} saved.")
}

/// Another gate was named than the one that the API key is tied to.
pub(crate) fn key_is_tied(gate: &str) -> String {
    format!("This API key works at the gate {gate} only.")
}

/// A look-up or a test was wanted where it is off.
pub(crate) const NO_LOOK_UP: &str = "Looking up and testing tokens is off at this gate.";
/// Several uses were wanted where they are off.
pub(crate) const NO_SEVERAL: &str = "Using a token several times at once is off at this gate.";
