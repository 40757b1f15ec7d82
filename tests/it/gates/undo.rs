//! `undo_consume`: what a use took is given back, once, by whoever may, in time.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::{Principal, Role};
use tessera::store::Store;
use tessera::token::TokenError;
use tessera::token::gate::GateRules;
use tessera::token::settle::{Answer as Settled, Ask, Deed, Lookup, NamedUse, OwnedKey, Receipt, ReplayKey};

use crate::support::app::{Answer, App, send};
use crate::support::database::{Database, number};
use crate::support::gates::add_gate;
use crate::support::tokens::{add, token};

async fn use_as(app: &App, role: Role, form: &[(&str, &str)]) -> Answer {
    send(app.request(role, Method::POST, "/consume_token").form(form)).await
}

async fn undo_as(app: &App, role: Role, form: &[(&str, &str)]) -> Answer {
    send(app.request(role, Method::POST, "/undo_consume").form(form)).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[actix_web::test]
async fn a_use_is_undone_once_by_its_key_or_its_entry() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "3"), ("lock_time", "3600")]).await;
    let used = use_as(&app, Role::Scanner, &[("token_uid", &uid), ("uses", "2"), ("nonce", "k")]).await;
    let usage_uid = text(&used.check_success().body["usage_uid"]).to_owned();
    app.consume(&uid).await.check_failure("TokenLockTimeViolation");

    let undone = undo_as(&app, Role::Scanner, &[("nonce", "k")]).await;
    assert_eq!((&undone.check_success().body["undone"], &undone.body["uses"]), (&json!(true), &json!(-2)));
    assert_eq!((&undone.body["usage_count"], &undone.body["last_used"]), (&json!(3), &used.body["last_used"]));
    undo_as(&app, Role::Scanner, &[("nonce", "k")]).await.check_failure("TokenValueError").check_param("nonce");
    let by_entry = [("usage_uid", usage_uid.as_str())];
    undo_as(&app, Role::Manager, &by_entry).await.check_failure("TokenValueError").check_param("usage_uid");
    let again = use_as(&app, Role::Scanner, &[("token_uid", &uid), ("uses", "2"), ("nonce", "k")]).await;
    again.check_failure("TokenValueError").check_param("nonce");

    let entries = app.usage(Some(&uid)).await;
    assert_eq!((&entries[0]["undoes"], &entries[0]["uses"]), (&json!(usage_uid), &json!(-2)));
    let sum: i64 = entries.iter().filter(|it| it["error"].is_null()).map(|it| it["uses"].as_i64().unwrap()).sum();
    assert_eq!(sum, 0, "successes sum to what was used");
    assert_eq!(number(&mut app.connection(), "SELECT used FROM tokens"), 0);
    app.consume(&uid).await.check_success();
    assert_eq!(app.get("/query_usage", &[("from", "2020-01-01")]).await.body["usage"].as_array().unwrap().len(), 4);
}

