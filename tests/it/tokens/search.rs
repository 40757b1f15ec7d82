//! Searches: the same pages as in one statement, in pieces that end when they should, beside which others go on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use futures_util::future::join_all;
use tessera::store::connection::transaction;
use tessera::store::search::SearchLimit;
use tessera::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use tessera::store::tokens::{list, search};
use tessera::store::{Connection, Error, Store, tokens};
use tessera::token::{Micros, State, Token, Voided};

use crate::support::database::Database;
use crate::support::tokens::token;

/// More than two pieces, with labels and ends that thousands share.
const TOKENS: i64 = 12_000;

fn at(offset: i64) -> Micros {
    Micros::stored(1_000_000_000_000 + offset)
}

fn many() -> Vec<Token> {
    let nth = |n: i64| Token {
        created: at(n / 3),
        label: (n % 4 == 0)
            .then(|| format!("Läbel {}", n * 7_919 % TOKENS))
            .or_else(|| (n % 3 == 0).then(|| "same".into())),
        valid_to: (n % 5 == 0).then(|| at(TOKENS + n % 17)),
        voided: (n % 11 == 0).then(|| Voided { at: at(n), by: "user:anna".into(), reason: None }),
        ..token(if n % 7 == 0 { 0 } else { 3 })
    };
    (0..TOKENS).map(nth).collect()
}

fn unlimited() -> SearchLimit {
    SearchLimit::new(Duration::from_mins(10))
}

fn filters() -> Vec<TokenFilter> {
    let any = TokenFilter::default;
    vec![
        TokenFilter { q: Some("same".into()), ..any() },
        TokenFilter { q: Some("läbel 11".into()), ..any() },
        TokenFilter { q: Some("nowhere".into()), ..any() },
        TokenFilter { state: Some(State::Voided), ..any() },
        TokenFilter { state: Some(State::UsedUp), created_from: Some(at(100)), created_to: Some(at(3_900)), ..any() },
        TokenFilter { state: Some(State::Active), created_to: Some(at(2_000)), ..any() },
        TokenFilter { created_from: Some(at(3_995)), ..any() },
        TokenFilter { created_from: Some(at(TOKENS)), ..any() },
    ]
}

#[test]
fn a_search_finds_the_same_as_one_statement() {
    let database = Database::new();
    let mut connection = database.connect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &many())).unwrap();
    for filter in filters() {
        let all = list::count(&mut connection, &filter, at(0), 100_000).unwrap();
        assert_eq!(
            search::count(&mut connection, &filter, at(0), 100_000, &unlimited()).unwrap(),
            (all, true),
            "{filter:?}"
        );
        let few = search::count(&mut connection, &filter, at(0), 10, &unlimited()).unwrap();
        assert_eq!(few, (all.min(10), true), "{filter:?}");
        for sort in [Sort::Created, Sort::Value, Sort::Label, Sort::ValidTo] {
            for descending in [false, true] {
                pages_agree(&mut connection, &filter, sort, descending);
            }
        }
    }
}

/// The first pages, small ones and a large one.
fn pages_agree(connection: &mut Connection, filter: &TokenFilter, sort: Sort, descending: bool) {
    let mut after = None;
    for limit in [3, 1, 2_500, 4] {
        let slice = TokenSlice { sort, descending, after: after.clone(), limit };
        let right = list::page(connection, filter, at(0), slice.clone()).unwrap();
        let found = search::page(connection, filter, at(0), slice, &unlimited()).unwrap();
        let uids = |rows: &[(_, Token)]| rows.iter().map(|(_, token)| token.uid).collect::<Vec<_>>();
        assert_eq!(
            uids(&found),
            uids(&right),
            "{filter:?} by {sort:?}, descending: {descending}, {limit} from {after:?}"
        );
        let Some((last, _)) = found.last() else { return };
        after = Some(last.clone());
    }
}

#[test]
fn a_search_that_takes_too_long_ends_and_a_count_says_how_far_it_came() {
    let database = Database::new();
    let mut connection = database.connect();
    let filter = TokenFilter { q: Some("nowhere".into()), ..TokenFilter::default() };
    let over = SearchLimit::new(Duration::ZERO);
    let found = search::page(&mut connection, &filter, at(0), TokenSlice::newest(None, 10), &over);
    assert!(matches!(found, Err(Error::TooSlow)), "{found:?}");
    assert_eq!(search::count(&mut connection, &filter, at(0), 10, &over).unwrap(), (0, false));
}

/// Blocks a thread of the searches until something is sent, or the channel's other end is dropped.
fn block(started: Sender<()>, end: Receiver<()>) -> impl FnOnce(&mut Connection, &SearchLimit) -> Result<(), Error> {
    move |_, _| {
        let _ = started.send(());
        let _ = end.recv();
        Ok(())
    }
}

#[actix_web::test]
async fn searches_that_hang_hold_up_nobody_else() {
    let database = Database::new();
    let store = Store::start(&database.url).unwrap();
    let mut ends = Vec::new();
    let mut hanging = Vec::new();
    let (started, starts) = channel();
    for _ in 0..8 {
        let (end, ended) = channel();
        ends.push(end);
        let (store, work) = (store.clone(), block(started.clone(), ended));
        hanging.push(tokio::spawn(async move { store.search(work).await }));
    }
    tokio::task::spawn_blocking(move || starts.recv().unwrap()).await.unwrap();
    let look_up = || store.read_inline(|connection| Ok(tokens::by_value(connection, "nothing")?.is_none()));
    for found in join_all((0..50).map(|_| look_up())).await {
        assert!(found.unwrap());
    }
    assert!(store.write(|connection| tokens::add(connection, &token(1))).await.is_ok());
    drop(ends);
    for search in hanging {
        search.await.unwrap().unwrap();
    }
}

#[actix_web::test]
async fn a_search_ends_when_nobody_waits_for_it() {
    let database = Database::new();
    let store = Store::start(&database.url).unwrap();
    let (sender, receiver) = channel();
    let search = store.search(move |_, limit| {
        let ended = loop {
            match limit.check() {
                Ok(()) => std::thread::yield_now(),
                Err(error) => break error,
            }
        };
        sender.send(ended).unwrap();
        Ok(())
    });
    assert!(tokio::time::timeout(Duration::from_millis(50), search).await.is_err());
    let ended = tokio::task::spawn_blocking(move || receiver.recv().unwrap()).await.unwrap();
    assert!(matches!(ended, Error::Unavailable(_)), "not its time limit: {ended:?}");
}

#[actix_web::test]
async fn a_panic_ends_a_search_and_no_thread() {
    let database = Database::new();
    let store = Store::start(&database.url).unwrap();
    for _ in 0..5 {
        let panicked = store.search::<()>(|_, _| panic!("a bug")).await;
        assert!(matches!(panicked, Err(Error::Failed(_))), "{panicked:?}");
    }
    let count =
        store.search(|connection, limit| search::count(connection, &TokenFilter::default(), at(0), 1, limit)).await;
    assert_eq!(count.unwrap(), (0, true));
}
