//! The guide in sections, with the tables in them.

use super::content::{Block, Markdown, Row, Section, Table};

/// The text before the first heading, and the sections.
pub(super) fn sections(guide: &str) -> (Markdown, Vec<Section>) {
    let mut parts = guide.split("\n## ");
    let lead = parts.next().unwrap_or_default().trim().to_owned();
    (Markdown(lead), parts.map(section).collect())
}

fn section(part: &str) -> Section {
    let (title, text) = part.split_once('\n').unwrap_or((part, ""));
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(block);
    Section { id: slug(title), title: title.to_owned(), blocks: blocks.collect() }
}

fn block(text: &str) -> Block {
    if !text.starts_with('|') {
        return Block::Text(Markdown(text.to_owned()));
    }
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_start_matches('|').trim_end_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = text.lines();
    let columns = lines.next().map(cells).unwrap_or_default();
    Block::Table(Table::new(columns, lines.skip(1).map(|line| Row::plain(cells(line))).collect()))
}

/// A heading's place in the address, as those who show Markdown make it.
fn slug(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}
