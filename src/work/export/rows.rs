//! Rows of an export as bytes, in each format.

use std::borrow::Cow;

use chrono_tz::Tz;
use csv::{Terminator, WriterBuilder};
use serde::{Serialize, Serializer};

use super::format::Format;
use super::words;
use crate::access::who;
use crate::store::Error;
use crate::token::{Micros, UNLIMITED};

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A text that somebody wrote.
    Text(Cow<'a, str>),
    /// A principal.
    Who(Cow<'a, str>),
    /// A word of ours, and what people call it.
    Word(Cow<'a, str>, Cow<'a, str>),
    /// A number.
    Number(i64),
    /// Uses that are left.
    Uses(i32),
    /// A moment.
    Moment(Micros),
}

impl<'a> Cell<'a> {
    /// A text, or nothing.
    pub(crate) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    /// A principal, as it is stored.
    pub(crate) fn who(principal: &'a str) -> Self {
        Self::Who(principal.into())
    }

    /// A moment, or nothing.
    pub(crate) fn moment(moment: Option<Micros>) -> Self {
        moment.map_or(Self::Empty, Self::Moment)
    }

    /// A word of ours, and what people call it.
    pub(crate) fn word(word: &'a str, words: &'a str) -> Self {
        Self::Word(word.into(), words.into())
    }
}

/// As JSON.
impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Text(text) | Self::Who(text) | Self::Word(text, _) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Uses(uses) => serializer.serialize_i32(*uses),
            Self::Moment(moment) => moment.serialize(serializer),
        }
    }
}

/// How the rows of an export are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout<'a> {
    format: Format,
    columns: &'a [&'static str],
    /// The zone of local times.
    zone: Tz,
    /// Whether no text may be a formula.
    is_harmless: bool,
}

impl<'a> Layout<'a> {
    /// The layout of rows with these columns.
    pub(crate) fn new(format: Format, columns: &'a [&'static str], zone: Tz) -> Self {
        Self { format, columns, zone, is_harmless: format == Format::Excel }
    }

    /// The same, so that a spreadsheet runs nothing of it.
    #[must_use]
    pub(crate) fn harmless(self) -> Self {
        Self { is_harmless: true, ..self }
    }

    /// The format.
    pub(crate) fn format(self) -> Format {
        self.format
    }

    /// What comes before the rows.
    pub(crate) fn head(self) -> Result<Vec<u8>, Error> {
        let mut rows = RowWriter::new(self);
        if let Out::Table(table) = &mut rows.out {
            let is_for_people = self.format == Format::Excel;
            let heading = |column: &&'static str| if is_for_people { words::heading(column) } else { column };
            table.write_record(self.columns.iter().map(heading)).map_err(failed)?;
        }
        let mut head = if self.format == Format::Excel { BYTE_ORDER_MARK.to_vec() } else { Vec::new() };
        head.append(&mut rows.into_bytes()?);
        Ok(head)
    }

    fn cell<'c>(&self, cell: &'c Cell<'_>) -> Cow<'c, str> {
        let is_for_people = self.format == Format::Excel;
        match cell {
            Cell::Empty => Cow::Borrowed(""),
            Cell::Who(principal) if is_for_people => harmless(&who(principal)).into_owned().into(),
            Cell::Text(text) | Cell::Who(text) if self.is_harmless => harmless(text),
            Cell::Word(_, words) if is_for_people => harmless(words),
            Cell::Text(text) | Cell::Who(text) | Cell::Word(text, _) => Cow::Borrowed(text),
            Cell::Uses(UNLIMITED) if is_for_people => Cow::Borrowed(words::UNLIMITED_USES),
            Cell::Uses(uses) => uses.to_string().into(),
            Cell::Number(number) => number.to_string().into(),
            Cell::Moment(at) if is_for_people => at.local(self.zone).format("%Y-%m-%d %H:%M:%S").to_string().into(),
            Cell::Moment(at) => at.to_string().into(),
        }
    }
}

/// By it Excel knows UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Some rows of an export.
pub(crate) struct RowWriter<'a> {
    layout: Layout<'a>,
    out: Out,
}

enum Out {
    Table(Box<csv::Writer<Vec<u8>>>),
    Lines(Vec<u8>),
}

impl<'a> RowWriter<'a> {
    /// No rows yet.
    pub(crate) fn new(layout: Layout<'a>) -> Self {
        let table = |delimiter| {
            let mut table = WriterBuilder::new();
            Out::Table(Box::new(table.delimiter(delimiter).terminator(Terminator::CRLF).from_writer(Vec::new())))
        };
        let out = match layout.format {
            Format::Csv => table(b','),
            Format::Excel => table(words::SEPARATOR),
            Format::JsonLines => Out::Lines(Vec::new()),
        };
        Self { layout, out }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, cells: &[Cell]) -> Result<(), Error> {
        match &mut self.out {
            Out::Table(table) => {
                for cell in cells {
                    table.write_field(self.layout.cell(cell).as_bytes()).map_err(failed)?;
                }
                // Fails if there are more or fewer than columns.
                table.write_record(None::<&[u8]>).map_err(failed)
            }
            Out::Lines(lines) => {
                let row = Row { columns: self.layout.columns, cells };
                serde_json::to_writer(&mut *lines, &row).map_err(failed)?;
                lines.push(b'\n');
                Ok(())
            }
        }
    }

