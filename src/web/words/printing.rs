//! What the pages say of sheets, print jobs, print runs and printers.

use crate::sheet::text_size::TextSize;
use crate::web::format::{grouped, tokens};
use crate::work::printing::options::TextBeside;

/// The pages about printing.
pub(crate) const PRINT_LABELS: &str = "Print labels";
pub(crate) const PRINTED_SHEETS: &str = "Printed sheets";
pub(crate) const PRINTERS: &str = "Printers";
pub(crate) const LABEL_SHEETS: &str = "Label sheets";

/// Groups of sheets.
pub(crate) const OWN_SHEETS: &str = "Your label sheets";
pub(crate) const A4: &str = "A4";
pub(crate) const LETTER: &str = "Letter";

/// What is printed beside a code.
pub(crate) fn beside(text: TextBeside) -> &'static str {
    match text {
        TextBeside::Label => "Label, or value if there is none",
        TextBeside::Value => "Value",
        TextBeside::None => "Nothing",
    }
}

/// How large the text is.
pub(crate) fn text_size(size: TextSize) -> &'static str {
    match size {
        TextSize::Small => "Small",
        TextSize::Medium => "Medium",
        TextSize::Large => "Large",
    }
}

/// What the second line says.
pub(crate) const SECOND_NONE: &str = "Nothing";
pub(crate) const SECOND_VALID_UNTIL: &str = "Valid until";
pub(crate) const SECOND_BATCH: &str = "Batch";
pub(crate) const SECOND_TEXT: &str = "Your own text";

/// Voided tokens that a filter finds and no sheet has.
pub(crate) fn voided_left_out(count: i64) -> String {
    if count == 1 {
        "1 voided token is left out.".into()
    } else {
        format!("{} voided tokens are left out.", grouped(count))
    }
}

/// Where the next print begins.
pub(crate) fn continue_at(label: u32) -> String {
    format!("Continue at label {}", grouped(label))
}

/// Where the last print ended.
pub(crate) fn last_ended_at(label: u32) -> String {
    format!("Your last sheet ended at label {}.", grouped(label))
}

/// A page of the preview.
pub(crate) fn page_of(number: usize, pages: usize) -> String {
    format!("Page {number} of {pages}, as it will be printed")
}

/// A page that the browser prints.
pub(crate) fn page_number(number: usize) -> String {
    format!("Page {number}")
}

/// The state of a printer that was just saved.
pub(crate) const PRINTER_SAVED_CHOOSE: &str = "Printer saved. Choose what to print.";
pub(crate) const PRINTER_SAVED_SELECTED: &str = "Printer saved and selected below.";
pub(crate) const PRINTER_SAVED: &str = "Printer saved.";
pub(crate) const PRINTER_REMOVED: &str = "Printer removed.";

/// Changes of label sheets.
pub(crate) const SHEET_ADDED: &str = "Label sheet added.";
pub(crate) const SHEET_CHANGED: &str = "Label sheet changed. Sheets you printed before stay as they were.";
pub(crate) const SHEET_REMOVED: &str = "Label sheet removed. Sheets you printed before are kept.";
pub(crate) const ADD_SHEET: &str = "Add a label sheet";

/// The name of a copy of a sheet.
pub(crate) fn copy_of(name: &str) -> String {
    format!("{name} (copy)")
}

/// Fields of a label sheet, and their hints.
pub(crate) const PAGE_WIDTH: (&str, &str) = ("Page width", "A4 is 210 × 297, Letter 215.9 × 279.4.");
pub(crate) const PAGE_HEIGHT: (&str, &str) = ("Page height", "");
pub(crate) const LABEL_WIDTH: (&str, &str) = ("Label width", "");
pub(crate) const LABEL_HEIGHT: (&str, &str) = ("Label height", "");
pub(crate) const LEFT: (&str, &str) = ("Left", "From the page’s left edge to the first label.");
pub(crate) const TOP: (&str, &str) = ("Top", "From the page’s top edge to the first label.");
pub(crate) const PITCH_X: (&str, &str) = ("Pitch across", "From one label’s left edge to the next label’s left edge.");
pub(crate) const PITCH_Y: (&str, &str) = ("Pitch down", "From one label’s top edge to the next label’s top edge.");
pub(crate) const MARGIN: (&str, &str) = ("Margin", "How close to the paper’s edge the printer can print. Usually 5.");

