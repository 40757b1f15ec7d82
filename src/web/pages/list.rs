//! `/`: the list of tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{Datelike, NaiveDate};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::view::{Row, StateView};
use super::when::{Clock, grouped};
use super::{Flash, Page, Problems, page};
use crate::access::Permission;
use crate::store::token_list::{self, Part, Place, Sort, TokenFilter};
use crate::token::input::read_time;
use crate::token::{Micros, State, Token, TokenError, Uid};
use crate::web::counts::Count;
use crate::web::cursor::{CursorOf, more_than};
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::json::query::search_term;
use crate::web::params::Params;
use crate::web::state::App;

/// Tokens on a page.
const ROWS: usize = 50;

/// The orders that can be chosen: the word in the address, the words on the page, and what they mean.
const ORDERS: [(&str, &str, Sort, bool); 5] = [
    ("newest", "Newest first", Sort::Created, true),
    ("oldest", "Oldest first", Sort::Created, false),
    ("value", "By value", Sort::Value, false),
    ("label", "By label", Sort::Label, false),
    ("valid_to", "Ending first", Sort::ValidTo, false),
];

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

/// The filter and the order, as the address has them.
#[derive(Clone, Default)]
struct Asked {
    q: String,
    state: String,
    created_from: String,
    created_to: String,
    sort: String,
}

impl Asked {
    fn read(params: &Params) -> Result<Self, Error> {
        let text = |name| params.text(name).map(Option::unwrap_or_default);
        let sort = text("sort")?;
        let known = ORDERS.iter().find(|(word, ..)| *word == sort).map_or("newest", |(word, ..)| word);
        Ok(Self {
            q: text("q")?.trim().to_owned(),
            state: text("state")?,
            created_from: text("created_from")?,
            created_to: text("created_to")?,
            sort: known.to_owned(),
        })
    }

    fn is_set(&self) -> bool {
        [&self.q, &self.state, &self.created_from, &self.created_to].into_iter().any(|part| !part.is_empty())
    }

    fn order(&self) -> (Sort, bool) {
        let order = ORDERS.iter().find(|(word, ..)| *word == self.sort);
        order.map_or((Sort::Created, true), |(_, _, sort, descending)| (*sort, *descending))
    }

    /// What it means, and what is wrong with it.
    fn filter(&self, app: &App, problems: &mut Problems) -> TokenFilter {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let day = |name, text| filled(text).map(|text| bound(name, &text, app)).transpose();
        TokenFilter {
            q: problems.note(filled(&self.q).map(search_term).transpose()),
            state: problems.note(filled(&self.state).map(|word| word.parse::<State>()).transpose()),
            created_from: problems.note(day("created_from", &self.created_from)),
            created_to: problems.note(day("created_to", &self.created_to)),
        }
    }

    /// The address of this list, with `more` behind it.
    fn href(&self, base: &str, more: &str) -> String {
        let sort = if self.sort == "newest" { "" } else { &self.sort };
        let parts = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("created_from", &self.created_from),
            ("created_to", &self.created_to),
            ("sort", sort),
        ];
        let parts = parts.iter().filter(|(_, value)| !value.is_empty());
        let parts = parts.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        let query: Vec<String> = parts.chain(Some(more.to_owned()).filter(|more| !more.is_empty())).collect();
        if query.is_empty() { format!("{base}/") } else { format!("{base}/?{}", query.join("&")) }
    }

    /// The parts of the filter, and the address of the list without each.
    fn loosen(&self, base: &str) -> Vec<(&'static str, String)> {
        let without = |name, part: fn(&mut Self) -> &mut String| {
            let mut other = self.clone();
            let set = !part(&mut other).is_empty();
            part(&mut other).clear();
            set.then(|| (name, other.href(base, "")))
        };
        let parts = [
            without("the search", |asked| &mut asked.q),
            without("the state", |asked| &mut asked.state),
            without("the first day", |asked| &mut asked.created_from),
            without("the last day", |asked| &mut asked.created_to),
        ];
        parts.into_iter().flatten().collect()
    }
}

/// A bound of the filter. A day alone is meant whole: whoever asks for tokens made until Friday means Friday's, too.
fn bound(name: &'static str, text: &str, app: &App) -> Result<Micros, TokenError> {
    let read = |text: &str| read_time(name, text, app.zone);
    match NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.succ_opt()) {
        Some(next) if name == "created_to" && next.year() > 9_999 => Ok(Micros::LAST),
        Some(next) if name == "created_to" => {
            let end = read(&next.to_string())?;
            Ok(Micros::stored(end.get() - 1))
        }
        _ => read(text),
    }
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
    let base = app.base.to_string();
    let link = |name: &str, place: Option<Place>| {
        place.map(|place| asked.href(&base, &format!("{name}={}", cursors.write(&place))))
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
        loosen: asked.loosen(&base),
        first: asked.href(&base, ""),
        newer: link("before", before),
        older: link("after", behind),
        last: asked.href(&base, "last=1"),
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
