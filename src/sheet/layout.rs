//! What is on which page. Decided for all items first, then drawn page by page, because thousands of drawings at once
//! would take too much memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draw::{Drawing, Shape};
use super::fonts::Fonts;
use super::geometry::Sheet;
use super::label_layout::{Area, LabelLayout};
use super::mm::Mm;
use super::refusal::{DPI, FARTHEST, NAMED, Remedy, SheetRefusal};
use super::text::{Missing, Typesetter};
use super::text_size::TextSize;
use crate::qr::{Code, Level};

/// The line width of label edges in a test print, in millimetres.
const OUTLINE: f32 = 0.2;
/// Most characters without a glyph that are reported.
const CHARACTERS: usize = 10;

/// How a sheet is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutOptions {
    /// The first free label, counted from 1 along rows.
    pub start: u32,
    /// Added to every position, to the right.
    pub offset_x: Mm,
    /// Added to every position, downwards.
    pub offset_y: Mm,
    /// Whether to draw the edges of all labels.
    pub outline: bool,
    /// The printer's resolution, in dots per inch.
    pub dpi: u32,
    /// Whether to leave out characters that no font has, instead of refusing them.
    pub leave_out: bool,
    /// How large the text beside the codes is.
    pub text_size: TextSize,
    /// Whether there is room for a second text.
    pub has_second: bool,
}

impl Default for LayoutOptions {
    fn default() -> Self {
        Self {
            start: 1,
            offset_x: Mm::ZERO,
            offset_y: Mm::ZERO,
            outline: false,
            dpi: 300,
            leave_out: false,
            text_size: TextSize::default(),
            has_second: false,
        }
    }
}

impl LayoutOptions {
    /// How many texts a label has room for.
    pub(super) fn texts(&self, has_text: bool) -> u8 {
        match (has_text, self.has_second) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }
}

/// What is printed on a label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelItem {
    /// Its name in refusals.
    pub name: String,
    /// The text in its code.
    pub code: String,
    /// The text beside its code.
    pub text: Option<String>,
    /// A second, smaller text below it.
    pub second: Option<String>,
}

/// The label that an item is on. Both numbers are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelPosition {
    /// The page.
    pub page: usize,
    /// The label on that page, along rows.
    pub label: u32,
}

/// A print, ready to be drawn.
#[derive(Debug)]
pub struct SheetLayout {
    sheet: Sheet,
    options: LayoutOptions,
    label_layout: LabelLayout,
    items: Vec<LabelItem>,
    /// The level of each item's code.
    levels: Vec<Level>,
    typesetter: Typesetter,
}

impl SheetLayout {
    /// Computes the layout. With `has_text`, all labels leave room for text, even those without any, so that the code
    /// is in the same place on each.
    ///
    /// # Errors
    /// Every reason why it cannot be printed, once each.
    pub fn new(
        sheet: &Sheet,
        options: &LayoutOptions,
        fonts: &Arc<Fonts>,
        has_text: bool,
        mut items: Vec<LabelItem>,
    ) -> Result<Self, Vec<SheetRefusal>> {
        let mut refusals: Vec<SheetRefusal> = option_errors(sheet, options).collect();
        if refusals.iter().any(|it| matches!(it, SheetRefusal::Sheet { .. } | SheetRefusal::Dpi { .. })) {
            return Err(refusals);
        }
        let label_layout = LabelLayout::of(sheet, options.texts(has_text));
        let levels =
            levels(sheet, &label_layout, options, has_text, &items).map_err(|it| refusals.push(it)).unwrap_or_default();
        let typesetter = Typesetter::new(fonts);
        refusals.extend(remove_missing(&typesetter, options.leave_out, has_text, &mut items));
        let layout = Self { sheet: sheet.clone(), options: *options, label_layout, items, levels, typesetter };
        if refusals.is_empty() {
            refusals.extend(layout.offset_refusals());
        }
        if refusals.is_empty() { Ok(layout) } else { Err(refusals) }
    }

    /// The number of pages; 0 without items.
    pub fn pages(&self) -> usize {
        self.items.len().checked_sub(1).map_or(0, |last| self.label_of(last).page + 1)
    }

    /// The number of items.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// The item with this index, its text without the characters that no font has.
    pub(crate) fn item(&self, item: usize) -> Option<&LabelItem> {
        self.items.get(item)
    }

    /// The sheet.
    pub(crate) fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// How it is printed.
    pub fn options(&self) -> &LayoutOptions {
        &self.options
    }

