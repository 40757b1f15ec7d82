//! What the pages say of the import of a file.

use crate::token::import::field::Field;
use crate::token::import::options::{FileFormat, Mode, Separator};

pub(crate) const NO_FILE: &str = "Choose a file that is not empty.";
pub(crate) const NO_LIST: &str = "Paste at least one line.";
pub(crate) const PASTED_LIST: &str = "Pasted list";
pub(crate) const UNNAMED_FILE: &str = "tokens";
pub(crate) const NOT_WHOLE: &str = "only part of it arrived in time";
pub(crate) const VOIDS: &str = "This file voids or restores tokens. Ask an administrator to import this file.";
pub(crate) const NO_ERRORS: &str = "This file has no errors, or has not been checked yet.";

pub(crate) const ADD: &str = "Add new tokens";
pub(crate) const CHANGE_BY_VALUE: &str = "Change existing tokens, found by value";
pub(crate) const CHANGE_BY_ID: &str = "Change existing tokens, found by ID";
pub(crate) const NO_COLUMN: &str = "Not in the file";
pub(crate) const AUTOMATIC: &str = "Automatic";
pub(crate) const RANDOM_VALUE: &str = "A new random value";

pub(crate) const SENDING: &str = "Being sent";
pub(crate) const SENT: &str = "Not checked yet";
pub(crate) const CHECKING: &str = "Being checked";
pub(crate) const HAS_ERRORS: &str = "Has errors";
pub(crate) const CHECKED: &str = "Checked, not imported yet";
pub(crate) const IMPORTING: &str = "Being imported";
pub(crate) const DONE: &str = "Imported";
pub(crate) const FAILED: &str = "Not imported";

/// What the pages call a column.
pub(crate) fn column(field: Field) -> &'static str {
    match field {
        Field::Uid => "ID",
        Field::Value => "Value",
        Field::Label => "Label",
        Field::ValidFrom => "Valid from",
        Field::ValidTo => "Valid to",
        Field::UsageCount => "Uses left",
        Field::LockTime => "Lock in seconds",
        Field::Batch => "Batch",
        Field::Voided => "Voided since",
        Field::VoidReason => "Reason for voiding",
        Field::Used => "Used so far",
    }
}

/// What the pages call the lines of a file.
pub(crate) fn format(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "CSV",
        FileFormat::JsonLines => "JSON Lines",
        FileFormat::Labels => "Labels, one per line",
    }
}

/// What the pages call what stands between columns.
pub(crate) fn separator(separator: Separator) -> &'static str {
    match separator {
        Separator::Comma => "Comma ,",
        Separator::Semicolon => "Semicolon ;",
        Separator::Tab => "Tab",
        Separator::Bar => "Bar |",
    }
}

/// What a button does.
pub(crate) fn verb(mode: Mode, tokens: &str) -> String {
    let verb = if mode == Mode::Add { "Create" } else { "Change" };
    format!("{verb} {tokens}")
}

/// How many errors there are, as in `3 errors in 450 lines`.
pub(crate) fn errors_in_lines(errors: &str, lines: &str) -> String {
    format!("{errors} in {lines}")
}

/// How many errors the page leaves out, and how many the file of them has.
pub(crate) fn more_errors(more: &str, most: &str) -> String {
    format!("{more} more. Download the lines with errors to see the first {most}.")
}

/// Why a file was not taken.
pub(crate) fn unreadable(why: &dyn std::fmt::Display) -> String {
    format!("The file could not be read: {why}. Send it again.")
}
