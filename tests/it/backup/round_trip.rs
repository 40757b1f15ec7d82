//! A backup of a server under load, and everything back from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::files::{differences, names, rows};
use crate::support::app::send;
use crate::support::database::Database;
use crate::support::process::{Place, Server, text};

/// Uses tokens, undoes uses, and makes tokens, as long as `going`.
fn load(server: &Server, key: &str, uids: &[String], going: &Arc<AtomicBool>) -> Vec<tokio::task::JoinHandle<usize>> {
    let post = |path: String| {
        let (base, key) = (server.base.clone(), key.to_owned());
        move |form: Vec<(&'static str, String)>| {
            send(reqwest::Client::new().post(format!("{base}{path}")).bearer_auth(&key).form(&form))
        }
    };
    let clients = (0..8).map(|client| {
        let (consume, undo) = (post("/consume_token".into()), post("/undo_consume".into()));
        let (uids, going) = (uids.to_owned(), Arc::clone(going));
        tokio::spawn(async move {
            let mut used = 0;
            while going.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let nonce = format!("{client}-{used}");
                let uid = uids[(used * 7 + client) % uids.len()].clone();
                consume(vec![("token_uid", uid), ("nonce", nonce.clone())]).await.check_success();
                used += 1;
                if used % 5 == 0 {
                    undo(vec![("nonce", nonce)]).await.check_success();
                }
            }
            used
        })
    });
    let clients: Vec<_> = clients.collect();
    let add = post("/add_tokens".into());
    let going = Arc::clone(going);
    let maker = tokio::spawn(async move {
        let mut made = 0;
        // Not more than a search reads in time on a machine that is busy: it will be the first of a new server.
        while going.load(Ordering::Relaxed) && made < 8 {
            add(vec![("count", "700".into()), ("batch_name", format!("Batch {made}"))]).await.check_success();
            made += 1;
        }
        made
    });
    clients.into_iter().chain([maker]).collect()
}

#[actix_web::test]
async fn a_backup_under_load_is_good_and_comes_back_whole() {
    let place = Arc::new(Place::new());
    let mut server = place.serve();
    let key = place.key("manager");
    let uids = server.add_tokens(&key, &[("count", "40"), ("usage_count", "100000"), ("label", "Größe {n}")]).await;
    let going = Arc::new(AtomicBool::new(true));
    let clients = load(&server, &key, &uids, &going);
    let taking = Arc::clone(&place);
    let taken = tokio::task::spawn_blocking(move || {
        for n in 0..3 {
            taking.works(&["backup", &format!("under-load-{n}.db")]);
        }
    });
    let taken = taken.await;
    going.store(false, Ordering::Relaxed);
    let done: Vec<usize> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
    taken.unwrap();
    assert!(done.iter().all(|done| *done > 0), "there was no load: {done:?}");
    let uses: Vec<usize> = (0..3).map(|n| rows(&place, &format!("under-load-{n}.db"), "usage")).collect();
    assert!(uses[0] < uses[1] && uses[1] < uses[2], "each is of its own moment: {uses:?}");

    place.works(&["backup", "whole.db"]);
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    // From where the tests run, to a file, to where they run.
    let elsewhere = Database::empty();
    for (url, from, to) in [("sqlite:back.db", "whole.db", "a.db"), (&elsewhere.text, "a.db", "b.db")] {
        place.works(&["--database-url", url, "restore", from]);
        place.works(&["--database-url", url, "backup", to]);
        // Each knows the backup that it was made from, and that it was restored.
        let expected = BTreeMap::from([("audit".into(), (0, 1)), ("settings".into(), (1, 1))]);
        assert_eq!(differences(&place.path(from), &place.path(to)), expected, "{from} and {to}");
    }
    // One that was taken in the middle serves, too, and batches that were not whole are gone.
    place.works(&["--database-url", "sqlite:middle.db", "restore", "under-load-1.db"]);
    for url in ["sqlite:middle.db", &elsewhere.text] {
        let server = place.serve_on(url);
        let used = send(server.post(&key, &format!("/{}/consume_token", uids[0]))).await;
        used.check_success();
        let found = send(server.get(&key, "/query_tokens?q=größe&limit=1000")).await;
        assert_eq!(found.check_success().body["tokens"].as_array().unwrap().len(), 40);
    }
    assert!(!names(&place).iter().any(|name| name.contains("partial")), "{:?}", names(&place));
}

#[test]
fn who_restores_where_nothing_was_gets_a_database() {
    let place = Place::migrated();
    let key = place.key("manager");
    let said = text(&place.run(&["backup", "b.db"]).stderr);
    assert!(said.contains("was backed up to") && said.contains("and verified: 0 tokens and 0 log entries"), "{said}");
    let target = Database::empty();
    let said = text(&place.run(&["--database-url", &target.text, "restore", "b.db"]).stderr);
    assert!(said.contains("was restored to the") && !said.contains("before"), "{said}");
    let list = place.works(&["--database-url", &target.text, "key", "list"]);
    assert!(list.contains("manager-") && !key.is_empty(), "{list}");
}
