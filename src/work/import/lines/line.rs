//! A line of a file, and what is known of a file from its first ones.

use crate::token::import::field::Cells;
use crate::token::import::options::{Encoding, FileFormat, Separator};

/// A line of a file.
pub(crate) struct Line {
    /// Its number, counted from 1.
    pub(crate) number: u64,
    /// What it says, or what is wrong with it as a whole.
    pub(crate) cells: Result<Cells, String>,
}

/// What is known of a file before its columns are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
    /// The first lines, a text for each column.
    pub(crate) rows: Vec<Vec<String>>,
    /// What its lines are.
    pub(crate) format: FileFormat,
    /// How characters are stored.
    pub(crate) encoding: Encoding,
    /// What stands between the columns.
    pub(crate) separator: Option<Separator>,
}
