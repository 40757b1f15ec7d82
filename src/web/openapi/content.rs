//! What a page of documentation is made of. Text is Markdown, without HTML.

use pulldown_cmark::{Event, Options, Parser, html};

/// A part with a heading.
pub(crate) struct Section {
    /// Its place in the address.
    pub(crate) id: String,
    /// Its heading.
    pub(crate) title: String,
    /// What it says.
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a section.
pub(crate) enum Block {
    /// Paragraphs and lists.
    Text(Markdown),
    /// A table.
    Table(Table),
    /// Something to copy, or an answer.
    Code(Code),
}

/// Text in Markdown.
pub(crate) struct Markdown(pub(crate) String);

/// A table.
pub(crate) struct Table {
    /// Its heading, where it has one of its own.
    pub(crate) title: Option<Markdown>,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
    /// Its rows.
    pub(crate) rows: Vec<Row>,
}

/// A row of a table.
pub(crate) struct Row {
    /// Its place in the address, if it has one.
    pub(crate) id: Option<String>,
    /// Its cells.
    pub(crate) cells: Vec<Markdown>,
}

/// A program, a command or an answer.
pub(crate) struct Code {
    /// The language, as fenced code names it.
    pub(crate) language: &'static str,
    /// The language, as people name it.
    pub(crate) name: &'static str,
    /// The text.
    pub(crate) text: String,
}

impl Markdown {
    /// As HTML. HTML that is in it is shown as it is written.
    pub(crate) fn html(&self) -> String {
        let events = Parser::new_ext(&self.0, Options::ENABLE_TABLES).map(|event| match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            other => other,
        });
        let mut text = String::new();
        html::push_html(&mut text, events);
        text
    }

    /// As HTML of one line, without a paragraph around it.
    pub(crate) fn inline_html(&self) -> String {
        let html = self.html();
        let html = html.trim();
        html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).unwrap_or(html).to_owned()
    }
}

impl Table {
    /// A table without a heading of its own.
    pub(crate) fn new(columns: impl Into<Vec<String>>, rows: Vec<Row>) -> Self {
        Self { title: None, columns: columns.into(), rows }
    }

    /// The same with a heading.
    pub(crate) fn titled(self, title: impl Into<String>) -> Self {
        Self { title: Some(Markdown(title.into())), ..self }
    }
}

impl Row {
    /// A row that an address can name.
    pub(crate) fn new(id: String, cells: impl IntoIterator<Item = String>) -> Self {
        Self { id: Some(id), ..Self::plain(cells) }
    }

    /// A row.
    pub(crate) fn plain(cells: impl IntoIterator<Item = String>) -> Self {
        Self { id: None, cells: cells.into_iter().map(Markdown).collect() }
    }

    /// Its cells with the names of their columns.
    pub(crate) fn named<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = (&'a String, &'a Markdown)> {
        table.columns.iter().zip(&self.cells)
    }
}
