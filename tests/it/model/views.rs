//! The contract's views, by its rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ask::Ask;
use super::reading::{self, Fault, code_and_status};
use super::rules::{Expected, Model, Token};

const FIELDS: [&str; 6] = ["valid_from", "valid_to", "usage_count", "lock_time", "value", "label"];

/// What a request names: a uid, a value, or both.
pub struct Named {
    pub uid: Option<String>,
    pub value: Option<String>,
}

impl Model {
    /// What the server must answer, and everything that follows from it. `seen` is what it did answer.
    pub fn answer(&mut self, ask: &Ask, seen: &Value) -> Expected {
        let mut faults = Vec::new();
        let done = match ask.view {
            "add_token" => self.add(ask, seen, &mut faults),
            "add_tokens" => self.add_many(ask, seen, &mut faults),
            "consume_token" => self.consume(ask, seen, &mut faults),
            "undo_consume" => self.undo(ask, seen, &mut faults),
            "query_token" => self.query(ask, seen, &mut faults),
            "edit_token" => self.change(ask, &[], &FIELDS[..4], &mut faults),
            "update_token" => self.change(ask, &["add_uses"], &[], &mut faults),
            "delete_token" => self.delete(ask, &mut faults),
            "delete_tokens" => self.delete_many(ask, &mut faults),
            "void_token" => self.void(ask, &mut faults),
            "restore_token" => self.restore_voided(ask, &mut faults),
            "restore" => Some(self.restore(ask)),
            other => panic!("no rules for {other}"),
        };
        done.unwrap_or(Expected::Faults(faults))
    }

    fn add(&mut self, ask: &Ask, seen: &Value, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &FIELDS, &FIELDS[..4], faults);
        let uid = match &ask.uid {
            None => self.new_uid(&seen["token_uid"]),
            Some(chosen) => read_uid(chosen, faults).unwrap_or_default(),
        };
        if self.uids().any(|known| known == uid) {
            faults.push(Fault::value("token_uid"));
        }
        let token = self.described(ask, &Token::new(uid, ask.user()), Some((1, 0)), faults);
        if !faults.is_empty() {
            return None;
        }
        if ask.uid.is_none() {
            self.given.push(token.uid.clone());
        }
        let answer = success(json!({"token_uid": token.uid}));
        self.tokens.push(token);
        Some(answer)
    }

    fn add_many(&mut self, ask: &Ask, seen: &Value, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(
            ask,
            &["count", "valid_from", "valid_to", "usage_count", "lock_time", "label"],
            &["count"],
            faults,
        );
        let count = ask.field("count").map(|count| reading::number(count, 1..=100_000));
        if count == Some(None) {
            faults.push(Fault::value("count"));
        }
        let pattern = self.described(ask, &Token::new(String::new(), ask.user()), Some((1, 0)), faults);
        let count = count.flatten().filter(|_| faults.is_empty())?;
        for n in 1..=count {
            let uid = self.new_uid(&seen["token_uids"][usize::try_from(n - 1).unwrap()]);
            let label = pattern.label.as_ref().map(|label| reading::numbered(label, n));
            self.tokens.push(Token { uid: uid.clone(), value: uid.clone(), label, ..pattern.clone() });
            self.given.push(uid);
        }
        let new = &self.given[self.given.len() - usize::try_from(count).unwrap()..];
        Some(success(json!({"count": count, "token_uids": new})))
    }

    /// A uid that the server gives, if it gave none like it before.
    fn new_uid(&self, seen: &Value) -> String {
        let seen = seen.as_str().filter(|seen| reading::uid(seen).as_deref() == Some(seen));
        seen.filter(|seen| !self.uids().any(|known| known == *seen)).unwrap_or("a new uid").to_owned()
    }

    fn change(&mut self, ask: &Ask, more: &[&str], required: &[&str], faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &[&FIELDS[..], &["token_uid"], more].concat(), required, faults);
        let found = self.named_token(ask, faults);
        let before = found.map_or_else(Token::default, |found| self.tokens[found].clone());
        let after = self.described(ask, &before, None, faults);
        let found = found.filter(|_| faults.is_empty())?;
        self.tokens[found].become_other(after);
        Some(success(json!({})))
    }

    fn delete(&mut self, ask: &Ask, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["token_uid"], &[], faults);
        let found = self.named_token(ask, faults).filter(|_| faults.is_empty())?;
        self.tokens[found].deleted = true;
        Some(success(json!({})))
    }

    fn delete_many(&mut self, ask: &Ask, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["token_uids"], &["token_uids"], faults);
        let uids: Vec<String> = serde_json::from_str(ask.field("token_uids").unwrap_or("[]")).unwrap();
        let uids: Option<BTreeSet<String>> = uids.iter().map(|uid| reading::uid(uid)).collect();
        if uids.is_none() {
            faults.push(Fault::value("token_uids"));
        }
        let found: Option<Vec<usize>> = uids.iter().flatten().map(|uid| self.by_uid(uid)).collect();
        if found.is_none() {
            faults.push(Fault { param: Some("token_uids".into()), ..Fault::unknown() });
        }
        let found = found.filter(|_| faults.is_empty())?;
        for found in &found {
            self.tokens[*found].deleted = true;
        }
        Some(success(json!({"count": found.len()})))
    }

    /// Voided again, it stays voided since when it was, and only another reason is another.
    fn void(&mut self, ask: &Ask, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["token_uid", "reason"], &[], faults);
        let reason = ask.field("reason").map(reading::reason);
        if reason == Some(None) {
            faults.push(Fault::value("reason"));
        }
        let found = self.named_token(ask, faults).filter(|_| faults.is_empty())?;
        let mut after = self.tokens[found].clone();
        after.voided_by = after.voided_by.or(Some(ask.user()));
        after.void_reason = reason.flatten().flatten().or(after.void_reason);
        self.tokens[found].become_other(after);
        Some(success(json!({})))
    }

    fn restore_voided(&mut self, ask: &Ask, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["token_uid"], &[], faults);
        let found = self.named_token(ask, faults).filter(|_| faults.is_empty())?;
        let after = Token { voided_by: None, void_reason: None, voided: None, ..self.tokens[found].clone() };
        self.tokens[found].become_other(after);
        Some(success(json!({})))
    }

    /// The page that undoes a deletion. Who asks for it twice is told the same twice.
    fn restore(&mut self, ask: &Ask) -> Expected {
        let uid = ask.uid.as_deref().and_then(reading::uid);
        let Some(known) = self.tokens.iter().position(|token| Some(&token.uid) == uid.as_ref()) else {
            return Expected::Page(404, String::new());
        };
        let token = self.tokens[known].clone();
        if token.deleted && self.live(|other| other.value == token.value).is_some() {
            return Expected::Page(409, String::new());
        }
        let location = format!("/{}", token.uid);
        self.tokens[known].become_other(Token { deleted: false, ..token });
        Expected::Page(303, location)
    }

    fn query(&mut self, ask: &Ask, seen: &Value, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["token_uid", "value"], &[], faults);
        let found = self.find(&named(ask, faults), faults);
        let found = Some(found).filter(|_| faults.is_empty())?;
        Some(success(json!({"token": found.map(|found| self.tokens[found].object(&seen["token"]))})))
    }

    /// Whether a request is for the token that was answered first: by its uid, and by the value that it had then or has now.
    /// Who did not get that answer must be able to learn it, also when the token was edited or deleted since.
    pub fn is_same(&self, first: &Value, what: &Named) -> bool {
        let is_first = |uid: &String| *uid == first["token_uid"];
        let by_value = |value: &String| {
            let now = self.by_value(value).map(|found| self.tokens[found].uid.clone());
            *value == first["value"] || now.or_else(|| self.linked(value)).as_ref().is_some_and(is_first)
        };
        what.uid.as_ref().is_none_or(is_first) && what.value.as_ref().is_none_or(by_value)
    }

    /// The one token that is named. Uid and value together must name one.
    pub fn find(&self, what: &Named, faults: &mut Vec<Fault>) -> Option<usize> {
        let by_uid = what.uid.as_ref().and_then(|uid| self.by_uid(uid));
        let by_value = what.value.as_ref().and_then(|value| self.by_value(value));
        if what.uid.is_some() && what.value.is_some() && by_uid != by_value {
            faults.push(Fault::value("value"));
        }
        by_uid.or(by_value)
    }

    /// The token whose uid is in the path or a field.
    fn named_token(&self, ask: &Ask, faults: &mut Vec<Fault>) -> Option<usize> {
        let found = named_uid(ask, faults).map(|uid| self.by_uid(&uid));
        if found.is_none() && ask.uid.is_none() && ask.field("token_uid").is_none() {
            faults.push(Fault::api("token_uid"));
        }
        if found == Some(None) {
            faults.push(Fault::unknown());
        }
        found.flatten()
    }
}

