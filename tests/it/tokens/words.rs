//! What the words of a search find: in the JSON view, on the list, in a file and in a change of all that is found.

use serde_json::Value;
use tessera::access::Role;
use tessera::token::VALUE_MAX_CHARS;

use super::agreement::index;
use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::tokens::MISSING_UID;

/// Values and labels, among which searches look.
const TOKENS: [(&str, &str); 18] = [
    ("K-17", "Locker 042"),
    ("K-18", "Locker 420"),
    ("K-19", "Locker 7"),
    ("42", "Umbrella"),
    ("cafe", "Café Müller"),
    // The same name, taken apart into letters and marks as some systems write it.
    ("nfd", "Cafe\u{301} Mu\u{308}ller"),
    ("street", "Lange Straße 5"),
    ("łódź", "Ødegård, Þórður & Guðrún Æsir"),
    ("rtl", "תווית 42"),
    ("arabic", "كُود"),
    ("family", "👨\u{200d}👩\u{200d}👧 ticket"),
    ("heart", "❤\u{fe0f} VIP"),
    ("soft", "Um\u{ad}brel\u{200b}la \u{200e}stand"),
    ("wide", "ＶＩＰ ２"),
    ("quoted", "Room \"Blue Danube\" 3.5\""),
    ("odd", "a_b 100% \\d"),
    ("two  spaces", "Blue  Room Danube"),
    ("marks", "\u{301}\u{302}"),
];

/// What is searched for, and the values that are found.
const SEARCHES: [(&str, &[&str]); 51] = [
    ("Locker 42", &["K-17", "K-18"]),
    ("42 locker", &["K-17", "K-18"]),
    ("LOCKER\u{a0}042", &["K-17"]),
    ("k-17 042", &["K-17"]),
    ("42", &["K-17", "K-18", "42", "rtl"]),
    ("7", &["K-17", "K-19"]),
    ("17 lo", &["K-17"]),
    ("locker 42 umbrella", &[]),
    ("cafe", &["cafe", "nfd"]),
    ("Café", &["cafe", "nfd"]),
    ("CAFE\u{301}", &["cafe", "nfd"]),
    ("muller cafe", &["cafe", "nfd"]),
    ("müller", &["cafe", "nfd"]),
    ("mu\u{308}", &["cafe", "nfd"]),
    ("mueller", &[]),
    ("strasse", &["street"]),
    ("STRASSE", &["street"]),
    ("straße", &["street"]),
    ("STRAẞE 5", &["street"]),
    ("lodz", &["łódź"]),
    ("ŁÓDŹ", &["łódź"]),
    ("odegard aesir", &["łódź"]),
    ("thordur gudrun", &["łódź"]),
    ("תווית", &["rtl"]),
    ("\u{200f}42 \u{202b}תווית\u{202c}", &["rtl"]),
    ("كود", &["arabic"]),
    ("👨👩👧", &["family"]),
    ("👩", &["family"]),
    ("👨\u{200d}👩\u{200d}👧 tick", &["family"]),
    ("❤", &["heart"]),
    ("vip ❤\u{fe0f}", &["heart"]),
    ("umbrella", &["42", "soft"]),
    ("umb\u{200b}rella stand", &["soft"]),
    ("vip 2", &["wide"]),
    ("ＶＩＰ", &["heart", "wide"]),
    ("\"blue danube\"", &["quoted"]),
    ("blue danube", &["quoted", "two  spaces"]),
    ("“Blue   Danube”", &["quoted"]),
    ("„room blue“", &[]),
    ("«blue room» \"danube\"", &["two  spaces"]),
    ("\"two spaces\"", &["two  spaces"]),
    ("\"locker 42\"", &["K-18"]),
    ("locker \"42\"", &["K-17", "K-18"]),
    ("3.5\"", &["quoted"]),
    ("\"Blue", &["quoted"]),
    ("\"\"", &[]),
    ("100% a_", &["odd"]),
    ("%", &["odd"]),
    ("_", &["odd"]),
    ("\\d", &["odd"]),
    ("lockers", &[]),
];

/// Only marks, which no letter carries.
const NOTHING: [&str; 5] = ["\u{301}", "\u{301} \u{302}\u{303}", "\u{fe0f}", "\"\u{301}\"", "\u{200d}"];

