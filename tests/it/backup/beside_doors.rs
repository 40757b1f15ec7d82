//! A backup beside doors, which it does not make wait, and of databases whose log has been cut or does not fit.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use tessera::store::connection::transaction;
use tessera::store::tokens;
use tessera::token::Token;

use crate::support::app::{App, send};
use crate::support::database::number;
use crate::support::process::Place;
use crate::support::tokens::token;

#[actix_web::test]
async fn consumes_go_on_while_a_backup_is_taken() {
    let app = App::start().await;
    let made: Vec<Token> = (0..20_000).map(|_| token(9)).collect();
    transaction(&mut app.connection(), |connection| tokens::add_all(connection, &made)).unwrap();
    let place = Place::new();
    let mut backup = place.spawn(&["--database-url", &app.database.text, "backup", "b.db"]);
    let mut slowest = Duration::ZERO;
    let mut consumed = 0;
    while backup.try_wait().unwrap().is_none() {
        let start = Instant::now();
        app.consume(&made[consumed % 20_000].uid.to_string()).await.check_success();
        slowest = slowest.max(start.elapsed());
        consumed += 1;
    }
    assert!(backup.wait().unwrap().success());
    assert!(consumed >= 20 && slowest < Duration::from_millis(500), "{consumed} uses, the slowest in {slowest:?}");
    place.works(&["backup", "--verify", "b.db"]);
}

#[actix_web::test]
async fn a_database_is_backed_up_though_its_log_was_cut_but_not_if_it_contradicts_itself() {
    let place = Place::new();
    let server = place.serve();
    let key = place.key("manager");
    let uids = server.add_tokens(&key, &[("count", "2"), ("usage_count", "9")]).await;
    for n in 0..6 {
        let path = format!("/{}/consume_token", uids[n % 2]);
        send(server.post(&key, &path).header("Idempotency-Key", n.to_string())).await.check_success();
    }
    // What is given back counts as not used.
    send(server.post(&key, "/undo_consume").form(&[("nonce", "5")])).await.check_success();
    place.works(&["backup", "b.db"]);
    // As retention cuts it: some of one token's entries, and all of another's.
    place.connection().batch_execute("DELETE FROM usage WHERE id < 4").unwrap();
    place.works(&["backup", "b.db"]);
    place.connection().batch_execute("DELETE FROM usage").unwrap();
    place.works(&["backup", "b.db"]);

    let before = std::fs::read(place.path("b.db")).unwrap();
    send(server.post(&key, &format!("/{}/consume_token", uids[0]))).await.check_success();
    let id = number(&mut place.connection(), &format!("SELECT id FROM tokens WHERE uid = '{}'", uids[0]));
    place.connection().batch_execute(&format!("UPDATE tokens SET used = 0 WHERE id = {id}")).unwrap();
    let why =
        format!("The backup was not kept, as it is not what it should be: the token with the id {id} was used 0 times");
    place.fails(&["backup", "b.db"], 1, &why);
    assert_eq!(std::fs::read(place.path("b.db")).unwrap(), before, "the one before is still there");
}
