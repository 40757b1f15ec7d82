//! How tokens are to be printed: the fields of an address or a form, and the options that they give.

use serde::{Deserialize, Deserializer, Serialize};
use validator::Validate;

use super::label_text::LabelText;
use crate::access::Principal;
use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::presets::{preset, presets};
use crate::store;
use crate::store::Connection;
use crate::store::printing::printers::Printer;
use crate::store::printing::{printers, sheets};
use crate::token::json_number::whole;
use crate::token::print::FIRST_SHEET;
use crate::token::settings::Settings;
use crate::token::{Given, Problem, TokenError, shown};
use crate::web::choice::Choice;
use crate::web::form_errors::FormErrors;
use crate::web::params::trimmed;
use crate::web::words::printing as words;
use crate::work::printing::custom_sheets::sheet_of;
use crate::work::printing::options::PrintOptions;

/// The usual resolution of an office printer, for when none is named.
const DPI: u32 = 300;

/// The fields as they were sent; on the page, with defaults for those that were left out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct PrintForm {
    /// A sheet's slug.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) sheet: String,
    /// The first free label.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) start: String,
    /// Millimetres to the right.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) offset_x: String,
    /// Millimetres down.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) offset_y: String,
    /// A word for what stands beside a code.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) text: String,
    /// A word for how large it is.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) text_size: String,
    /// A word for what stands below it.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) second_line: String,
    /// The second line, if it is a text.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) second_text: String,
    /// Whether each label's edge is drawn.
    #[serde(deserialize_with = "is_set")]
    pub(crate) outline: bool,
    /// Dots per inch.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) dpi: String,
    /// A printer's name.
    #[serde(deserialize_with = "trimmed")]
    pub(crate) printer: String,
    /// Whether characters without a glyph are left out.
    #[serde(deserialize_with = "is_set")]
    pub(crate) leave_out: bool,
    /// `next` starts at the label after the last print, `new` on a new sheet; both overrule `start`.
    #[serde(deserialize_with = "trimmed", skip_serializing)]
    pub(crate) start_on: String,
    /// The sheet for which `start` was entered: for another one it does not count.
    #[serde(skip_serializing)]
    pub(crate) for_sheet: Given<String>,
    /// The printer for which offsets and resolution were entered.
    #[serde(skip_serializing)]
    pub(crate) for_printer: Given<String>,
}

/// A box that a link can leave out, or say no to.
fn is_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(matches!(String::deserialize(deserializer)?.trim(), "1" | "on" | "true"))
}

/// Whether fields were entered for something else than is chosen now.
fn is_for_another(before: &Given<String>, now: &str) -> bool {
    match before {
        Given::Absent => false,
        Given::Empty => !now.is_empty(),
        Given::Value(before) => before != now,
    }
}

/// The sheets and printers that can be chosen.
pub(crate) struct PrintChoices {
    /// Own sheets.
    pub(crate) own: Vec<Sheet>,
    /// Printers.
    pub(crate) printers: Vec<Printer>,
    /// The next free label of each sheet that this person has in hand.
    next: Vec<(String, i32)>,
}

impl PrintChoices {
    /// Reads what can be chosen.
    pub(crate) fn read(connection: &mut Connection, by: &Principal) -> Result<Self, store::Error> {
        Ok(Self {
            own: sheets::all(connection)?.iter().map(sheet_of).collect(),
            printers: printers::all(connection)?.into_iter().map(|known| known.printer).collect(),
            next: sheets::next_labels(connection, by)?,
        })
    }

    /// The sheet of a slug.
    pub(crate) fn sheet(&self, slug: &str) -> Option<&Sheet> {
        preset(slug).or_else(|| self.own.iter().find(|sheet| sheet.slug == slug))
    }

    /// The first free label of the sheet that this person has in hand, if that is not a fresh one.
    pub(crate) fn next_label(&self, sheet: &Sheet) -> Option<u32> {
        let next = self.next.iter().find(|(slug, _)| *slug == sheet.slug)?.1;
        u32::try_from(next).ok().filter(|next| (2..=sheet.labels()).contains(next))
    }

    /// The sheets that can be chosen, in groups with a name each.
    pub(crate) fn choices(&self, chosen: &Sheet) -> Vec<(&'static str, Vec<Choice>)> {
        let choices = |sheets: Vec<&Sheet>| Choice::list(sheets.iter().map(|it| (&*it.slug, &*it.name)), &chosen.slug);
        let is_a4 = |sheet: &&Sheet| sheet.page_width == Mm::from_micrometres(210_000);
        let (a4, letter): (Vec<&Sheet>, Vec<&Sheet>) = presets().iter().partition(is_a4);
        let groups = [(words::OWN_SHEETS, self.own.iter().collect()), (words::A4, a4), (words::LETTER, letter)];
        let groups = groups.into_iter().filter(|(_, sheets)| !sheets.is_empty());
        groups.map(|(name, sheets)| (name, choices(sheets))).collect()
    }
}

