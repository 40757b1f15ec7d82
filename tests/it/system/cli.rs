//! The command line: users, keys, migrate, and what it says when it cannot.

use diesel::connection::SimpleConnection;
use tessera::store::DatabaseUrl;

use crate::support::database::on_postgres;
use crate::support::process::{Place, check_failed, text, write_file};

#[test]
fn keys_are_added_listed_and_revoked() {
    let place = Place::migrated();
    let key = place.works(&["key", "add", "door-3", "--role", "scanner"]);
    assert!(key.starts_with("tsr_") && key.trim_end().len() == 52 && key.ends_with('\n'), "the key alone: {key:?}");
    place.works(&["key", "add", "later", "--role", "viewer", "--expires", "2999-12-31"]);
    let list = place.works(&["key", "list"]);
    assert!(list.contains("door-3") && list.contains("scanner") && list.contains("2999-12-3"), "{list}");
    assert!(!list.contains(key.trim_end()));
    place.fails(&["key", "add", "door-3", "--role", "viewer"], 1, "There is already an API key door-3");
    place.fails(&["key", "add", "a b", "--role", "viewer"], 1, "A name needs");
    place.fails(&["key", "add", "x", "--role", "viewer", "--expires", "soon"], 1, "is not a time");
    place.fails(&["key", "add", "x", "--role", "viewer", "--expires", "2001-01-01"], 1, "must be in the future");
    place.works(&["key", "add", " door-4 ", "--role", "scanner"]);
    assert!(place.works(&["key", "list"]).contains("\ndoor-4 "));
    place.works(&["key", "revoke", "door-3"]);
    place.fails(&["key", "revoke", "door-3"], 1, "There is no key door-3");
    place.works(&["key", "add", "door-3", "--role", "scanner"]);
}

#[test]
fn users_are_added_listed_changed_and_removed() {
    let place = Place::migrated();
    let good = "correct horse battery\n";
    let add = |name: &str, role: &str, password: &str| {
        place.run_with(&["user", "add", name, "--role", role, "--password-stdin"], &[], password)
    };
    assert!(add("anna", "manager", good).status.success());
    assert!(add(" ben ", "viewer", good).status.success(), "a name that was copied with its spaces");
    check_failed(&add("ben", "viewer", good), 1, "There is already a user ben");
    check_failed(&add("eve", "viewer", "short\n"), 1, "A password must have 12 to 1,000 characters");
    check_failed(&add("eve", "viewer", "password1234\n"), 1, "too easy to guess");
    check_failed(&add("eve", "viewer", &"x7".repeat(501)), 1, "A password must have 12 to 1,000 characters");
    let list = place.works(&["user", "list"]);
    assert!(list.contains("anna  manager") && list.contains("ben   viewer") && !list.contains("argon2"), "{list}");
    place.works(&["user", "role", " ben", "editor"]);
    place.fails(&["user", "role", "eve", "editor"], 1, "There is no user eve");
    place.fails(&["user", "role", "anna", "admin"], 1, "last manager");
    place.fails(&["user", "remove", "anna"], 1, "last manager");
    assert!(place.run_with(&["user", "passwd", "ben", "--password-stdin"], &[], good).status.success());
    let nobody = place.run_with(&["user", "passwd", "eve", "--password-stdin"], &[], good);
    check_failed(&nobody, 1, "There is no user eve");
    place.works(&["user", "remove", "ben"]);
    place.fails(&["user", "remove", "ben"], 1, "There is no user ben");
    assert!(!place.works(&["user", "list"]).contains("ben"));
}

#[test]
fn wrong_usage_is_2_and_help_explains() {
    let place = Place::new();
    place.fails(&["key", "add", "x", "--role", "root"], 2, "a role is one of");
    place.fails(&["key", "add", "x"], 2, "--role");
    place.fails(&["serve", "--timezone", "Mars/Base"], 2, "time zone");
    place.fails(&["serve", "--database-url", "tessera.db"], 2, "sqlite:FILE");
    place.fails(&["serve", "--database-url", "sqlite::memory:"], 2, "a file is wanted");
    place.fails(&["serve", "--database-url", "postgres:x"], 2, "postgres://USER@HOST/DATABASE");
    let secret = "postgress://anna:s3cret@host/x";
    let output = place.run(&["migrate", "--database-url", secret]);
    check_failed(&output, 2, "postgres://USER@HOST/DATABASE");
    assert!(!text(&output.stderr).contains("s3cret"));
    place.fails(&["migrate", "--database-url", "postgres://anna:s3/cret@host/x"], 2, "write %40 for @");
    let help = place.run_with(&["serve", "--help"], &[("TESSERA_DATABASE_URL", secret)], "");
    assert!(!text(&help.stdout).contains("s3cret"));
    place.fails(&["serve", "--public-url", "example.org"], 2, "public-url");
    place.fails(&["serve", "--bind", "8080"], 2, "bind");
    place.fails(&["serve", "--trusted-proxies", "proxy"], 2, "neither an address nor a network");
    place.fails(&["serve", "--log", "=="], 2, "log");
    place.fails(&["dance"], 2, "dance");
    place.fails(&[], 2, "a command is missing");
    let help = place.works(&["serve", "--help"]);
    for name in ["DATABASE_URL", "BIND", "PUBLIC_URL", "TIMEZONE", "TRUSTED_PROXIES", "FONTS", "LOG"] {
        assert!(help.contains(&format!("TESSERA_{name}")), "{name} is not in {help}");
    }
    assert!(help.contains("TESSERA_ADMIN_PASSWORD"), "{help}");
    assert!(help.contains("sqlite:tessera.db") && help.contains("127.0.0.1:8080"), "{help}");
}

