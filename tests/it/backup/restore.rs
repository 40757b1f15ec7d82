//! What a restore does with what was there before.

use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::damage::backed_up;
use super::files::names;
use crate::support::app::send;
use crate::support::database::number;
use crate::support::process::{Place, text, write_file};

/// The names of databases that were kept.
fn kept(place: &Place) -> Vec<String> {
    names(place).into_iter().filter(|name| name.starts_with("tessera.db.before-restore-")).collect()
}

#[track_caller]
fn restored(place: &Place) -> String {
    let output = place.run(&["restore", "b.db"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

/// Also what a killed server has left in its log.
#[actix_web::test]
async fn the_old_file_is_kept_whole() {
    only_on_sqlite!();
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    place.works(&["backup", "b.db"]);
    let uid = server.add_tokens(&key, &[("count", "1"), ("usage_count", "9")]).await.remove(0);
    send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
    server.kill();
    assert!(place.path("tessera.db-wal").metadata().unwrap().len() > 0);
    restored(&place);
    let [kept] = kept(&place).try_into().unwrap();
    assert!(!names(&place).iter().any(|name| name.ends_with("-wal") || name.ends_with("-shm")), "{:?}", names(&place));
    let tokens = |name: &str| {
        let url: tessera::store::DatabaseUrl = format!("sqlite:{}", place.path(name).display()).parse().unwrap();
        number(&mut url.connect().unwrap(), "SELECT count(*) FROM tokens JOIN usage ON usage.token = tokens.id")
    };
    assert_eq!((tokens(&kept), tokens("tessera.db")), (1, 0));
    // It can be used again as it is.
    let server = place.serve_on(&format!("sqlite:{kept}"));
    send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
    drop(server);
    // Another one is kept beside it.
    restored(&place);
    assert_eq!(self::kept(&place).iter().filter(|name| name.ends_with('Z')).count(), 2);
}

#[test]
fn a_broken_database_is_no_obstacle_and_is_kept() {
    only_on_sqlite!();
    let (place, _) = backed_up();
    let garbage = vec![7; 20_000];
    write_file(&place.path("tessera.db"), &garbage);
    write_file(&place.path("tessera.db-wal"), b"A log");
    let said = restored(&place);
    assert!(said.contains("How many is not known, as what was there before could not be read"), "{said}");
    let kept = kept(&place);
    assert_eq!(std::fs::read(place.path(&kept[0])).unwrap(), garbage);
    assert_eq!(std::fs::read(place.path(&kept[1])).unwrap(), b"A log");
    assert!(kept[1].ends_with("Z-wal") && kept.len() == 2, "{kept:?}");
    assert_eq!(place.works(&["key", "list"]).lines().count(), 22);
}

/// SQLite would take a log for that of the file beside which it is.
#[test]
fn a_log_without_its_database_is_not_taken_for_the_new_ones() {
    only_on_sqlite!();
    let (place, _) = backed_up();
    let mut server = place.serve();
    place.key("viewer");
    server.kill();
    assert!(place.path("tessera.db-wal").metadata().unwrap().len() > 0);
    std::fs::remove_file(place.path("tessera.db")).unwrap();
    restored(&place);
    assert_eq!(place.works(&["key", "list"]).lines().count(), 22);
    assert!(kept(&place).is_empty());
}

#[test]
fn a_killed_restore_leaves_no_second_name() {
    only_on_sqlite!();
    let (place, _) = backed_up();
    let second = "tessera.db.before-restore-20200101T000000Z";
    std::fs::hard_link(place.path("tessera.db"), place.path(second)).unwrap();
    write_file(&place.path("tessera.db.before-restore-20200202T000000Z"), b"of an earlier restore");
    restored(&place);
    let kept = kept(&place);
    assert!(kept.len() == 2 && !kept.contains(&second.to_owned()), "{kept:?}");
}

#[test]
fn a_file_keeps_its_mode_and_its_links() {
    only_on_sqlite!();
    let (place, _) = backed_up();
    std::fs::create_dir(place.path("data")).unwrap();
    std::fs::rename(place.path("tessera.db"), place.path("data/real.db")).unwrap();
    std::os::unix::fs::symlink("data/real.db", place.path("tessera.db")).unwrap();
    std::fs::set_permissions(place.path("data/real.db"), PermissionsExt::from_mode(0o660)).unwrap();
    restored(&place);
    assert!(place.path("tessera.db").is_symlink());
    assert_eq!(place.path("data/real.db").metadata().unwrap().permissions().mode() & 0o777, 0o660);
    assert_eq!(std::fs::read_dir(place.path("data")).unwrap().count(), 3, "the database, its lock, and the old one");
}

#[test]
fn who_owns_a_file_that_nobody_could_write_can_write_the_new_one() {
    only_on_sqlite!();
    let (place, _) = backed_up();
    std::fs::set_permissions(place.path("tessera.db"), PermissionsExt::from_mode(0o444)).unwrap();
    // Root may restore over it.
    let output = place.run(&["restore", "b.db"]);
    let said = text(&output.stderr);
    assert!(output.status.success() || said.contains("readonly database"), "{said}");
    if output.status.success() {
        assert_eq!(place.path("tessera.db").metadata().unwrap().permissions().mode() & 0o777, 0o644);
    }
}

#[test]
fn what_is_not_ours_to_replace_is_left_alone() {
    let (place, _) = backed_up();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    place.connection().batch_execute(newer).unwrap();
    place.fails(&["restore", "b.db"], 1, "was migrated by a newer version of Tessera; restore with that version, or");
    let unreleased = "DELETE FROM __diesel_schema_migrations WHERE version > '9';
        INSERT INTO __diesel_schema_migrations (version) VALUES ('20200101000000')";
    place.connection().batch_execute(unreleased).unwrap();
    place.fails(&["restore", "b.db"], 1, "was made by an unreleased version of Tessera;");

    let other = Place::new();
    let url = crate::support::database::Database::empty();
    url.url.create().unwrap();
    url.connect().batch_execute("CREATE TABLE recipes (id INTEGER)").unwrap();
    let backup = place.path("b.db");
    let restore = ["--database-url", &url.text, "restore", backup.to_str().unwrap()];
    other.fails(&restore, 1, "belongs to another program");
    assert_eq!(number(&mut url.connect(), "SELECT count(*) FROM recipes"), 0);
}

/// All that migrations make is moved, and made anew.
#[actix_web::test]
async fn the_old_tables_are_kept_in_a_schema_of_their_own() {
    only_on_postgres!();
    let (place, _) = backed_up();
    place.connection().batch_execute("CREATE TABLE recipes (id INTEGER); CREATE SCHEMA others").unwrap();
    place.works(&["key", "add", "later", "--role", "viewer"]);
    restored(&place);
    let list = |query: &str| -> Vec<String> { diesel::dsl::sql::<Text>(query).load(&mut place.connection()).unwrap() };
    let schemas = list("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'before_restore_2%z'");
    let [kept] = schemas.try_into().unwrap();
    let everything = |schema: &str| {
        list(&format!(
            "SELECT relkind::text || ' ' || relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace
             AND relname <> 'recipes' UNION ALL SELECT 'f ' || proname FROM pg_proc
             WHERE pronamespace = '{schema}'::regnamespace UNION ALL SELECT 't ' || tgname FROM pg_trigger
             JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = '{schema}'::regnamespace AND NOT tgisinternal ORDER BY 1"
        ))
    };
    assert_eq!(everything("public"), everything(&kept));
    assert!(everything("public").len() > 60);
    let keys = |schema: &str| number(&mut place.connection(), &format!("SELECT count(*) FROM {schema}.keys"));
    assert_eq!((keys("public"), keys(&kept)), (21, 22));
    // What is new follows what was restored.
    let server = place.serve();
    let key = place.key("manager");
    let uid = server.add_tokens(&key, &[("count", "1"), ("usage_count", "9"), ("label", "New")]).await.remove(0);
    send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
    let found = send(server.get(&key, "/query_tokens?q=new")).await;
    assert_eq!(found.check_success().body["tokens"].as_array().unwrap().len(), 1);
}

/// Two restores may begin in one second.
#[test]
fn a_schema_that_was_kept_is_not_in_the_next_restores_way() {
    only_on_postgres!();
    let (place, _) = backed_up();
    let kept =
        "to_char(now() AT TIME ZONE 'UTC' + n * interval '1 s', '\"before_restore_\"YYYYMMDD\"t\"HH24MISS\"z\"')";
    let taken = format!("DO $$ BEGIN FOR n IN 0..60 LOOP EXECUTE 'CREATE SCHEMA ' || {kept}; END LOOP; END $$");
    place.connection().batch_execute(&taken).unwrap();
    restored(&place);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'before_restore_2%z'";
    assert_eq!(number(&mut place.connection(), schemas), 62);
}