async fn add_all(app: &App) {
    for (value, label) in TOKENS {
        app.add(&[("value", value), ("label", label)]).await;
    }
}

/// The values that a view finds, in the order in which they were added.
async fn found(app: &App, q: &str) -> Vec<String> {
    let answer = app.get("/query_tokens", &[("q", q), ("sort", "created")]).await;
    let tokens = answer.check_success().body["tokens"].as_array().unwrap();
    tokens.iter().map(|token| token["value"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn words_are_found_in_any_order_without_case_accents_and_what_is_not_seen() {
    let app = App::start().await;
    add_all(&app).await;
    for is_indexed in [false, true] {
        if is_indexed {
            index(&mut app.connection());
        }
        for (q, values) in SEARCHES {
            assert_eq!(found(&app, q).await, values, "{q:?}, indexed: {is_indexed}");
        }
        for q in NOTHING {
            assert_eq!(found(&app, q).await, [""; 0], "{q:?}: not everything, indexed: {is_indexed}");
        }
        for q in ["", " ", "\u{3000}\u{a0}"] {
            assert_eq!(found(&app, q).await.len(), TOKENS.len(), "{q:?}");
        }
    }
}

/// The rows of an export, of which each has its value in quotation marks or not.
async fn exported(app: &App, q: &str) -> Vec<String> {
    let query = [("format", "jsonl"), ("q", q)];
    let answer = app.request(Role::Manager, reqwest::Method::GET, "/export/tokens").query(&query).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let text = answer.text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| line["value"].as_str().map(str::to_owned)).collect()
}

#[actix_web::test]
async fn a_change_the_list_and_a_file_find_the_same() {
    let app = App::start().await;
    add_all(&app).await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    for (q, values) in [
        ("Locker 42", &["K-17", "K-18"][..]),
        ("muller cafe", &["cafe", "nfd"]),
        ("\"blue danube\"", &["quoted"]),
        ("42", &["K-17", "K-18", "42", "rtl"]),
    ] {
        let tokens = if values.len() == 1 { "1 token".to_owned() } else { format!("{} tokens", values.len()) };
        let address = |path: &str| query(path, &[("q", q)]);
        browser.get(&address("/")).await.check(200, &[&tokens]);
        browser.get(&address("/sheet")).await.check(200, &[&tokens]);
        let mut of_file = exported(&app, q).await;
        of_file.sort_by_key(|value| TOKENS.iter().position(|(own, _)| own == value));
        assert_eq!(of_file, values, "{q}");
        let form = [("select", "found"), ("q", q), ("do", "add_uses"), ("add_uses", "1"), ("step", "preview")];
        browser.post("/bulk", &form).await.check(200, &[&tokens]);
    }
    let nothing = [("select", "found"), ("q", "\u{301}"), ("do", "add_uses"), ("add_uses", "1"), ("step", "preview")];
    let changed = browser.post("/bulk", &nothing).await;
    assert!(!changed.text.contains("18 tokens"), "marks alone are not everything: {}", changed.text);
}

/// An address with a query.
fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://x", parameters).unwrap();
    format!("{path}?{}", url.query().unwrap())
}

#[actix_web::test]
async fn long_searches_and_a_thousand_words_are_answered() {
    let app = App::start().await;
    add_all(&app).await;
    let words = |word: &str| word.repeat(VALUE_MAX_CHARS / word.chars().count());
    let different: String = ('\u{4e00}'..).step_by(3).take(500).flat_map(|letter| [letter, ' ']).collect();
    for q in [
        words("zq "),
        words("a"),
        words("\""),
        words("„ "),
        words("\"zq\" "),
        words("\u{301}"),
        words("“a "),
        words("👨"),
        different,
        words("\u{fdfa}"),
        words(&format!("{MISSING_UID} ")),
    ] {
        let answer = send(app.request(Role::Manager, reqwest::Method::GET, "/query_tokens").query(&[("q", &q)])).await;
        assert_eq!(answer.check_success().body["tokens"], Value::Array(Vec::new()), "{q}");
    }
    assert_eq!(found(&app, &words("lock er ")).await, ["K-17", "K-18", "K-19"]);
    let long = "x".repeat(VALUE_MAX_CHARS + 1);
    app.get("/query_tokens", &[("q", &long)]).await.check_failure("TokenValueError").check_param("q");
}
