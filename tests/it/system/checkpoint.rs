//! The write-ahead log on SQLite stays short, also while somebody searches without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tessera::access::Principal;
use tessera::store::{Store, audit};
use tessera::token::Micros;

use crate::support::database::{Database, number, on_postgres};

#[actix_web::test]
async fn the_log_stays_short_beside_searches_without_end() {
    if on_postgres() {
        return;
    }
    let database = Database::new();
    let store = Store::start(&database.url).unwrap();
    let (is_over, statements) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let searches: Vec<_> = (0..4)
        .map(|_| {
            let (store, is_over, statements) = (store.clone(), Arc::clone(&is_over), Arc::clone(&statements));
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let statements = Arc::clone(&statements);
                    let search = store.search(move |connection, limit| {
                        while limit.check().is_ok() {
                            number(connection, "SELECT COUNT(DISTINCT detail) FROM audit");
                            statements.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(())
                    });
                    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), search).await;
                }
            })
        })
        .collect();
    // 100 MiB in all, as quickly as a door at its busiest writes, beside somebody who reads nearly always.
    let detail = Arc::new("x".repeat(300_000));
    let mut longest = 0;
    let file = format!("{}-wal", database.text.trim_start_matches("sqlite:"));
    for _ in 0..350 {
        let detail = Arc::clone(&detail);
        let write = store.write(move |connection| {
            audit::record(connection, &Principal::user("anna"), "test", "", &detail, Micros::now())?;
            diesel::sql_query("DELETE FROM audit WHERE id < (SELECT MAX(id) FROM audit) - 20").execute(connection)?;
            Ok(())
        });
        write.await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        longest = longest.max(std::fs::metadata(&file).unwrap().len());
    }
    is_over.store(true, Ordering::Relaxed);
    for search in searches {
        search.await.unwrap();
    }
    assert!(longest < 64 << 20, "{} MiB", longest >> 20);
    assert!(statements.load(Ordering::Relaxed) > 20, "there were searches: {statements:?}");
}

/// As a backup reads, for as long as it takes.
#[actix_web::test]
async fn a_log_that_a_long_read_has_made_long_is_cut_afterwards() {
    if on_postgres() {
        return;
    }
    let database = Database::new();
    let store = Store::start(&database.url).unwrap();
    let mut reader = database.connect();
    reader.batch_execute("BEGIN").unwrap();
    number(&mut reader, "SELECT count(*) FROM audit");
    let detail = Arc::new("x".repeat(1_000_000));
    let write = || {
        let detail = Arc::clone(&detail);
        store.write(move |connection| {
            audit::record(connection, &Principal::user("anna"), "test", "", &detail, Micros::now())?;
            diesel::sql_query("DELETE FROM audit WHERE id < (SELECT MAX(id) FROM audit) - 5").execute(connection)?;
            Ok(())
        })
    };
    let file = format!("{}-wal", database.text.trim_start_matches("sqlite:"));
    let length = || std::fs::metadata(&file).unwrap().len();
    while length() < 80 << 20 {
        write().await.unwrap();
    }
    reader.batch_execute("ROLLBACK").unwrap();
    let start = std::time::Instant::now();
    while length() > 64 << 20 {
        assert!(start.elapsed().as_secs() < 20, "{} MiB", length() >> 20);
        write().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
