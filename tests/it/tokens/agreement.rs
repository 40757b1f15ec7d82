//! What searches find, held against a plain reference: every token is read, looked at, and put in order.

use std::time::Duration;

use tessera::store::Connection;
use tessera::store::connection::transaction;
use tessera::store::index::refresh::refresh;
use tessera::store::search::SearchLimit;
use tessera::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use tessera::store::tokens::{list, search};
use tessera::token::search_words::SearchWords;
use tessera::token::{Micros, Token, Uid};

/// A moment of these tests.
pub fn at(offset: i64) -> Micros {
    Micros::stored(1_000_000_000_000 + offset)
}

/// As long as it takes.
pub fn unlimited() -> SearchLimit {
    SearchLimit::new(Duration::from_mins(10))
}

/// All orders.
pub const ORDERS: [(Sort, bool); 8] = [
    (Sort::Created, false),
    (Sort::Created, true),
    (Sort::Value, false),
    (Sort::Value, true),
    (Sort::Label, false),
    (Sort::Label, true),
    (Sort::ValidTo, false),
    (Sort::ValidTo, true),
];

/// All tokens of a filter, in the order of their ids, which is that of creation.
fn reference(connection: &mut Connection, filter: &TokenFilter) -> Vec<Token> {
    let words = SearchWords::new(filter.q.as_deref().unwrap_or_default());
    let slice = TokenSlice { sort: Sort::Created, descending: false, after: None, limit: 100_000 };
    let all = list::page(connection, filter, at(0), &slice).unwrap();
    all.into_iter().map(|(_, token)| token).filter(|token| words.find(token)).collect()
}

/// Their uids in another order.
fn ordered(all: &[Token], sort: Sort, descending: bool) -> Vec<Uid> {
    let key = |token: &&Token| match sort {
        Sort::Created => (token.created.get(), String::new()),
        Sort::Value => (0, token.value.clone()),
        Sort::Label => (0, token.label.clone().unwrap_or_default()),
        Sort::ValidTo => (token.valid_to.map_or(i64::MAX, Micros::get), String::new()),
    };
    let mut all: Vec<&Token> = all.iter().collect();
    all.sort_by_key(key);
    if descending {
        all.reverse();
    }
    all.into_iter().map(|token| token.uid).collect()
}

/// Indexes everything.
pub fn index(connection: &mut Connection) {
    while transaction(connection, refresh).unwrap() {}
    transaction(connection, refresh).unwrap();
}

/// Each filter finds what it should, in these orders.
pub fn agree(connection: &mut Connection, filters: &[TokenFilter], orders: &[(Sort, bool)]) {
    let everything = reference(connection, &TokenFilter::default()).len();
    assert_eq!(
        search::count(connection, &TokenFilter::default(), at(0), 100_000, &unlimited()).unwrap().0,
        length(everything)
    );
    for filter in filters {
        let found = reference(connection, filter);
        let all = length(found.len());
        let counted = search::count(connection, filter, at(0), 100_000, &unlimited()).unwrap();
        assert_eq!(counted, (all, true), "{filter:?}");
        let few = search::count(connection, filter, at(0), 10, &unlimited()).unwrap();
        assert_eq!(few, (all.min(10), true), "{filter:?}");
        for (sort, descending) in orders {
            pages_agree(connection, filter, (*sort, *descending), &ordered(&found, *sort, *descending));
        }
    }
}

pub fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap()
}

/// The first pages, small ones and a large one, and the last.
fn pages_agree(connection: &mut Connection, filter: &TokenFilter, (sort, descending): (Sort, bool), all: &[Uid]) {
    let (mut after, mut seen) = (None, 0);
    for limit in [3, 1, 2_500, 4] {
        let slice = TokenSlice { sort, descending, after: after.clone(), limit };
        let right = all[seen..].iter().take(usize::try_from(limit).unwrap()).copied();
        let found = search::page(connection, filter, at(0), slice, &unlimited()).unwrap();
        assert_eq!(
            found.iter().map(|(_, token)| token.uid).collect::<Vec<_>>(),
            right.collect::<Vec<_>>(),
            "{filter:?} by {sort:?}, descending: {descending}, {limit} from {after:?}"
        );
        seen += found.len();
        let Some((last, _)) = found.last() else { return };
        after = Some(last.clone());
    }
}
