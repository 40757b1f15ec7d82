//! Printing, as far as requests and the database name it: resolutions, names, and which tokens were printed.

use std::ops::RangeInclusive;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::problem::Problem;
use crate::access::name::is_legible;

/// Resolutions of printers, in dots per inch.
pub(crate) const DPI: RangeInclusive<i32> = 150..=1_200;
/// Longest name of a sheet or a printer, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 100;
/// Longest slug of a sheet.
pub(crate) const SLUG_MAX: usize = 60;
/// The sheet to use when none is named and no default is set.
pub(crate) const FIRST_SHEET: &str = "avery-l7160";

/// Selects tokens by whether they are on a printed sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrintedFilter {
    /// Printed, and never used.
    NeverUsed,
    /// Never printed.
    Never,
}

impl PrintedFilter {
    /// Every choice.
    pub(crate) const ALL: [Self; 2] = [Self::NeverUsed, Self::Never];

    /// The word in URLs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NeverUsed => "never_used",
            Self::Never => "never",
        }
    }
}

impl FromStr for PrintedFilter {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let choice = Self::ALL.into_iter().find(|printed| printed.word() == text);
        let words = Self::ALL.map(Self::word);
        let error = || TokenError::value("printed", Problem::not_one_of(text, words));
        choice.ok_or_else(error)
    }
}

/// Why a print job ended before all labels were printed, as its row keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobFailure {
    /// The kind of reason, which decides on what helps.
    pub kind: FailureKind,
    /// The reason, as a sentence.
    pub why: String,
    /// The names of the first labels that cannot be printed.
    pub labels: Vec<String>,
    /// How many labels cannot be printed.
    pub count: usize,
    /// Whether the job was dismissed.
    pub is_dismissed: bool,
}

/// What keeps a print job from going on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Characters that no font has.
    Characters,
    /// Codes that do not fit.
    Codes,
    /// Tokens that were voided or deleted meanwhile.
    Tokens,
    /// Nothing about a label.
    #[default]
    Other,
}

impl JobFailure {
    /// Most labels that are named.
    pub(crate) const NAMED: usize = 10;
    /// Why, if its server ended.
    pub(crate) const SERVER_STOPPED: &str = "The server stopped before all labels were printed.";

    /// A reason that is not about a label.
    pub fn other(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }

    /// Tokens that were voided or deleted meanwhile: what the first are called, and how many they are.
    pub(crate) fn gone(labels: Vec<String>, count: usize) -> Self {
        let why = "Their tokens were voided or deleted after you started this job.".into();
        Self { kind: FailureKind::Tokens, why, labels, count, is_dismissed: false }
    }

    /// What a row keeps: JSON, or only a sentence.
    pub fn read(stored: &str) -> Self {
        serde_json::from_str(stored).unwrap_or_else(|_| Self::other(stored))
    }

    /// What a row keeps.
    pub(crate) fn stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| self.why.clone())
    }
}

/// Checks the name of a sheet or a printer.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("Enter a name.".into());
    }
    if name.chars().count() > NAME_MAX_CHARS {
        return Err(format!("A name can have at most {NAME_MAX_CHARS} characters."));
    }
    if !is_legible(name) || name.trim() != name {
        return Err("A name can't have line breaks, invisible characters, or spaces at the start or end.".into());
    }
    Ok(())
}

/// Turns a name into a slug for URLs: letters and digits in lower case, separated by hyphens.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'ä' | 'à' | 'á' | 'â' | 'å' | 'ã' => slug.push('a'),
            'ö' | 'ò' | 'ó' | 'ô' | 'ø' | 'õ' => slug.push('o'),
            'ü' | 'ù' | 'ú' | 'û' => slug.push('u'),
            'é' | 'è' | 'ê' | 'ë' => slug.push('e'),
            'ß' => slug.push_str("ss"),
            'ñ' => slug.push('n'),
            'ç' => slug.push('c'),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() >= SLUG_MAX {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "sheet".to_owned() } else { slug.to_owned() }
}

/// Whether a text could be a sheet's slug.
pub(crate) fn is_slug(text: &str) -> bool {
    let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    // Twelve more characters for the number that distinguishes sheets of the same name.
    (1..=SLUG_MAX + 12).contains(&text.len()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_letters_digits_and_hyphens_between_them() {
        for (name, slug_of) in [
            ("Lagerkärtchen 70 × 35", "lagerkartchen-70-35"),
            ("  --A--  ", "a"),
            ("Straße", "strasse"),
            ("Ярлык", "sheet"),
            ("", "sheet"),
            ("<b>\"x\"</b>", "b-x-b"),
        ] {
            assert_eq!(slug(name), slug_of, "{name}");
        }
        assert_eq!(slug(&"x".repeat(500)).len(), SLUG_MAX);
    }

    #[test]
    fn names_of_sheets_and_printers() {
        for good in ["HP \"Office\" <2nd floor>", "Ярлык", &"ä".repeat(NAME_MAX_CHARS)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "a\0b", "a\u{200b}", &"x".repeat(NAME_MAX_CHARS + 1)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_printed_filter_parses_its_own_word() {
        for printed in PrintedFilter::ALL {
            assert_eq!(printed.word().parse(), Ok(printed));
        }
        assert_eq!("both".parse::<PrintedFilter>().unwrap_err().param(), Some("printed"));
    }
}
