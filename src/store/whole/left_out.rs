//! What is not written, and why.

/// A table, or a column of one, and why it is left out.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("users.password_hash", "a secret; passwords could be guessed by it"),
    ("keys.hash", "a secret; it is of no use elsewhere, as a key's text is not known"),
    ("settings.cookie_key", "a secret, with which cookies are sealed"),
    ("sessions", "who is signed in at the moment, a secret"),
    ("attempts", "failed sign-ins of the last minutes; the audit has them"),
    ("replies", "answers that are given again for a day; the usage log has what was used"),
    ("advisory_locks", "it has no data"),
    ("imports", "files that were sent to be imported in the last month; what they did is in the audit"),
    ("import_parts", "as imports"),
    ("index_progress", "what searches are made quick with; it follows from tokens and usage"),
    ("index_queue", "as index_progress"),
    ("token_zones", "as index_progress"),
    ("print_run_parts", "the PDFs, which are files here"),
    ("usage.token", "a number within the database; token_uid says the same"),
    ("usage.previous", "a number within the database"),
    ("tokens.last_entry", "a number within the database"),
    ("batches.touched", "how far the making of a batch was; it is complete"),
    ("batches.failure", "batches that were never made are not here"),
    ("actions.cursor", "how far an action was"),
    ("actions.handled", "how far an action was"),
    ("actions.touched", "how far an action was"),
    ("print_jobs.cursor", "how far a print job was"),
    ("print_jobs.seen", "how far a print job was"),
];