#[actix_web::test]
async fn only_who_used_a_token_or_may_edit_undoes_that_use_and_in_time_only() {
    let app = App::start().await;
    add_gate(&app, "Strict", &GateRules { undo_seconds: None, ..GateRules::default() });
    add_gate(&app, "Short", &GateRules { undo_seconds: Some(1), ..GateRules::default() });
    let uid = app.add(&[("usage_count", "9")]).await;
    let what = ("token_uid", uid.as_str());
    let by_manager = use_as(&app, Role::Manager, &[what]).await;
    let entry = |used: &Answer| text(&used.check_success().body["usage_uid"]).to_owned();
    let by_manager = entry(&by_manager);
    undo_as(&app, Role::Scanner, &[("usage_uid", &by_manager)]).await.check_failure("Forbidden");
    undo_as(&app, Role::Viewer, &[("usage_uid", &by_manager)]).await.check_failure("Forbidden");
    let by_scanner = entry(&use_as(&app, Role::Scanner, &[what]).await);
    undo_as(&app, Role::Editor, &[("usage_uid", &by_scanner)]).await.check_success();
    let strict = entry(&use_as(&app, Role::Scanner, &[what, ("gate", "Strict")]).await);
    for role in [Role::Scanner, Role::Manager] {
        undo_as(&app, role, &[("usage_uid", &strict)]).await.check_failure("Forbidden");
    }
    let short = entry(&use_as(&app, Role::Scanner, &[what, ("gate", "Short")]).await);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    undo_as(&app, Role::Scanner, &[("usage_uid", &short)]).await.check_failure("TokenValueError");
    assert_eq!(app.token(&uid).await["usage_count"], 6);

    for (form, param) in [
        (vec![("usage_uid", uid.as_str())], "usage_uid"),
        (vec![("usage_uid", "x")], "usage_uid"),
        (vec![("nonce", "unknown")], "nonce"),
        (vec![("nonce", "k"), ("usage_uid", &by_manager)], "usage_uid"),
    ] {
        undo_as(&app, Role::Manager, &form).await.check_failure("TokenValueError").check_param(param);
    }
    for neither in [vec![], vec![("nonce", "")], vec![("usage_uid", "")]] {
        let neither = undo_as(&app, Role::Manager, &neither).await;
        neither.check_failure("TokenAPIError").check_param("usage_uid");
        assert_eq!(neither.body["message"], "One of the parameters usage_uid and nonce must be given.");
    }
    let get = app.request(Role::Manager, Method::GET, "/undo_consume");
    send(get.query(&[("usage_uid", &by_manager)])).await.check_failure("MethodNotAllowed");
}

#[actix_web::test]
async fn an_undo_that_lost_its_answer_is_asked_for_again_with_its_own_key() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "1")]).await;
    let used = use_as(&app, Role::Scanner, &[("token_uid", &uid), ("nonce", "k")]).await;
    used.check_success();
    let undo = |key: &'static str| {
        let request = app.request(Role::Scanner, Method::POST, "/undo_consume").header("Idempotency-Key", key);
        send(request.form(&[("nonce", "k")]))
    };
    let first = undo("u").await;
    let again = undo("u").await;
    assert_eq!(again.check_success().body["replayed"], true);
    assert_eq!(first.check_success().body["usage_uid"], again.body["usage_uid"]);
    undo("other").await.check_failure("TokenValueError");
    let as_use = app.request(Role::Scanner, Method::POST, "/consume_token").header("Idempotency-Key", "u");
    send(as_use.form(&[("token_uid", &uid)])).await.check_failure("TokenValueError").check_param("Idempotency-Key");
    assert_eq!(app.token(&uid).await["usage_count"], 1);
}

#[actix_web::test]
async fn a_voided_tokens_use_is_undone_and_a_deleted_ones_is_not() {
    let app = App::start().await;
    let (voided, deleted) = (app.add(&[("usage_count", "1")]).await, app.add(&[("usage_count", "1")]).await);
    for uid in [&voided, &deleted] {
        use_as(&app, Role::Scanner, &[("token_uid", uid), ("nonce", uid)]).await.check_success();
    }
    app.post("/void_token", &[("token_uid", &voided)]).await.check_success();
    app.post("/delete_token", &[("token_uid", &deleted)]).await.check_success();
    undo_as(&app, Role::Scanner, &[("nonce", &voided)]).await.check_success();
    undo_as(&app, Role::Scanner, &[("nonce", &deleted)]).await.check_failure("TokenNotExists");
    assert_eq!(app.token(&voided).await["usage_count"], 1);
}

