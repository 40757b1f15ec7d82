//! Where the labels of a sheet lie on its page.

use serde::{Deserialize, Serialize};

use super::mm::Mm;

/// The most labels on a page.
pub(crate) const MOST_LABELS: u32 = 10_000;
/// The smallest side of a label.
pub(crate) const SMALLEST: Mm = Mm::from_micrometres(5_000);
/// The largest side of a page.
pub(crate) const LARGEST: Mm = Mm::from_micrometres(1_000_000);
/// The widest margin.
pub(crate) const WIDEST_MARGIN: Mm = Mm::from_micrometres(30_000);
/// The most characters of a sheet's name.
pub(crate) const NAME_MAX_CHARS: usize = 100;

/// A sheet of labels that are all alike, in rows and columns. A roll printer's label is a page of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// What it is called in addresses.
    pub slug: String,
    /// What it is called.
    pub name: String,
    /// The page's width.
    pub page_width: Mm,
    /// The page's height.
    pub page_height: Mm,
    /// Labels beside each other.
    pub columns: u16,
    /// Labels below each other.
    pub rows: u16,
    /// A label's width.
    pub width: Mm,
    /// A label's height.
    pub height: Mm,
    /// From the page's left edge to the first label.
    pub left: Mm,
    /// From the page's upper edge to the first label.
    pub top: Mm,
    /// From one label's left edge to that of the next one in its row; of no account where there is one column.
    pub pitch_x: Mm,
    /// From one label's upper edge to that of the next one in its column; of no account where there is one row.
    pub pitch_y: Mm,
    /// What the printer cannot reach at each edge of the paper.
    pub margin: Mm,
}

/// What is wrong with a field of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The field, as [`Sheet`] calls it.
    pub(crate) field: &'static str,
    /// One sentence.
    pub(crate) message: String,
}

/// One direction of a sheet: along a row, or down a column.
struct Axis {
    page: (&'static str, Mm),
    size: (&'static str, Mm),
    first: (&'static str, Mm),
    pitch: (&'static str, Mm),
    count: (&'static str, u16),
    /// What the page is in it, and one of the things that it counts.
    words: (&'static str, &'static str),
}

impl Sheet {
    /// How many labels a page has.
    pub fn labels(&self) -> u32 {
        u32::from(self.columns) * u32::from(self.rows)
    }

    /// The left upper corner of a label, counted from 0 along rows. Beyond the sheet it is that of no label.
    pub fn corner(&self, label: u32) -> (Mm, Mm) {
        let columns = u32::from(self.columns).max(1);
        let times = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        let (column, row) = (times(label % columns), times(label / columns));
        (self.left + self.pitch_x * column, self.top + self.pitch_y * row)
    }

    /// What the margin takes of the labels at the paper's edges, and so of all, for they are alike: at each side.
    pub(crate) fn inset(&self) -> Mm {
        let (right, bottom) = self.corner(self.labels().saturating_sub(1));
        let (right, bottom) = (self.page_width - right - self.width, self.page_height - bottom - self.height);
        let nearest = self.left.min(self.top).min(right).min(bottom);
        (self.margin - nearest).max(Mm::ZERO)
    }

    /// What is wrong with it: nothing, or each field that is, with one sentence each.
    pub(crate) fn check(&self) -> Vec<Misfit> {
        let mut found = Vec::new();
        let mut misfit = |field, message: String| found.push(Misfit { field, message });
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.slug.is_empty() || self.slug.len() > NAME_MAX_CHARS || !self.slug.chars().all(slug) {
            misfit("slug", "The sheet's short name must have small letters, digits and hyphens only.".into());
        }
        if self.name.trim().is_empty() {
            misfit("name", "Give the sheet a name.".into());
        } else if self.name.chars().count() > NAME_MAX_CHARS || self.name.chars().any(char::is_control) {
            misfit("name", format!("A name has at most {NAME_MAX_CHARS} characters, and no control characters."));
        }
        for axis in self.axes() {
            axis.check(&mut misfit);
        }
        if self.labels() > MOST_LABELS {
            let labels = self.labels();
            misfit("rows", format!("A page has at most {MOST_LABELS} labels, and this one would have {labels}."));
        }
        if self.margin < Mm::ZERO || self.margin > WIDEST_MARGIN {
            misfit("margin", format!("The margin must be 0 to {WIDEST_MARGIN} mm."));
        } else if found.is_empty() {
            found.extend(self.unreachable());
        }
        found
    }

    /// Whether the margin leaves too little of a label.
    fn unreachable(&self) -> Option<Misfit> {
        let inset = self.inset();
        let left = self.width.min(self.height) - inset - inset;
        let (margin, least) = (self.margin, SMALLEST);
        let message = || {
            let left = left.max(Mm::ZERO);
            format!(
                "With a margin of {margin} mm the printer reaches {left} mm of a label's shorter side; it must reach \
                 {least} mm."
            )
        };
        (left < least).then(|| Misfit { field: "margin", message: message() })
    }

    fn axes(&self) -> [Axis; 2] {
        [
            Axis {
                page: ("page_width", self.page_width),
                size: ("width", self.width),
                first: ("left", self.left),
                pitch: ("pitch_x", self.pitch_x),
                count: ("columns", self.columns),
                words: ("wide", "column"),
            },
            Axis {
                page: ("page_height", self.page_height),
                size: ("height", self.height),
                first: ("top", self.top),
                pitch: ("pitch_y", self.pitch_y),
                count: ("rows", self.rows),
                words: ("high", "row"),
            },
        ]
    }
}

impl Axis {
    fn check(&self, misfit: &mut impl FnMut(&'static str, String)) {
        let (page, size, first, pitch, count) = (self.page.1, self.size.1, self.first.1, self.pitch.1, self.count.1);
        let (dimension, thing) = self.words;
        let mut fine = true;
        let mut wrong = |field, message| {
            fine = false;
            misfit(field, message);
        };
        if page < SMALLEST || page > LARGEST {
            wrong(self.page.0, format!("A page must be {SMALLEST} to {LARGEST} mm {dimension}, and not {page} mm."));
        }
        if size < SMALLEST || size > LARGEST {
            wrong(self.size.0, format!("A label must be {SMALLEST} to {LARGEST} mm {dimension}, and not {size} mm."));
        }
        if count == 0 {
            wrong(self.count.0, format!("A sheet has at least one {thing}."));
        }
        if first < Mm::ZERO {
            wrong(self.first.0, format!("The first label must begin on the page, and not {} mm before it.", -first));
        }
        if count > 1 && pitch < size {
            let message = format!(
                "Labels would overlap: from one to the next it is {pitch} mm, but a label is {size} mm {dimension}."
            );
            wrong(self.pitch.0, message);
        }
        let needed = first + pitch * count.saturating_sub(1) + size;
        if fine && needed > page {
            let steps = count - 1;
            let (field, between) = if steps == 0 {
                (self.size.0, String::new())
            } else {
                (self.count.0, format!(" + {steps} × {pitch}"))
            };
            let needs = if count == 1 { " needs" } else { "s need" };
            let message = format!(
                "{count} {thing}{needs} {first}{between} + {size} = {needed} mm, but the page is {page} mm \
                 {dimension}."
            );
            misfit(field, message);
        }
    }
}

#[cfg(test)]
#[path = "geometry_tests.rs"]
mod tests;
