//! Custom sheets: conversion between the store's measures and a sheet's geometry.

use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::presets::preset;
use crate::store::printing::sheets::{CustomSheet, Measures};

/// The geometry of a custom sheet.
pub fn sheet_of(custom: &CustomSheet) -> Sheet {
    let Measures { across, down, .. } = custom.measures;
    let mm = Mm::from_micrometres;
    let (count, measures) = (|count: i32| u16::try_from(count).unwrap_or_default(), &custom.measures);
    Sheet {
        slug: custom.slug.clone(),
        name: measures.name.clone(),
        page_width: mm(measures.page_width),
        page_height: mm(measures.page_height),
        columns: count(across),
        rows: count(down),
        width: mm(measures.width),
        height: mm(measures.height),
        left: mm(measures.from_left),
        top: mm(measures.from_top),
        pitch_x: mm(measures.pitch_x),
        pitch_y: mm(measures.pitch_y),
        margin: mm(measures.margin),
    }
}

/// The measures of a sheet, for the store.
pub(crate) fn measures_of(sheet: &Sheet) -> Measures {
    let um = Mm::micrometres;
    Measures {
        name: sheet.name.clone(),
        page_width: um(sheet.page_width),
        page_height: um(sheet.page_height),
        across: sheet.columns.into(),
        down: sheet.rows.into(),
        width: um(sheet.width),
        height: um(sheet.height),
        from_left: um(sheet.left),
        from_top: um(sheet.top),
        pitch_x: um(sheet.pitch_x),
        pitch_y: um(sheet.pitch_y),
        margin: um(sheet.margin),
    }
}

/// Whether a custom sheet cannot have this slug, because a preset has it, or a page's URL.
pub(crate) fn is_reserved(slug: &str) -> bool {
    slug == "add" || preset(slug).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::presets::presets;
    use crate::token::Micros;

    #[test]
    fn sheets_survive_conversion_to_measures() {
        for sheet in presets() {
            let (measures, changed) = (measures_of(sheet), Micros::stored(0));
            let custom = CustomSheet { slug: sheet.slug.clone(), measures, changed, changed_by: String::new() };
            assert_eq!(sheet_of(&custom), *sheet);
            assert!(is_reserved(&sheet.slug));
        }
    }
}
