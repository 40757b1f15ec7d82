//! The links between the pages about printing.

use crate::web::navigation::NavigationLink;
use crate::web::page::Page;
use crate::web::words::printing::{LABEL_SHEETS, PRINT_LABELS, PRINTED_SHEETS, PRINTERS};

/// A page about printing that the others link to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Print,
    Runs,
    Printers,
    Sheets,
}

/// The pages about printing that the user may open.
pub(crate) fn tabs(page: &Page, current: Tab) -> Vec<NavigationLink> {
    let all = [
        (Tab::Print, "/sheet", PRINT_LABELS),
        (Tab::Runs, "/print_runs", PRINTED_SHEETS),
        (Tab::Printers, "/printers", PRINTERS),
        (Tab::Sheets, "/sheets", LABEL_SHEETS),
    ];
    let open = all.into_iter().filter(|(tab, ..)| *tab != Tab::Sheets || page.may_manage());
    open.map(|(tab, path, name)| NavigationLink { path, name, is_current: tab == current }).collect()
}
