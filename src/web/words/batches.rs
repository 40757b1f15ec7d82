//! What the pages say of batches.

use crate::web::format::tokens;

pub(crate) const NAME: &str = "Name";
pub(crate) const RENAMED: &str = "Batch renamed.";
/// The name of the batch of samples, and the beginning of their labels.
pub(crate) const SAMPLE: &str = "Sample";
pub(crate) const NO_NUMBER: &str = "No number";

/// Tokens were created.
pub(crate) fn created(tokens: &str) -> String {
    format!("{tokens} created.")
}

/// What the button does that creates tokens.
pub(crate) fn create(count: Option<usize>) -> String {
    count.map_or_else(|| "Create tokens".into(), |count| format!("Create {}", tokens(count)))
}

/// How the first number looks with so many digits.
pub(crate) fn digits(digits: usize) -> String {
    format!("{digits}: {:0digits$}", 1)
}
