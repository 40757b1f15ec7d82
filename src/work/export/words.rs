//! What a CSV for Excel calls columns, and how it is written in a language: all that another language changes.

/// What divides cells where the language is English. A German Excel expects `;`.
pub(crate) const SEPARATOR: u8 = b',';

/// Uses without limit.
pub(crate) const UNLIMITED_USES: &str = "Unlimited";

/// Every column of every export, and its heading.
const HEADINGS: [(&str, &str); 42] = [
    ("uid", "ID"),
    ("value", "Value"),
    ("label", "Label"),
    ("valid_from", "Valid from"),
    ("valid_to", "Valid until"),
    ("usage_count", "Uses left"),
    ("lock_time", "Lock (seconds)"),
    ("batch", "Batch"),
    ("voided", "Voided"),
    ("void_reason", "Reason for voiding"),
    ("state", "State"),
    ("used", "Used"),
    ("last_used", "Last used"),
    ("creator", "Created by"),
    ("created", "Created"),
    ("modified", "Changed"),
    ("timestamp", "Time"),
    ("token_uid", "Token ID"),
    ("token_value", "Token value"),
    ("token_label", "Token label"),
    ("user", "User"),
    ("outcome", "Outcome"),
    ("error", "Error"),
    ("error_code", "Error code"),
    ("gate", "Gate"),
    ("uses", "Uses"),
    ("undoes", "Undoes use"),
    ("action", "Action"),
    ("subject", "Subject"),
    ("detail", "Details"),
    ("sheet", "Sheet"),
    ("sheet_name", "Sheet name"),
    ("start", "First label"),
    ("labels", "Labels"),
    ("pages", "Pages"),
    ("size", "PDF size (bytes)"),
    ("never_used", "Never used"),
    ("deleted", "Deleted"),
    ("name", "Name"),
    ("count", "Tokens created"),
    ("present", "Tokens now"),
    ("used_up", "Used up"),
];

/// The heading of a column.
pub(crate) fn heading(column: &str) -> &str {
    HEADINGS.iter().find(|(name, _)| *name == column).map_or(column, |(_, heading)| heading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::export::{audit, batches, print_runs, tokens, usage};

    #[test]
    fn every_column_has_one_heading() {
        let all = [&tokens::COLUMNS[..], &usage::COLUMNS, &audit::COLUMNS, &print_runs::COLUMNS, &batches::COLUMNS];
        let known = |column: &&str| HEADINGS.iter().filter(|(name, _)| name == column).count() == 1;
        assert!(all.concat().iter().all(known));
        let used = |name: &str| all.iter().any(|columns| columns.contains(&name));
        let unused: Vec<_> = HEADINGS.iter().filter(|(name, _)| !used(name)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}
