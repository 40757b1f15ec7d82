//! What stands on which page: decided for all items first, and drawn page by page, as thousands of drawings at once would
//! take too much memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draw::{Drawing, Shape};
use super::fonts::Fonts;
use super::geometry::Sheet;
use super::label_layout::{Area, LabelLayout};
use super::mm::Mm;
use super::refusal::{DPI, FARTHEST, NAMED, Remedy, SheetRefusal};
use super::text::{Missing, Typesetter};
use crate::qr::{Code, Level};

/// The thickness of a label's edge in a test print.
const OUTLINE: f32 = 0.2;
/// The most characters without a glyph that are named.
const CHARACTERS: usize = 10;

/// How a sheet is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutOptions {
    /// First free label, counted from 1 along rows.
    pub start: u32,
    /// Added to every position, to the right.
    pub offset_x: Mm,
    /// Added to every position, down.
    pub offset_y: Mm,
    /// Draws the edge of every label of the page.
    pub outline: bool,
    /// The printer's resolution, in dots an inch.
    pub dpi: u32,
    /// Leaves characters out that no font has, instead of refusing them.
    pub leave_out: bool,
}

impl Default for LayoutOptions {
    fn default() -> Self {
        Self { start: 1, offset_x: Mm::ZERO, offset_y: Mm::ZERO, outline: false, dpi: 300, leave_out: false }
    }
}

/// What stands on a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelItem {
    /// How a refusal calls it.
    pub name: String,
    /// What the code says.
    pub code: String,
    /// What stands beside the code.
    pub text: Option<String>,
}

/// Which label an item is on. Both are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelPosition {
    /// The page.
    pub page: usize,
    /// The label of that page, along rows.
    pub label: u32,
}

/// Everything about a print but the drawings.
#[derive(Debug)]
pub struct SheetLayout {
    sheet: Sheet,
    options: LayoutOptions,
    place: LabelLayout,
    items: Vec<LabelItem>,
    /// Of each item.
    levels: Vec<Level>,
    typesetter: Typesetter,
}

impl SheetLayout {
    /// Decides what stands where. With `has_text` room is left for text, also on labels that have none, so that the code
    /// stands at the same place on all.
    ///
    /// # Errors
    /// Everything that keeps it from being printed, each once.
    pub fn new(
        sheet: &Sheet,
        options: &LayoutOptions,
        fonts: &Arc<Fonts>,
        has_text: bool,
        mut items: Vec<LabelItem>,
    ) -> Result<Self, Vec<SheetRefusal>> {
        let mut refused: Vec<SheetRefusal> = asked_wrongly(sheet, options).collect();
        if refused.iter().any(|it| matches!(it, SheetRefusal::Sheet { .. } | SheetRefusal::Dpi { .. })) {
            return Err(refused);
        }
        let place = LabelLayout::of(sheet, has_text);
        let levels = levels(sheet, &place, options, &items).map_err(|it| refused.push(it)).unwrap_or_default();
        let typesetter = Typesetter::new(fonts);
        refused.extend(clean(&typesetter, options.leave_out, has_text, &mut items));
        let plan = Self { sheet: sheet.clone(), options: *options, place, items, levels, typesetter };
        if refused.is_empty() {
            refused.extend(plan.off_paper());
        }
        if refused.is_empty() { Ok(plan) } else { Err(refused) }
    }

