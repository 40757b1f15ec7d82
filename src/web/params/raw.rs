//! A parameter as it was sent.

use serde_json::Value;

/// A parameter as it was sent.
pub(super) enum Raw {
    Text(String),
    List(Vec<Value>),
    /// What no view takes.
    Other,
}
