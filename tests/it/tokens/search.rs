//! Searches: the same pages as in one statement, in pieces that end when they should, beside which others go on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use futures_util::future::join_all;
use tessera::access::Principal;
use tessera::store::connection::transaction;
use tessera::store::index::refresh::refresh;
use tessera::store::search::SearchLimit;
use tessera::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use tessera::store::tokens::{list, search};
use tessera::store::{Connection, Error, Store, ledger, tokens};
use tessera::token::settle::{Ask, Lookup, settle};
use tessera::token::value_prefix::ValuePrefix;
use tessera::token::{Micros, State, Token, Uid, Voided};

use super::agreement::{ORDERS, agree, at, index, length, unlimited};
use crate::support::database::Database;
use crate::support::tokens::token;

/// More than two pieces, with labels and ends that thousands share.
const TOKENS: i64 = 12_000;

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

fn filters() -> Vec<TokenFilter> {
    let any = TokenFilter::default;
    vec![
        TokenFilter { q: Some("same".into()), ..any() },
        TokenFilter { q: Some("11 LABEL".into()), ..any() },
        TokenFilter { q: Some("la".into()), ..any() },
        TokenFilter { q: Some("needle".into()), ..any() },
        TokenFilter { q: Some("00".into()), created_from: Some(at(100)), ..any() },
        TokenFilter { q: Some("label 7".into()), state: Some(State::Active), ..any() },
        TokenFilter { q: Some("nowhere".into()), ..any() },
        TokenFilter { state: Some(State::Voided), ..any() },
        TokenFilter { state: Some(State::UsedUp), created_from: Some(at(100)), created_to: Some(at(3_900)), ..any() },
        TokenFilter { state: Some(State::Expired), ..any() },
        TokenFilter { state: Some(State::Locked), ..any() },
        TokenFilter { state: Some(State::Pending), ..any() },
        TokenFilter { state: Some(State::UsedUp), ..any() },
        TokenFilter { state: Some(State::Active), created_to: Some(at(2_000)), ..any() },
        TokenFilter { label: Some("same".into()), ..any() },
        TokenFilter { label: Some("Läbel 7676".into()), ..any() },
        TokenFilter { label: Some("läbel 7676".into()), ..any() },
        TokenFilter { label: Some("needle".into()), state: Some(State::Active), ..any() },
        TokenFilter { label: Some("same".into()), q: Some("a".into()), valid_at: Some(at(TOKENS + 8)), ..any() },
        TokenFilter { value_prefix: Some(ValuePrefix::new("a")), ..any() },
        TokenFilter { value_prefix: Some(ValuePrefix::new("ab")), label: Some("same".into()), ..any() },
        TokenFilter { value_prefix: Some(ValuePrefix::new("value 1")), ..any() },
        TokenFilter { value_prefix: Some(ValuePrefix::new("A")), ..any() },
        TokenFilter { valid_at: Some(at(TOKENS + 3)), ..any() },
        TokenFilter { valid_at: Some(at(-1)), state: Some(State::Expired), ..any() },
        TokenFilter { created_from: Some(at(3_995)), ..any() },
        TokenFilter { created_from: Some(at(TOKENS)), ..any() },
    ]
}

#[test]
fn a_search_finds_the_same_as_one_statement() {
    let database = Database::new();
    let mut connection = database.connect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &many())).unwrap();
    agree(&mut connection, &filters(), &[(Sort::Label, false)]);
    // A part of them is indexed.
    for _ in 0..20 {
        transaction(&mut connection, refresh).unwrap();
    }
    agree(&mut connection, &filters(), &[(Sort::Created, true)]);
    index(&mut connection);
    agree(&mut connection, &filters(), &ORDERS);
}

/// More tokens with one label than are collected by it, all of them behind the others in some order.
#[test]
fn what_many_have_is_found_behind_others() {
    let database = Database::new();
    let mut connection = database.connect();
    let nth = |n: i64| {
        let is_old = n < 22_000;
        let plain = token(1);
        Token {
            created: at(n / 5),
            label: Some(if is_old { "same".into() } else { format!("other {n}") }),
            value: if is_old { format!("T-{n:05}") } else { plain.uid.to_string() },
            valid_from: is_old.then(|| at(n % 3)),
            valid_to: Some(at(if is_old { n % 1_000 } else { 50_000 + n })),
            ..plain
        }
    };
    let all: Vec<Token> = (0..33_000).map(nth).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &all)).unwrap();
    index(&mut connection);
    let any = TokenFilter::default;
    let filters = [
        TokenFilter { label: Some("same".into()), ..any() },
        TokenFilter { value_prefix: Some(ValuePrefix::new("T-")), ..any() },
        TokenFilter { valid_at: Some(at(2)), value_prefix: Some(ValuePrefix::new("T-0")), ..any() },
        TokenFilter { valid_at: Some(at(60_000)), ..any() },
        TokenFilter { valid_at: Some(at(90_000)), ..any() },
    ];
    agree(&mut connection, &filters, &ORDERS);
}