    /// The label of an item.
    pub fn label_of(&self, item: usize) -> LabelPosition {
        let labels = usize::try_from(self.sheet.labels().max(1)).unwrap_or(usize::MAX);
        let first = usize::try_from(self.options.start.saturating_sub(1)).unwrap_or(usize::MAX);
        let number = first.saturating_add(item);
        LabelPosition { page: number / labels, label: u32::try_from(number % labels).unwrap_or(u32::MAX) }
    }

    /// The indices of the items on a page.
    pub(crate) fn items_of(&self, page: usize) -> std::ops::Range<usize> {
        let labels = usize::try_from(self.sheet.labels()).unwrap_or(usize::MAX);
        let first = usize::try_from(self.options.start.saturating_sub(1)).unwrap_or(usize::MAX);
        let from = page.saturating_mul(labels);
        let item = |number: usize| number.saturating_sub(first).min(self.items.len());
        item(from)..item(from.saturating_add(labels))
    }

    /// The label after the last item, counted from 1: the next print's `start`. It is 1 if the last page is full.
    pub(crate) fn next_start(&self) -> u32 {
        self.label_of(self.items.len()).label + 1
    }

    /// The top left corner of a label on its page, in millimetres, including the offsets.
    pub fn corner(&self, label: u32) -> (f32, f32) {
        let (x, y) = self.sheet.corner(label);
        ((x + self.options.offset_x).f32(), (y + self.options.offset_y).f32())
    }

    /// The centre of every code, in millimetres from its label's top left corner.
    pub fn centre(&self) -> (f32, f32) {
        self.label_layout.centre()
    }

    /// The square of an item's code on its page, without the quiet zone: left edge, top edge and side in millimetres.
    pub fn dark(&self, item: usize) -> Option<(f32, f32, f32)> {
        let modules = Code::modules_of(&self.items.get(item)?.code, *self.levels.get(item)?)?;
        let (x, y) = self.corner(self.label_of(item).label);
        let dark = self.label_layout.dark(modules).moved(x, y);
        Some((dark.x, dark.y, dark.width))
    }

    /// The drawing of a page, counted from 0; an empty page beyond the last one.
    pub fn page(&self, page: usize) -> Drawing {
        let mut shapes = Vec::new();
        if self.options.outline {
            shapes.extend((0..self.sheet.labels()).map(|label| self.outline(label)));
        }
        let items = self.items_of(page);
        let first = items.start;
        for (number, (item, level)) in self.items[items.clone()].iter().zip(&self.levels[items]).enumerate() {
            let (x, y) = self.corner(self.label_of(first + number).label);
            // `new` has checked that the text fits.
            if let Ok(code) = Code::at_level(&item.code, *level) {
                let dark = self.label_layout.dark(code.modules()).moved(x, y);
                let module = self.label_layout.module(code.modules());
                shapes.push(Shape::Code { x: dark.x, y: dark.y, module, code: Arc::new(code) });
            }
            if let Some(area) = self.label_layout.text {
                let texts = [item.text.as_deref(), item.second.as_deref()];
                let (area, below) = (area.moved(x, y), self.label_layout.below);
                let runs = self.typesetter.set_label(texts, area, below, self.options.text_size);
                shapes.extend(runs.into_iter().map(Shape::Run));
            }
        }
        Drawing { width: self.sheet.page_width.f32(), height: self.sheet.page_height.f32(), shapes }
    }

    fn outline(&self, label: u32) -> Shape {
        let (x, y) = self.corner(label);
        Shape::Outline { x, y, width: self.sheet.width.f32(), height: self.sheet.height.f32(), line: OUTLINE }
    }

    /// What the offsets move off the paper. Label edges may leave it: only codes and texts count.
    fn offset_refusals(&self) -> Vec<SheetRefusal> {
        let (width, height) = (self.sheet.page_width.f32(), self.sheet.page_height.f32());
        let codes =
            self.items.iter().zip(&self.levels).filter_map(|(item, level)| Code::modules_of(&item.code, *level));
        let Some(printed) = codes.map(|modules| self.label_layout.dark(modules)).reduce(Area::with) else {
            return Vec::new();
        };
        let printed = self.label_layout.text.map_or(printed, |text| printed.with(text));
        let mut worst: BTreeMap<&str, SheetRefusal> = BTreeMap::new();
        let used = (0..self.items.len()).take(usize::try_from(self.sheet.labels()).unwrap_or(usize::MAX));
        for label in used.map(|item| self.label_of(item).label) {
            let (x, y) = self.corner(label);
            let Area { x, y, width: wide, height: high } = printed.moved(x, y);
            for (field, edge, by) in [
                ("offset_x", "left", -x),
                ("offset_x", "right", x + wide - width),
                ("offset_y", "top", -y),
                ("offset_y", "bottom", y + high - height),
            ] {
                let by = Mm::from_f32(by);
                let more = |it: &SheetRefusal| matches!(it, SheetRefusal::OffPaper { by: other, .. } if *other >= by);
                if by > Mm::ZERO && !worst.get(field).is_some_and(more) {
                    worst.insert(field, SheetRefusal::OffPaper { field, label: label + 1, edge, by });
                }
            }
        }
        worst.into_values().collect()
    }
}

