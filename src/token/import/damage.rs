//! What spreadsheets do to codes: they take them for numbers and dates, and write something else.

use super::field::Field;

/// What a spreadsheet has made of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Damage {
    /// A long number in scientific notation: its last digits are lost.
    Scientific,
    /// An error instead of the content, as in `#NAME?` and `#####`.
    ErrorCell,
    /// Perhaps a date that was a code, as in `3-4`.
    Date,
    /// An apostrophe before what a spreadsheet would take for a formula: an export for Excel has it, and a code does not.
    Apostrophe,
}

impl Damage {
    /// What a cell of a text column looks like.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if is_scientific(text) {
            return Some(Self::Scientific);
        }
        if is_error(text) {
            return Some(Self::ErrorCell);
        }
        if text.strip_prefix('\'').is_some_and(|text| text.starts_with(['=', '+', '-', '@'])) {
            return Some(Self::Apostrophe);
        }
        is_date(text).then_some(Self::Date)
    }

    /// Whether it makes the cell useless as this field. A label may well be a date; and a line that has its uid was exported,
    /// when the value was what it is.
    pub(crate) fn is_fatal(self, field: Field, has_uid: bool) -> bool {
        field == Field::Value && matches!(self, Self::Scientific | Self::ErrorCell) && !has_uid
    }

    /// What is to be known of it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Scientific => {
                "looks like a long number that a spreadsheet has shortened, so that digits are lost; format the column as \
                 text before you enter or paste the codes, and save the file again"
            }
            Self::ErrorCell => "is a spreadsheet's error, not its content",
            Self::Apostrophe => {
                "begins with an apostrophe that an export for Excel puts there; export as CSV to import again"
            }
            Self::Date => "may be a code that a spreadsheet took for a date; compare it with the original",
        }
    }
}

/// `1.23E+15` and `1,23E+15`: Excel shows numbers of more than eleven digits so, and keeps fifteen.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+").or_else(|| text.split_once("e+")) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(whole) && digits(fraction) && digits(exponent) && exponent.len() <= 3
}

fn is_error(text: &str) -> bool {
    const ERRORS: [&str; 7] = ["#NAME?", "#REF!", "#VALUE!", "#N/A", "#DIV/0!", "#NUM!", "#NULL!"];
    ERRORS.contains(&text) || (text.len() >= 3 && text.bytes().all(|byte| byte == b'#'))
}

/// `04-Mar`, `Mar-04`, `04.03.2026`, `3/4/2026`.
fn is_date(text: &str) -> bool {
    const MONTHS: [&str; 16] = [
        "jan", "feb", "mar", "mär", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez",
    ];
    let parts: Vec<&str> = text.split(['.', '/', '-', ' ']).filter(|part| !part.is_empty()).collect();
    let is_number =
        |part: &&str, longest: usize| part.len() <= longest && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = |part: &&str| MONTHS.contains(&part.to_lowercase().as_str());
    match parts.as_slice() {
        [one, other] => is_number(one, 2) && is_month(other) || is_month(one) && is_number(other, 2),
        [day, month, year] => {
            let year_fits = matches!(year.len(), 2 | 4) && is_number(year, 4);
            is_number(day, 2) && (is_number(month, 2) || is_month(month)) && year_fits && !text.contains(' ')
        }
        _ => false,
    }
}

/// Finds values that have lost zeros at their front: all are digits, most have the same length, and some are shorter.
#[derive(Clone, Debug, Default)]
pub(crate) struct LostZeros {
    /// How many values have so many digits, and the line of the first.
    lengths: std::collections::BTreeMap<usize, (usize, u64)>,
    has_others: bool,
}

/// What of a hundred values must have the same length for shorter ones to be suspicious.
const SAME_LENGTH_PERCENT: usize = 60;

impl LostZeros {
    /// Looks at a value.
    pub(crate) fn add(&mut self, value: &str, line: u64) {
        const LONGEST: usize = 40;
        if value.is_empty() || value.len() > LONGEST || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            self.has_others |= !value.is_empty();
            return;
        }
        self.lengths.entry(value.len()).or_insert((0, line)).0 += 1;
    }

    /// How many values are suspiciously short, the line of the first, and how many digits the others have.
    pub(crate) fn found(&self) -> Option<(usize, u64, usize)> {
        let all: usize = self.lengths.values().map(|(count, _)| count).sum();
        let (usual, (most, _)) = self.lengths.iter().max_by_key(|(_, (count, _))| *count)?;
        let shorter = || self.lengths.range(..usual).map(|(_, found)| *found);
        let count: usize = shorter().map(|(count, _)| count).sum();
        let line = shorter().map(|(_, line)| line).min()?;
        let is_suspicious = !self.has_others && *usual > 2 && most * 100 >= all * SAME_LENGTH_PERCENT;
        is_suspicious.then_some((count, line, *usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_write_instead_of_codes_is_seen() {
        for text in ["1.23E+15", "1,23457E+12", "4E+11"] {
            assert_eq!(Damage::of(text), Some(Damage::Scientific), "{text}");
        }
        for text in ["#NAME?", "########", "#N/A"] {
            assert_eq!(Damage::of(text), Some(Damage::ErrorCell), "{text}");
        }
        for text in ["04-Mar", "Mar-04", "04.03.2026", "3/4/26", "04.Mär"] {
            assert_eq!(Damage::of(text), Some(Damage::Date), "{text}");
        }
        for text in ["", "A1E+B", "E+15", "1E15", "#1", "##", "Locker 3-4", "3-4", "12-345-678", "May", "10.0.0.1"] {
            assert_eq!(Damage::of(text), None, "{text}");
        }
        let is_fatal = |damage: Damage, field, has_uid| damage.is_fatal(field, has_uid);
        assert!(is_fatal(Damage::Scientific, Field::Value, false));
        assert!(
            !is_fatal(Damage::Scientific, Field::Value, true) && !is_fatal(Damage::Scientific, Field::Label, false)
        );
        assert!(!is_fatal(Damage::Date, Field::Value, false));
    }

    #[test]
    fn zeros_that_were_lost_are_suspected_where_most_codes_are_longer() {
        let found = |values: &[&str]| {
            let mut zeros = LostZeros::default();
            values.iter().zip(2..).for_each(|(value, line)| zeros.add(value, line));
            zeros.found()
        };
        assert_eq!(found(&["10012", "10013", "417", "10014", "1000"]), Some((2, 4, 5)));
        assert_eq!(found(&["10012", "10013"]), None);
        assert_eq!(found(&["1", "2", "10", "11", "12"]), None, "a running number");
        assert_eq!(found(&["10012", "A17", "417", "10013", "10014"]), None);
        assert_eq!(found(&[]), None);
    }
}
