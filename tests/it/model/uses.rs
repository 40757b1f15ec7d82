//! Using tokens, trying whether they could be used, and undoing uses, by the contract's rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ask::Ask;
use super::reading::{self, Fault, code_and_status, moment};
use super::rules::{Entry, Expected, Kept, Model, Use};
use super::views::{Named, check_fields, named, refused, success, with};

const MOST: i64 = 2_147_483_647;

impl Model {
    pub fn consume(&mut self, ask: &Ask, seen: &Value, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["token_uid", "value", "nonce", "uses", "test"], &[], faults);
        let what = named(ask, faults);
        let uses = ask.field("uses").map_or(Some(1), |uses| reading::number(uses, 1..=MOST));
        if uses.is_none() {
            faults.push(Fault::value("uses"));
        }
        let is_test = ask.field("test").is_some();
        let mut contradiction = Vec::new();
        let found = self.find(&what, &mut contradiction);
        let key = [ask.key.as_deref(), ask.field("nonce")].into_iter().flatten().collect::<BTreeSet<_>>();
        let is_wrong = |key: &str| !(1..=255).contains(&key.len());
        if ask.key.as_deref().is_some_and(is_wrong) {
            faults.push(Fault::value("Idempotency-Key"));
        }
        if key.len() > 1 || ask.field("nonce").is_some_and(is_wrong) {
            faults.push(Fault::value("nonce"));
        }
        let kept = key.first().map(|key| (ask.user(), (*key).to_owned()));
        let first = kept.as_ref().and_then(|kept| self.kept.get(kept)).filter(|_| !is_test);
        let is_replay = first.is_some_and(|first| self.is_replay(first, &what, uses));
        if first.is_some() && !is_replay {
            faults.push(Fault::value(if ask.key.is_some() { "Idempotency-Key" } else { "nonce" }));
        }
        // Uid and value may have named one token when it was answered first.
        if !is_replay {
            faults.append(&mut contradiction);
        }
        let uses = uses.filter(|_| faults.is_empty())?;
        if let Some(first) = first {
            return Some(success(with(first.answer.clone(), json!({"replayed": true}))));
        }
        if is_test {
            return Some(self.test(ask, seen, found, uses));
        }
        Some(self.attempt(ask, seen, (what, found, uses), kept))
    }

    /// Whether a request is what was answered first. Not, if that was undone.
    fn is_replay(&self, first: &Kept, what: &Named, uses: Option<i64>) -> bool {
        let stands = first.of.is_some_and(|of| self.uses[of].undone.is_none());
        stands && uses.is_none_or(|uses| first.answer["uses"] == uses) && self.is_same(&first.answer, what)
    }

    fn attempt(
        &mut self,
        ask: &Ask,
        seen: &Value,
        (what, found, uses): (Named, Option<usize>, i64),
        kept: Option<(&'static str, String)>,
    ) -> Expected {
        let usage_uid = self.new_entry(&seen["usage_uid"]);
        let log = |token_uid, token_value, error| {
            let uid = Some(usage_uid.clone());
            Entry { uid, token_uid, token_value, user: ask.user(), error, uses, undoes: None }
        };
        let more = json!({"usage_uid": usage_uid, "gate": null});
        let Some(found) = found else {
            let asked = what.value.map(|value| value.chars().take(64).collect());
            self.log.push(log(what.uid, asked, Some("TokenNotExists")));
            return self.refusal(ask, seen, (None, uses), more);
        };
        let token = &mut self.tokens[found];
        let error = token.refusals(uses).first().copied();
        self.log.push(log(Some(token.uid.clone()), Some(token.value.clone()), error));
        if error.is_some() {
            return self.refusal(ask, seen, (Some(found), uses), more);
        }
        let lost = if token.usage_count == -1 { 0 } else { uses };
        token.used(&seen["last_used"], uses);
        let answer = with(with(token.face(), json!({"consumed": true, "uses": uses})), more);
        let timestamp = token.last_used.clone();
        let of = Some(self.uses.len());
        self.uses.push(Use {
            uid: usage_uid,
            token: found,
            user: ask.user(),
            uses,
            taken: lost,
            timestamp,
            undone: None,
        });
        kept.map(|kept| self.kept.insert(kept, Kept { answer: answer.clone(), of, undoes: None }));
        success(answer)
    }

    /// What would happen, and nothing does.
    fn test(&mut self, ask: &Ask, seen: &Value, found: Option<usize>, uses: i64) -> Expected {
        let more = json!({"usage_uid": null, "gate": null, "test": true, "consumed": false});
        let is_good = found.is_some_and(|found| self.tokens[found].refusals(uses).is_empty());
        let Some(found) = found.filter(|_| is_good) else { return self.refusal(ask, seen, (found, uses), more) };
        let mut after = self.tokens[found].clone();
        after.used(&seen["last_used"], uses);
        success(with(with(after.face(), json!({"uses": uses})), more))
    }

    fn refusal(&self, ask: &Ask, seen: &Value, (found, uses): (Option<usize>, i64), more: Value) -> Expected {
        let token = found.map(|found| &self.tokens[found]);
        let errors = token.map_or_else(|| vec!["TokenNotExists"], |token| token.refusals(uses));
        let seen_reasons = seen["reasons"].as_array().cloned().unwrap_or_default();
        let reasons = errors.iter().zip(seen_reasons.iter().chain(std::iter::repeat(&Value::Null)));
        let reasons: Vec<Value> = reasons.map(|(error, seen)| reason(error, seen)).collect();
        let face = token.map_or_else(|| json!({}), super::rules::Token::face);
        let retry_at = token.map_or(Value::Null, |token| token.retry_at(uses, seen));
        let last_use = found.map_or(Value::Null, |found| self.last_use(ask, found));
        let body = with(face, json!({"retry_at": retry_at, "reasons": reasons, "last_use": last_use}));
        refused(errors[0], with(body, more), seen)
    }

    /// The last use that was not undone; only who may see the log learns whose it was.
    fn last_use(&self, ask: &Ask, found: usize) -> Value {
        let last = self.uses.iter().rev().find(|used| used.token == found && used.undone.is_none());
        last.map_or(Value::Null, |last| {
            let shown = json!({"timestamp": last.timestamp, "gate": null});
            if ask.user() == "key:scanner" { shown } else { with(shown, json!({"user": last.user})) }
        })
    }

    /// The uid of an entry that the server gives, if it gave none like it before.
    fn new_entry(&self, seen: &Value) -> String {
        let seen = seen.as_str().filter(|seen| reading::uid(seen).as_deref() == Some(seen));
        let is_new = |seen: &&str| self.log.iter().all(|entry| entry.uid.as_deref() != Some(*seen));
        seen.filter(is_new).unwrap_or("a new uid").to_owned()
    }

    pub fn undo(&mut self, ask: &Ask, seen: &Value, faults: &mut Vec<Fault>) -> Option<Expected> {
        check_fields(ask, &["nonce", "usage_uid"], &[], faults);
        if ask.key.as_ref().is_some_and(|key| !(1..=255).contains(&key.len())) {
            faults.push(Fault::value("Idempotency-Key"));
        }
        let given = |name| ask.field(name).filter(|text| !text.is_empty());
        let (param, of) = match (given("nonce"), given("usage_uid")) {
            (Some(nonce), None) if !(1..=255).contains(&nonce.len()) => ("nonce", None),
            (Some(nonce), None) => ("nonce", self.kept.get(&(ask.user(), nonce.to_owned())).and_then(|kept| kept.of)),
            (None, Some(uid)) => {
                let uid = reading::uid(uid);
                ("usage_uid", self.uses.iter().position(|used| Some(&used.uid) == uid.as_ref()))
            }
            (Some(_), Some(_)) => ("usage_uid", None),
            (None, None) => {
                faults.push(Fault::api("usage_uid"));
                return None;
            }
        };
        if !faults.is_empty() {
            faults.push(Fault::value(param));
            return None;
        }
        let kept = ask.key.clone().map(|key| (ask.user(), key));
        if let Some(first) = kept.as_ref().and_then(|kept| self.kept.get(kept)) {
            if of.is_some() && first.undoes == of {
                return Some(success(with(first.answer.clone(), json!({"replayed": true}))));
            }
            faults.extend([Fault::value("Idempotency-Key"), Fault::value(param)]);
            return None;
        }
        let Some(of) = of else {
            faults.push(Fault::value(param));
            return None;
        };
        if let Some(fault) = self.undo_fault(ask, of, param) {
            faults.push(fault);
            return None;
        }
        Some(self.undone(ask, seen, of, kept))
    }

    fn undo_fault(&self, ask: &Ask, of: usize, param: &str) -> Option<Fault> {
        let used = &self.uses[of];
        if ask.user() == "key:scanner" && used.user != ask.user() {
            return Some(Fault { error: "Forbidden", param: None });
        }
        if used.undone.is_some() {
            return Some(Fault::value(param));
        }
        self.tokens[used.token].deleted.then(Fault::unknown)
    }

    fn undone(&mut self, ask: &Ask, seen: &Value, of: usize, kept: Option<(&'static str, String)>) -> Expected {
        let usage_uid = self.new_entry(&seen["usage_uid"]);
        let before = &mut self.uses[of];
        before.undone = Some(());
        let token = &mut self.tokens[before.token];
        if token.usage_count != -1 {
            token.usage_count = (token.usage_count + before.taken).min(MOST);
        }
        token.standing -= 1;
        let (token_uid, token_value) = (Some(token.uid.clone()), Some(token.value.clone()));
        let (uses, undoes) = (-before.uses, Some(before.uid.clone()));
        let uid = Some(usage_uid.clone());
        self.log.push(Entry { uid, token_uid, token_value, user: ask.user(), error: None, uses, undoes });
        let answer = json!({"undone": true, "uses": uses, "usage_uid": usage_uid, "gate": null});
        let answer = with(token.face(), answer);
        kept.map(|kept| self.kept.insert(kept, Kept { answer: answer.clone(), of: None, undoes: Some(of) }));
        success(answer)
    }
}

/// A reason as it was seen, if it is this one, and its moments are some.
fn reason(error: &str, seen: &Value) -> Value {
    let detail = match error {
        "TokenVoided" => "voided",
        "TokenUsageCountExceeded" => "uses_left",
        "TokenLockTimeViolation" => "locked_until",
        "TokenTimeRangeViolation" if seen["valid_from"].is_null() => "valid_to",
        "TokenTimeRangeViolation" => "valid_from",
        _ => "message",
    };
    let is_there = match &seen[detail] {
        Value::String(text) => detail == "message" || moment(text).is_some(),
        Value::Number(_) => detail == "uses_left",
        _ => false,
    };
    let says = seen["error"] == error && seen["error_code"] == json!(code_and_status(error).0) && is_there;
    if says { seen.clone() } else { json!({"error": error, "with": detail}) }
}
