//! Figures as people read them.

use std::time::Duration;

/// Formats three significant digits: more would claim more precision than there is.
pub fn duration(time: Duration) -> String {
    let (number, unit) = match time.as_secs_f64() {
        seconds if seconds < 0.001 => (seconds * 1e6, "µs"),
        seconds if seconds < 1.0 => (seconds * 1e3, "ms"),
        seconds => (seconds, "s"),
    };
    let digits = match number {
        _ if unit == "µs" => 0,
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{number:.digits$} {unit}")
}

/// Memory in MiB, rounded up.
pub fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1024 * 1024))
}

/// A number with thousands separators.
pub fn grouped(digits: &str) -> String {
    let count = digits.len();
    let with_separator = |(position, digit): (usize, char)| {
        let comma = if position > 0 && (count - position).is_multiple_of(3) { "," } else { "" };
        format!("{comma}{digit}")
    };
    digits.chars().enumerate().map(with_separator).collect()
}
