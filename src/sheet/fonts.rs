//! The fonts for printing sheets.

use std::borrow::Cow;
use std::sync::Arc;

use skrifa::{FontRef, MetadataProvider};

/// The fonts, in the order in which they are searched for a character.
#[derive(Clone, Debug)]
pub struct Fonts {
    /// The built-in font, then those of `--font`.
    pub(crate) faces: Vec<Face>,
}

/// A font.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    /// Its name in messages: the file name.
    pub(crate) name: String,
    /// The file.
    pub(crate) data: Arc<Cow<'static, [u8]>>,
}

/// A file that cannot be used as a font.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// It is not a font.
    #[error("{0} is not a font: use a TrueType or OpenType file (.ttf or .otf)")]
    NoFont(String),
    /// It is a collection, and it is unclear which font to use.
    #[error("{0} contains several fonts: use a file with one (.ttf or .otf)")]
    Several(String),
}

impl Fonts {
    /// `DejaVu Sans`, which covers Latin, Greek, Cyrillic, Arabic and many symbols, followed by `further` fonts: the
    /// names and contents of their files.
    ///
    /// # Errors
    /// The first file that is not a font.
    pub fn new(further: Vec<(String, Vec<u8>)>) -> Result<Self, FontError> {
        let first = ("DejaVu Sans".to_owned(), Cow::Borrowed(dejavu::sans::regular()));
        let further = further.into_iter().map(|(name, data)| (name, Cow::Owned(data)));
        let faces = std::iter::once(first).chain(further).map(|(name, data)| Face::new(name, data));
        Ok(Self { faces: faces.collect::<Result<_, _>>()? })
    }
}

impl Face {
    fn new(name: String, data: Cow<'static, [u8]>) -> Result<Self, FontError> {
        if data.starts_with(b"ttcf") {
            return Err(FontError::Several(name));
        }
        let face = Self { name, data: Arc::new(data) };
        // A font without characters or outlines would print nothing.
        let usable =
            face.font().is_some_and(|font| font.charmap().has_map() && font.outline_glyphs().format().is_some());
        if usable { Ok(face) } else { Err(FontError::NoFont(face.name)) }
    }

    /// The parsed font.
    pub(super) fn font(&self) -> Option<FontRef<'_>> {
        FontRef::new(&self.data).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dejavu_covers_latin_greek_and_cyrillic() {
        let fonts = Fonts::new(Vec::new()).unwrap();
        let font = fonts.faces[0].font().unwrap();
        for character in "Eintritt Zürich Łódź Ğ ẞ Ελλάδα Київ Ђ № € “” – — … العربية ✓".chars()
        {
            assert!(font.charmap().map(character).is_some(), "{character}");
        }
    }

    #[test]
    fn further_fonts_come_after_it() {
        let bold = dejavu::sans::bold().to_vec();
        let fonts = Fonts::new(vec![("bold.ttf".into(), bold.clone()), ("again.ttf".into(), bold)]).unwrap();
        let names: Vec<&str> = fonts.faces.iter().map(|face| face.name.as_str()).collect();
        assert_eq!(names, ["DejaVu Sans", "bold.ttf", "again.ttf"]);
    }

    #[test]
    fn a_file_that_is_not_a_font_is_reported() {
        let regular = dejavu::sans::regular();
        for data in [&[][..], b"no font", b"\0\x01\0\0", &regular[..200], b"%PDF-1.7"] {
            let error = Fonts::new(vec![("notes.txt".into(), data.to_vec())]).unwrap_err();
            assert_eq!(error, FontError::NoFont("notes.txt".into()));
            assert!(error.to_string().starts_with("notes.txt is not a font: "));
        }
        let several = [b"ttcf\0\x01\0\0\0\0\0\0", regular].concat();
        let error = Fonts::new(vec![("cjk.ttc".into(), several)]).unwrap_err();
        assert_eq!(error, FontError::Several("cjk.ttc".into()));
    }
}
