//! How tokens are to be printed: the fields of an address or a form, and the options that they give.

use crate::access::Principal;
use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::presets::{preset, presets};
use crate::store;
use crate::store::Connection;
use crate::store::printing::printers::Printer;
use crate::store::printing::{printers, sheets};
use crate::token::print::FIRST_SHEET;
use crate::token::quoted;
use crate::token::settings::Settings;
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::params::RawParams;
use crate::work::printing::custom_sheets::sheet_of;
use crate::work::printing::options::{PrintOptions, TextBeside};

/// The names of the parameters that say how, not which.
pub(crate) const NAMES: [&str; 12] = [
    "sheet",
    "start",
    "offset_x",
    "offset_y",
    "text",
    "outline",
    "dpi",
    "printer",
    "leave_out",
    "page",
    "for_sheet",
    "for_printer",
];

/// The usual resolution of an office printer, for when none is named.
const DPI: u32 = 300;

/// The fields as they were sent; on the page, with defaults for those that were left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrintForm {
    /// A sheet's slug.
    pub(crate) sheet: String,
    /// The first free label.
    pub(crate) start: String,
    /// Millimetres to the right.
    pub(crate) offset_x: String,
    /// Millimetres down.
    pub(crate) offset_y: String,
    /// A word of [`TextBeside`].
    pub(crate) text: String,
    /// Whether each label's edge is drawn.
    pub(crate) outline: bool,
    /// Dots per inch.
    pub(crate) dpi: String,
    /// A printer's name.
    pub(crate) printer: String,
    /// Whether characters without a glyph are left out.
    pub(crate) leave_out: bool,
    /// The sheet for which `start` was entered: for another one it does not count.
    for_sheet: Option<String>,
    /// The printer for which offsets and resolution were entered.
    for_printer: Option<String>,
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
        let groups = [("Own sheets", self.own.iter().collect()), ("A4", a4), ("Letter", letter)];
        let groups = groups.into_iter().filter(|(_, sheets)| !sheets.is_empty());
        groups.map(|(name, sheets)| (name, choices(sheets))).collect()
    }
}

impl PrintForm {
    /// Reads the parameters.
    pub(crate) fn read<const L: usize>(params: &RawParams<L>) -> Result<Self, Error> {
        let text = |name| params.text(name).map(|text| text.unwrap_or_default().trim().to_owned());
        let is_set = |name| Ok::<_, Error>(matches!(text(name)?.as_str(), "1" | "on" | "true"));
        Ok(Self {
            sheet: text("sheet")?,
            start: text("start")?,
            offset_x: text("offset_x")?,
            offset_y: text("offset_y")?,
            text: text("text")?,
            outline: is_set("outline")?,
            dpi: text("dpi")?,
            printer: text("printer")?,
            leave_out: is_set("leave_out")?,
            for_sheet: params.text("for_sheet")?,
            for_printer: params.text("for_printer")?,
        })
    }

    /// Names and values, as a form or an address has them.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let is_set = |set: bool| if set { "1".to_owned() } else { String::new() };
        let fields = [
            ("sheet", self.sheet.clone()),
            ("start", self.start.clone()),
            ("offset_x", self.offset_x.clone()),
            ("offset_y", self.offset_y.clone()),
            ("text", self.text.clone()),
            ("outline", is_set(self.outline)),
            ("dpi", self.dpi.clone()),
            ("printer", self.printer.clone()),
            ("leave_out", is_set(self.leave_out)),
        ];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Whether a form of ours sent it, whose fields were filled for one sheet and one printer.
    pub(crate) fn is_of_form(&self) -> bool {
        self.for_sheet.is_some() || self.for_printer.is_some()
    }

    /// Fills empty fields with defaults, for the page: the sheet of the settings, and the label after the last one that
    /// this user printed. Values that were entered for another sheet or printer are dropped.
    #[must_use]
    pub(crate) fn filled(mut self, known: &PrintChoices, settings: &Settings) -> Self {
        if self.sheet.is_empty() {
            self.sheet.clone_from(&default_sheet(known, settings).slug);
        }
        let sheet = known.sheet(&self.sheet);
        if self.for_sheet.as_ref().is_some_and(|before| *before != self.sheet) {
            self.start.clear();
        }
        if self.start.is_empty() {
            self.start = sheet.and_then(|sheet| known.next_label(sheet)).unwrap_or(1).to_string();
        }
        if self.for_printer.as_ref().is_some_and(|before| *before != self.printer) {
            (self.offset_x, self.offset_y, self.dpi) = Default::default();
        }
        self
    }

    /// The print options; errors are added. Empty fields of `self` are filled.
    pub(crate) fn how(&mut self, known: &PrintChoices, settings: &Settings, errors: &mut FormErrors) -> PrintOptions {
        let named = known.sheet(&self.sheet);
        if named.is_none() && !self.sheet.is_empty() {
            errors.add("sheet", format!("There is no sheet {}; choose one of those below.", quoted(&self.sheet)));
        }
        let sheet = named.unwrap_or_else(|| default_sheet(known, settings)).clone();
        let printer = known.printers.iter().find(|printer| printer.name == self.printer);
        if printer.is_none() && !self.printer.is_empty() {
            errors.add("printer", format!("There is no printer {}; choose one of those below.", quoted(&self.printer)));
        }
        let of_printer = |of: fn(&Printer) -> i32| printer.map_or(Mm::ZERO, |it| Mm::from_micrometres(of(it)));
        let offset_x = offset("offset_x", &mut self.offset_x, of_printer(|it| it.offset_x), errors);
        let offset_y = offset("offset_y", &mut self.offset_y, of_printer(|it| it.offset_y), errors);
        let usual = printer.map_or(settings.default_dpi, |printer| printer.dpi);
        let dpi = number("dpi", &mut self.dpi, u32::try_from(usual).unwrap_or(DPI), errors);
        let start = number("start", &mut self.start, 1, errors);
        let known_text = TextBeside::ALL.into_iter().find(|(_, word, _)| *word == self.text);
        if known_text.is_none() && !self.text.is_empty() {
            errors.add("text", format!("text {} is none of label, value, none.", quoted(&self.text)));
        }
        let text = known_text.map_or_else(TextBeside::default, |(beside, ..)| beside);
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
        errors.add(name, format!("The offset {} is not a number of millimetres, as in 1.5 or -0.3.", quoted(text)));
        usual
    })
}

/// A whole number; the layout knows its limits.
fn number<N: std::str::FromStr + std::fmt::Display>(
    name: &str,
    text: &mut String,
    usual: N,
    errors: &mut FormErrors,
) -> N {
    if text.is_empty() {
        *text = usual.to_string();
    }
    text.parse().unwrap_or_else(|_| {
        errors.add(name, format!("{} {} is not a whole number that is possible here.", labelled(name), quoted(text)));
        usual
    })
}

fn labelled(name: &str) -> &'static str {
    if name == "dpi" { "Dots per inch" } else { "The first free label" }
}
