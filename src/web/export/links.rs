//! The links with which a page offers what it lists as files.

use crate::web::query_string;
use crate::work::export::format::Format;

/// A file.
pub(crate) struct ExportLink {
    /// Its format, in words.
    pub(crate) words: &'static str,
    /// Its address.
    pub(crate) href: String,
}

/// The files at `path` with these parameters, one of each format.
pub(crate) fn export_links(path: &str, parameters: &[(&str, impl AsRef<str>)]) -> Vec<ExportLink> {
    let link = |format: Format| ExportLink {
        words: format.words(),
        href: query_string::with(
            path,
            parameters.iter().map(|(name, value)| (*name, value)),
            &format!("format={}", format.word()),
        ),
    };
    Format::OFFERED.map(link).into()
}
