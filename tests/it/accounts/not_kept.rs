//! A key that was not kept is shown to nobody, and one that nobody saw is named.

use diesel::connection::SimpleConnection;
use tessera::access::Role;
use tessera::store::Connection;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::process::{Place, check_failed, text};

/// From now on a new key is refused, but only when it is committed.
fn refuse_at_commit(connection: &mut Connection) {
    let statements = match connection {
        Connection::Sqlite(_) => {
            "CREATE TABLE nowhere (id INTEGER PRIMARY KEY REFERENCES nobody (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TABLE nobody (id INTEGER PRIMARY KEY);
             CREATE TRIGGER refuse AFTER INSERT ON keys BEGIN INSERT INTO nowhere VALUES (new.id); END;"
        }
        Connection::Postgres(_) => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON keys DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse();"
        }
    };
    connection.batch_execute(statements).unwrap();
}

#[test]
fn a_key_that_was_not_kept_is_not_printed() {
    let place = Place::migrated();
    refuse_at_commit(&mut place.connection());
    let output = place.run(&["key", "add", "door", "--role", "scanner"]);
    check_failed(&output, 1, "Nothing was changed");
    assert!(!place.works(&["key", "list"]).contains("door"));
}

#[actix_web::test]
async fn a_key_that_was_not_kept_is_on_no_page() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    refuse_at_commit(&mut app.connection());
    let page = browser.post("/keys/add", &[("name", "north-3"), ("role", "scanner")]).await;
    assert!(page.status >= 500 && !page.text.contains("tsr_"), "{page:?}");
    assert!(!browser.get("/keys").await.text.contains("north-3"));
}

#[test]
fn a_key_of_which_nobody_knows_whether_it_was_kept_is_not_printed() {
    only_on_postgres!();
    let place = Place::migrated();
    let statements = "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON keys DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION cut();";
    place.connection().batch_execute(statements).unwrap();
    let output = place.run(&["key", "add", "door", "--role", "scanner"]);
    check_failed(
        &output,
        1,
        "It is not known whether the key door was made, as the connection was lost during the commit",
    );
    assert!(text(&output.stderr).contains("if `tessera key list` shows it, revoke it"));
}

#[test]
fn a_key_that_nobody_saw_is_named_with_how_to_end_it() {
    let place = Place::migrated();
    for (name, to) in [("full", ">/dev/full"), ("broken", "| (exec <&-; sleep 1)")] {
        let script = format!("{{ sleep 0.3; $BIN key add {name} --role viewer; echo \"exit $?\" >&2; }} {to}");
        let said = place.shell(&script);
        assert!(said.contains(&format!("The key {name} was created, but nobody has seen it")), "{said}");
        assert!(said.contains(&format!("tessera key revoke {name}.\nexit 1")), "{said}");
        assert!(place.works(&["key", "list"]).contains(name));
        place.works(&["key", "revoke", name]);
    }
}
