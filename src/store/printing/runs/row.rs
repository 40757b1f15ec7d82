//! A print run's row.

use crate::token::Micros;

/// A sheet that was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintRun {
    /// Its number.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The number of the job that it is a part of.
    pub job: Option<i64>,
    /// Which part, counted from 1.
    pub part: i32,
    /// The principal that printed it.
    pub principal: String,
    /// When.
    pub timestamp: Micros,
    /// The sheet's slug.
    pub sheet: String,
    /// How it was printed, as JSON, with the whole geometry.
    pub options: String,
    /// The first label, counted from 1.
    pub start: i32,
    /// How many labels.
    pub count: i32,
    /// On how many pages.
    pub pages: i32,
    /// The PDF's bytes.
    pub size: i64,
    /// The digest of the PDF and its tokens, in base64url.
    pub digest: String,
}

pub(super) type RunRow =
    (i64, String, Option<i64>, i32, String, i64, String, String, i32, i32, i32, i64, String, Option<i64>);

pub(super) fn run(row: RunRow) -> PrintRun {
    let (id, uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest, _) = row;
    let timestamp = Micros::stored(timestamp);
    PrintRun { id, uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest }
}
