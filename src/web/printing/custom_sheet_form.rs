//! The form of a label sheet, and the sheet's picture.

use serde::Deserialize;
use validator::Validate;

use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::presets::MARGIN;
use crate::token::print::check_name;
use crate::token::{Problem, TokenError};
use crate::web::form_errors::FormErrors;
use crate::web::params::trimmed;
use crate::web::words::printing as words;

/// A field that takes a length.
pub(crate) struct Measure<'a> {
    /// What the sheet calls it.
    pub(crate) name: &'static str,
    /// What the page calls it.
    pub(crate) label: &'static str,
    /// What else is to be known.
    pub(crate) hint: &'static str,
    /// What stands in it.
    pub(crate) text: &'a str,
}

/// The fields of the form. Lengths are in millimetres.
#[derive(Clone, Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct CustomSheetForm {
    /// The name.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) name: String,
    /// Labels beside each other.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) columns: String,
    /// Labels below each other.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) rows: String,
    #[serde(deserialize_with = "trimmed")]
    page_width: String,
    #[serde(deserialize_with = "trimmed")]
    page_height: String,
    #[serde(deserialize_with = "trimmed")]
    width: String,
    #[serde(deserialize_with = "trimmed")]
    height: String,
    #[serde(deserialize_with = "trimmed")]
    left: String,
    #[serde(deserialize_with = "trimmed")]
    top: String,
    #[serde(deserialize_with = "trimmed")]
    pitch_x: String,
    #[serde(deserialize_with = "trimmed")]
    pitch_y: String,
    #[serde(deserialize_with = "trimmed")]
    margin: String,
}

impl CustomSheetForm {
    /// Of a new sheet: a page of A4.
    pub(crate) fn blank() -> Self {
        let [page_width, page_height, margin] = ["210", "297", "5"].map(str::to_owned);
        Self { page_width, page_height, margin, ..Self::default() }
    }

    /// Of a label that a roll printer prints: a page of one.
    pub(crate) fn roll() -> Self {
        let [one, zero, width, height] = ["1", "0", "57", "32"].map(str::to_owned);
        Self {
            name: words::ROLL.into(),
            columns: one.clone(),
            rows: one.clone(),
            page_width: width.clone(),
            page_height: height.clone(),
            left: zero.clone(),
            top: zero,
            pitch_x: width.clone(),
            pitch_y: height.clone(),
            margin: one,
            width,
            height,
        }
    }

    /// Of a sheet.
    pub(crate) fn of(sheet: &Sheet) -> Self {
        Self {
            name: sheet.name.clone(),
            columns: sheet.columns.to_string(),
            rows: sheet.rows.to_string(),
            page_width: sheet.page_width.to_string(),
            page_height: sheet.page_height.to_string(),
            width: sheet.width.to_string(),
            height: sheet.height.to_string(),
            left: sheet.left.to_string(),
            top: sheet.top.to_string(),
            pitch_x: sheet.pitch_x.to_string(),
            pitch_y: sheet.pitch_y.to_string(),
            margin: sheet.margin.to_string(),
        }
    }

    /// What was typed before its user had to sign in, and comes back with the address.
    pub(crate) fn brought_back(self) -> Option<Self> {
        // Which of them were filled is not known, and addresses leave out the others.
        let is_back = !self.columns.is_empty()
            || !self.rows.is_empty()
            || self.measures().iter().any(|measure| !measure.text.is_empty());
        is_back.then_some(self)
    }

    /// The fields that take a length, in the order of the form.
    pub(crate) fn measures(&self) -> [Measure<'_>; 9] {
        let field = |name, (label, hint): (&'static str, &'static str), text| Measure { name, label, hint, text };
        [
            field("page_width", words::PAGE_WIDTH, &*self.page_width),
            field("page_height", words::PAGE_HEIGHT, &self.page_height),
            field("width", words::LABEL_WIDTH, &self.width),
            field("height", words::LABEL_HEIGHT, &self.height),
            field("left", words::LEFT, &self.left),
            field("top", words::TOP, &self.top),
            field("pitch_x", words::PITCH_X, &self.pitch_x),
            field("pitch_y", words::PITCH_Y, &self.pitch_y),
            field("margin", words::MARGIN, &self.margin),
        ]
    }

    /// The sheet, if all fields can be parsed; errors are added.
    pub(crate) fn to_sheet(&self, slug: &str, errors: &mut FormErrors) -> Option<Sheet> {
        let mut count = |name: &'static str, text: &str| {
            let read = text.parse::<u16>().ok().filter(|count| (1..=1_000).contains(count));
            errors
                .note(read.map(Some).ok_or_else(|| TokenError::value(name, Problem::OutOfRange { min: 1, max: 1_000 })))
        };
        let (columns, rows) = (count("columns", &self.columns), count("rows", &self.rows));
        let is_one = [columns == Some(1), rows == Some(1)];
        let lengths = self.measures().map(|field| {
            // Where there is one column, nobody has to know how far the next one would be.
            let is_idle = (field.name == "pitch_x" && is_one[0]) || (field.name == "pitch_y" && is_one[1]);
            if is_idle && field.text.is_empty() {
                return Some(Mm::ZERO);
            }
            let read = field.text.parse::<Mm>();
            if let Err(why) = &read {
                errors.add(field.name, words::wrong_field(field.label, why));
            }
            read.ok()
        });
        let [page_width, page_height, width, height, left, top, pitch_x, pitch_y, margin] = lengths;
        let sheet = Sheet {
            slug: slug.to_owned(),
            name: self.name.clone(),
            page_width: page_width?,
            page_height: page_height?,
            columns: columns?,
            rows: rows?,
            width: width?,
            height: height?,
            left: left?,
            top: top?,
            pitch_x: pitch_x?,
            pitch_y: pitch_y?,
            margin: margin.unwrap_or(MARGIN),
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
            description: words::picture_of_sheet(columns, rows),
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
        assert_eq!(with(|form| form.width = "wide".into()), ["width"]);
        assert_eq!(with(|form| form.margin = String::new()), ["margin"]);
        assert_eq!(with(|form| form.rows = "9".into()), ["rows"]);
        assert_eq!(with(|form| form.name = String::new()), ["name"]);
        assert!(
            with(|form| {
                form.columns = "1".into();
                form.pitch_x = String::new();
            })
            .is_empty()
        );
    }
}