    /// The rows.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, Error> {
        match self.out {
            Out::Table(table) => table.into_inner().map_err(failed),
            Out::Lines(lines) => Ok(lines),
        }
    }
}

/// An object with its keys in the order of the columns.
struct Row<'a> {
    columns: &'a [&'static str],
    cells: &'a [Cell<'a>],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().zip(self.cells))
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Failed(format!("a row cannot be written: {error}"))
}

/// A cell of which no spreadsheet runs anything. A value is anybody's text, and one like `=HYPERLINK(…)` would be run by the
/// machine of whoever opens the file (CSV injection, see OWASP's page of that name): so a `'` comes before a `=`, `+`, `-`,
/// `@`, tab or carriage return at its beginning, which spreadsheets take for "this is text". The same behind each `,`, `;`,
/// tab and line end within it, and behind spaces and quotes there: a program that divides cells elsewhere than we do would
/// find the beginning of a cell in the middle of ours.
fn harmless(cell: &str) -> Cow<'_, str> {
    let is_formula = |at: char| matches!(at, '=' | '+' | '-' | '@' | '\t' | '\r');
    let (mut made, mut done) = (String::new(), 0);
    // At the beginning, only what stands there itself counts.
    let (mut is_at_start, mut may_skip) = (true, false);
    for (place, at) in cell.char_indices() {
        // Before a line end, what ends there is no formula.
        let ends_line = at == '\r' && cell[place..].starts_with("\r\n") && place > 0;
        if is_at_start && is_formula(at) && !ends_line {
            made.push_str(&cell[done..place]);
            made.push('\'');
            done = place;
        }
        match at {
            ',' | ';' | '\t' | '\n' | '\r' => (is_at_start, may_skip) = (true, true),
            ' ' | '"' if may_skip => {}
            _ => is_at_start = false,
        }
    }
    if made.is_empty() {
        return cell.into();
    }
    made.push_str(&cell[done..]);
    made.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 6] = ["empty", "text", "voided", "number", "uses", "at"];

    fn written(layout: Layout, text: &str) -> String {
        let at = Micros::read("2026-11-30T21:15:00.000012", Tz::UTC).unwrap();
        let cells = [
            Cell::Empty,
            Cell::text(Some(text)),
            Cell::word("used_up", "Used up"),
            Cell::Number(-3),
            Cell::Uses(UNLIMITED),
            Cell::Moment(at),
        ];
        let mut rows = RowWriter::new(layout);
        rows.add(&cells).unwrap();
        String::from_utf8([layout.head().unwrap(), rows.into_bytes().unwrap()].concat()).unwrap()
    }

    #[test]
    fn each_format_is_as_described() {
        let layout = |format| Layout::new(format, &COLUMNS, Tz::Europe__Vienna);
        let head = "empty,text,voided,number,uses,at\r\n";
        assert_eq!(
            written(layout(Format::Csv), "=a, \"b\"; ä\r\n"),
            format!("{head},\"=a, \"\"b\"\"; ä\r\n\",used_up,-3,-1,2026-11-30T21:15:00.000012Z\r\n")
        );
        assert_eq!(
            written(layout(Format::Csv).harmless(), "=a"),
            format!("{head},'=a,used_up,-3,-1,2026-11-30T21:15:00.000012Z\r\n")
        );
        assert_eq!(
            written(layout(Format::Excel), "=a, b"),
            "\u{feff}empty,text,Voided,number,Uses,at\r\n,\"'=a, b\",Used up,-3,Unlimited,2026-11-30 22:15:00\r\n"
        );
        assert_eq!(
            written(layout(Format::JsonLines), "=a \"b\" 😀\n"),
            "{\"empty\":null,\"text\":\"=a \\\"b\\\" 😀\\n\",\"voided\":\"used_up\",\"number\":-3,\"uses\":-1,\
             \"at\":\"2026-11-30T21:15:00.000012Z\"}\n"
        );
    }

    #[test]
    fn a_row_has_as_many_cells_as_columns() {
        let mut rows = RowWriter::new(Layout::new(Format::Csv, &COLUMNS, Tz::UTC));
        rows.add(&[const { Cell::Empty }; 6]).unwrap();
        assert!(rows.add(&[Cell::Empty]).is_err());
    }

    #[test]
    fn formulas_are_made_text_and_all_else_stays() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t", "\r"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for (bad, good) in [
            ("a;=1+1;b", "a;'=1+1;b"),
            ("a,=1,;@x", "a,'=1,;'@x"),
            ("a; \" =1", "a; \" '=1"),
            ("a\";\"+1", "a\";\"'+1"),
            ("a\n-1\r=2", "a\n'-1\r'=2"),
            ("a\r\n=1", "a\r\n'=1"),
            ("\t=1", "'\t'=1"),
            ("a;\t=1", "a;'\t'=1"),
            ("ä;=1😀", "ä;'=1😀"),
        ] {
            assert_eq!(harmless(bad), good, "{bad:?}");
        }
        for good in ["", "a=b", "1-1", "'=1", "anna", " =1", "a; b=1", "a, b-c", "a\r\nb,\"c", "x;'=1", "a=1;b=2"] {
            assert_eq!(harmless(good), good);
        }
    }
}
