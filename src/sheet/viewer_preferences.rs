//! Adds to a PDF the preference to be printed at 100 %, which krilla cannot write yet.
//!
//! The preference is part of the catalog, so a new version of the catalog is appended to the file, as the standard
//! provides for changes: an incremental update (ISO 32000-1, 7.5.6). The file's own bytes do not change.

/// What is added to the catalog: no scaling, and the window shows the title, not the file name.
const PREFERENCE: &str = "/ViewerPreferences<</PrintScaling/None/DisplayDocTitle true>>";

/// The file with the preference. None if the file is not structured like krilla's files: a single table of objects at
/// the end, and a catalog without viewer preferences.
pub(crate) fn without_scaling(mut file: Vec<u8>) -> Option<Vec<u8>> {
    let tail = str::from_utf8(&file[file.len().saturating_sub(40)..]).ok()?;
    let table_at: usize = tail.rsplit_once("startxref")?.1.split_ascii_whitespace().next()?.parse().ok()?;
    let table = str::from_utf8(file.get(table_at..)?).ok()?;
    let (entries, rest) = table.strip_prefix("xref\n0 ")?.split_once("trailer\n")?;
    let trailer = rest.split_once("startxref")?.0.trim_end().strip_prefix("<<")?.strip_suffix(">>")?;
    let root = trailer.split_once("/Root")?.1.trim_start();
    let number: usize = root.split_once(" 0 R")?.0.parse().ok()?;
    // The entries follow the line with their count, in the order of object numbers.
    let entry = entries.lines().nth(number + 1)?;
    let at: usize = entry.strip_suffix(" 00000 n ").or_else(|| entry.strip_suffix(" 00000 n"))?.parse().ok()?;
    let object = file.get(at..table_at)?;
    let end = object.windows(6).position(|bytes| bytes == b"endobj")?;
    let object = str::from_utf8(&object[..end]).ok()?;
    let catalog = object.strip_prefix(&format!("{number} 0 obj\n"))?.trim_end();
    let catalog = catalog.strip_prefix("<<")?.strip_suffix(">>")?;
    if !catalog.contains("/Catalog") || catalog.contains("/ViewerPreferences") {
        return None;
    }
    let object = format!("\n{number} 0 obj\n<<{catalog}{PREFERENCE}>>\nendobj\n");
    let (at, table) = (file.len() + 1, file.len() + object.len());
    let trailer = format!(
        "xref\n{number} 1\n{at:010} 00000 n\r\ntrailer\n<<{trailer}/Prev {table_at}>>\nstartxref\n{table}\n%%EOF\n"
    );
    file.extend(object.into_bytes());
    file.extend(trailer.into_bytes());
    Some(file)
}

#[cfg(test)]
mod tests {
    use hayro::hayro_syntax::Pdf;
    use hayro::hayro_syntax::object::dict::Dict;
    use hayro::hayro_syntax::object::{Name, Object};

    use super::*;

    fn blank() -> Vec<u8> {
        krilla::Document::new().finish().unwrap()
    }

    /// The print scaling preference in every catalog that a reader finds in the file.
    fn preferences(file: Vec<u8>) -> Vec<String> {
        let pdf = Pdf::new(file).unwrap();
        assert_eq!(pdf.pages().len(), 1);
        let scaling = |object: Object<'_>| {
            let Object::Dict(catalog) = object else { return None };
            let preference = catalog.get::<Dict<'_>>("ViewerPreferences")?.get::<Name<'_>>("PrintScaling")?;
            Some(preference.as_str().to_owned())
        };
        pdf.objects().into_iter().filter_map(scaling).collect()
    }

    #[test]
    fn a_file_gets_the_preference_and_is_otherwise_unchanged() {
        let before = blank();
        assert!(preferences(before.clone()).is_empty());
        let after = without_scaling(before.clone()).unwrap();
        assert!(after.starts_with(&before));
        assert_eq!(preferences(after), ["None"]);
    }

    #[test]
    fn a_file_with_another_structure_is_rejected() {
        assert_eq!(without_scaling(Vec::new()), None);
        assert_eq!(without_scaling(b"%PDF-1.7 startxref 99999 %%EOF".to_vec()), None);
        let mut cut = blank();
        cut.truncate(cut.len() - 30);
        assert_eq!(without_scaling(cut), None);
        // The preference cannot be added twice.
        assert_eq!(without_scaling(without_scaling(blank()).unwrap()), None);
    }
}