impl PrintForm {
    /// Whether what is empty is filled with what the page would show: a form of ours sent it, or it says to go on where
    /// the last print ended.
    pub(crate) fn wants_defaults(&self) -> bool {
        self.for_sheet != Given::Absent || self.for_printer != Given::Absent || !self.start_on.is_empty()
    }

    /// Fills empty fields with defaults, for the page: the sheet of the settings, and the label after the last one that
    /// this user printed. Values that were entered for another sheet or printer are dropped.
    #[must_use]
    pub(crate) fn filled(mut self, known: &PrintChoices, settings: &Settings) -> Self {
        if self.sheet.is_empty() {
            self.sheet.clone_from(&default_sheet(known, settings).slug);
        }
        let sheet = known.sheet(&self.sheet);
        if is_for_another(&self.for_sheet, &self.sheet) || self.start_on == "next" {
            self.start.clear();
        }
        if self.start_on == "new" {
            "1".clone_into(&mut self.start);
        }
        if self.start.is_empty() {
            self.start = sheet.and_then(|sheet| known.next_label(sheet)).unwrap_or(1).to_string();
        }
        if is_for_another(&self.for_printer, &self.printer) {
            (self.offset_x, self.offset_y, self.dpi) = Default::default();
        }
        self
    }

    /// The print options; errors are added. Empty fields of `self` are filled.
    pub(crate) fn how(&mut self, known: &PrintChoices, settings: &Settings, errors: &mut FormErrors) -> PrintOptions {
        let named = known.sheet(&self.sheet);
        if named.is_none() && !self.sheet.is_empty() {
            errors.add_all(&[TokenError::value("sheet", Problem::NoSuchSheet { sheet: shown(&self.sheet) })]);
        }
        let sheet = named.unwrap_or_else(|| default_sheet(known, settings)).clone();
        let printer = known.printers.iter().find(|printer| printer.name == self.printer);
        if printer.is_none() && !self.printer.is_empty() {
            let none = Problem::NoSuchPrinter { printer: shown(&self.printer) };
            errors.add_all(&[TokenError::value("printer", none)]);
        }
        let of_printer = |of: fn(&Printer) -> i32| printer.map_or(Mm::ZERO, |it| Mm::from_micrometres(of(it)));
        let offset_x = offset("offset_x", &mut self.offset_x, of_printer(|it| it.offset_x), errors);
        let offset_y = offset("offset_y", &mut self.offset_y, of_printer(|it| it.offset_y), errors);
        let usual = printer.map_or(settings.default_dpi, |printer| printer.dpi);
        let dpi = number("dpi", &mut self.dpi, u32::try_from(usual).unwrap_or(DPI), errors);
        let start = number("start", &mut self.start, 1, errors);
        if !matches!(&*self.start_on, "" | "next" | "new") {
            errors.add_all(&[TokenError::value("start_on", Problem::not_one_of(&self.start_on, ["next", "new"]))]);
        }
        let texts = [&*self.text, &self.text_size, &self.second_line, &self.second_text];
        let LabelText { beside: text, size: text_size, second: second_line } = LabelText::read(texts, errors);
        let printer = printer.map(|printer| printer.name.clone());
        PrintOptions {
            sheet,
            start,
            offset_x,
            offset_y,
            text,
            outline: self.outline,
            dpi,
            leave_out: self.leave_out,
            text_size,
            second_line,
            printer,
        }
    }
}

/// The sheet of the settings, or the usual one when that was removed.
fn default_sheet<'k>(known: &'k PrintChoices, settings: &Settings) -> &'k Sheet {
    let usual = || preset(FIRST_SHEET).unwrap_or(&presets()[0]);
    known.sheet(&settings.default_sheet).unwrap_or_else(usual)
}

fn offset(name: &str, text: &mut String, usual: Mm, errors: &mut FormErrors) -> Mm {
    if text.is_empty() {
        *text = usual.to_string();
    }
    text.parse().unwrap_or_else(|_| {
        errors.add_all(&[TokenError::value(name.to_owned(), Problem::NotMillimetres { value: shown(text) })]);
        usual
    })
}

/// A whole number, which a program may have sent as JSON; the layout knows its limits.
fn number<N: std::str::FromStr + std::fmt::Display>(
    name: &'static str,
    text: &mut String,
    usual: N,
    errors: &mut FormErrors,
) -> N {
    if text.is_empty() {
        *text = usual.to_string();
    }
    if let Some(number) = whole(text).filter(|_| text.starts_with(|c: char| c.is_ascii_digit())) {
        *text = number.to_string();
    }
    text.parse().unwrap_or_else(|_| {
        let problem = Problem::NotAnInteger { value: shown(text), min: None, max: None };
        errors.add_all(&[TokenError::value(name, problem)]);
        usual
    })
}
