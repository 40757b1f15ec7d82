//! Environment variables: one that is set to nothing counts as not set, and a secret loses its line end.

use std::collections::BTreeSet;
use std::net::TcpListener;

use clap::{Command, CommandFactory};
use tessera::cli::Cli;

use crate::support::database::on_postgres;
use crate::support::process::{Place, Server, check_failed, text};

/// The variables of all options of a command and of those below it.
fn variables(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|option| option.get_env());
    let own = own.map(|name| name.to_str().unwrap().to_owned());
    command.get_subcommands().flat_map(variables).chain(own).collect()
}

#[test]
fn every_variable_that_is_set_to_nothing_counts_as_not_set() {
    let all = variables(&Cli::command());
    for name in ["DATABASE_URL", "TIMEZONE", "LOG", "BIND", "PUBLIC_URL", "TRUSTED_PROXIES", "FONTS", "BATCH"] {
        assert!(all.contains(&format!("TESSERA_{name}")), "{name} is not in {all:?}");
    }
    let place = Place::new();
    // What ends it is the port, and not what it takes an empty text for.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in all.iter().map(String::as_str).chain(["TESSERA_ADMIN_PASSWORD"]) {
        let output = place.run_with(&["serve", "--bind", &address], &[(name, "")], "");
        check_failed(&output, 1, &format!("The address {address} cannot be listened on"));
    }
    let nothing: Vec<_> = all.iter().map(|name| (name.as_str(), "")).collect();
    check_failed(&place.run_with(&["serve", "--bind", &address], &nothing, ""), 1, "another program listens there");
    // The default port, which may be in use by others.
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let output = place.run_with(&["serve"], &[("TESSERA_BIND", "")], "");
    check_failed(&output, 1, "The address 127.0.0.1:8080 cannot be listened on");
    // The default database.
    let output = place.run_with(&["key", "list"], &[("TESSERA_DATABASE_URL", "")], "");
    check_failed(&output, 1, "There is no database file tessera.db");
    // Help names a variable all the same.
    let help = place.run_with(&["serve", "--help"], &[("TESSERA_BIND", "")], "");
    assert!(help.status.success() && text(&help.stdout).contains("TESSERA_BIND"), "{help:?}");
}

#[actix_web::test]
async fn what_is_not_set_has_its_default() {
    let place = Place::new();
    let server = place.serve_after("export TESSERA_LOG= TESSERA_ADMIN_PASSWORD= TESSERA_TIMEZONE= TESSERA_PUBLIC_URL=");
    assert!(server.log().contains("(shown only this once)"), "{}", server.log());
    assert_eq!(reqwest::get(format!("{}/login", server.base)).await.unwrap().status(), 200);
    assert!(server.log().contains("status=200"), "{}", server.log());
}

async fn may_sign_in(server: &Server, name: &str, password: &str) -> bool {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("name", name), ("password", password)];
    client.post(format!("{}/login", server.base)).form(&form).send().await.unwrap().status() == 303
}

#[actix_web::test]
async fn a_password_loses_one_line_end() {
    let place = Place::new();
    let server = place.serve_after("export TESSERA_ADMIN_PASSWORD='correct horse battery\n'");
    assert!(may_sign_in(&server, "admin", "correct horse battery").await);
    for (name, given, password) in [
        ("one", "staple battery horse\n", "staple battery horse"),
        ("two", "staple battery horse\r\n", "staple battery horse"),
        ("three", "staple battery horse", "staple battery horse"),
        ("four", " staple battery horse \nmore\n", " staple battery horse "),
    ] {
        let add = ["user", "add", name, "--role", "viewer", "--password-stdin"];
        let added = place.run_with(&add, &[], given);
        assert!(added.status.success(), "{}", text(&added.stderr));
        assert!(may_sign_in(&server, name, password).await, "{name}");
        let changed =
            place.run_with(&["user", "passwd", name, "--password-stdin"], &[], &given.replace("horse", "cow"));
        assert!(changed.status.success(), "{}", text(&changed.stderr));
        assert!(may_sign_in(&server, name, &password.replace("horse", "cow")).await, "{name}");
    }
}

#[test]
fn a_database_url_loses_one_line_end() {
    let place = Place::migrated();
    let url = if on_postgres() { place.database.as_ref().unwrap().text.clone() } else { "sqlite:tessera.db".into() };
    for line_end in ["\n", "\r\n"] {
        let url = format!("{url}{line_end}");
        let listed = place.run_with(&["key", "list"], &[("TESSERA_DATABASE_URL", &url)], "");
        assert!(listed.status.success(), "{}", text(&listed.stderr));
    }
}
