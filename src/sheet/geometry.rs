//! The positions of a sheet's labels on its page.

use serde::{Deserialize, Serialize};

use super::mm::Mm;

/// Most labels on a page.
pub(crate) const MOST_LABELS: u32 = 10_000;
/// Shortest side of a label.
pub(crate) const SMALLEST: Mm = Mm::from_micrometres(5_000);
/// Longest side of a page.
pub(crate) const LARGEST: Mm = Mm::from_micrometres(1_000_000);
/// The widest margin.
pub(crate) const WIDEST_MARGIN: Mm = Mm::from_micrometres(30_000);
/// Longest name of a sheet, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 100;

/// A sheet of equal labels in rows and columns. A roll printer's label is a page with one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The page's width.
    pub page_width: Mm,
    /// The page's height.
    pub page_height: Mm,
    /// Labels in a row.
    pub columns: u16,
    /// Labels in a column.
    pub rows: u16,
    /// A label's width.
    pub width: Mm,
    /// A label's height.
    pub height: Mm,
    /// From the page's left edge to the first label.
    pub left: Mm,
    /// From the page's top edge to the first label.
    pub top: Mm,
    /// From one label's left edge to the next one's in its row; ignored if there is only one column.
    pub pitch_x: Mm,
    /// From one label's top edge to the next one's in its column; ignored if there is only one row.
    pub pitch_y: Mm,
    /// The margin at each edge of the paper that the printer cannot reach.
    pub margin: Mm,
}

/// An error in a field of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The field's name in [`Sheet`].
    pub(crate) field: &'static str,
    /// The message, as a sentence.
    pub(crate) message: String,
}

/// One dimension of a sheet: along the rows, or down the columns.
struct Axis {
    page: (&'static str, Mm),
    size: (&'static str, Mm),
    first: (&'static str, Mm),
    pitch: (&'static str, Mm),
    count: (&'static str, u16),
    /// Words for messages: the page's dimension, and what is counted.
    words: (&'static str, &'static str),
}

impl Sheet {
    /// How many labels a page has.
    pub fn labels(&self) -> u32 {
        u32::from(self.columns) * u32::from(self.rows)
    }

    /// The top left corner of a label, counted from 0 along rows. Beyond the last label, it is not the corner of any.
    pub fn corner(&self, label: u32) -> (Mm, Mm) {
        let columns = u32::from(self.columns).max(1);
        let index = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        let (column, row) = (index(label % columns), index(label / columns));
        (self.left + self.pitch_x * column, self.top + self.pitch_y * row)
    }

    /// How much the margin covers of the labels at the paper's edges, and therefore of every label, on each side: all
    /// labels have the same layout.
    pub(crate) fn inset(&self) -> Mm {
        let (right, bottom) = self.corner(self.labels().saturating_sub(1));
        let (right, bottom) = (self.page_width - right - self.width, self.page_height - bottom - self.height);
        let nearest = self.left.min(self.top).min(right).min(bottom);
        (self.margin - nearest).max(Mm::ZERO)
    }

    /// The errors in the sheet's fields.
    pub(crate) fn check(&self) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        let mut misfit = |field, message: String| misfits.push(Misfit { field, message });
        let is_slug_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.slug.is_empty() || self.slug.len() > NAME_MAX_CHARS || !self.slug.chars().all(is_slug_char) {
            misfit("slug", "The sheet's short name can only have lower-case letters, digits and hyphens.".into());
        }
        if self.name.trim().is_empty() {
            misfit("name", "Give the sheet a name.".into());
        } else if self.name.chars().count() > NAME_MAX_CHARS || self.name.chars().any(char::is_control) {
            misfit("name", format!("A name can have at most {NAME_MAX_CHARS} characters and no control characters."));
        }
        for axis in self.axes() {
            axis.check(&mut misfit);
        }
        if self.labels() > MOST_LABELS {
            let labels = self.labels();
            misfit("rows", format!("A page can have at most {MOST_LABELS} labels. This one would have {labels}."));
        }
        if self.margin < Mm::ZERO || self.margin > WIDEST_MARGIN {
            misfit("margin", format!("The margin must be 0 to {WIDEST_MARGIN} mm."));
        } else if misfits.is_empty() {
            misfits.extend(self.unreachable());
        }
        misfits
    }

    /// An error if the margin covers too much of a label.
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
        let (dimension, noun) = self.words;
        let mut is_fine = true;
        let mut report = |field, message| {
            is_fine = false;
            misfit(field, message);
        };
        if page < SMALLEST || page > LARGEST {
            report(self.page.0, format!("A page must be {SMALLEST} to {LARGEST} mm {dimension}, not {page} mm."));
        }
        if size < SMALLEST || size > LARGEST {
            report(self.size.0, format!("A label must be {SMALLEST} to {LARGEST} mm {dimension}, not {size} mm."));
        }
        if count == 0 {
            report(self.count.0, format!("A sheet has at least one {noun}."));
        }
        if first < Mm::ZERO {
            report(self.first.0, format!("The first label must start on the page, not {} mm before it.", -first));
        }
        if count > 1 && pitch < size {
            let message =
                format!("Labels would overlap: the pitch is {pitch} mm, but a label is {size} mm {dimension}.");
            report(self.pitch.0, message);
        }
        let needed = first + pitch * count.saturating_sub(1) + size;
        if is_fine && needed > page {
            let gaps = count - 1;
            let (field, between) =
                if gaps == 0 { (self.size.0, String::new()) } else { (self.count.0, format!(" + {gaps} × {pitch}")) };
            let needs = if count == 1 { " needs" } else { "s need" };
            let message = format!(
                "{count} {noun}{needs} {first}{between} + {size} = {needed} mm, but the page is {page} mm \
                 {dimension}."
            );
            misfit(field, message);
        }
    }
}

#[cfg(test)]
#[path = "geometry_tests.rs"]
mod tests;
