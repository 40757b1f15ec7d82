//! A print run's row.

use crate::token::Micros;

/// A printed sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintRun {
    /// Its id.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The id of the job that it is part of.
    pub job: Option<i64>,
    /// Which part of the job, counted from 1.
    pub part: i32,
    /// The principal that printed it.
    pub principal: String,
    /// When it was printed.
    pub timestamp: Micros,
    /// The sheet's slug.
    pub sheet: String,
    /// How it was printed, as JSON, including the full geometry.
    pub options: String,
    /// The first label, counted from 1.
    pub start: i32,
    /// How many labels.
    pub count: i32,
    /// The number of pages.
    pub pages: i32,
    /// The PDF's size in bytes.
    pub size: i64,
    /// The digest of the PDF, the print options and the tokens, in base64url.
    pub digest: String,
}

pub(super) type RunRow =
    (i64, String, Option<i64>, i32, String, i64, String, String, i32, i32, i32, i64, String, Option<i64>);

pub(super) fn print_run(row: RunRow) -> PrintRun {
    let (id, uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest, _) = row;
    let timestamp = Micros::stored(timestamp);
    PrintRun { id, uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest }
}
