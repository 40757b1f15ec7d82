//! What pages say: sentences stand where a second language finds them, and every page has help.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sources::files;

fn below(folder: &str, extension: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    files(&root, extension, &mut found);
    found.sort();
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// What programs are told, in English: messages of JSON, and the description of the API.
const OF_PROGRAMS: [&str; 10] = [
    "openapi/",
    "tokens/api",
    "usage/api.rs",
    "params/",
    "error.rs",
    "guard.rs",
    "callers.rs",
    "bearer.rs",
    "idempotency_key.rs",
    // What ends the server when it starts.
    "session_cookie.rs",
];

/// The text of each string literal of a line of code.
fn literals(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

/// Whether a text is a sentence, or the beginning of one: a capital and at least three words.
fn is_sentence(text: &str) -> bool {
    let mut words = text.split(' ');
    let first = words.next().unwrap_or_default();
    let begins = first.starts_with(char::is_uppercase) && first.chars().skip(1).all(|c| c.is_lowercase() || c == '\'');
    let others = words.filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1).count();
    begins && others >= 2
}

#[test]
fn sentences_that_code_says_stand_together() {
    let mut found = Vec::new();
    for (name, text) in below("src/web", "rs") {
        if name.starts_with("words/") || name.contains("tests") || OF_PROGRAMS.iter().any(|of| name.starts_with(of)) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in code.lines().enumerate() {
            let line = line.trim_start();
            // What is logged, and what a caller gets as a fault, is for operators.
            let is_other = line.starts_with("//") || line.starts_with("#[") || line.contains("fault(");
            if !is_other {
                let sentences = literals(line).into_iter().filter(|text| is_sentence(text));
                found.extend(sentences.map(|text| format!("src/web/{name}:{}: {text}", at + 1)));
            }
        }
    }
    assert!(found.is_empty(), "sentences outside of src/web/words/:\n{}", found.join("\n"));
}

#[test]
fn every_page_has_help_of_three_sentences() {
    let mut missing = Vec::new();
    for (name, text) in below("templates", "html") {
        if name == "base.html" || !text.contains("extends \"base.html\"") {
            continue;
        }
        let help = text.split("{% block help %}").nth(1).and_then(|rest| rest.split("{% endblock %}").next());
        // A template of two pages has one for each.
        let paragraphs = help.map_or(0, |help| help.matches("<p>").count());
        if paragraphs == 0 || paragraphs % 3 != 0 {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "pages without help: {missing:?}");
}
