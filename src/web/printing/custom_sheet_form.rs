//! The form of a label sheet, and the sheet's picture.

use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::presets::MARGIN;
use crate::token::print::check_name;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::params::RawParams;

/// The fields in the order of the form: what the sheet calls each, its label, its hint.
pub(crate) const MEASURES: [Measure; 9] = [
    Measure { name: "page_width", label: "Page width", hint: "A4 is 210 × 297, Letter 215.9 × 279.4." },
    Measure { name: "page_height", label: "Page height", hint: "" },
    Measure { name: "width", label: "Label width", hint: "" },
    Measure { name: "height", label: "Label height", hint: "" },
    Measure { name: "left", label: "Left", hint: "From the page’s left edge to the first label." },
    Measure { name: "top", label: "Top", hint: "From the page’s upper edge to the first label." },
    Measure { name: "pitch_x", label: "Pitch across", hint: "From one label’s left edge to the next one’s." },
    Measure { name: "pitch_y", label: "Pitch down", hint: "From one label’s upper edge to the next one’s." },
    Measure {
        name: "margin", label: "Margin", hint: "What the printer cannot reach at the paper’s edge; 5 is usual."
    },
];

/// A field that takes a length.
pub(crate) struct Measure {
    /// What the sheet calls it.
    pub(crate) name: &'static str,
    /// What the page calls it.
    pub(crate) label: &'static str,
    /// What else is to be known.
    pub(crate) hint: &'static str,
}

/// The fields of the form.
#[derive(Clone)]
pub(crate) struct CustomSheetForm {
    /// The name.
    pub(crate) name: String,
    /// Labels beside each other.
    pub(crate) columns: String,
    /// Labels below each other.
    pub(crate) rows: String,
    /// Lengths, in the order of [`MEASURES`].
    pub(crate) measures: [String; MEASURES.len()],
}

impl CustomSheetForm {
    /// Of a new sheet: a page of A4.
    pub(crate) fn blank() -> Self {
        let measures = ["210", "297", "", "", "", "", "", "", "5"].map(str::to_owned);
        Self { name: String::new(), columns: String::new(), rows: String::new(), measures }
    }

    /// Of a label that a roll printer prints: a page of one.
    pub(crate) fn roll() -> Self {
        let measures = ["57", "32", "57", "32", "0", "0", "57", "32", "1"].map(str::to_owned);
        Self { name: "Roll".into(), columns: "1".into(), rows: "1".into(), measures }
    }

    /// Of a sheet.
    pub(crate) fn of(sheet: &Sheet) -> Self {
        let Sheet { page_width, page_height, width, height, left, top, pitch_x, pitch_y, margin, .. } = *sheet;
        let lengths = [page_width, page_height, width, height, left, top, pitch_x, pitch_y, margin];
        let (columns, rows) = (sheet.columns.to_string(), sheet.rows.to_string());
        Self { name: sheet.name.clone(), columns, rows, measures: lengths.map(|length| length.to_string()) }
    }

    /// The fields that were sent.
    pub(crate) fn read(params: &RawParams) -> Result<Self, Error> {
        let text = |name| params.text(name).map(|text| text.unwrap_or_default().trim().to_owned());
        let mut measures: [String; MEASURES.len()] = Default::default();
        for (measure, field) in measures.iter_mut().zip(&MEASURES) {
            *measure = text(field.name)?;
        }
        Ok(Self { name: text("name")?, columns: text("columns")?, rows: text("rows")?, measures })
    }

    /// What was typed before its user had to sign in, and comes back with the address.
    pub(crate) fn brought_back(params: &RawParams) -> Result<Option<Self>, Error> {
        // Which of them were filled is not known, and addresses leave out the others.
        let is_back = params.has_any("columns")
            || params.has_any("rows")
            || MEASURES.iter().any(|measure| params.has_any(measure.name));
        is_back.then(|| Self::read(params)).transpose()
    }

