//! Custom sheets: from the store to a sheet's geometry and back.

use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::presets::preset;
use crate::store::printing::sheets::{CustomSheet, Measures};

/// An own sheet as a sheet like others.
pub fn sheet_of(own: &CustomSheet) -> Sheet {
    let Measures { across, down, .. } = own.measures;
    let mm = Mm::from_micrometres;
    let (count, of) = (|count: i32| u16::try_from(count).unwrap_or_default(), &own.measures);
    Sheet {
        slug: own.slug.clone(),
        name: of.name.clone(),
        page_width: mm(of.page_width),
        page_height: mm(of.page_height),
        columns: count(across),
        rows: count(down),
        width: mm(of.width),
        height: mm(of.height),
        left: mm(of.from_left),
        top: mm(of.from_top),
        pitch_x: mm(of.pitch_x),
        pitch_y: mm(of.pitch_y),
        margin: mm(of.margin),
    }
}

/// A sheet as the store keeps it.
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

/// Whether a slug is not free for an own sheet: a preset has it, or a page.
pub(crate) fn is_reserved(slug: &str) -> bool {
    slug == "add" || preset(slug).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::presets::presets;
    use crate::token::Micros;

    #[test]
    fn sheets_go_to_the_store_and_come_back() {
        for sheet in presets() {
            let (measures, changed) = (measures_of(sheet), Micros::stored(0));
            let own = CustomSheet { slug: sheet.slug.clone(), measures, changed, changed_by: String::new() };
            assert_eq!(sheet_of(&own), *sheet);
            assert!(is_reserved(&sheet.slug));
        }
    }
}
