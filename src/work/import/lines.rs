//! The lines of a file, each with what it says of a token.

mod csv_lines;
mod json_lines;
pub(crate) mod line;

use std::io::{self, Read};

use super::decode::Utf8Reader;
use super::source::Source;
use crate::store::Error;
use crate::token::import::columns::Columns;
use crate::token::import::options::{FileFormat, ImportOptions};
use csv_lines::CsvLines;
use json_lines::JsonLines;
use line::{Head, Line};

/// The lines of a file, one after the other.
pub(crate) enum Lines<'a> {
    Csv(CsvLines<'a>),
    Json(JsonLines<'a>),
}

/// Opens a file, whose columns are not chosen yet, and finds out what it is: by its name, and else by what it begins with.
fn open<'a>(source: &'a dyn Source, name: &str, options: &ImportOptions) -> io::Result<Lines<'a>> {
    let mut reader = Utf8Reader::new(source.open()?, options.encoding)?;
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head)?;
    reader.allow_line();
    let by_name = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    let format = options.format.unwrap_or(match by_name.as_deref() {
        Some("jsonl" | "ndjson" | "json") => FileFormat::JsonLines,
        Some("csv" | "tsv" | "txt") => FileFormat::Csv,
        _ if head.trim_ascii_start().starts_with(b"{") => FileFormat::JsonLines,
        _ => FileFormat::Csv,
    });
    match format {
        FileFormat::Csv => CsvLines::open(&head, reader, (options.separator, options.trims)).map(Lines::Csv),
        FileFormat::Labels => CsvLines::of_labels(head, reader).map(Lines::Csv),
        FileFormat::JsonLines => JsonLines::open(head, reader).map(Lines::Json),
    }
}

/// Bytes of text that are looked at to find out what a file is.
const HEAD: u64 = 64 * 1024;

fn unreadable(error: &io::Error) -> Error {
    let why = error.to_string();
    Error::Refused(format!("The file cannot be read: {}.", why.trim_end_matches('.')))
}

/// What a file is, and its first lines.
///
/// # Errors
/// Refused, when it cannot be read.
pub(crate) fn head(source: &dyn Source, name: &str, options: &ImportOptions, rows: usize) -> Result<Head, Error> {
    let found = match open(source, name, options).map_err(|error| unreadable(&error))? {
        Lines::Csv(lines) => lines.head(rows),
        Lines::Json(lines) => lines.head(rows),
    };
    found.map_err(|error| unreadable(&error))
}

impl<'a> Lines<'a> {
    /// The lines of a file, with its columns as they are chosen.
    ///
    /// # Errors
    /// Refused, when it cannot be read, or its columns cannot be told.
    pub(crate) fn read(source: &'a dyn Source, name: &str, options: &ImportOptions) -> Result<(Self, Columns), Error> {
        match open(source, name, options).map_err(|error| unreadable(&error))? {
            Self::Csv(mut lines) => {
                let columns = Columns::resolve(lines.columns(), options).map_err(Error::Refused)?;
                lines.choose(&columns);
                Ok((Self::Csv(lines), columns))
            }
            Self::Json(mut lines) => {
                let columns = Columns::resolve(&lines.columns(options), options).map_err(Error::Refused)?;
                lines.choose(&columns);
                Ok((Self::Json(lines), columns))
            }
        }
    }

    /// The next line.
    ///
    /// # Errors
    /// What makes it impossible to read on, with the number of the line.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, (u64, String)> {
        match self {
            Self::Csv(lines) => lines.next(),
            Self::Json(lines) => lines.next(),
        }
    }

    /// The last line that was read, as it stands in the file: one cell for each column, or one for the whole line.
    pub(crate) fn raw(&self) -> Vec<&str> {
        match self {
            Self::Csv(lines) => lines.raw(),
            Self::Json(lines) => vec![lines.raw()],
        }
    }

    /// The names of the columns, where a line names them.
    pub(crate) fn first_line(&self) -> Option<&[String]> {
        match self {
            Self::Csv(lines) => Some(lines.columns()),
            Self::Json(_) => None,
        }
    }

    /// Names that were found in lines and are not imported.
    pub(crate) fn ignored(&self, columns: &Columns) -> Vec<String> {
        match self {
            Self::Csv(_) => columns.ignored.clone(),
            Self::Json(lines) => lines.ignored(),
        }
    }

    /// The digest of the file, when it was read to its end.
    pub(crate) fn digest(&self) -> Option<String> {
        match self {
            Self::Csv(lines) => lines.digest(),
            Self::Json(lines) => lines.digest(),
        }
    }
}
