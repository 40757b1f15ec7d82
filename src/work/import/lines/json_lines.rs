//! Lines that are a JSON object each.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::decode::Utf8Reader;
use super::line::{Head, Line};
use crate::token::import::columns::Columns;
use crate::token::import::field::{Cells, Field};
use crate::token::import::options::{FileFormat, ImportOptions};
use crate::token::json_number::whole;
use crate::token::quoted;

/// Most names of fields that are remembered as not imported.
const MOST_IGNORED: usize = 100;

/// A file of JSON lines.
pub(crate) struct JsonLines<'a> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, Utf8Reader<'a>>>,
    /// The names in the first lines.
    names: Vec<String>,
    fields: HashMap<String, Field>,
    line: String,
    number: u64,
    ignored: BTreeSet<String>,
}

impl<'a> JsonLines<'a> {
    /// Opens a file of which `head` is read already.
    pub(super) fn open(head: Vec<u8>, rest: Utf8Reader<'a>) -> io::Result<Self> {
        let mut names = Vec::new();
        for line in String::from_utf8_lossy(&head).lines() {
            for (name, _) in serde_json::from_str::<Object>(line).map(|object| object.0).unwrap_or_default() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if head.trim_ascii().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
        }
        let reader = BufReader::new(Cursor::new(head).chain(rest));
        let (line, fields, ignored) = (String::new(), HashMap::new(), BTreeSet::new());
        Ok(Self { reader, names, fields, line, number: 0, ignored })
    }

    /// The names that are known before all lines are read, and those that are imported wherever they come.
    pub(super) fn columns(&self, options: &ImportOptions) -> Vec<String> {
        let mut names = self.names.clone();
        for field in Field::ALL.into_iter().filter(|field| !options.columns.contains_key(field)) {
            let is_there = |name: &String| name.to_lowercase().replace([' ', '-'], "_") == field.name();
            if !names.iter().any(is_there) {
                names.push(field.name().to_owned());
            }
        }
        names
    }

    pub(super) fn choose(&mut self, columns: &Columns) {
        let of = |field| (columns.name_of(field).to_owned(), field);
        self.fields = Field::ALL.into_iter().filter(|field| columns.has(*field)).map(of).collect();
    }

    pub(super) fn head(mut self, rows: usize) -> io::Result<Head> {
        let mut first = Vec::new();
        while first.len() < rows && self.advance()? {
            let Ok(Object(pairs)) = serde_json::from_str::<Object>(&self.line) else { continue };
            let pairs: HashMap<String, Box<RawValue>> = pairs.into_iter().collect();
            let cell = |name: &String| pairs.get(name).and_then(|value| text(value).ok()).unwrap_or_default();
            first.push(self.names.iter().map(cell).collect());
        }
        let encoding = self.reader.get_ref().get_ref().1.encoding;
        Ok(Head { encoding, columns: self.names, rows: first, format: FileFormat::JsonLines, separator: None })
    }

    /// Reads the next line that is not blank.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.reader.get_mut().get_mut().1.allow_line();
            self.line.clear();
            self.number += 1;
            if self.reader.read_line(&mut self.line)? == 0 {
                return Ok(false);
            }
            if !self.line.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Line>, (u64, String)> {
        match self.advance() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err((self.number, format!("The file cannot be read on: {error}."))),
        }
        let cells = match serde_json::from_str::<Object>(&self.line) {
            Ok(Object(pairs)) => self.cells(pairs),
            Err(error) => Err(format!("The line is no JSON object: {error}.")),
        };
        Ok(Some(Line { number: self.number, cells }))
    }

    fn cells(&mut self, pairs: Vec<(String, Box<RawValue>)>) -> Result<Cells, String> {
        let mut cells = Cells::default();
        for (name, value) in pairs {
            let Some(field) = self.fields.get(&name) else {
                if self.ignored.len() < MOST_IGNORED {
                    self.ignored.insert(name);
                }
                continue;
            };
            // One of two would be lost without a word.
            if cells.get(*field).is_some() {
                return Err(format!("The line says {} twice.", quoted(&name)));
            }
            let said = text(&value).map_err(|what| format!("{} is {what}, not a text or a number.", quoted(&name)))?;
            let number = whole(value.get()).filter(|_| field.is_number());
            cells.set(*field, number.map_or(said, |number| number.to_string()));
        }
        Ok(cells)
    }

    pub(super) fn raw(&self) -> &str {
        self.line.trim_end()
    }

    pub(super) fn ignored(&self) -> Vec<String> {
        self.ignored.iter().cloned().collect()
    }

    pub(super) fn digest(&self) -> Option<String> {
        self.reader.get_ref().get_ref().1.digest()
    }
}

/// A value as a cell of a table has it; or what it is that no cell can have. Of a number, what stands there: as a number it
/// could lose digits.
fn text(value: &RawValue) -> Result<String, &'static str> {
    let literal = value.get();
    match literal.as_bytes().first() {
        Some(b'n') => Ok(String::new()),
        Some(b'"') => serde_json::from_str(literal).map_err(|_| "a text that cannot be read"),
        Some(b'[') => Err("a list"),
        Some(b'{') => Err("an object"),
        _ => Ok(literal.to_owned()),
    }
}

/// The pairs of an object, also those whose name comes twice.
struct Object(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
