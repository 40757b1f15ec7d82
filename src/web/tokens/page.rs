//! A page of the tokens of a filter, as a list or as tiles.

use super::chips::{Chip, FilterNames, chips, printed_words};
use super::counts::Count;
use super::headings::Headings;
use super::place::{ListPlace, TILES};
use super::query::{TokenOrder, TokenQuery};
use super::view::StateView;
use crate::store;
use crate::store::batches::{self, NewestBatches};
use crate::store::cursor::Cursor;
use crate::store::printing::runs::{self, PrintRun};
use crate::store::tokens::list::{TokenFilter, TokenSlice};
use crate::store::tokens::{QuickPage, search};
use crate::token::print::PrintedFilter;
use crate::token::{State, Token, Uid};
use crate::web::choice::Choice;
use crate::web::cursor::CursorCodec;
use crate::web::error::Error;
use crate::web::export::links::{ExportLink, export_links};
use crate::web::form_errors::FormErrors;
use crate::web::paging::{PageQuery, PageRequest, more_than};
use crate::web::pairs::pairs_of;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words::tokens as words;
use crate::work::printing::options::PrintOptions;

/// Batches that can be chosen in the filter: the newest, and the one that is chosen.
const BATCHES: i64 = 30;

/// A page of the tokens of a filter, and all that its form and its links need.
pub(crate) struct TokenPage {
    /// The path of the page, with the base path.
    pub(crate) path: String,
    /// The filter.
    pub(crate) query: TokenQuery,
    /// The filter, the order and the place as hidden fields of a form.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// What is wrong with it.
    pub(crate) errors: FormErrors,
    /// The tokens of the page.
    pub(crate) tokens: Vec<Token>,
    /// How many there are.
    pub(crate) count: Count,
    /// There is no token at all.
    pub(crate) untouched: bool,
    /// The states that can be chosen.
    pub(crate) states: Vec<Choice>,
    /// The orders that can be chosen.
    pub(crate) orders: Vec<Choice>,
    /// The batches that can be chosen.
    pub(crate) batches: Vec<Choice>,
    /// What can be chosen about printing.
    pub(crate) printed: Vec<Choice>,
    /// The parts of the filter that are set.
    pub(crate) chips: Vec<Chip>,
    /// How many of them are behind "Filters": all but the search.
    pub(crate) filters: usize,
    /// What sorts the list.
    pub(crate) headings: Headings,
    /// The address of the same tokens as a list.
    pub(crate) as_list: String,
    /// The address of the same tokens as tiles.
    pub(crate) as_tiles: String,
    /// The address of all tokens, shown the same way.
    pub(crate) without_filter: String,
    /// The files of all of them.
    pub(crate) exports: Vec<ExportLink>,
    /// The address at which all of them are printed.
    pub(crate) to_print: String,
    /// The address of the first page.
    pub(crate) first: String,
    /// The address of the page before.
    pub(crate) newer: Option<String>,
    /// The address of the page behind.
    pub(crate) older: Option<String>,
    /// The address of the last page.
    pub(crate) last: String,
}

