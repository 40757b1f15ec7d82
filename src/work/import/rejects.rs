//! The lines of a file that have errors, as a file of their own.

use std::collections::BTreeMap;

use super::job::Job;
use super::lines::Lines;
use crate::store::Error;
use crate::token::import::report::ImportReport;

/// The lines with the reported errors as a CSV file with two columns before theirs: the line and what is wrong.
///
/// # Errors
/// Refused, when the file cannot be read any more.
pub(crate) fn rejects(job: &Job, report: &ImportReport) -> Result<Vec<u8>, Error> {
    let fault = |error: csv::Error| Error::Failed(error.to_string());
    let mut wrong: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for error in &report.errors {
        let place = if error.column.is_empty() { String::new() } else { format!("{}: ", error.column) };
        wrong.entry(error.line).or_default().push(format!("{place}{}", error.message));
    }
    let (mut lines, _) = Lines::read(job.source, job.name, job.options)?;
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let names = lines.first_line().map_or_else(|| vec!["json".to_owned()], <[String]>::to_vec);
    let head = ["line".to_owned(), "error".to_owned()].into_iter().chain(names);
    writer.write_record(head).map_err(fault)?;
    while let Ok(Some(line)) = lines.next() {
        let Some(errors) = wrong.remove(&line.number) else { continue };
        let (number, errors) = (line.number.to_string(), errors.join(" "));
        let cells = [number.as_str(), errors.as_str()].into_iter().chain(lines.raw());
        writer.write_record(cells).map_err(fault)?;
        if wrong.is_empty() {
            break;
        }
    }
    let more = report.error_count.saturating_sub(report.errors.len());
    if more > 0 {
        writer.write_record(["", &format!("Errors not listed here: {more}.")]).map_err(fault)?;
    }
    writer.into_inner().map_err(|error| Error::Failed(error.to_string()))
}
