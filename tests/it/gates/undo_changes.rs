//! Uses and changes of uses that are undone in any order: a token has left what it would have had without them.

use reqwest::Method;
use serde_json::Value;
use tessera::access::{Principal, Role};
use tessera::store::actions::{ActionRequest, ActionResult, perform, undo};
use tessera::store::connection::{transaction, with_retries};
use tessera::store::tokens::selection::Selection;
use tessera::store::{Connection, Store};
use tessera::token::action::Action;
use tessera::token::settle::{Answer as Settled, Ask, Deed, Lookup, NamedUse, Receipt};
use tessera::token::{Micros, Token, UNLIMITED, Uid};

use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::database::{Database, number};
use crate::support::tokens::{add, token};

/// A story of one token, as in `token/uses_left_tests.rs`: `U3` uses 3 times, `X1` undoes the use that was step 1, `S100`
/// sets and `P5` adds uses, and `A` undoes the latest of these changes.
struct Story<'a, 'b> {
    app: &'a App,
    browser: &'b mut Browser<'a>,
    uid: String,
    /// The uses and actions that the steps have made.
    made: Vec<String>,
    actions: Vec<String>,
}

impl Story<'_, '_> {
    async fn play(&mut self, word: &str) {
        let (letter, number) = word.split_at(1);
        let made = match letter {
            "U" => {
                let used = self.app.post("/consume_token", &[("token_uid", &self.uid), ("uses", number)]).await;
                used.check_success().body["usage_uid"].as_str().unwrap().to_owned()
            }
            "X" => {
                let usage_uid = self.made[number.parse::<usize>().unwrap()].as_str();
                let undo = self.app.request(Role::Manager, Method::POST, "/undo_consume");
                send(undo.form(&[("usage_uid", usage_uid)])).await.check_success();
                String::new()
            }
            "A" => {
                let action = self.actions.pop().unwrap();
                let undone = self.browser.post(&format!("/actions/{action}/undo"), &[]).await;
                assert_eq!(undone.status, 303, "{}", undone.text);
                String::new()
            }
            "S" => self.click("set_count", "usage_count", number).await,
            _ => self.click("add_uses", "add_uses", number).await,
        };
        self.made.push(made);
    }

    async fn click(&mut self, view: &str, field: &str, number: &str) -> String {
        let nonce = Uid::random().to_string();
        let done = self.browser.post(&format!("/{}/{view}", self.uid), &[(field, number), ("nonce", &nonce)]).await;
        assert_eq!(done.status, 303, "{}", done.text);
        self.actions.push(nonce.clone());
        nonce
    }
}

#[actix_web::test]
async fn uses_and_clicks_are_undone_in_any_order() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    for (first, words, left) in [
        ("20", "U3 S100 X0 A", "17 100 103 20"),
        ("20", "U3 S100 A X0", "17 100 17 20"),
        ("20", "U3 S0 X0 A", "17 0 3 20"),
        ("20", "U3 S-1 X0 A", "17 -1 -1 20"),
        ("20", "U3 P5 X0 A", "17 22 25 20"),
        ("20", "S100 U3 X1 A", "100 97 100 20"),
        ("20", "S-1 U3 A X1", "-1 -1 17 20"),
        ("20", "S-1 U3 S50 A A X1", "-1 -1 50 -1 17 20"),
        ("20", "S-1 U3 S50 A X1 A", "-1 -1 50 -1 -1 20"),
        ("-1", "S50 U3 A S20 X1", "50 47 -1 20 20"),
        ("-1", "U3 S50 S100 X0 A A", "-1 50 100 100 50 -1"),
        ("-1", "U3 S50 S60 A S100 X0 A A", "-1 50 60 50 100 100 50 -1"),
        ("20", "P5 U10 U10 U5 A X3 X2 X1", "25 15 5 0 0 0 10 20"),
        ("20", "P5 U25 A S100 X1 A", "25 0 0 100 120 20"),
    ] {
        let uid = app.add(&[("usage_count", first)]).await;
        let mut story = Story { app: &app, browser: &mut browser, uid, made: Vec::new(), actions: Vec::new() };
        let mut seen = Vec::new();
        for word in words.split(' ') {
            story.play(word).await;
            seen.push(app.token(&story.uid).await["usage_count"].to_string());
        }
        assert_eq!(seen.join(" "), left, "{first}: {words}");
        let entries = app.usage(Some(&story.uid)).await;
        let net: i64 = entries.iter().map(|entry: &Value| entry["uses"].as_i64().unwrap()).sum();
        assert_eq!(net, 0, "{first}: {words}");
    }
}

fn door() -> Principal {
    Principal::key("door")
}