impl TokenPage {
    /// Finds the tokens that an address asks for, `rows` to a page.
    pub(crate) async fn read(
        app: &App,
        (query, sort, place): (TokenQuery, TokenOrder, &ListPlace),
        page_query: &PageQuery,
        rows: usize,
    ) -> Result<Self, Error> {
        let mut errors = FormErrors::default();
        let filter = query.filter(app, &mut errors);
        let shown = query_string::with("", pairs_of(&place.first()), "");
        let more = shown.trim_start_matches('?');
        let cursors = CursorCodec::new("/", &[Some(query.href(&sort, "", more))]).by_text(sort.order().0.is_text());
        let page_request =
            errors.note_without_field(PageRequest::read(page_query, &cursors).map(Some)).unwrap_or(PageRequest::First);
        let order = sort.order();
        let (batches, run) = (choices(app, filter.batch).await?, chosen_run(app, filter.print_run).await?);
        let slice = page_request.part(order.0, order.1, rows);
        let page = if errors.is_empty() { find(app, &filter, slice, &mut errors).await? } else { Vec::new() };
        let (tokens, before, behind) = page_request.cut(page, rows);
        let is_all = page_request == PageRequest::First && behind.is_none();
        let count = if is_all {
            Count::Exactly(i64::try_from(tokens.len()).unwrap_or_default())
        } else {
            match app.counts.count(&app.store, &filter, app.store.now()).await? {
                // Counting took too long, and the page alone has more.
                Count::MoreThan(count) if behind.is_some() => Count::MoreThan(count.max(more_than(rows) - 1)),
                count => count,
            }
        };
        let path = format!("{}/", app.base);
        let and = |part: &str| if more.is_empty() { part.to_owned() } else { format!("{more}&{part}") };
        let link = |name: &str, place: Option<Cursor>| {
            place.map(|place| query.href(&sort, &path, &and(&format!("{name}={}", cursors.write(&place)))))
        };
        let names = FilterNames {
            batch: batches.iter().find(|(uid, _)| *uid == query.batch).map(|(_, name)| name.clone()),
            print_run: run.map(|run| PrintOptions::read(&run.options).map_or(run.sheet, |how| how.sheet.name)),
        };
        let chips = chips(&query, &names, &sort, (&path, more));
        Ok(Self {
            untouched: tokens.is_empty() && is_all && !query.is_set() && errors.is_empty(),
            states: Choice::list(State::ALL.map(|state| (state.word(), StateView::from(state).badge())), &query.state),
            orders: sort.choices(),
            printed: Choice::list(PrintedFilter::ALL.map(|it| (it.word(), printed_words(it))), &query.printed),
            batches: Choice::list(batches, &query.batch),
            filters: chips.len() - usize::from(!query.q.is_empty()),
            headings: Headings::new(&query, &sort, (&path, more)),
            as_list: query.href(&sort, &path, ""),
            as_tiles: query.href(&sort, &path, &format!("view={TILES}")),
            without_filter: TokenQuery::default().href(&sort, &path, more),
            exports: export_links(&format!("{}/export/tokens", app.base), &pairs_of(&query)),
            to_print: query.href(&sort, &format!("{}/sheet", app.base), if query.is_set() { "" } else { "all=1" }),
            first: query.href(&sort, &path, more),
            newer: link("before", before),
            older: link("after", behind),
            last: query.href(&sort, &path, &and("last=1")),
            fields: pairs_of(&(&query, &sort, place)),
            chips,
            path,
            query,
            errors,
            tokens,
            count,
        })
    }

    /// How many there are, in words.
    pub(crate) fn counted(&self) -> String {
        words::counted(self.count)
    }
}

/// The tokens of a page. A search that takes too long is an error of the form, which says how to narrow it.
async fn find(
    app: &App,
    filter: &TokenFilter,
    slice: TokenSlice,
    errors: &mut FormErrors,
) -> Result<Vec<(Cursor, Token)>, Error> {
    let found = if let Some(page) = QuickPage::new(filter, &slice) {
        app.store.look_up(page).await
    } else {
        let (wanted, now) = (filter.clone(), app.store.now());
        app.store.search(move |connection, limit| search::page(connection, &wanted, now, slice, limit)).await
    };
    match found {
        Err(store::Error::TooSlow) => {
            errors.add("", words::SEARCH_TOO_SLOW);
            Ok(Vec::new())
        }
        found => Ok(found?),
    }
}

/// The batches that can be chosen.
async fn choices(app: &App, chosen: Option<Uid>) -> Result<Vec<(String, String)>, Error> {
    let mut choices = app.store.look_up(NewestBatches(BATCHES)).await?;
    if let Some(uid) = chosen
        && !choices.iter().any(|batch| batch.uid == uid.to_string())
    {
        choices.extend(app.store.read_inline(move |connection| Ok(batches::find(connection, uid)?)).await?);
    }
    Ok(choices.into_iter().map(|batch| (batch.uid, batch.name)).collect())
}

/// The print run that is chosen.
async fn chosen_run(app: &App, uid: Option<Uid>) -> Result<Option<PrintRun>, Error> {
    let Some(uid) = uid else { return Ok(None) };
    Ok(app.store.read_inline(move |connection| Ok(runs::find(connection, uid)?)).await?)
}
