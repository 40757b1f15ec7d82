//! `/docs` and docs/API.md: every view is there, and every example works when it is pasted.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use reqwest::Method;
use serde_json::Value;
use tessera::access::Role;
use tessera::token::Uid;
use tessera::web::openapi::markdown::markdown;
use tessera::web::route::Kind;
use tessera::web::routes::table;

use crate::support::app::{App, add_key};
use crate::support::browser::Browser;

/// The token of the examples.
const EXAMPLE: &str = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
/// The use of the examples, which no server has.
const EXAMPLE_USE: &str = "0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7";

#[actix_web::test]
async fn every_role_reads_about_every_view() {
    let app = App::start_at("/tickets").await;
    for role in Role::ALL {
        let page = Browser::of(&app, role).await.get("/docs").await;
        page.check(200, &[&format!("{}/add_token", app.base), "Every error", "Every reason"]);
        for route in table().iter().map(tessera::web::route::Route::info).filter(|route| route.kind == Kind::View) {
            assert!(page.text.contains(&format!("<code>{}</code>", route.path)), "{role}: {}", route.path);
            for (_, name) in
                route.parameters.iter().flat_map(|(method, names)| names.iter().map(move |name| (method, name)))
            {
                assert!(page.text.contains(&format!("<code>{name}</code>")), "{role}: {name} of {}", route.path);
            }
        }
        let anchors: Vec<&str> =
            page.text.split(" href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(anchors.len() > 30);
        for anchor in anchors {
            assert_eq!(page.text.matches(&format!(" id=\"{anchor}\"")).count(), 1, "{anchor}");
        }
        assert!(!page.text.contains(" style="), "the policy forbids styles in a page");
    }
}

#[test]
fn the_file_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/API.md");
    let made = markdown(&table(), "http://127.0.0.1:8080");
    if env::var_os("TESSERA_WRITE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let is_same = fs::read_to_string(&path).unwrap() == made;
    assert!(is_same, "docs/API.md is not what the code says: TESSERA_WRITE_DOCS=1 cargo test --test it web::docs");
}

/// An example: the view, the language, and what is copied.
type Example = (String, String, String);

fn unescaped(text: &str) -> String {
    let signs = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    signs.iter().fold(text.to_owned(), |text, (code, sign)| text.replace(code, sign))
}

async fn examples(app: &App) -> Vec<Example> {
    let page = Browser::of(app, Role::Manager).await.get("/docs").await;
    let mut found = Vec::new();
    for part in page.text.split("<section class=\"docs-part").skip(1) {
        let name = part.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
        for pane in part.split("data-language=\"").skip(1) {
            let language = pane.split('"').next().unwrap();
            let text = pane.split("data-copy=\"").nth(1).unwrap().split('"').next().unwrap();
            found.push((name.to_owned(), language.to_owned(), unescaped(text)));
        }
    }
    found
}

/// The examples of a language run in the order in which a token can take part in them.
async fn run_all(language: &str, program: &str, flag: &str) {
    let app = App::start().await;
    let key = add_key(&mut app.connection(), "examples", Role::Manager, None);
    let all: Vec<Example> = examples(&app).await.into_iter().filter(|(_, of, _)| of == language).collect();
    let views = table().iter().filter(|route| route.info().kind == Kind::View).count();
    assert!(all.len() > 12 && all.len() <= views + 1, "{} examples", all.len());
    let folder = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        let mut command = Command::new(program);
        let command = command.arg(flag).arg(text).current_dir(folder.path()).env("TESSERA_KEY", &key);
        let done =
            command.output().unwrap_or_else(|error| panic!("{program} cannot be run: {error}; see bin/test-programs"));
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{text}\n{said}{}", String::from_utf8_lossy(&done.stderr));
        said
    };
    let is_success = |said: &str| said.contains("\"success\":true") || said.contains("'success': True");
    let first = run(&all.iter().find(|(name, ..)| name == "start").unwrap().2);
    assert_eq!(first.matches("token_uid").count(), 2, "{first}");
    assert!(first.contains("consumed"), "{first}");

    let rank = |name: &str| match name {
        "add_token" => 0,
        "consume_token" => 1,
        "delete_token" => 3,
        "delete_tokens" => 4,
        _ => 2,
    };
    let mut views: Vec<&Example> = all.iter().filter(|(name, ..)| name != "start").collect();
    views.sort_by_key(|(name, ..)| rank(name));
    for (name, _, text) in views {
        if name == "delete_tokens" {
            // The token is deleted already, and a uid is never given twice.
            let other = app.add(&[]).await;
            assert!(is_success(&run(&text.replace(EXAMPLE, &other))), "{name}");
            continue;
        }
        let said = run(&text.replace(EXAMPLE_USE, &last_use(&app, name).await));
        assert!(is_success(&said), "{name}:\n{text}\n{said}");
        if name == "add_token" {
            let code = app.request(Role::Manager, Method::GET, &format!("/{EXAMPLE}/qr_code")).send().await.unwrap();
            fs::write(folder.path().join("photo.png"), code.bytes().await.unwrap()).unwrap();
        }
        if name == "scan_read" {
            assert!(said.contains(EXAMPLE), "{said}");
        }
    }
}

/// The use that is to be undone.
async fn last_use(app: &App, view: &str) -> String {
    if view != "undo_consume" {
        return EXAMPLE_USE.to_owned();
    }
    let entries: Vec<Value> = app.usage(Some(EXAMPLE)).await;
    entries.first().unwrap()["uid"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn each_example_for_a_shell_works_when_pasted() {
    run_all("sh", "sh", "-c").await;
}

#[actix_web::test]
async fn each_example_in_python_works_when_pasted() {
    run_all("python", "python3", "-c").await;
}

#[test]
fn the_examples_have_the_token_of_the_examples() {
    assert!(EXAMPLE.parse::<Uid>().is_ok());
    assert!(markdown(&table(), "").contains(EXAMPLE) && markdown(&table(), "").contains(EXAMPLE_USE));
}