#[test]
fn what_is_changed_is_found_at_once_before_and_after_it_is_indexed() {
    let database = Database::new();
    let mut connection = database.connect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &many())).unwrap();
    index(&mut connection);
    let some = list::page(&mut connection, &TokenFilter::default(), at(0), &TokenSlice::newest(None, 12_000)).unwrap();
    transaction(&mut connection, |connection| {
        for (n, (_, token)) in some.into_iter().step_by(37).enumerate() {
            let changed = match n % 4 {
                0 => Token { label: Some("needle".into()), ..token.clone() },
                1 => Token { usage_count: if token.usage_count == 0 { 2 } else { 0 }, ..token.clone() },
                2 => Token { valid_to: Some(at(-1)), valid_from: None, ..token.clone() },
                _ => Token { lock_time: 50, lock_start: Some(at(0)), value: format!("value {n}"), ..token.clone() },
            };
            let id = tokens::id_of(connection, token.uid)?.unwrap();
            tokens::put(connection, id, &token, changed, at(1))?;
        }
        let gone: Vec<Uid> = many_gone(connection);
        tokens::delete(connection, &gone, &Principal::user("anna"), at(1)).map(drop)
    })
    .unwrap();
    agree(&mut connection, &filters(), &[(Sort::Created, true), (Sort::Value, false)]);
    index(&mut connection);
    agree(&mut connection, &filters(), &[(Sort::ValidTo, true)]);
}

/// Some tokens that are to be deleted.
fn many_gone(connection: &mut Connection) -> Vec<Uid> {
    let all = list::page(connection, &TokenFilter::default(), at(0), &TokenSlice::newest(None, 12_000)).unwrap();
    all.into_iter().skip(5).step_by(301).map(|(_, token)| token.uid).collect()
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

/// Uses tokens once.
fn use_all(connection: &mut Connection, all: &[Token]) {
    let ask = |token: &Token| Ask::once(Principal::user("anna"), Lookup { uid: Some(token.uid), ..Lookup::default() });
    for some in all.chunks(256) {
        let asks: Vec<Ask> = some.iter().map(ask).collect();
        transaction(connection, |connection| {
            let (mut held, now) = ledger::hold(connection, &asks)?;
            let answers = settle(&asks, &mut held, now);
            Ok(ledger::keep(connection, &held, &asks, &answers, now)?)
        })
        .unwrap();
    }
}

#[test]
fn what_was_used_up_and_what_is_locked_is_found_at_once_and_when_the_log_was_followed() {
    let database = Database::new();
    let mut connection = database.connect();
    let nth = |n: i64| match n % 2_500 {
        1..=3 => Token { created: at(n), ..token(1) },
        4..=8 => Token { created: at(n), lock_time: 1_000, ..token(9) },
        _ => Token { created: at(n), ..token(9) },
    };
    let all: Vec<Token> = (0..12_500).map(nth).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &all)).unwrap();
    index(&mut connection);
    let (mut used_up, mut locked) = (0, 0);
    for some in all.chunks(2_500) {
        use_all(&mut connection, some);
        (used_up, locked) = (used_up + 3, locked + 5);
        for _ in 0..2 {
            let now = Micros::now();
            for (state, right) in [(State::UsedUp, used_up), (State::Locked, locked), (State::Expired, 0)] {
                let filter = TokenFilter { state: Some(state), ..TokenFilter::default() };
                let slice = TokenSlice { sort: Sort::Label, descending: false, after: None, limit: 1_000 };
                let found = search::page(&mut connection, &filter, now, slice, &unlimited()).unwrap();
                assert_eq!(found.len(), right, "{state:?}");
                let counted = search::count(&mut connection, &filter, now, 1_000, &unlimited()).unwrap();
                assert_eq!(counted, (length(right), true), "{state:?}");
            }
            // The second time with nothing left to look at beside the index.
            index(&mut connection);
            index(&mut connection);
        }
    }
    // On PostgreSQL it waits for transactions of other tests as well, as their server is the same.
    let deadline = Instant::now() + Duration::from_mins(1);
    let followed = || diesel::sql_query("SELECT entry AS number FROM index_progress");
    while followed().get_result::<Number>(&mut connection).unwrap().number < 10_000 {
        assert!(Instant::now() < deadline, "the log is followed");
        std::thread::sleep(Duration::from_millis(20));
        index(&mut connection);
    }
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}