    /// How many pages there are; none without items.
    pub fn pages(&self) -> usize {
        self.items.len().checked_sub(1).map_or(0, |last| self.label_of(last).page + 1)
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// The item at this place in what was asked for, its text without what no font has.
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

    /// Which label an item is on.
    pub fn label_of(&self, item: usize) -> LabelPosition {
        let labels = usize::try_from(self.sheet.labels().max(1)).unwrap_or(usize::MAX);
        let first = usize::try_from(self.options.start.saturating_sub(1)).unwrap_or(usize::MAX);
        let number = first.saturating_add(item);
        LabelPosition { page: number / labels, label: u32::try_from(number % labels).unwrap_or(u32::MAX) }
    }

    /// The items on a page, in their order, by their place in what was asked for.
    pub(crate) fn items_of(&self, page: usize) -> std::ops::Range<usize> {
        let labels = usize::try_from(self.sheet.labels()).unwrap_or(usize::MAX);
        let first = usize::try_from(self.options.start.saturating_sub(1)).unwrap_or(usize::MAX);
        let from = page.saturating_mul(labels);
        let item = |number: usize| number.saturating_sub(first).min(self.items.len());
        item(from)..item(from.saturating_add(labels))
    }

    /// The label after the last item, counted from 1: the next print's `start`. It is 1 where the last page is full.
    pub(crate) fn next_start(&self) -> u32 {
        self.label_of(self.items.len()).label + 1
    }

    /// Where a label lies on its page: its left upper corner in millimetres, offsets included.
    pub fn corner(&self, label: u32) -> (f32, f32) {
        let (x, y) = self.sheet.corner(label);
        ((x + self.options.offset_x).f32(), (y + self.options.offset_y).f32())
    }

    /// The centre of every code, in millimetres from its label's left upper corner.
    pub fn centre(&self) -> (f32, f32) {
        self.place.centre()
    }

    /// The square of an item's code without its quiet zone, on its page, in millimetres: left and upper edge, and side.
    pub fn dark(&self, item: usize) -> Option<(f32, f32, f32)> {
        let modules = Code::modules_of(&self.items.get(item)?.code, *self.levels.get(item)?)?;
        let (x, y) = self.corner(self.label_of(item).label);
        let dark = self.place.dark(modules).moved(x, y);
        Some((dark.x, dark.y, dark.width))
    }

    /// What stands on a page, counted from 0. Beyond the last one it is an empty page.
    pub fn page(&self, page: usize) -> Drawing {
        let mut shapes = Vec::new();
        if self.options.outline {
            shapes.extend((0..self.sheet.labels()).map(|label| self.outline(label)));
        }
        let items = self.items_of(page);
        let first = items.start;
        for (number, (item, level)) in self.items[items.clone()].iter().zip(&self.levels[items]).enumerate() {
            let (x, y) = self.corner(self.label_of(first + number).label);
            // Its length was looked at by `new`.
            if let Ok(code) = Code::at_level(&item.code, *level) {
                let dark = self.place.dark(code.modules()).moved(x, y);
                let module = self.place.module(code.modules());
                shapes.push(Shape::Code { x: dark.x, y: dark.y, module, code: Arc::new(code) });
            }
            if let (Some(text), Some(area)) = (&item.text, self.place.text) {
                shapes
                    .extend(self.typesetter.set(text, area.moved(x, y), self.place.below).into_iter().map(Shape::Run));
            }
        }
        Drawing { width: self.sheet.page_width.f32(), height: self.sheet.page_height.f32(), shapes }
    }

    fn outline(&self, label: u32) -> Shape {
        let (x, y) = self.corner(label);
        Shape::Outline { x, y, width: self.sheet.width.f32(), height: self.sheet.height.f32(), line: OUTLINE }
    }

    /// What the offsets move over the paper's edge. Edges of labels may be: only what is read counts.
    fn off_paper(&self) -> Vec<SheetRefusal> {
        let (width, height) = (self.sheet.page_width.f32(), self.sheet.page_height.f32());
        let codes =
            self.items.iter().zip(&self.levels).filter_map(|(item, level)| Code::modules_of(&item.code, *level));
        let Some(printed) = codes.map(|modules| self.place.dark(modules)).reduce(Area::with) else {
            return Vec::new();
        };
        let printed = self.place.text.map_or(printed, |text| printed.with(text));
        let mut worst: BTreeMap<&str, SheetRefusal> = BTreeMap::new();
        let used = (0..self.items.len()).take(usize::try_from(self.sheet.labels()).unwrap_or(usize::MAX));
        for label in used.map(|item| self.label_of(item).label) {
            let (x, y) = self.corner(label);
            let Area { x, y, width: wide, height: high } = printed.moved(x, y);
            for (field, edge, by) in [
                ("offset_x", "left", -x),
                ("offset_x", "right", x + wide - width),
                ("offset_y", "upper", -y),
                ("offset_y", "lower", y + high - height),
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

/// What is wrong with sheet and options by themselves.
fn asked_wrongly(sheet: &Sheet, options: &LayoutOptions) -> impl Iterator<Item = SheetRefusal> {
    let LayoutOptions { start, offset_x, offset_y, dpi, .. } = *options;
    let labels = sheet.labels();
    let misfit = sheet.check().into_iter().next().map(|misfit| SheetRefusal::Sheet { message: misfit.message });
    let start = (misfit.is_none() && (start == 0 || start > labels)).then_some(SheetRefusal::Start { start, labels });
    let far =
        |field, offset: Mm| (offset > FARTHEST || offset < -FARTHEST).then_some(SheetRefusal::Offset { field, offset });
    let dpi = (!DPI.contains(&dpi)).then_some(SheetRefusal::Dpi { dpi });
    [misfit, start, far("offset_x", offset_x), far("offset_y", offset_y), dpi].into_iter().flatten()
}

/// Each code's level; else the refusal of the one that is the farthest from being printable.
fn levels(
    sheet: &Sheet,
    place: &LabelLayout,
    options: &LayoutOptions,
    items: &[LabelItem],
) -> Result<Vec<Level>, SheetRefusal> {
    let dpi = options.dpi;
    let found: Vec<Option<Level>> =
        items.iter().map(|item| place.level(&item.code, dpi).map(|(level, _)| level)).collect();
    let fine = || items.iter().enumerate().zip(&found).filter(|(_, level)| level.is_none()).map(|(it, _)| it);
    let modules = |item: &LabelItem| Code::modules_of(&item.code, Level::L).unwrap_or(u16::MAX);
    // Of those that are alike the first.
    let Some((number, worst)) = fine().rev().max_by_key(|(_, item)| (modules(item), item.code.len())) else {
        return Ok(found.into_iter().flatten().collect());
    };
    let (name, characters, count) = (worst.name.clone(), worst.code.chars().count(), fine().count());
    let remedy = Box::new(Remedy::of(sheet, place.text.is_some(), dpi, &worst.code));
    Err(SheetRefusal::TooFine { item: number, name, characters, count, sheet: sheet.name.clone(), dpi, remedy })
}

/// Makes the texts such that they can be set, and tells what no font has, the most frequent first.
fn clean(typesetter: &Typesetter, leave_out: bool, has_text: bool, items: &mut [LabelItem]) -> Vec<SheetRefusal> {
    let mut missing: BTreeMap<char, (Vec<String>, usize)> = BTreeMap::new();
    for item in items {
        let Some(text) = item.text.take().filter(|_| has_text) else { continue };
        let Missing { characters, rest } = typesetter.missing(&text);
        if !leave_out {
            for character in characters {
                let (names, count) = missing.entry(character).or_default();
                *count += 1;
                if names.len() < NAMED {
                    names.push(item.name.clone());
                }
            }
        }
        item.text = Some(rest).filter(|rest| !rest.is_empty());
    }
    let mut missing: Vec<_> = missing.into_iter().collect();
    missing.sort_by_key(|(_, (_, count))| std::cmp::Reverse(*count));
    let told = missing.into_iter().take(CHARACTERS);
    told.map(|(character, (names, count))| SheetRefusal::NoGlyph { character, names, count }).collect()
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
