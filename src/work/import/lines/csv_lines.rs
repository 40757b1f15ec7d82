//! Lines of cells between separators (RFC 4180), of which the first names the columns; or lines of one label each.

use std::io::{self, Chain, Cursor, Read};

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::super::decode::Utf8Reader;
use super::line::{Head, Line};
use crate::token::import::columns::Columns;
use crate::token::import::field::{Cells, Field};
use crate::token::import::options::{FileFormat, Separator};

/// Stands between the cells of a file that has one in each line.
const UNIT_SEPARATOR: u8 = 0x1f;

/// A CSV file.
pub(crate) struct CsvLines<'a> {
    reader: Reader<Chain<Cursor<Vec<u8>>, Utf8Reader<'a>>>,
    format: FileFormat,
    separator: Option<Separator>,
    columns: Vec<String>,
    fields: Vec<Option<Field>>,
    record: StringRecord,
    /// Lines before those that the reader counts.
    skipped: u64,
    /// The number of the last record, if it goes over lines.
    last_over_lines: Option<u64>,
}

impl<'a> CsvLines<'a> {
    /// Opens a file of which `head` is read already.
    pub(super) fn open(
        head: &[u8],
        rest: Utf8Reader<'a>,
        (chosen, trims): (Option<Separator>, bool),
    ) -> io::Result<Self> {
        let (told, skip) = told_separator(head);
        let head = head[skip..].to_vec();
        let end = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
        let separator = chosen.or(told).unwrap_or_else(|| Separator::of_head(&String::from_utf8_lossy(&head[..end])));
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(separator.byte());
        builder.trim(if trims { Trim::All } else { Trim::None });
        let mut reader = builder.from_reader(Cursor::new(head).chain(rest));
        let mut record = StringRecord::new();
        if !reader.read_record(&mut record).map_err(io_error)? {
            return Err(empty());
        }
        let columns = record.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self {
            reader,
            format: FileFormat::Csv,
            separator: Some(separator),
            columns,
            fields: Vec::new(),
            record,
            skipped: u64::from(skip > 0),
            last_over_lines: None,
        })
    }

    /// Opens a file of which each line is a label, whatever is in it. White space at its ends is left out.
    pub(super) fn of_labels(head: Vec<u8>, rest: Utf8Reader<'a>) -> io::Result<Self> {
        if head.trim_ascii().is_empty() {
            return Err(empty());
        }
        let mut builder = ReaderBuilder::new();
        // No label has this separator: control characters are refused.
        builder.has_headers(false).flexible(true).quoting(false).delimiter(UNIT_SEPARATOR).trim(Trim::All);
        Ok(Self {
            reader: builder.from_reader(Cursor::new(head).chain(rest)),
            format: FileFormat::Labels,
            separator: None,
            columns: vec![Field::Label.name().to_owned()],
            fields: Vec::new(),
            record: StringRecord::new(),
            skipped: 0,
            last_over_lines: None,
        })
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Sets which columns are imported.
    pub(super) fn choose(&mut self, columns: &Columns) {
        self.fields = self.columns.iter().map(|name| columns.field(name)).collect();
    }

    pub(super) fn head(mut self, rows: usize) -> io::Result<Head> {
        let mut first = Vec::new();
        while first.len() < rows && self.advance().map_err(io_error)? {
            first.push(self.record.iter().map(str::to_owned).collect());
        }
        let (format, separator) = (self.format, self.separator);
        Ok(Head { encoding: self.text().encoding, columns: self.columns, rows: first, format, separator })
    }

    fn text(&self) -> &Utf8Reader<'a> {
        self.reader.get_ref().get_ref().1
    }

    fn advance(&mut self) -> Result<bool, csv::Error> {
        self.reader.get_mut().get_mut().1.allow_line();
        self.reader.read_record(&mut self.record)
    }

    pub(super) fn next(&mut self) -> Result<Option<Line>, (u64, String)> {
        let began = self.reader.position().line() + self.skipped;
        match self.advance() {
            Ok(true) => {}
            Ok(false) => return self.end(),
            Err(error) => return Err((began, format!("The file cannot be read on: {}.", io_error(error)))),
        }
        let number = self.record.position().map_or(began, |position| position.line() + self.skipped);
        self.last_over_lines = self.record.iter().any(|cell| cell.contains('\n')).then_some(number);
        Ok(Some(Line { number, cells: self.cells() }))
    }

    /// The end of the file, unless a quote was opened in the last record and goes over lines, as nothing closes it.
    fn end(&self) -> Result<Option<Line>, (u64, String)> {
        match self.last_over_lines.filter(|_| self.text().is_quoted()) {
            Some(line) => Err((line, "A quote opens here and never closes. Close it or remove it.".into())),
            None => Ok(None),
        }
    }

    fn cells(&self) -> Result<Cells, String> {
        let (has, wants) = (self.record.len(), self.columns.len());
        let is_blank = self.record.iter().all(str::is_empty);
        // Spreadsheets leave empty cells at the end away, or write some more.
        let more_is_empty = self.record.iter().skip(wants).all(str::is_empty);
        if !is_blank && (has < wants || !more_is_empty) {
            let cells = if has == 1 { "1 cell".to_owned() } else { format!("{has} cells") };
            return Err(format!("The line has {cells}, and the first line of the file names {wants} columns."));
        }
        let mut cells = Cells::default();
        for (field, text) in self.fields.iter().zip(&self.record) {
            if let Some(field) = field {
                cells.set(*field, text.to_owned());
            }
        }
        Ok(cells)
    }

    pub(super) fn raw(&self) -> Vec<&str> {
        self.record.iter().collect()
    }

    pub(super) fn digest(&self) -> Option<String> {
        self.text().digest()
    }
}

/// The separator that a first line `sep=;` tells, as Excel reads and writes it, and that line's length.
fn told_separator(head: &[u8]) -> (Option<Separator>, usize) {
    let Some(rest) = head.strip_prefix(b"sep=") else { return (None, 0) };
    let found = rest.first().and_then(|byte| Separator::ALL.iter().find(|one| one.byte() == *byte));
    let end = rest.iter().position(|byte| *byte == b'\n');
    match (found, end) {
        (Some(found), Some(end)) if end <= 2 => (Some(*found), b"sep=".len() + end + 1),
        _ => (None, 0),
    }
}

fn empty() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is empty")
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::new(io::ErrorKind::InvalidData, format!("{kind:?}")),
    }
}
