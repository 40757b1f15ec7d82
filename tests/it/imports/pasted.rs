//! Lists that are pasted: labels, or a table whose first line names its columns.

use serde_json::{Value, json};
use tessera::access::Role;

use crate::support::app::App;
use crate::support::imports::{paste, run_file};

async fn tokens(app: &App) -> Vec<Value> {
    let all = app.get("/query_tokens", &[("limit", "1000")]).await;
    let mut tokens = all.check_success().body["tokens"].as_array().unwrap().clone();
    tokens.sort_by_key(|token| token["label"].as_str().unwrap_or_default().to_owned());
    tokens
}

#[actix_web::test]
async fn lines_of_labels_become_tokens() {
    let app = App::start().await;
    let list = "Anna \r\n\r\n  Müller, Ben;x\r\n\"Quoted\" Carl\r\nחוברת 7\r\n😀 VIP\r\nAnna\r\n{n}\r\n";
    let (page, uid) = paste(&app, Role::Editor, list).await;
    for words in ["Pasted list", "Create 7 tokens?", "Create 7 tokens</button>", "This label is in the list twice."] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(tokens(&app).await.len(), 0, "nothing is done by looking");
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("7 tokens added"), "{page}");
    let labels: Vec<Value> = tokens(&app).await.iter().map(|token| token["label"].clone()).collect();
    let mut wanted = ["Anna", "Müller, Ben;x", "\"Quoted\" Carl", "חוברת 7", "😀 VIP", "Anna", "{n}"];
    wanted.sort_unstable();
    assert_eq!(labels, wanted);
}

#[actix_web::test]
async fn a_table_is_read_by_the_names_in_its_first_line() {
    for separator in ["\t", ";", ","] {
        let app = App::start().await;
        let lines = [
            ["Label", "value", "Valid to", "usage_count", "lock_time"],
            ["Anna ", " T-1", "30.11.2999 ", "unlimited", "60"],
            ["Ben", "", "", " 3 ", "0"],
        ];
        let list = lines.map(|line| line.join(separator)).join("\n");
        let (page, uid) = paste(&app, Role::Editor, &list).await;
        assert!(page.contains("Create 2 tokens?"), "{separator:?}: {page}");
        run_file(&app, Role::Editor, &uid).await;
        let tokens = tokens(&app).await;
        let facts =
            |n: usize| [&tokens[n]["label"], &tokens[n]["usage_count"], &tokens[n]["lock_time"]].map(Value::clone);
        assert_eq!(facts(0), [json!("Anna"), json!(-1), json!(60)], "white space at the ends is left out");
        assert_eq!(facts(1), [json!("Ben"), json!(3), json!(0)]);
        assert_eq!((&tokens[0]["value"], &tokens[1]["value"]), (&json!("T-1"), &tokens[1]["uid"]));
        assert_eq!(tokens[0]["valid_to"], "2999-11-30T22:59:59.999999Z");
    }
}

#[actix_web::test]
async fn what_is_wrong_is_told_by_line_and_the_options_can_be_changed() {
    let app = App::start().await;
    let (page, _) = paste(&app, Role::Editor, "label;value\nAnna;T-1\nBen;T-1\nCarl\n").await;
    for words in ["2 errors in 3 lines", "Line 2 has the same value", "1 cell"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (page, uid) = paste(&app, Role::Editor, "a\tb\nfine\n").await;
    assert!(page.contains("1 error in 2 lines") && page.contains("control characters"), "{page}");
    // Taken for a table, its first line names the columns.
    let form = [("mode", "add"), ("format", "csv"), ("column_label", "a")];
    let page = crate::support::imports::check_file(&app, &uid, &form).await;
    assert!(page.contains("1 cell, and the first line of the file names 2"), "{page}");
    for empty in ["", "  \r\n \t\r\n"] {
        let (page, _) = paste(&app, Role::Editor, empty).await;
        assert!(page.contains("Paste at least one line.") && page.contains("href=\"#list\""), "{page}");
    }
    assert_eq!(tokens(&app).await.len(), 0);
}

#[actix_web::test]
async fn a_list_of_a_hundred_thousand_lines_is_taken() {
    let app = App::start().await;
    let lines: Vec<String> = (1..=100_000).map(|n| format!("Locker {n:06}\r\n")).collect();
    let list = lines.concat();
    let (page, uid) = paste(&app, Role::Editor, &list).await;
    assert!(page.contains("Create 100,000 tokens?"), "{page}");
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("100,000 tokens added"), "{page}");
}
