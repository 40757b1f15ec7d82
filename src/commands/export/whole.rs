//! Everything, as a directory of tables and PDFs.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use chrono_tz::Tz;
use serde_json::Value;

use super::folder::Folder;
use super::readme::readme;
use crate::cli::Common;
use crate::commands::shell::{Failure, connect, say};
use crate::store::printing::runs::{self, PrintRun};
use crate::store::whole::{Kind, Table, at_one_moment, tables};
use crate::store::{Connection, Error, clock};
use crate::token::{Micros, Uid};
use crate::work::export::format::Format;
use crate::work::export::rows::{Cell, Layout, RowWriter};

/// The directory of the PDFs.
const PDFS: &str = "print_runs";
/// Printed sheets that are listed at a time.
const RUNS: i64 = 100;

/// Writes everything into a new directory.
pub(super) fn run(common: &Common, path: &Path) -> Result<(), Failure> {
    let folder = Folder::new(path)?;
    let mut connection = connect(common)?;
    let (now, counts) = at_one_moment(&mut connection, |connection| {
        let now = clock::now(connection).map_err(Error::from)?;
        let mut counts = Vec::new();
        for table in tables() {
            counts.push((table.name, write_table(connection, table, &folder)?));
        }
        write_pdfs(connection, &folder)?;
        Ok::<_, Failure>((now, counts))
    })?;
    let is_one_moment = matches!(connection, Connection::Postgres(_));
    let text = readme(&common.database_url.to_string(), now, is_one_moment, &counts);
    let mut file = folder.file("README.txt")?;
    write(&folder, "README.txt", &mut file, text.as_bytes())?;
    folder.keep("README.txt", &file)?;
    folder.finish()?;
    say(&format!("Everything was written to {}; README.txt there explains it.\n", path.display()));
    Ok(())
}

/// Writes a table as CSV and as JSON Lines, and returns how many rows it has.
fn write_table(connection: &mut Connection, table: &Table, folder: &Folder) -> Result<usize, Failure> {
    let columns: Vec<&'static str> = table.columns.iter().map(|column| column.name).collect();
    let mut files = Vec::new();
    for format in [Format::Csv, Format::JsonLines] {
        let layout = Layout::new(format, &columns, Tz::UTC);
        let name = format!("{}.{}", table.name, format.extension());
        let mut file = folder.file(&name)?;
        write(folder, &name, &mut file, &layout.head()?)?;
        files.push((layout, name, file));
    }
    let (mut count, mut after) = (0, None);
    loop {
        let read = table.rows(connection, after)?;
        count += read.rows.len();
        for (layout, name, file) in &mut files {
            let mut rows = RowWriter::new(*layout);
            for row in &read.rows {
                let cells = row.iter().zip(table.columns).map(|(value, column)| cell(value, column.kind));
                rows.add(&cells.collect::<Vec<_>>())?;
            }
            write(folder, name, file, &rows.into_bytes()?)?;
        }
        after = read.rest;
        if after.is_none() {
            break;
        }
    }
    for (_, name, file) in &files {
        folder.keep(name, file)?;
    }
    Ok(count)
}

fn cell(value: &Value, kind: Kind) -> Cell<'_> {
    match (value, value.as_i64(), kind) {
        (Value::String(text), ..) => Cell::text(Some(text)),
        (_, Some(micros), Kind::Moment) => Cell::Moment(Micros::stored(micros)),
        (_, Some(number), _) => Cell::Number(number),
        _ => Cell::Empty,
    }
}

/// Writes the PDF of every printed sheet, piece by piece.
fn write_pdfs(connection: &mut Connection, folder: &Folder) -> Result<(), Failure> {
    folder.add_folder(PDFS)?;
    let mut after = None;
    loop {
        let found = runs::page(connection, after.as_ref(), RUNS).map_err(Error::from)?;
        let Some((last, _)) = found.last() else { return Ok(()) };
        after = Some(last.clone());
        for (_, run) in &found {
            write_pdf(connection, folder, run)?;
        }
    }
}

fn write_pdf(connection: &mut Connection, folder: &Folder, run: &PrintRun) -> Result<(), Failure> {
    let name = format!("{PDFS}/{}.pdf", run.uid);
    let mut file = folder.file(&name)?;
    let (mut size, mut chunk) = (0, 0);
    while let Some(bytes) = runs::pdf_chunk(connection, run.id, chunk).map_err(Error::from)? {
        write(folder, &name, &mut file, &bytes)?;
        size += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        chunk += 1;
    }
    if size == run.size {
        return folder.keep(&name, &file);
    }
    // What is older than the settings say is removed, also just now.
    let uid: Uid = run.uid.parse().map_err(Error::Token)?;
    if runs::find(connection, uid).map_err(Error::from)?.is_none() {
        return folder.remove(&name);
    }
    Err(Failure(format!("The PDF of the printed sheet {} is not complete in the database.", run.uid)))
}

fn write(folder: &Folder, name: &str, file: &mut File, bytes: &[u8]) -> Result<(), Failure> {
    file.write_all(bytes).map_err(|error| folder.not_written(name, &error))
}
