//! docs/API.md.

use std::fmt::{self, Write};

use super::content::{Block, Code, Section, Table};
use super::reference::{AnswerReference, Reference, ViewReference};
use crate::web::route::Route;

const HEAD: &str = "\
# The JSON API

<!-- Made from src/web/openapi/ by `TESSERA_WRITE_DOCS=1 cargo test --test it web::docs`. -->

A running server shows this page at `/docs`, with its own address in every example, also in Python and JavaScript, and
describes the API to programs at `/openapi.json` (OpenAPI 3.1), which `tessera openapi` prints, too.
";

/// The documentation of a table of routes, at a server, as Markdown.
pub fn markdown(routes: &[Route], server: &str) -> String {
    let mut text = String::new();
    // A string takes whatever is written.
    let _ = write(&mut text, &Reference::new(routes, server));
    text
}

fn write(to: &mut String, reference: &Reference) -> fmt::Result {
    writeln!(to, "{HEAD}\n{}\n", reference.lead.0)?;
    let titles =
        |sections: &[Section]| -> Vec<String> { sections.iter().map(|section| section.title.clone()).collect() };
    let views = std::iter::once("Views".to_owned());
    let first = std::iter::once("The first two calls".to_owned());
    for title in first.chain(titles(&reference.before)).chain(views).chain(titles(&reference.after)) {
        writeln!(to, "- [{title}](#{})", title.to_lowercase().replace(' ', "-"))?;
    }
    writeln!(to, "\n## The first two calls\n")?;
    writeln!(to, "Create a key at `/keys` or with `tessera key add first --role editor`, and export it:\n")?;
    writeln!(to, "```sh\nexport TESSERA_KEY=tsr_…\n```\n")?;
    writeln!(
        to,
        "Every example takes the key from there. With curl, in Python, and in JavaScript (Node 18 or later):\n"
    )?;
    reference.first_steps.iter().try_for_each(|example| code(to, example))?;
    reference.before.iter().try_for_each(|part| section(to, part))?;
    writeln!(to, "## Views\n")?;
    for one in &reference.views {
        let (method, path) = one.addresses.first().cloned().unwrap_or_default();
        writeln!(to, "- [{}](#{}): {method} `{path}`. {}", one.name, one.name, one.summary.0)?;
    }
    writeln!(to)?;
    reference.views.iter().try_for_each(|one| view(to, one))?;
    reference.after.iter().try_for_each(|part| section(to, part))?;
    to.truncate(to.trim_end().len());
    writeln!(to)
}

fn section(to: &mut String, section: &Section) -> fmt::Result {
    writeln!(to, "## {}\n", section.title)?;
    for block in &section.blocks {
        match block {
            Block::Text(text) => writeln!(to, "{}\n", text.0)?,
            Block::Table(of) => table(to, of)?,
            Block::Code(of) => code(to, of)?,
        }
    }
    Ok(())
}

fn view(to: &mut String, view: &ViewReference) -> fmt::Result {
    writeln!(to, "### {}\n\n{}\n", view.name, view.summary.0)?;
    for (method, path) in &view.addresses {
        writeln!(to, "- {method} `{path}`")?;
    }
    writeln!(to, "- Roles: {}\n", view.roles)?;
    if !view.description.0.is_empty() {
        writeln!(to, "{}\n", view.description.0)?;
    }
    view.parameters.iter().try_for_each(|of| table(to, of))?;
    view.examples.iter().take(1).try_for_each(|example| code(to, example))?;
    view.answers.iter().try_for_each(|one| answer(to, one))?;
    if let Some(errors) = &view.errors {
        writeln!(to, "Errors of its own:\n")?;
        table(to, errors)?;
    }
    writeln!(to, "As every view: {}; see [Errors](#errors).\n", view.common)
}

fn answer(to: &mut String, answer: &AnswerReference) -> fmt::Result {
    writeln!(to, "{}:\n", answer.title)?;
    answer.example.iter().try_for_each(|example| code(to, example))?;
    answer.tables.iter().try_for_each(|of| table(to, of))
}

fn table(to: &mut String, table: &Table) -> fmt::Result {
    if let Some(title) = &table.title {
        writeln!(to, "{}:\n", title.0)?;
    }
    let escaped = |cell: &str| cell.replace('|', "\\|").replace('\n', " ");
    writeln!(to, "| {} |", table.columns.join(" | "))?;
    writeln!(to, "|{}", "---|".repeat(table.columns.len()))?;
    for row in &table.rows {
        let cells: Vec<String> = row.cells.iter().map(|cell| escaped(&cell.0)).collect();
        writeln!(to, "| {} |", cells.join(" | "))?;
    }
    writeln!(to)
}

fn code(to: &mut String, code: &Code) -> fmt::Result {
    writeln!(to, "```{}\n{}\n```\n", code.language, code.text)
}