/// Errors in the sheet and the options themselves.
fn option_errors(sheet: &Sheet, options: &LayoutOptions) -> impl Iterator<Item = SheetRefusal> {
    let LayoutOptions { start, offset_x, offset_y, dpi, .. } = *options;
    let labels = sheet.labels();
    let misfit = sheet.check().into_iter().next().map(|misfit| SheetRefusal::Sheet { message: misfit.message });
    let start = (misfit.is_none() && (start == 0 || start > labels)).then_some(SheetRefusal::Start { start, labels });
    let too_far =
        |field, offset: Mm| (offset > FARTHEST || offset < -FARTHEST).then_some(SheetRefusal::Offset { field, offset });
    let dpi = (!DPI.contains(&dpi)).then_some(SheetRefusal::Dpi { dpi });
    [misfit, start, too_far("offset_x", offset_x), too_far("offset_y", offset_y), dpi].into_iter().flatten()
}

/// The level of each code, or the refusal of the code that is furthest from being printable.
fn levels(
    sheet: &Sheet,
    label_layout: &LabelLayout,
    options: &LayoutOptions,
    has_text: bool,
    items: &[LabelItem],
) -> Result<Vec<Level>, SheetRefusal> {
    let dpi = options.dpi;
    let levels: Vec<Option<Level>> =
        items.iter().map(|item| label_layout.level(&item.code, dpi).map(|(level, _)| level)).collect();
    let too_fine = || items.iter().enumerate().zip(&levels).filter(|(_, level)| level.is_none()).map(|(it, _)| it);
    let all = || too_fine().map(|(number, _)| number).collect();
    let modules = |item: &LabelItem| Code::modules_of(&item.code, Level::L).unwrap_or(u16::MAX);
    // The first one, if several are equally bad.
    let Some((number, worst)) = too_fine().rev().max_by_key(|(_, item)| (modules(item), item.code.len())) else {
        return Ok(levels.into_iter().flatten().collect());
    };
    let (name, characters, sheet_name) = (worst.name.clone(), worst.code.chars().count(), sheet.name.clone());
    let remedy = Box::new(Remedy::of(sheet, options.texts(has_text), dpi, &worst.code));
    Err(SheetRefusal::TooFine { item: number, name, characters, items: all(), sheet: sheet_name, dpi, remedy })
}

/// Removes from the texts what no font has, and reports it, most frequent first.
fn remove_missing(
    typesetter: &Typesetter,
    leave_out: bool,
    has_text: bool,
    items: &mut [LabelItem],
) -> Option<SheetRefusal> {
    let mut missing: BTreeMap<char, usize> = BTreeMap::new();
    let (mut names, mut numbers) = (Vec::new(), Vec::new());
    for (number, item) in items.iter_mut().enumerate() {
        let mut of_item: Vec<char> = Vec::new();
        for text in [&mut item.text, &mut item.second] {
            let Some(all) = text.take().filter(|_| has_text) else { continue };
            let Missing { characters, rest } = typesetter.missing(&all);
            of_item.extend(characters);
            *text = Some(rest).filter(|rest| !rest.is_empty());
        }
        of_item.sort_unstable();
        of_item.dedup();
        if of_item.is_empty() || leave_out {
            continue;
        }
        for character in of_item {
            *missing.entry(character).or_default() += 1;
        }
        if names.len() < NAMED {
            names.push(item.name.clone());
        }
        numbers.push(number);
    }
    let mut characters: Vec<(char, usize)> = missing.into_iter().collect();
    characters.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = characters.len().saturating_sub(CHARACTERS);
    let characters: Vec<char> = characters.into_iter().map(|(character, _)| character).take(CHARACTERS).collect();
    (!numbers.is_empty()).then_some(SheetRefusal::NoGlyph { characters, more, names, items: numbers })
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