async fn use_it(store: &Store, uid: Uid, uses: i32) -> Option<Uid> {
    let what = Lookup { uid: Some(uid), ..Lookup::default() };
    let ask = Ask::new(door(), Deed::Use { what, uses, gate: None }, None);
    match store.consume(ask).await.unwrap() {
        Settled::Done(Receipt { usage_uid, .. }, _) => Some(usage_uid),
        _ => None,
    }
}

async fn undo_it(store: &Store, usage_uid: Uid) {
    let deed = Deed::Undo { which: NamedUse::Entry(usage_uid), anybody: false };
    let undone = store.consume(Ask::new(door(), deed, None)).await.unwrap();
    assert!(matches!(undone, Settled::Done(..)), "{undone:?}");
}

fn change(connection: &mut Connection, uids: &[Uid], action: Action) -> Uid {
    let wanted = ActionRequest { uid: Uid::random(), selection: Selection::Uids(uids.to_vec()), action, digest: None };
    let done =
        with_retries(|| transaction(connection, |connection| perform(connection, &wanted, &door(), Micros::now())));
    let ActionResult::Done(uid) = done.unwrap() else { panic!("not done") };
    uid
}

fn undo_change(connection: &mut Connection, uid: Uid) {
    with_retries(|| transaction(connection, |connection| undo::undo(connection, uid, &door(), Micros::now()))).unwrap();
}

fn counts(connection: &mut Connection, uids: &[Uid]) -> Vec<i64> {
    let count = |uid: &Uid| number(connection, &format!("SELECT usage_count FROM tokens WHERE uid = '{uid}'"));
    uids.iter().map(count).collect()
}

#[actix_web::test]
async fn uses_and_changes_of_many_tokens_are_undone_in_any_order() {
    let database = Database::new();
    let made: Vec<Token> = [20, 20, UNLIMITED, 20].map(token).to_vec();
    let mut connection = database.connect();
    for token in &made {
        add(&mut connection, token);
    }
    let uids: Vec<Uid> = made.iter().map(|token| token.uid).collect();
    let store = Store::start(&database.url).unwrap();
    for count in [100, 0, UNLIMITED] {
        let mut before = Vec::new();
        for uid in &uids {
            before.push(use_it(&store, *uid, 3).await.unwrap());
        }
        let changed = change(&mut connection, &uids, Action::SetUses(count));
        let deleted = change(&mut connection, &uids[3..], Action::Delete);
        undo_it(&store, before[0]).await;
        undo_change(&mut connection, deleted);
        undo_it(&store, before[2]).await;
        let mut since = Vec::new();
        for uid in &uids {
            since.push(use_it(&store, *uid, 2).await);
        }
        undo_change(&mut connection, changed);
        let made: Vec<i64> = since.iter().map(|since| if since.is_some() { 2 } else { 0 }).collect();
        assert_eq!(counts(&mut connection, &uids), [20 - made[0], 17 - made[1], -1, 17 - made[3]], "{count}");
        for usage_uid in [before[1], before[3]].into_iter().chain(since.into_iter().flatten()) {
            undo_it(&store, usage_uid).await;
        }
        assert_eq!(counts(&mut connection, &uids), [20, 20, -1, 20], "{count}");
    }
}

/// Doors use a token, and undo half of that, while the office sets its uses and undoes that.
#[actix_web::test]
async fn nothing_is_lost_or_won_while_uses_and_changes_cross() {
    let database = Database::new();
    let first = token(100_000);
    add(&mut database.connect(), &first);
    let stores = [Store::start(&database.url).unwrap(), Store::start(&database.url).unwrap()];
    let mut connection = database.connect();
    let uid = first.uid;
    let office = std::thread::spawn(move || {
        for round in 0..40 {
            let count = if round % 2 == 0 { UNLIMITED } else { 200_000 };
            let changed = change(&mut connection, &[uid], Action::SetUses(count));
            if round % 3 == 0 {
                let other = change(&mut connection, &[uid], Action::SetUses(300_000));
                undo_change(&mut connection, other);
            }
            undo_change(&mut connection, changed);
        }
    });
    let doors = stores.iter().enumerate().map(|(n, store)| {
        let office = &office;
        async move {
            let (mut stand, mut used) = (Vec::new(), 0);
            while !office.is_finished() {
                for uses in 1..4 {
                    stand.push(use_it(store, uid, uses).await.unwrap());
                    used += i64::from(uses);
                }
                // The third of these three, and the first of some before.
                undo_it(store, stand.pop().unwrap()).await;
                used -= 3;
                if stand.len() > 20 + n {
                    undo_it(store, stand.remove(0)).await;
                    used -= 1;
                    stand.remove(0);
                }
            }
            used
        }
    });
    let used: i64 = futures_util::future::join_all(doors).await.into_iter().sum();
    office.join().unwrap();
    assert!(used > 0);
    assert_eq!(number(&mut database.connect(), "SELECT used FROM tokens"), used);
    assert_eq!(number(&mut database.connect(), "SELECT usage_count FROM tokens"), 100_000 - used);
}