/// An error about a field.
pub(crate) fn wrong_field(label: &str, why: impl std::fmt::Display) -> String {
    format!("“{label}”: {why}.")
}

/// The name of a new sheet for a roll printer.
pub(crate) const ROLL: &str = "Roll";

/// The labels of a sheet.
pub(crate) fn labels_of_sheet(columns: u16, rows: u16) -> String {
    if (columns, rows) == (1, 1) { "1 label".into() } else { format!("{columns} × {rows}") }
}

/// A sheet's picture.
pub(crate) fn picture_of_sheet(columns: u16, rows: u16) -> String {
    format!("{columns} by {rows} labels on a page")
}

/// Fields of a printer.
pub(crate) const SHIFT_RIGHT: &str = "Shift right";
pub(crate) const SHIFT_DOWN: &str = "Shift down";
pub(crate) const RESOLUTION: &str = "Resolution";

/// An offset that is out of bounds.
pub(crate) fn offset_out_of_bounds(label: &str) -> String {
    format!("“{label}” must be from -20 to 20 mm.")
}

/// How far a print was shifted.
pub(crate) fn shifted(right: impl std::fmt::Display, down: impl std::fmt::Display) -> String {
    format!("{right} mm right, {down} mm down")
}

/// A measured distance that is no number.
pub(crate) const NOT_A_DISTANCE: &str = "Enter the distance in millimetres, such as 29.4.";

/// What a check found.
pub(crate) const CHECK_STOPPED: &str = "The server is too busy to finish the check. Try again in a moment.";

/// A check without failures.
pub(crate) fn check_passed(count: usize) -> String {
    format!("{} checked: every code can be scanned and is correct.", tokens(count))
}

/// A check with failures.
pub(crate) fn check_failed(failed: usize, count: usize) -> String {
    let labels = if failed == 1 { "1 label".to_owned() } else { format!("{} labels", grouped(failed as u64)) };
    format!("{labels} of {} failed. Use larger labels, a finer printer or shorter values.", grouped(count as u64))
}

/// Codes of a page that were read.
pub(crate) fn codes_read(count: usize) -> String {
    if count == 1 { "1 code read".into() } else { format!("{count} codes read") }
}

/// A print that was fetched before anybody wanted it.
pub(crate) const NO_PREFETCH: &str = "This address prints labels. Open it only when you want to print.";

/// Pages of a PDF.
pub(crate) fn pages(count: i32) -> String {
    if count == 1 { "1 page".into() } else { format!("{} pages", grouped(count)) }
}

/// What is left to see of a run.
pub(crate) fn on_sheet(count: i32, sheet: &str) -> String {
    format!("{} on {sheet}", tokens(count))
}

/// A print job.
pub(crate) const JOB_FINISHED: &str = "All labels are ready. Open each PDF and print it.";
pub(crate) const JOB_DISMISSED: &str = "Print job dismissed.";
pub(crate) const JOB_FOREIGN: &str =
    "Another version of Tessera started this print job, and this version can’t continue it. Print the rest again.";
pub(crate) const JOB_STOPPED: &str = "Printing stopped";

/// Labels that keep a job from going on.
pub(crate) fn labels_not_printable(count: usize) -> String {
    match count {
        0 => JOB_STOPPED.into(),
        1 => "1 label can’t be printed".into(),
        count => format!("{} labels can’t be printed", grouped(count as u64)),
    }
}

/// Labels by name, of which there may be more.
pub(crate) fn names_and_more(names: &[String], count: usize) -> String {
    let more = count.saturating_sub(names.len());
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {} more", grouped(more as u64)) }
}

/// How many of a job's labels are printed.
pub(crate) fn printed_of(printed: i32, total: i32) -> String {
    format!("{} of {} printed", grouped(printed), tokens(total))
}

/// Labels that a finished job did not print.
pub(crate) fn labels_left_out(count: i32) -> String {
    if count == 1 { "1 label was left out.".into() } else { format!("{} labels were left out.", grouped(count)) }
}
