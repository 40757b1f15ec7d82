//! An entry of the audit log in words, with a link to what it is about.

use std::collections::HashMap;

use serde_json::Value;

use crate::access::who;
use crate::store::audit::{Entry, Names};
use crate::web::format::{FormattedTime, TimeFormatter, grouped};
use crate::web::query_string;
use crate::web::words::audit::{self as words, Object};

/// An entry, in words.
pub(crate) struct EntryView {
    pub(crate) when: FormattedTime,
    pub(crate) by: String,
    /// What was done, as in `changed the validity of`.
    pub(crate) did: String,
    /// To what, as in `40 tokens`.
    pub(crate) object: String,
    /// Where that can be looked at, below the base path.
    pub(crate) path: Option<String>,
    pub(crate) detail: String,
}

/// What is there now, of what entries name.
pub(crate) struct Known {
    /// Users, and tokens with their labels.
    pub(crate) names: Names,
    /// The uids of gates by name.
    pub(crate) gates: HashMap<String, String>,
}

impl EntryView {
    /// An entry, given what is there now.
    pub(crate) fn new(entry: &Entry, known: &Known, clock: TimeFormatter) -> Self {
        let (did, object, detail) = sentence(entry, known);
        Self {
            when: FormattedTime { short: clock.to_the_second(entry.at), ..clock.format(entry.at) },
            by: who(&entry.by),
            did,
            path: path(entry, known).filter(|_| !object.is_empty()),
            object,
            detail,
        }
    }
}

/// What was done, to what, and what else is known.
fn sentence(entry: &Entry, known: &Known) -> (String, String, String) {
    let Entry { subject, detail, .. } = entry;
    let Some(action) = words::words(&entry.action) else {
        return (entry.action.clone(), subject.clone(), detail.clone());
    };
    let did = action.did.to_owned();
    let (count, rest) = detail.split_once(": ").unwrap_or((detail, ""));
    match action.object {
        Object::None => (did, String::new(), with_grouped_number(detail)),
        Object::Subject if entry.action == "setting" => (did, subject.clone(), setting(detail)),
        Object::Subject if entry.action == "export" => (did, words::exported(subject).to_owned(), detail.clone()),
        Object::Subject => (did, subject.clone(), with_grouped_number(detail)),
        // Several were deleted.
        Object::Token if subject.is_empty() => (did, with_grouped_number(detail), String::new()),
        Object::Token => (did, token(subject, known), detail.clone()),
        Object::Count if entry.action == "bulk change" && !rest.is_empty() => {
            (words::changed(rest), with_grouped_number(count), String::new())
        }
        Object::Count => (did, with_grouped_number(count.trim_end_matches(" added")), rest.to_owned()),
        Object::Named => (did, rest.to_owned(), with_grouped_number(count)),
        Object::Detail if detail.is_empty() => (did, subject.clone(), String::new()),
        Object::Detail => (did, detail.clone(), String::new()),
    }
}

fn token(uid: &str, known: &Known) -> String {
    known.names.labels.get(uid).cloned().flatten().unwrap_or_else(|| words::token(uid))
}

/// A number at the beginning of a text with its thousands divided, as in `1,204 tokens`.
fn with_grouped_number(text: &str) -> String {
    let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
    match number.parse::<i64>() {
        Ok(1) if rest == "tokens" => "1 token".into(),
        Ok(number) if !rest.is_empty() => format!("{} {rest}", grouped(number)),
        _ => text.to_owned(),
    }
}

/// What a setting was and is, of its JSON.
fn setting(detail: &str) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match serde_json::from_str::<Value>(detail) {
        Ok(both) if both["before"] != both["after"] => words::setting(&value(&both["before"]), &value(&both["after"])),
        _ => detail.to_owned(),
    }
}

/// The page of what an entry is about, if there is one.
fn path(entry: &Entry, known: &Known) -> Option<String> {
    let subject = entry.subject.as_str();
    let noun = entry.action.split(' ').next().unwrap_or_default();
    let of_name = |path: &str| query_string::with(path, [("name", subject)], "");
    match (entry.action.as_str(), noun) {
        ("bulk change" | "bulk delete" | "bulk void" | "bulk unvoid" | "bulk undo" | "import change", _) => {
            Some(format!("/actions/{subject}"))
        }
        ("print job" | "print job dismiss", _) => Some(format!("/print_jobs/{subject}")),
        ("print run", _) => Some(format!("/print_runs/{subject}")),
        ("sheet remove" | "printer remove" | "user remove", _) => None,
        (_, "batch") => Some(format!("/batches/{subject}")),
        (_, "token") => known.names.labels.contains_key(subject).then(|| format!("/{subject}")),
        (_, "user") => known.names.users.contains(subject).then(|| of_name("/users/edit")),
        (_, "key") => Some("/keys".into()),
        (_, "gate") => known.gates.get(subject).map(|uid| format!("/gates/{uid}")),
        (_, "setting") => Some("/settings".into()),
        (_, "printer") => Some("/printers".into()),
        (_, "sheet") => Some("/sheets".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Micros;

    #[track_caller]
    fn check(entry: [&str; 3], words: [&str; 3], path_of: Option<&str>) {
        let [action, subject, detail] = entry.map(str::to_owned);
        let entry = Entry { at: Micros::EPOCH, by: "user:anna".into(), action, subject, detail };
        let names = Names { users: ["ben".into()].into(), labels: [("uid-1".into(), Some("Locker 1".into()))].into() };
        let known = Known { names, gates: [("North".into(), "gate-1".into())].into() };
        let (did, object, detail) = sentence(&entry, &known);
        assert_eq!([&*did, &*object, &*detail], words);
        assert_eq!(path(&entry, &known).as_deref(), path_of);
    }

    #[test]
    fn entries_are_sentences() {
        check(
            ["bulk change", "a", "1204 tokens: validity"],
            ["changed the validity of", "1,204 tokens", ""],
            Some("/actions/a"),
        );
        check(["bulk change", "a", "1204 tokens"], ["changed", "1,204 tokens", ""], Some("/actions/a"));
        check(["bulk void", "a", "2 tokens: Box: lost"], ["voided", "2 tokens", "Box: lost"], Some("/actions/a"));
        check(
            ["batch add", "b", "3000 tokens: Party"],
            ["created the batch", "Party", "3,000 tokens"],
            Some("/batches/b"),
        );
        check(["token void", "uid-1", "Lost"], ["voided", "Locker 1", "Lost"], Some("/uid-1"));
        check(["token delete", "uid-234567", ""], ["deleted", "token uid-2345", ""], None);
        check(["token delete", "", "1500 tokens"], ["deleted", "1,500 tokens", ""], None);
        check(["user role", "ben", "admin"], ["changed the role of", "ben", "admin"], Some("/users/edit?name=ben"));
        check(["user add", "gone", "viewer"], ["added the user", "gone", "viewer"], None);
        check(["gate open", "North", ""], ["opened the gate", "North", ""], Some("/gates/gate-1"));
        check(["print run", "r", "1000 labels: L7160"], ["printed", "1,000 labels", "L7160"], Some("/print_runs/r"));
        check(["sheet remove", "own-1", "Own"], ["removed the label sheet", "Own", ""], None);
        let detail = r#"{"before":30,"after":"x"}"#;
        check(["setting", "zone", detail], ["changed the setting", "zone", "Before: 30. After: x."], Some("/settings"));
        check(["export", "usage", "CSV"], ["exported", "the usage log", "CSV"], None);
        check(["of an older version", "x", "1234 y"], ["of an older version", "x", "1234 y"], None);
    }
}
