//! What explains a directory with everything to whoever finds it.

use std::fmt::Write;

use crate::store::whole::{Kind, LEFT_OUT, tables};
use crate::token::Micros;

const FORMATS: &str = "\
Each table is here twice, with the same rows: as CSV (RFC 4180: UTF-8 without a byte order mark, commas, the first line
names the columns, an empty field is an absent value) and as JSON Lines (UTF-8, one JSON object a line, null is an absent
value). Moments are RFC 3339 in UTC, to the microsecond. IDs are UUIDs. \"Who\" is user:NAME, key:NAME or shell:NAME.

tokens.csv can be imported into another Tessera: it takes the columns uid, value, label, valid_from, valid_to,
usage_count, lock_time, batch, voided and void_reason. Texts are exactly as somebody entered them. One that begins with
= + - or @ is a formula to a spreadsheet: open these files with a program, or import their columns as text.
";
const ONE_MOMENT: &str = "All of it is what the database held at that moment.\n";
const ONE_BY_ONE: &str = "\
The files were read one after the other, from that moment on. If a server was running meanwhile, what was changed while
they were read may be in one file and not in another, such as a use in usage that tokens do not know yet. Stop the server
first where that matters.
";

/// The text of README.txt; `counts` has the rows of each table.
pub(super) fn readme(database: &str, now: Micros, is_one_moment: bool, counts: &[(&str, usize)]) -> String {
    let mut text = format!("Everything from the {database} of Tessera {}, {now}.\n", env!("CARGO_PKG_VERSION"));
    text.push_str(if is_one_moment { ONE_MOMENT } else { ONE_BY_ONE });
    text.push('\n');
    text.push_str(FORMATS);
    for table in tables() {
        let count = counts.iter().find(|(name, _)| *name == table.name).map_or(0, |(_, count)| *count);
        let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        // Writing to a text cannot fail.
        let _ = write!(text, "\n\n{}.csv, {}.jsonl: {rows}\n{}\n\n", table.name, table.name, table.about);
        for column in table.columns {
            let kind = match column.kind {
                Kind::Text => "text",
                Kind::Number => "number",
                Kind::Moment => "moment",
            };
            let _ = writeln!(text, "{}", format!("  {:14} {kind:7} {}", column.name, column.about).trim_end());
        }
    }
    text.push_str("\n\nNot here\n\n");
    for (what, why) in LEFT_OUT {
        let _ = writeln!(text, "  {what}: {why}.");
    }
    text
}
