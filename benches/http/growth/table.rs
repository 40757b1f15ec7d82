//! The costs as Markdown.

use std::fmt::Write as _;

use super::Grown;
use crate::figures::grouped;

/// A table for each database: a line for each cost, a column for each size.
pub fn print(all: &[Grown]) -> String {
    let mut text = String::new();
    for Grown { database, version, sizes } in all {
        let heads: Vec<String> =
            sizes.iter().map(|(size, _)| format!("{} tokens", grouped(&size.to_string()))).collect();
        let rule = " ---: |".repeat(sizes.len());
        let _ = write!(text, "{version}:\n\n| {database} | {} |\n| --- |{rule}\n", heads.join(" | "));
        for (row, cost) in sizes.first().into_iter().flat_map(|(_, costs)| costs).enumerate() {
            let cells: Vec<String> = sizes.iter().map(|(_, costs)| costs[row].figure.text()).collect();
            let _ = writeln!(text, "| {} | {} |", cost.name, cells.join(" | "));
        }
        text += "\n";
    }
    text
}