pub fn named(ask: &Ask, faults: &mut Vec<Fault>) -> Named {
    // A scanner may send white space around a value, and a uid in capitals.
    let scanned = |value: &str| reading::uid(value.trim()).unwrap_or_else(|| value.trim().to_owned());
    let what = Named { uid: named_uid(ask, faults), value: ask.field("value").map(scanned) };
    if what.value.as_deref().is_some_and(|value| !reading::is_value(value)) {
        faults.push(Fault::value("value"));
    }
    if ask.uid.is_none() && ask.field("token_uid").or(ask.field("value")).is_none() {
        faults.push(Fault::api("token_uid"));
    }
    what
}

fn named_uid(ask: &Ask, faults: &mut Vec<Fault>) -> Option<String> {
    let in_path = ask.uid.as_deref().and_then(|text| read_uid(text, faults));
    let in_field = ask.field("token_uid").and_then(|text| read_uid(text, faults));
    if in_path.is_some() && in_field.is_some() && in_path != in_field {
        faults.push(Fault::value("token_uid"));
    }
    in_path.or(in_field)
}

fn read_uid(text: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let uid = reading::uid(text);
    if uid.is_none() {
        faults.push(Fault::value("token_uid"));
    }
    uid
}

pub fn check_fields(ask: &Ask, known: &[&str], required: &[&str], faults: &mut Vec<Fault>) {
    let given = ask.fields.iter().map(|(name, _)| *name);
    faults.extend(given.filter(|name| !name.starts_with('_') && !known.contains(name)).map(Fault::api));
    faults.extend(required.iter().filter(|name| ask.field(name).is_none()).map(|name| Fault::api(name)));
}

/// `body` and what `more` has.
pub fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().append(&mut serde_json::from_value(more).unwrap());
    body
}

pub fn success(more: Value) -> Expected {
    Expected::Body(200, with(json!({"success": true}), more))
}

/// The sentence is for people, and anyone.
pub fn refused(error: &str, more: Value, seen: &Value) -> Expected {
    let (code, status) = code_and_status(error);
    let body = json!({"success": false, "error": error, "error_code": code, "message": seen["message"]});
    // What belongs to the first reason.
    let detail = more["reasons"].get(0).and_then(Value::as_object).map(|reason| {
        let own = reason.iter().filter(|(name, _)| !["error", "error_code", "message"].contains(&name.as_str()));
        own.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>()
    });
    let body = with(body, detail.map_or_else(|| json!({}), |detail| json!({"detail": detail})));
    Expected::Body(status, with(body, more))
}