/// The lock runs again from where it ran before, whichever of several uses is undone first.
#[actix_web::test]
async fn the_lock_is_what_it_was() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "9")]).await;
    let mut uses = Vec::new();
    for _ in 0..3 {
        let used = use_as(&app, Role::Manager, &[("token_uid", &uid)]).await;
        uses.push(text(&used.check_success().body["usage_uid"]).to_owned());
    }
    let lock_start = |app: &App| {
        let query =
            "SELECT COALESCE((SELECT id FROM usage WHERE timestamp = tokens.lock_start AND uses > 0), 0) FROM tokens";
        number(&mut app.connection(), query)
    };
    let ids: Vec<i64> = uses
        .iter()
        .map(|uid| number(&mut app.connection(), &format!("SELECT id FROM usage WHERE uid = '{uid}'")))
        .collect();
    assert_eq!(lock_start(&app), ids[2]);
    undo_as(&app, Role::Manager, &[("usage_uid", &uses[1])]).await.check_success();
    assert_eq!(lock_start(&app), ids[2], "a later use has set it");
    undo_as(&app, Role::Manager, &[("usage_uid", &uses[2])]).await.check_success();
    assert_eq!(lock_start(&app), ids[0], "and the one between was undone before");
    let last_use = app.post("/consume_token", &[("token_uid", &uid), ("uses", "10")]).await;
    assert_eq!(last_use.check_failure("TokenUsageCountExceeded").body["last_use"]["user"], "key:manager");
    undo_as(&app, Role::Manager, &[("usage_uid", &uses[0])]).await.check_success();
    assert_eq!(lock_start(&app), 0);
    let none = app.post("/consume_token", &[("token_uid", &uid), ("uses", "10")]).await;
    assert_eq!(none.check_failure("TokenUsageCountExceeded").body["last_use"], json!(null));
}

fn lookup(uid: tessera::token::Uid) -> Lookup {
    Lookup { uid: Some(uid), ..Lookup::default() }
}

/// Two servers, twenty who undo the same use, and doors that use the same token all the time.
#[actix_web::test]
async fn of_many_who_undo_a_use_at_once_one_does() {
    let database = Database::new();
    let first = token(1_000);
    add(&mut database.connect(), &first);
    let stores = [Store::start(&database.url).unwrap(), Store::start(&database.url).unwrap()];
    let who = Principal::key("door");
    let (mut taken, mut undone) = (0, 0);
    for round in 0..10 {
        let used = stores[round % 2].consume(Ask::once(who.clone(), lookup(first.uid))).await.unwrap();
        let Settled::Done(Receipt { usage_uid, .. }, _) = used else { panic!("{used:?}") };
        taken += 1;
        let undo = |n: usize| {
            let deed = Deed::Undo { which: NamedUse::Entry(usage_uid), anybody: n.is_multiple_of(2) };
            let ask = Ask::new(who.clone(), deed, None);
            let store = stores[n % 2].clone();
            async move { matches!(store.consume(ask).await, Ok(Settled::Done(..))) }
        };
        let door = |n: usize| {
            let (store, ask) = (stores[n % 2].clone(), Ask::once(who.clone(), lookup(first.uid)));
            async move { matches!(store.consume(ask).await, Ok(Settled::Done(..))) }
        };
        let undos = futures_util::future::join_all((0..20).map(undo));
        let doors = futures_util::future::join_all((0..10).map(door));
        let (undos, doors) = futures_util::future::join(undos, doors).await;
        assert_eq!(undos.iter().filter(|done| **done).count(), 1);
        undone += 1;
        taken += doors.iter().filter(|done| **done).count();
    }
    let left = number(&mut database.connect(), "SELECT usage_count FROM tokens");
    assert_eq!(left, 1_000 - i64::try_from(taken - undone).unwrap());
    let logged =
        number(&mut database.connect(), "SELECT CAST(SUM(uses) AS BIGINT) FROM usage WHERE error_code IS NULL");
    assert_eq!(logged, i64::try_from(taken - undone).unwrap());
}

#[actix_web::test]
async fn an_undo_in_the_same_batch_as_its_use_comes_after_it() {
    let database = Database::new();
    let first = token(5);
    add(&mut database.connect(), &first);
    let store = Store::start(&database.url).unwrap();
    let who = Principal::key("door");
    for round in 0..30 {
        let key = OwnedKey::of_user(&who, ReplayKey::new(format!("k-{round}")).unwrap());
        let used = store.consume(Ask::once(who.clone(), lookup(first.uid)).with_key(key.key.clone()));
        let undo = Deed::Undo { which: NamedUse::Key(key), anybody: false };
        let undone = store.consume(Ask::new(who.clone(), undo, None));
        let (used, undone) = futures_util::future::join(used, undone).await;
        assert!(matches!(used, Ok(Settled::Done(..))), "{used:?}");
        assert!(matches!(undone, Ok(Settled::Done(..))), "{undone:?}");
    }
    assert_eq!(number(&mut database.connect(), "SELECT usage_count FROM tokens"), 5);
}

