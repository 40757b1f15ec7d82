//! What the pages call the fields of their forms, and what is wrong with numbers in them.

pub(crate) const USES: &str = "Uses must be a whole number from 0 to 2,147,483,647, or unlimited.";
pub(crate) const LOCK: &str = "The lock must be a whole number of seconds, at most 2,147,483,647. Enter 0 for no lock.";

/// Parameters, and the names of their fields.
pub(crate) const LABELS: &[(&str, &str)] = &[
    ("value", "Value"),
    ("label", "Label"),
    ("valid_from", "Valid from"),
    ("valid_to", "Valid to"),
    ("usage_count", "Uses"),
    ("lock_time", "Lock after each use"),
    ("created_from", "Created from"),
    ("created_to", "Created to"),
    ("batch_name", "Name"),
    ("from", "From"),
    ("to", "To"),
    ("user", "User or API key"),
    ("reason", "Reason"),
    ("count", "How many"),
    ("start_number", "Start at"),
    ("digits", "Digits"),
    ("add_uses", "Uses to add"),
    ("select", "Apply to"),
    ("columns", "Columns"),
    ("rows", "Rows"),
    ("start", "Start at label"),
    ("dpi", "Resolution"),
    ("text", "Beside the code"),
    ("text_size", "Text size"),
    ("second_line", "Second line"),
    ("second_text", "Text of the second line"),
    ("expires", "Valid until"),
    ("who", "User or API key"),
    ("what", "Action"),
    ("undo", "Undo a scan within"),
];
