//! The running number in a label: `{n}` or `{n:04}`.

use std::fmt::Write;

use super::error::TokenError;
use super::problem::Problem;

/// Labels that differ in a running number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelSeries {
    /// The label, in which `{n}` stands for the number.
    pub(crate) pattern: String,
    /// The number of the first one.
    pub(crate) start: usize,
}

impl LabelSeries {
    /// Numbered from 1.
    pub(crate) fn from_one(pattern: impl Into<String>) -> Self {
        Self { pattern: pattern.into(), start: 1 }
    }

    /// A text and, unless it says itself where, a number of so many digits behind it. No digits mean no number.
    pub(crate) fn new(text: &str, digits: usize, start: usize) -> Self {
        let text = text.trim();
        let pattern = match digits {
            0 => text.to_owned(),
            _ if text.is_empty() || text.contains("{n") => text.to_owned(),
            digits => format!("{text} {{n:0{digits}}}"),
        };
        Self { pattern, start }
    }

    /// The label at this place, counted from 0; none where the pattern is empty.
    ///
    /// # Errors
    /// As those of [`fill_in_number`].
    pub(crate) fn at(&self, place: usize) -> Result<Option<String>, TokenError> {
        let label = fill_in_number(&self.pattern, self.start.saturating_add(place))?;
        Ok(Some(label).filter(|label| !label.is_empty()))
    }
}

/// The label of the `n`th token. A number wider than the width is not cut.
///
/// # Errors
/// A value error for `{n:` without a valid width of one to nine digits: a typing error should not be discovered on a
/// hundred printed labels.
pub(crate) fn fill_in_number(pattern: &str, n: usize) -> Result<String, TokenError> {
    let mut label = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(start) = rest.find("{n") {
        label.push_str(&rest[..start]);
        rest = &rest[start + 2..];
        if let Some(after) = rest.strip_prefix('}') {
            label.push_str(&n.to_string());
            rest = after;
        } else if let Some(spec) = rest.strip_prefix(":0") {
            let (width, after) = spec.split_once('}').ok_or_else(invalid_pattern)?;
            let width = width.parse().ok().filter(|width| (1..=9usize).contains(width)).ok_or_else(invalid_pattern)?;
            // Writing to a String cannot fail.
            let _ = write!(label, "{n:0width$}");
            rest = after;
        } else if rest.starts_with(':') {
            return Err(invalid_pattern());
        } else {
            label.push_str("{n");
        }
    }
    label.push_str(rest);
    Ok(label)
}

/// The pattern without its running numbers, and without punctuation left over at its ends: a name for all tokens
/// together.
pub(crate) fn without_number(pattern: &str) -> String {
    let mut label = String::new();
    let mut rest = pattern;
    while let Some(start) = rest.find("{n") {
        label.push_str(&rest[..start]);
        rest = rest[start..].split_once('}').map_or("", |(_, after)| after);
    }
    label.push_str(rest);
    let label = label.trim_matches(|c: char| c.is_whitespace() || "#-–—,;:/.".contains(c));
    label.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn invalid_pattern() -> TokenError {
    TokenError::value("label", Problem::MalformedNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, n: usize, label: &str) {
        assert_eq!(fill_in_number(pattern, n), Ok(label.to_owned()));
    }

    #[test]
    fn running_numbers() {
        check("Locker {n}", 7, "Locker 7");
        check("Locker {n:04}", 7, "Locker 0007");
        check("{n}/{n:02}", 123, "123/123");
        check("no number", 7, "no number");
        check("{name} {n", 7, "{name} {n");
        check("{{n}}", 7, "{7}");
        check("ä{n}ö", 1, "ä1ö");
    }

    #[test]
    fn a_series_begins_at_any_number() {
        let labels = |text, digits, start| {
            let series = LabelSeries::new(text, digits, start);
            [series.at(0).unwrap(), series.at(299).unwrap()].map(Option::unwrap_or_default)
        };
        assert_eq!(labels("Locker", 3, 1), ["Locker 001", "Locker 300"]);
        assert_eq!(labels(" Locker ", 3, 0), ["Locker 000", "Locker 299"]);
        assert_eq!(labels("Locker", 1, 9_990), ["Locker 9990", "Locker 10289"]);
        assert_eq!(labels("{n:04} Locker", 3, 20), ["0020 Locker", "0319 Locker"], "it says itself where");
        assert_eq!(labels("VIP", 0, 1), ["VIP", "VIP"]);
        assert_eq!(labels("  ", 3, 1), ["", ""]);
    }

    #[test]
    fn a_name_without_running_numbers() {
        for (pattern, name) in [
            ("Locker {n:03}", "Locker"),
            ("Guest {n} — South", "Guest — South"),
            ("#{n}", ""),
            ("plain", "plain"),
            ("No. {n", "No"),
        ] {
            assert_eq!(without_number(pattern), name);
        }
    }

    #[test]
    fn an_invalid_width_is_refused() {
        for bad in ["{n:4}", "{n:}", "{n:0}", "{n:010}", "{n:0x}", "{n:04"] {
            assert_eq!(fill_in_number(bad, 1), Err(invalid_pattern()), "{bad}");
        }
    }
}
