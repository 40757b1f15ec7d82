//! How a file is to be imported.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::field::Field;

/// How a file is to be imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// The name of each field's column. A field that is not here takes the column that is named as it; an empty name is
    /// none.
    pub columns: BTreeMap<Field, String>,
    /// New tokens, or changes.
    pub mode: Mode,
    /// The batch of new tokens for which the file names none.
    pub batch: Option<String>,
    /// How characters are stored.
    pub encoding: Option<Encoding>,
    /// What the lines are.
    pub format: Option<FileFormat>,
    /// What stands between columns.
    pub separator: Option<Separator>,
    /// Cells lose the white space at their ends, as what is pasted often has some.
    #[serde(default)]
    pub trims: bool,
}

/// What lines of a file are to become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// New tokens.
    #[default]
    Add,
    /// Changes of the tokens with these uids.
    ChangeByUid,
    /// Changes of the tokens with these values.
    ChangeByValue,
}

impl Mode {
    /// The column by which tokens are found that are to be changed.
    pub fn key(self) -> Option<Field> {
        match self {
            Self::Add => None,
            Self::ChangeByUid => Some(Field::Uid),
            Self::ChangeByValue => Some(Field::Value),
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $kind:ident, $what:literal { $($(#[$of:meta])* $name:ident $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $kind {
            $($(#[$of])* #[serde(rename = $word)] $name),*
        }

        impl $kind {
            /// Every one.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The word for it.
            pub(crate) fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),*
                }
            }
        }

        impl FromStr for $kind {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|one| one.word() == text.to_ascii_lowercase());
                let all = || Self::ALL.iter().map(|one| one.word()).collect::<Vec<_>>().join(", ");
                found.copied().ok_or_else(|| format!("{} is one of {}", $what, all()))
            }
        }
    };
}

words!(
    /// How characters are stored in a file.
    Encoding, "an encoding" {
        /// UTF-8.
        Utf8 "utf-8",
        /// UTF-16, low byte first.
        Utf16Le "utf-16le",
        /// UTF-16, high byte first.
        Utf16Be "utf-16be",
        /// What Windows programs of Western Europe write.
        Windows1252 "windows-1252",
    }
);

words!(
    /// What a file's lines are.
    FileFormat, "a format" {
        /// Cells between separators (RFC 4180), the first line naming the columns.
        Csv "csv",
        /// A JSON object each.
        JsonLines "jsonl",
        /// A label each.
        Labels "labels",
    }
);

words!(
    /// What stands between the columns of a CSV file.
    Separator, "a separator" {
        /// `,`
        Comma "comma",
        /// `;`
        Semicolon "semicolon",
        /// A tab.
        Tab "tab",
        /// `|`
        Bar "bar",
    }
);

impl Separator {
    /// The character.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }

    /// The one that stands most often in a file's first line, outside of quotes; a comma, if none does.
    pub fn of_head(line: &str) -> Self {
        let mut is_quoted = false;
        let mut counts = [0_usize; 4];
        for byte in line.bytes() {
            is_quoted ^= byte == b'"';
            if let Some(place) = Self::ALL.iter().position(|one| one.byte() == byte && !is_quoted) {
                counts[place] += 1;
            }
        }
        // Of two that stand as often, the later one is the rarer one in names.
        let most = Self::ALL.iter().zip(counts).filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count);
        most.map_or(Self::Comma, |(one, _)| *one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_the_one_that_stands_most_often_outside_of_quotes() {
        for (line, separator) in [
            ("value", Separator::Comma),
            ("value,label", Separator::Comma),
            ("value;label", Separator::Semicolon),
            ("\"a,b,c\";label", Separator::Semicolon),
            ("value\tlabel, with more", Separator::Tab),
            ("value|label", Separator::Bar),
        ] {
            assert_eq!(Separator::of_head(line), separator, "{line}");
        }
    }

    #[test]
    fn words_are_taken_in_either_case_and_others_refused_by_name() {
        assert_eq!("UTF-8".parse(), Ok(Encoding::Utf8));
        assert_eq!("jsonl".parse(), Ok(FileFormat::JsonLines));
        let why = "latin9".parse::<Encoding>().unwrap_err();
        assert_eq!(why, "an encoding is one of utf-8, utf-16le, utf-16be, windows-1252");
    }
}