    /// The fields, with what stands in each.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static Measure, &String)> {
        MEASURES.iter().zip(&self.measures)
    }

    /// The sheet, if all fields can be parsed; errors are added.
    pub(crate) fn to_sheet(&self, slug: &str, errors: &mut FormErrors) -> Option<Sheet> {
        let mut count = |name: &str, words: &str, text: &str| {
            let read = text.parse::<u16>().ok().filter(|count| (1..=1_000).contains(count));
            if read.is_none() {
                errors.add(name, format!("“{words}” must be a whole number from 1 to 1,000."));
            }
            read
        };
        let (columns, rows) = (count("columns", "Columns", &self.columns), count("rows", "Rows", &self.rows));
        let is_one = [columns == Some(1), rows == Some(1)];
        let lengths = self.fields().map(|(field, text)| {
            // Where there is one column, nobody has to know how far the next one would be.
            let is_idle = (field.name == "pitch_x" && is_one[0]) || (field.name == "pitch_y" && is_one[1]);
            if is_idle && text.is_empty() {
                return Some(Mm::ZERO);
            }
            let read = text.parse::<Mm>();
            if let Err(why) = &read {
                errors.add(field.name, format!("“{}”: {why}.", field.label));
            }
            read.ok()
        });
        let lengths: Vec<Option<Mm>> = lengths.collect();
        let length = |n: usize| lengths.get(n).copied().flatten();
        let sheet = Sheet {
            slug: slug.to_owned(),
            name: self.name.clone(),
            page_width: length(0)?,
            page_height: length(1)?,
            columns: columns?,
            rows: rows?,
            width: length(2)?,
            height: length(3)?,
            left: length(4)?,
            top: length(5)?,
            pitch_x: length(6)?,
            pitch_y: length(7)?,
            margin: length(8).unwrap_or(MARGIN),
        };
        for misfit in sheet.check() {
            errors.add(misfit.field, misfit.message);
        }
        if errors.of("name").is_none()
            && let Err(why) = check_name(&self.name)
        {
            errors.add("name", why);
        }
        Some(sheet)
    }
}

/// A sheet's page in small: one path of a stroke for each column, dashed into labels.
pub(crate) struct SheetPicture {
    /// The page's size in millimetres.
    pub(crate) width: String,
    /// As `width`.
    pub(crate) height: String,
    /// The columns.
    pub(crate) path: String,
    /// How wide a stroke is.
    pub(crate) stroke: String,
    /// How long a dash and a gap are.
    pub(crate) dashes: String,
    /// In words, for screen readers.
    pub(crate) description: String,
}

impl SheetPicture {
    /// Of a sheet.
    pub(crate) fn of(sheet: &Sheet) -> Self {
        let (width, height) = (sheet.width.f32(), sheet.height.f32());
        // Between labels that touch each other, so that one sees where one ends.
        let line = (sheet.page_width.f32().max(sheet.page_height.f32()) / 200.0).min(width.min(height) / 4.0);
        let path = (0..sheet.columns).map(|column| {
            let x = sheet.corner(column.into()).0.f32() + width / 2.0;
            let last = sheet.corner(sheet.labels().saturating_sub(1)).1.f32();
            format!("M{x:.2} {:.2}V{:.2}", sheet.top.f32() + line / 2.0, last + height - line / 2.0)
        });
        let (dash, pitch) = (height - line, if sheet.rows > 1 { sheet.pitch_y.f32() } else { height });
        let (columns, rows) = (sheet.columns, sheet.rows);
        Self {
            width: sheet.page_width.to_string(),
            height: sheet.page_height.to_string(),
            path: path.collect(),
            stroke: format!("{:.2}", width - line),
            dashes: format!("{dash:.3} {:.3}", pitch - dash),
            description: format!("{columns} by {rows} labels on a page"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::presets::presets;

    #[test]
    fn a_form_gives_the_sheet_that_it_was_made_from() {
        for sheet in presets() {
            let mut errors = FormErrors::default();
            assert_eq!(CustomSheetForm::of(sheet).to_sheet(&sheet.slug, &mut errors).as_ref(), Some(sheet));
            assert!(errors.is_empty());
        }
        let mut errors = FormErrors::default();
        let roll = CustomSheetForm::roll().to_sheet("roll", &mut errors).unwrap();
        assert!(errors.is_empty() && roll.labels() == 1);
    }

    #[test]
    fn each_mistake_stands_beside_its_field() {
        let sheet = &presets()[0];
        let with = |change: fn(&mut CustomSheetForm)| {
            let mut form = CustomSheetForm::of(sheet);
            change(&mut form);
            let mut errors = FormErrors::default();
            form.to_sheet("x", &mut errors);
            errors.list().iter().map(|error| error.field.clone()).collect::<Vec<_>>()
        };
        assert_eq!(with(|form| form.columns = "0".into()), ["columns"]);
        assert_eq!(with(|form| form.rows = "2.5".into()), ["rows"]);
        assert_eq!(with(|form| form.measures[2] = "wide".into()), ["width"]);
        assert_eq!(with(|form| form.measures[8] = String::new()), ["margin"]);
        assert_eq!(with(|form| form.rows = "9".into()), ["rows"]);
        assert_eq!(with(|form| form.name = String::new()), ["name"]);
        assert!(
            with(|form| {
                form.columns = "1".into();
                form.measures[6] = String::new();
            })
            .is_empty()
        );
    }
}
