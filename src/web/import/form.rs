//! The form that says how a file is to be imported.

use std::collections::BTreeMap;

use serde::Deserialize;
use validator::Validate;

use crate::token::import::columns::suggested;
use crate::token::import::field::Field;
use crate::token::import::options::{Encoding, FileFormat, ImportOptions, Mode, Separator};
use crate::token::{Problem, TokenError, batch};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::words::imports as words;
use crate::work::import::lines::line::Head;

/// The words of each mode in the form and on the page.
const MODES: [(Mode, &str, &str); 3] = [
    (Mode::Add, "add", words::ADD),
    (Mode::ChangeByValue, "value", words::CHANGE_BY_VALUE),
    (Mode::ChangeByUid, "uid", words::CHANGE_BY_ID),
];

/// A field, and the columns that can be chosen for it.
pub(super) struct ColumnChoice {
    /// The name in the form.
    pub(super) name: String,
    /// The name on the page.
    pub(super) label: &'static str,
    pub(super) choices: Vec<Choice>,
}

/// The choices of the form.
pub(super) struct OptionsForm {
    pub(super) modes: Vec<Choice>,
    pub(super) columns: Vec<ColumnChoice>,
    pub(super) batch: String,
    pub(super) encodings: Vec<Choice>,
    pub(super) formats: Vec<Choice>,
    pub(super) separators: Vec<Choice>,
}

fn param(field: Field) -> String {
    format!("column_{}", field.name())
}

impl OptionsForm {
    /// Of a file that has these columns, if they are known.
    pub(super) fn new(options: &ImportOptions, head: Option<&Head>) -> Self {
        let names = head.map(|head| head.columns.as_slice()).unwrap_or_default();
        let column = |field: Field| {
            let chosen = suggested(field, names, options).unwrap_or_default();
            let none = std::iter::once((String::new(), words::NO_COLUMN.to_owned()));
            let all = names.iter().filter(|name| !name.is_empty()).map(|name| (name.clone(), name.clone()));
            ColumnChoice {
                name: param(field),
                label: words::column(field),
                choices: Choice::list(none.chain(all), &chosen),
            }
        };
        let mode = MODES.iter().find(|(mode, ..)| *mode == options.mode).map_or("add", |(_, word, _)| word);
        let automatic = || std::iter::once((String::new(), words::AUTOMATIC.to_owned()));
        let encodings = Encoding::ALL.iter().map(|one| (one.word().to_owned(), one.word().to_uppercase()));
        let formats = FileFormat::ALL.iter().map(|one| (one.word().to_owned(), words::format(*one).to_owned()));
        let separators = Separator::ALL.iter().map(|one| (one.word().to_owned(), words::separator(*one).to_owned()));
        let chosen = |word: Option<&'static str>| word.unwrap_or_default();
        Self {
            modes: Choice::list(MODES.map(|(_, word, label)| (word, label)), mode),
            columns: if names.is_empty() { Vec::new() } else { Field::ALL.into_iter().map(column).collect() },
            batch: options.batch.clone().unwrap_or_default(),
            encodings: Choice::list(automatic().chain(encodings), chosen(options.encoding.map(Encoding::word))),
            formats: Choice::list(automatic().chain(formats), chosen(options.format.map(FileFormat::word))),
            separators: Choice::list(automatic().chain(separators), chosen(options.separator.map(Separator::word))),
        }
    }
}

/// What the form sends.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ImportForm {
    /// The word of one of [`MODES`]; none for the first.
    mode: Option<String>,
    /// The columns' names by the fields' names.
    #[serde(rename = "column_*")]
    columns: BTreeMap<String, String>,
    batch_name: Option<String>,
    encoding: Option<Encoding>,
    format: Option<FileFormat>,
    separator: Option<Separator>,
}

impl ImportForm {
    /// What it chooses; errors are added.
    pub(super) fn options(mut self, errors: &mut FormErrors) -> Result<ImportOptions, Error> {
        let mode = self.mode.unwrap_or_else(|| MODES[0].1.to_owned());
        let known = MODES.iter().find(|(_, word, _)| *word == mode).map(|(mode, ..)| *mode);
        let none = || TokenError::value("mode", Problem::not_one_of(&mode, MODES.map(|(_, word, _)| word)));
        let mode = known.ok_or_else(none)?;
        let batch = self.batch_name.map(|name| name.trim().to_owned()).filter(|_| mode == Mode::Add);
        let columns = Field::ALL.into_iter().filter_map(|field| Some((field, self.columns.remove(field.name())?)));
        Ok(ImportOptions {
            columns: columns.collect(),
            mode,
            batch: errors.note(batch.map(|name| batch::check_name(&name).map(|()| name)).transpose()),
            encoding: self.encoding,
            format: self.format,
            separator: self.separator,
            trims: false,
        })
    }
}
