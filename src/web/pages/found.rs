//! A page of what a filter finds: for the list and for the overview.

use super::Problems;
use super::asked::{Asked, ORDERS};
use super::turn::{Turn, counted};
use super::view::StateView;
use super::when::Clock;
use crate::store::Connection;
use crate::store::batches::{self, Batch};
use crate::store::print_runs;
use crate::store::token_list::{self, Place, TokenFilter};
use crate::token::print::Printed;
use crate::token::{State, Token, Uid};
use crate::web::counts::Count;
use crate::web::cursor::CursorOf;
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::printing::Printing;
use crate::web::state::App;

/// Batches that can be chosen in the filter: the newest, and the one that is chosen.
const BATCHES: i64 = 30;

/// A page of what a filter finds, and all that its form and its links need.
pub struct Found {
    /// The path of the page, with the base path.
    pub path: String,
    /// The filter and the order, as asked for.
    pub asked: Asked,
    /// What it means.
    pub filter: TokenFilter,
    /// What is wrong with it.
    pub problems: Problems,
    /// The tokens of the page.
    pub tokens: Vec<Token>,
    /// How many there are.
    pub count: Count,
    /// There is no token at all.
    pub untouched: bool,
    /// The states that can be chosen.
    pub states: [StateView; 6],
    /// The orders that can be chosen.
    pub orders: Vec<(&'static str, &'static str)>,
    /// The batches that can be chosen: uid and name.
    pub batches: Vec<(String, String)>,
    /// What can be chosen about printing.
    pub printed: [(&'static str, &'static str); 2],
    /// The sheet of the print run that is chosen.
    pub print_run: Option<String>,
    /// The parts of the filter, and the address without each.
    pub loosen: Vec<(&'static str, String)>,
    /// The address of the same in the overview, where many can be changed at once.
    pub as_tiles: String,
    /// The address at which all of them are printed.
    pub to_print: String,
    /// The address of the first page.
    pub first: String,
    /// The address of the page before.
    pub newer: Option<String>,
    /// The address of the page behind.
    pub older: Option<String>,
    /// The address of the last page.
    pub last: String,
}

impl Found {
    /// Finds what the parameters ask for, `rows` to a page, at `path` below the base path; links keep `more`.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn read(app: &App, params: &Params, path: &str, more: &str, rows: usize) -> Result<Self, Error> {
        let asked = Asked::read(params)?;
        let mut problems = Problems::default();
        let filter = asked.filter(app, &mut problems);
        let cursors = CursorOf::new(path, &[Some(asked.href("", more))]);
        let turn = problems.note(Turn::read(params, &cursors).map(Some)).unwrap_or(Turn::First);
        let clock = Clock { now: app.store.now(), zone: app.zone };
        let (order, wanted, begins, is_good) = (asked.order(), filter.clone(), turn.clone(), problems.is_empty());
        let work = move |connection: &mut Connection| {
            let choices = choices(connection, wanted.batch)?;
            let run = wanted.print_run.map_or(Ok(None), |run| print_runs::find(connection, run))?;
            let part = begins.part(order.0, order.1, rows);
            let page = if is_good { token_list::page(connection, &wanted, clock.now, part)? } else { Vec::new() };
            Ok((page, choices, run))
        };
        let is_quick = filter.walks_an_index() && rows <= 100;
        let (page, batches, run) = if is_quick { app.store.look(work).await? } else { app.store.read(work).await? };
        let print_run = run.map(|run| Printing::read(&run.options).map_or(run.sheet, |how| how.sheet.name));
        let (tokens, before, behind) = turn.cut(page, rows);
        let is_all = turn == Turn::First && behind.is_none();
        let count = if is_all {
            Count::Exactly(i64::try_from(tokens.len()).unwrap_or_default())
        } else {
            app.counts.of(&app.store, &filter, clock.now).await?
        };
        let path = format!("{}{path}", app.base);
        let and = |part: &str| if more.is_empty() { part.to_owned() } else { format!("{more}&{part}") };
        let link = |name: &str, place: Option<Place>| {
            place.map(|place| asked.href(&path, &and(&format!("{name}={}", cursors.write(&place)))))
        };
        Ok(Self {
            untouched: tokens.is_empty() && is_all && !asked.is_set() && problems.is_empty(),
            states: State::ALL.map(StateView::from),
            orders: ORDERS.iter().map(|(word, words, ..)| (*word, *words)).collect(),
            printed: Printed::ALL.map(|printed| (printed.word(), printed_words(printed))),
            print_run,
            loosen: asked.loosen(&path),
            as_tiles: asked.href(&format!("{}/overview", app.base), ""),
            to_print: asked.href(&format!("{}/sheet", app.base), ""),
            first: asked.href(&path, more),
            newer: link("before", before),
            older: link("after", behind),
            last: asked.href(&path, &and("last=1")),
            path,
            asked,
            filter,
            problems,
            tokens,
            count,
            batches,
        })
    }

    /// How many there are, in words.
    pub fn counted(&self) -> String {
        counted(self.count)
    }
}

/// What the page calls it.
fn printed_words(printed: Printed) -> &'static str {
    match printed {
        Printed::NeverUsed => "Never used",
        Printed::Never => "Not printed",
    }
}

fn choices(connection: &mut Connection, chosen: Option<Uid>) -> Result<Vec<(String, String)>, crate::store::Error> {
    let mut choices: Vec<Batch> =
        batches::page(connection, None, BATCHES)?.into_iter().map(|(_, batch)| batch).collect();
    if let Some(uid) = chosen
        && !choices.iter().any(|batch| batch.uid == uid.to_string())
    {
        choices.extend(batches::find(connection, uid)?);
    }
    Ok(choices.into_iter().map(|batch| (batch.uid, batch.name)).collect())
}
