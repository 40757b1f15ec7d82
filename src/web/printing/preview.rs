//! A page as it will be printed.

use std::sync::Arc;

use actix_web::web;

use super::order::{PrintOrder, UIDS_IN_ADDRESS, refusals};
use crate::sheet::fonts::Fonts;
use crate::sheet::geometry::Sheet;
use crate::sheet::layout::{LayoutOptions, SheetLayout};
use crate::sheet::refusal::SheetRefusal;
use crate::sheet::svg::PageStyle;
use crate::sheet::{Area, svg};
use crate::web::error::Error;
use crate::web::state::App;
use crate::web::words::printing::page_of;
use crate::work::printing::items::{LabelItems, MAX_LABELS};
use crate::work::printing::options::PrintOptions;

/// The most labels of a page that can be clicked on.
const LINKS: usize = 500;

/// A page as it will be printed.
pub(crate) struct SheetPreview {
    /// Which one, counted from 1.
    pub(crate) number: usize,
    /// How many there are.
    pub(crate) pages: usize,
    /// The page; without labels when it cannot be printed so, and none when there is no such sheet.
    pub(crate) svg: Option<String>,
}

impl SheetPreview {
    /// Whether it is the first page.
    pub(crate) fn is_first(&self) -> bool {
        self.number == 1
    }

    /// Whether it is the last page.
    pub(crate) fn is_last(&self) -> bool {
        self.number == self.pages
    }

    /// Makes the page of that number, or the last one. Errors of its labels are added to the order's.
    pub(crate) async fn make(app: &web::Data<App>, order: &mut PrintOrder, number: usize) -> Result<Self, Error> {
        let (labels, before) = (order.options.sheet.labels() as usize, order.options.start.saturating_sub(1) as usize);
        // Whatever is printed in parts: the first part is looked at.
        let count = order.total.min(MAX_LABELS);
        let pages = (before + count).div_ceil(labels.max(1)).max(1);
        let number = number.clamp(1, pages);
        let is_good = order.errors.is_empty() && before < labels;
        let printed = if is_good {
            let skip = (labels * (number - 1)).saturating_sub(before);
            let room = if number == 1 { labels - before } else { labels };
            order.tokens(app, skip, room.min(count - skip)).await?
        } else {
            None
        };
        let printed = printed.unwrap_or_default();
        let (options, shared) = (order.options.clone(), web::Data::clone(app));
        let links = order.selected.uids().is_none_or(|uids| uids.len() <= UIDS_IN_ADDRESS);
        // A form's field is enough where a click would hardly hit a label.
        let links = (links && labels <= LINKS).then(|| order.address_but_start(&format!("{}/sheet", app.base)));
        let draw = move |_: &mut _| draw(&options, &shared.background.fonts, printed, (number, pages), links);
        let (svg, refused) = app.background.render_pool.run(labels, draw).await?;
        refusals(&refused, &mut order.errors);
        Ok(Self { number, pages, svg })
    }
}

/// The page, or the empty sheet and why.
fn draw(
    options: &PrintOptions,
    fonts: &Arc<Fonts>,
    printed: LabelItems,
    (number, pages): (usize, usize),
    links: Option<String>,
) -> (Option<String>, Vec<SheetRefusal>) {
    // One that the sheet has not is refused, whichever page is looked at.
    let start = if number > 1 && (1..=options.sheet.labels()).contains(&options.start) { 1 } else { options.start };
    let layout_options = LayoutOptions { start, ..options.layout_options() };
    let has_text = options.has_text();
    let (layout, refused) = match SheetLayout::new(&options.sheet, &layout_options, fonts, has_text, printed.items) {
        Ok(layout) => (Some(layout), Vec::new()),
        Err(refused) => {
            let bare = LayoutOptions { start: 1, ..LayoutOptions::default() };
            (SheetLayout::new(&options.sheet, &bare, fonts, has_text, Vec::new()).ok(), refused)
        }
    };
    let used = if number == 1 { options.start.saturating_sub(1) } else { 0 };
    let preview = svg::PreviewMarks {
        labels: places(&options.sheet, 0..options.sheet.labels()),
        used: places(&options.sheet, 0..used.min(options.sheet.labels())),
        links: links.filter(|_| number == 1),
    };
    let look = PageStyle { number, label: page_of(number, pages), preview: Some(preview) };
    (layout.map(|layout| svg::svg(&layout.page(0), fonts, &look)), refused)
}

/// Where labels lie on the paper: where the sheet has them, whatever the printer's offset.
fn places(sheet: &Sheet, labels: std::ops::Range<u32>) -> Vec<Area> {
    let place = |label| {
        let (x, y) = sheet.corner(label);
        Area { x: x.f32(), y: y.f32(), width: sheet.width.f32(), height: sheet.height.f32() }
    };
    labels.map(place).collect()
}
