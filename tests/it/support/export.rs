//! Exports, as programs read them.

use reqwest::Method;
use serde_json::Value;
use tessera::access::Role;

use crate::support::app::{Answer, App, send};

/// The text of an export that has to come.
pub async fn exported(app: &App, path: &str) -> String {
    let answer = app.request(Role::Manager, Method::GET, path).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, 200, "{path}: {text}");
    text
}

/// What a program is told by whom an export is refused.
pub async fn refused(app: &App, role: Role, path: &str) -> Answer {
    send(app.request(role, Method::GET, path).header("Accept", "application/json")).await
}

/// The rows of a table, the head first.
pub fn table(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The objects of JSON Lines.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One column of a table, by the name in its head.
pub fn column<'a>(table: &'a [Vec<String>], name: &str) -> Vec<&'a str> {
    let place = table[0].iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {:?}", table[0]));
    table[1..].iter().map(|row| row[place].as_str()).collect()
}
