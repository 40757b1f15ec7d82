//! The formats of exports.

use std::str::FromStr;

use crate::token::{Problem, TokenError};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// CSV for programs: commas, UTF-8, moments in UTC, every value exactly.
    Csv,
    /// CSV that Excel opens without a question: a byte order mark, the separator of the language, local time, words instead of
    /// codes, and no formulas.
    Excel,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// Every format.
    pub(crate) const ALL: [Self; 3] = [Self::Csv, Self::Excel, Self::JsonLines];
    /// The same in the order of pages: the one for people first.
    pub(crate) const OFFERED: [Self; 3] = [Self::Excel, Self::Csv, Self::JsonLines];

    /// The word in addresses and on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Excel => "excel",
            Self::JsonLines => "jsonl",
        }
    }

    /// What people call it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Csv => "CSV for programs",
            Self::Excel => "CSV for Excel",
            Self::JsonLines => "JSON",
        }
    }

    /// How the name of a file ends that somebody downloads.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Excel => "-excel.csv",
            Self::Csv => ".csv",
            Self::JsonLines => ".jsonl",
        }
    }

    /// How the name of a file ends.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv | Self::Excel => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

impl FromStr for Format {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let format = Self::ALL.into_iter().find(|format| format.word() == text);
        format.ok_or_else(|| TokenError::value("format", Problem::not_one_of(text, Self::ALL.map(Self::word))))
    }
}