#[test]
fn a_font_that_cannot_be_used_ends_serve_with_one_sentence() {
    let place = Place::new();
    let serve = ["serve", "--bind", "127.0.0.1:0"];
    let with = |more: &[&'static str]| [&serve, more].concat();
    place.fails(&with(&["--font", "no-such.ttf"]), 1, "The font no-such.ttf cannot be read: No such file");
    write_file(&place.path("list.txt"), b"milk, bread, butter");
    place.fails(&with(&["--font", "list.txt"]), 1, "list.txt is not a font: use a TrueType or OpenType file");
    write_file(&place.path("thin.ttf"), dejavu::sans::extra_light());
    place.fails(&with(&["--font", "thin.ttf", "--font", "list.txt"]), 1, "list.txt is not a font");
    let fonts = [("TESSERA_FONTS", "thin.ttf:no-such.otf")];
    check_failed(&place.run_with(&serve, &fonts, ""), 1, "no-such.otf cannot be read");
    // Nothing is no font; what ends it is the port.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for fonts in ["", "thin.ttf"] {
        let output = place.run_with(&["serve", "--bind", &address], &[("TESSERA_FONTS", fonts)], "");
        check_failed(&output, 1, "another program listens there");
    }
}

#[test]
fn migrate_makes_and_finds_the_schema() {
    let place = Place::new();
    assert!(text(&place.run(&["migrate"]).stderr).contains("was migrated"));
    assert!(text(&place.run(&["migrate"]).stderr).contains("is up to date"));
    if on_postgres() {
        return;
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&place.path("tessera.db").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_no_database_of_ours_is_left_alone() {
    let place = Place::new();
    let text = b"This is a shopping list, and longer than a hundred bytes, so that no one can take it for an empty file: milk, bread, butter.";
    write_file(&place.path("list.txt"), text);
    place.fails(&["serve", "--bind", "127.0.0.1:0", "--database-url", "sqlite:list.txt"], 1, "not a database");
    assert_eq!(std::fs::read(place.path("list.txt")).unwrap(), text);

    write_file(&place.path("other.db"), b"");
    let mut other = database(&place, "other.db").connect().unwrap();
    other.batch_execute("CREATE TABLE recipes (id INTEGER)").unwrap();
    place.fails(&["migrate", "--database-url", "sqlite:other.db"], 1, "belongs to another program");
    place.fails(&["key", "list", "--database-url", "sqlite:other.db"], 1, "belongs to another program");

    place.fails(&["migrate", "--database-url", "sqlite:no/such/folder/x.db"], 1, "cannot be created: No such file");
    place.fails(&["migrate", "--database-url", "sqlite:."], 1, "cannot be");
}

/// Holds what every command says of the database once `statement` has changed what it knows of its versions.
fn check_refused(statement: &str, sentence: &str) {
    let place = Place::new();
    place.works(&["migrate"]);
    place.connection().batch_execute(statement).unwrap();
    let sentence = format!("The {} {sentence}", shown(&place));
    let copy = ["copy", "--to", "sqlite:copy.db"];
    let commands =
        [&["serve", "--bind", "127.0.0.1:0"][..], &["migrate"], &["key", "list"], &copy, &["backup", "b.db"]];
    for command in commands {
        place.fails(command, 1, &sentence);
    }
}

/// The database as errors name it.
fn shown(place: &Place) -> String {
    if on_postgres() { place.database_url().to_string() } else { "database file tessera.db".into() }
}

#[test]
fn a_newer_schema_is_refused_in_one_sentence() {
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    check_refused(newer, "was migrated by a newer version of Tessera; start that version, or restore a backup.");
}

#[test]
fn an_unreleased_schema_is_refused_in_one_sentence() {
    let sentence = "was made by an unreleased version of Tessera; start anew with a new database.";
    // As they were numbered at first, and a date before ours; alone, and beside it.
    for versions in ["('00000000000001'), ('00000000000002')", "('20261127000000')"] {
        let insert = format!("INSERT INTO __diesel_schema_migrations (version) VALUES {versions}");
        check_refused(&format!("DELETE FROM __diesel_schema_migrations; {insert}"), sentence);
        check_refused(&insert, sentence);
    }
}

#[test]
fn an_older_schema_is_left_to_migrate() {
    let place = Place::new();
    place.works(&["migrate"]);
    let older = "DELETE FROM __diesel_schema_migrations";
    place.connection().batch_execute(older).unwrap();
    place.fails(&["key", "list"], 1, "run `tessera migrate` first");
}

fn database(place: &Place, name: &str) -> DatabaseUrl {
    format!("sqlite:{}", place.path(name).display()).parse().unwrap()
}
