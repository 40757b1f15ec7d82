//! `/`: the list of tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::asked::{Asked, ORDERS};
use super::view::{Row, StateView};
use super::when::{Clock, grouped};
use super::{Flash, Page, Problems, page};
use crate::access::Permission;
use crate::store::token_list::{self, Part, Place, Sort};
use crate::token::{State, Token, TokenError, Uid};
use crate::web::counts::Count;
use crate::web::cursor::{CursorOf, more_than};
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::params::Params;
use crate::web::state::App;

/// Tokens on a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    page: Page,
    flash: Option<Flash>,
    may_edit: bool,
    filter: Asked,
    states: [StateView; 5],
    orders: Vec<(&'static str, &'static str)>,
    problems: Problems,
    untouched: bool,
    rows: Vec<Row>,
    count: String,
    loosen: Vec<(&'static str, String)>,
    first: String,
    newer: Option<String>,
    older: Option<String>,
    last: String,
}

/// Shows a page of the list.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let asked = Asked::read(&params)?;
    let mut problems = Problems::default();
    let filter = asked.filter(&app, &mut problems);
    let cursors = CursorOf::new("list", &[Some(asked.href("", ""))]);
    let turn = problems.note(Turn::read(&params, &cursors).map(Some)).unwrap_or(Turn::First);
    let clock = Clock { now: app.store.now(), zone: app.zone };
    let wanted = (asked.order(), turn.clone(), filter.clone());
    let work = move |connection: &mut _| {
        let ((sort, descending), turn, filter) = wanted;
        Ok(token_list::page(connection, &filter, clock.now, turn.part(sort, descending))?)
    };
    let found = match (problems.is_empty(), filter.walks_an_index()) {
        (false, _) => Vec::new(),
        (true, true) => app.store.look(work).await?,
        (true, false) => app.store.read(work).await?,
    };
    let (rows, before, behind) = turn.cut(found);
    let is_all = turn == Turn::First && behind.is_none();
    let count = if is_all {
        Count::Exactly(i64::try_from(rows.len()).unwrap_or_default())
    } else {
        app.counts.of(&app.store, &filter, clock.now).await?
    };
    let path = format!("{}/", app.base);
    let link = |name: &str, place: Option<Place>| {
        place.map(|place| asked.href(&path, &format!("{name}={}", cursors.write(&place))))
    };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let template = ListPage {
        page: Page::new(&request, "tokens"),
        flash: flash(&params)?,
        may_edit: who.caller.role.may(Permission::Edit),
        states: State::ALL.map(StateView::from),
        orders: ORDERS.iter().map(|(word, words, ..)| (*word, *words)).collect(),
        untouched: rows.is_empty() && is_all && !asked.is_set() && problems.is_empty(),
        rows: rows.iter().map(|token| Row::new(token, clock)).collect(),
        count: counted(count),
        loosen: asked.loosen(&path),
        first: asked.href(&path, ""),
        newer: link("before", before),
        older: link("after", behind),
        last: asked.href(&path, "last=1"),
        problems,
        filter: asked,
    };
    page(&app, status, &template)
}

/// What was done before this page was asked for.
fn flash(params: &Params) -> Result<Option<Flash>, Error> {
    let undo = params.filled("token")?.filter(|uid| uid.parse::<Uid>().is_ok());
    Ok(match params.filled("done")?.as_deref() {
        Some("deleted") => Some(Flash { undo, ..Flash::done("The token is deleted.") }),
        _ => None,
    })
}

/// Where in the list a page begins.
#[derive(Clone, PartialEq, Eq)]
enum Turn {
    First,
    After(Place),
    Before(Place),
    Last,
}

impl Turn {
    fn read(params: &Params, cursors: &CursorOf) -> Result<Self, TokenError> {
        let text = |name| params.filled(name).ok().flatten();
        match (text("after"), text("before"), text("last")) {
            (Some(after), ..) => cursors.read(&after).map(Self::After),
            (_, Some(before), _) => cursors.read(&before).map(Self::Before),
            (.., Some(_)) => Ok(Self::Last),
            _ => Ok(Self::First),
        }
    }

    fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }

    /// One more than fits the page tells whether there is more. Backwards, the list is walked from its other end.
    fn part(self, sort: Sort, descending: bool) -> Part {
        let descending = descending != self.is_backwards();
        let after = match self {
            Self::First | Self::Last => None,
            Self::After(place) | Self::Before(place) => Some(place),
        };
        Part { sort, descending, after, limit: more_than(ROWS) }
    }

    /// The tokens of the page in their order, and the places at which the page before it and the one behind it begin.
    fn cut(&self, mut found: Vec<(Place, Token)>) -> (Vec<Token>, Option<Place>, Option<Place>) {
        let more = found.len() > ROWS;
        found.truncate(ROWS);
        if self.is_backwards() {
            found.reverse();
        }
        let (has_before, has_behind) = match self {
            Self::First => (false, more),
            Self::After(_) => (true, more),
            Self::Before(_) => (more, true),
            Self::Last => (more, false),
        };
        let before = found.first().filter(|_| has_before).map(|(place, _)| place.clone());
        let behind = found.last().filter(|_| has_behind).map(|(place, _)| place.clone());
        (found.into_iter().map(|(_, token)| token).collect(), before, behind)
    }
}

fn counted(count: Count) -> String {
    match count {
        Count::Exactly(1) => "1 token".into(),
        Count::Exactly(count) => format!("{} tokens", grouped(count)),
        Count::MoreThan(count) => format!("more than {} tokens", grouped(count)),
    }
}
