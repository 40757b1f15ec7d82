//! What a restore says of what it forgets and brings back, and what it ends.

use diesel::connection::SimpleConnection;

use super::files::rows;
use crate::support::app::send;
use crate::support::database::number;
use crate::support::process::{Place, text};

const PASSWORD: &str = "correct horse battery\n";

#[actix_web::test]
async fn a_restore_says_what_it_forgets_and_whom_it_brings_back() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    for (name, role) in [("anna", "manager"), ("ben", "viewer"), ("carl", "editor"), ("dora", "viewer")] {
        let add = ["user", "add", name, "--role", role, "--password-stdin"];
        assert!(place.run_with(&add, &[], PASSWORD).status.success());
    }
    let door = |name: &str| place.works(&["key", "add", name, "--role", "scanner"]).trim().to_owned();
    let (first, _) = (door("door-1"), door("door-2"));
    let uids = server.add_tokens(&key, &[("count", "3"), ("usage_count", "5")]).await;
    let consume = async |uid: &str| send(server.post(&key, &format!("/{uid}/consume_token"))).await;
    consume(&uids[0]).await.check_success();
    let session = "INSERT INTO sessions (hash, user_id, created, last_seen, address, agent)
        SELECT password_hash_bytes, id, 0, 0, 'x', 'x' FROM (SELECT id, NULL AS password_hash_bytes FROM users) AS u";
    let hash = if crate::support::database::on_postgres() { "'\\x01'::bytea" } else { "x'01'" };
    let session =
        session.replace("NULL AS", &format!("{hash} AS")).replace("FROM users)", "FROM users WHERE name = 'anna')");
    place.connection().batch_execute(&session).unwrap();
    place.works(&["backup", "b.db"]);
    assert_eq!((rows(&place, "b.db", "sessions"), rows(&place, "b.db", "usage")), (1, 1));

    place.works(&["key", "revoke", "door-1"]);
    let second = door("door-1");
    place.works(&["key", "revoke", "door-2"]);
    door("door-3");
    place.works(&["user", "remove", "carl"]);
    place.works(&["user", "role", "anna", "admin"]);
    let passwd = ["user", "passwd", "ben", "--password-stdin"];
    assert!(place.run_with(&passwd, &[], "another horse battery\n").status.success());
    place.connection().batch_execute("UPDATE users SET disabled_at = 1 WHERE name = 'ben'").unwrap();
    consume(&uids[0]).await.check_success();
    consume(&uids[0]).await.check_success();
    consume(&uids[1]).await.check_success();
    place.fails(&["restore", "b.db"], 1, "is in use: stop every server and every other command on it first.");
    server.terminate();
    assert_eq!(server.wait(), Some(0));

    let output = place.run(&["restore", "b.db"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for words in [
        "The backup b.db was restored to the ",
        ": 3 tokens and 1 log entry. Nobody is signed in any more.\n",
        "What was there before is kept as ",
        " are forgotten: 3 uses of 2 tokens, which can be used again.\n",
        "Keys that were revoked since then, and work again: door-1, door-2.\n",
        "Users who were removed since then, and may sign in again: carl.\n",
        "Users who are again as they were then: anna (role manager), ben (password, no longer disabled).\n",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    assert_eq!(number(&mut place.connection(), "SELECT count(*) FROM sessions"), 0);
    assert_eq!(
        number(&mut place.connection(), "SELECT count(*) FROM audit WHERE action = 'restore' AND subject = 'b.db'"),
        1
    );
    let server = place.serve();
    let ask = async |key: &str| server.get(key, "/query_token?value=x").send().await.unwrap().status().as_u16();
    assert_eq!((ask(&first).await, ask(&second).await), (200, 401));
    let left = send(server.get(&key, &format!("/query_token?token_uid={}", uids[0]))).await;
    assert_eq!(left.check_success().body["token"]["usage_count"], 4);

    // Nothing was lost since the restore.
    place.works(&["backup", "c.db"]);
    drop(server);
    let said = text(&place.run(&["restore", "c.db"]).stderr);
    assert!(said.contains("No use was made since ") && !said.contains("since then"), "{said}");
}

/// A backup of another database: the numbers of its entries say nothing.
#[actix_web::test]
async fn what_is_forgotten_is_counted_by_time_when_the_databases_are_strangers() {
    let (place, other) = (Place::new(), Place::new());
    let server = other.serve();
    let key = other.key("manager");
    let uid = server.add_tokens(&key, &[("count", "1"), ("usage_count", "9")]).await.remove(0);
    for _ in 0..4 {
        send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
    }
    other.works(&["backup", "b.db"]);
    let backup = other.path("b.db");
    let mut server = place.serve();
    let key = place.key("manager");
    let uid = server.add_tokens(&key, &[("count", "1"), ("usage_count", "9")]).await.remove(0);
    for _ in 0..2 {
        send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
    }
    server.kill();
    let said = text(&place.run(&["restore", backup.to_str().unwrap()]).stderr);
    assert!(said.contains(" are forgotten: 2 uses of 1 token,"), "{said}");
}

#[actix_web::test]
async fn tokens_that_were_refused_since_are_named() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    let mut uids = server.add_tokens(&key, &[("count", "16"), ("usage_count", "5")]).await;
    uids.sort();
    let post = async |uid: &str, what: &str| {
        send(server.post(&key, &format!("/{uid}/{what}"))).await.check_success();
    };
    // These were refused before, too.
    post(&uids[0], "void_token").await;
    post(&uids[1], "void_token").await;
    post(&uids[2], "delete_token").await;
    place.works(&["backup", "b.db"]);
    post(&uids[1], "delete_token").await;
    for uid in &uids[3..14] {
        post(uid, "void_token").await;
    }
    post(&uids[14], "delete_token").await;
    // Refused for a while only, and one that the backup does not know.
    post(&uids[15], "void_token").await;
    post(&uids[15], "restore_token").await;
    let new = server.add_tokens(&key, &[("count", "1")]).await.remove(0);
    post(&new, "void_token").await;
    server.kill();
    let said = text(&place.run(&["restore", "b.db"]).stderr);
    let named = uids[3..13].join(", ");
    let sentence =
        format!("Tokens that were voided or deleted since then, and are good again: 12 ({named} and 2 more).\n");
    assert!(said.contains(&sentence), "{said}");
    // To the other kind of database, where there is nothing before.
    let said = text(&place.run(&["--database-url", "sqlite:new.db", "restore", "b.db"]).stderr);
    assert!(!said.contains("good again"), "{said}");
}