/// Doors of one server use a token with a key; another server's undo that use at the same moment. The token is there all
/// the time, so no undo may say that it is not.
#[actix_web::test]
async fn an_undo_that_meets_its_use_on_another_server_finds_the_token() {
    let database = Database::new();
    let first = token(1_000);
    add(&mut database.connect(), &first);
    let stores = [Store::start(&database.url).unwrap(), Store::start(&database.url).unwrap()];
    let who = Principal::key("door");
    let (mut uses, mut undos) = (0, 0);
    for round in 0..100 {
        let key = OwnedKey::of_user(&who, ReplayKey::new(format!("k-{round}")).unwrap());
        let ask = |n: usize| {
            let ask = if n.is_multiple_of(2) {
                Ask::once(who.clone(), lookup(first.uid)).with_key(key.key.clone())
            } else {
                Ask::new(who.clone(), Deed::Undo { which: NamedUse::Key(key.clone()), anybody: false }, None)
            };
            let store = stores[n % 2].clone();
            async move { (n, store.consume(ask).await.unwrap()) }
        };
        for (n, answer) in futures_util::future::join_all((0..10).map(ask)).await {
            match answer {
                Settled::Done(..) if n.is_multiple_of(2) => uses += 1,
                Settled::Done(..) => undos += 1,
                Settled::Replayed(_) => assert!(n.is_multiple_of(2)),
                // There is no such use yet, or it was undone already.
                Settled::Mistaken(TokenError::Value { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(uses, 100);
    assert_eq!(number(&mut database.connect(), "SELECT usage_count FROM tokens"), 1_000 - uses + undos);
}

/// Whether they meet in one batch, in two, or on two servers.
#[actix_web::test]
async fn simultaneous_undos_with_one_key_are_one_undo() {
    let database = Database::new();
    let first = token(1_000);
    add(&mut database.connect(), &first);
    let stores = [Store::start(&database.url).unwrap(), Store::start(&database.url).unwrap()];
    let who = Principal::key("door");
    for round in 0..100 {
        let made_with = OwnedKey::of_user(&who, ReplayKey::new(format!("use-{round}")).unwrap());
        let used = Ask::once(who.clone(), lookup(first.uid)).with_key(made_with.key.clone());
        let used = stores[round % 2].consume(used).await.unwrap();
        let Settled::Done(Receipt { usage_uid, .. }, _) = used else { panic!("{used:?}") };
        let key = OwnedKey::of_user(&who, ReplayKey::new(format!("undo-{round}")).unwrap());
        let undo = |n: usize| {
            let by_key = NamedUse::Key(made_with.clone());
            let which = if n.is_multiple_of(3) { by_key } else { NamedUse::Entry(usage_uid) };
            let ask = Ask::new(who.clone(), Deed::Undo { which, anybody: false }, Some(key.clone()));
            // Every other round on one server only.
            let store = stores[n * (round % 2) % 2].clone();
            async move { store.consume(ask).await.unwrap() }
        };
        let (mut done, mut replayed) = (Vec::new(), Vec::new());
        for answer in futures_util::future::join_all((0..6).map(undo)).await {
            match answer {
                Settled::Done(receipt, _) => done.push(receipt),
                Settled::Replayed(receipt) => replayed.push(receipt),
                other => panic!("{other:?} in round {round}"),
            }
        }
        assert_eq!((done.len(), replayed.len()), (1, 5));
        assert!(replayed.iter().all(|again| *again == done[0]));
    }
    assert_eq!(number(&mut database.connect(), "SELECT usage_count FROM tokens"), 1_000);
}
