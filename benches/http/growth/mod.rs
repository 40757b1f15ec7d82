//! How each cost grows with what there is: `cargo bench --bench http -- --growth`.
//!
//! One database grows from size to size, by calls of 100,000 tokens. At each size it is measured what a token has written and
//! keeps, what a use writes, how many requests are answered, and how long searches take.

mod costs;
mod fill;
mod picture;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::database::Kind;
use crate::run::say;
use crate::server::{self, Server};
use crate::{Options, machine};
use costs::Cost;
use fill::Tokens;

/// The costs of one database, by size.
pub struct Grown {
    pub database: &'static str,
    pub version: String,
    pub sizes: Vec<(usize, Vec<Cost>)>,
}

/// Measures each database at each size, prints the costs as Markdown, and draws them if `--picture` says where.
pub fn report(options: &Options) -> ExitCode {
    let (mut all, mut code) = (Vec::new(), ExitCode::SUCCESS);
    for kind in options.database.kinds() {
        match measure(*kind, options) {
            Ok(grown) => all.push(grown),
            Err(error) => {
                say(&format!("http: {error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    let drawn = options.picture.as_ref().map_or(Ok(()), |path| std::fs::write(path, picture::draw(&all)));
    let text = format!("{}, commit {}.\n\n{}", machine::name(), machine::commit(), table::print(&all));
    let written = drawn.and_then(|()| io::stdout().lock().write_all(text.as_bytes()));
    if let Err(error) = written {
        say(&format!("http: {error}"));
        code = ExitCode::FAILURE;
    }
    code
}

fn measure(kind: Kind, options: &Options) -> io::Result<Grown> {
    let folder = tempfile::Builder::new().prefix("logs-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let database = kind.create()?;
    let key = server::key(&database.url)?;
    let mut tokens = Tokens::default();
    let mut sizes = Vec::new();
    for &size in &options.tokens {
        say(&format!("{}: growing to {size} tokens", database.name));
        // A server for each size, so that its memory is that of this size.
        let server = Server::start(&database.url, folder.path(), &[])?;
        let bench = Bench { database: &database, server: &server, key: &key, options };
        let made = tokens.grow(&bench, size).map_err(|error| server.explain(&error))?;
        let costs = costs::measure(&bench, &tokens, &made).map_err(|error| server.explain(&error))?;
        sizes.push((size, costs));
        server.stop()?;
    }
    Ok(Grown { database: database.name, version: database.version.clone(), sizes })
}

/// What is measured.
pub struct Bench<'a> {
    pub database: &'a crate::database::Database,
    pub server: &'a Server,
    pub key: &'a str,
    pub options: &'a Options,
}

impl Bench<'_> {
    /// Bytes that the server and its database have written since their start.
    pub fn written(&self) -> io::Result<u64> {
        let mut processes = self.database.processes();
        processes.push(self.server.id());
        machine::written(&processes)
    }
}
