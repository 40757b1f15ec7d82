//! The server against a model of it: whatever is asked, in whatever order, both give the same answers.

mod ask;
mod reading;
mod rules;
mod steps;
mod uses;
mod views;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use ask::Ask;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use reading::{code_and_status, moment, uid};
use reqwest::redirect::Policy;
use rules::{Expected, Model};
use serde_json::{Value, json};
use steps::{SPARE, Step};

use crate::support::app::{Answer, App};

/// Sequences that are played, unless `PROPTEST_CASES` says another number.
const CASES: u32 = 40;

/// Sequences are drawn by chance, and some answers are rare: a run that has not met all kinds goes on, up to so many times
/// its number of sequences.
const ROUNDS: u32 = 8;

/// How often each kind of answer was given.
type Tally = BTreeMap<String, usize>;

#[test]
fn every_answer_is_the_one_that_the_rules_give() {
    let mut config = Config { failure_persistence: None, max_shrink_time: 120_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let many = config.cases >= CASES;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let tally = RefCell::new(Tally::new());
    let play = |steps: &[Option<Step>]| {
        let mut play = runtime.block_on(Play::start(&client));
        let outcome = runtime.block_on(play.play(steps));
        play.tally.iter().for_each(|(kind, times)| *tally.borrow_mut().entry(kind.clone()).or_default() += times);
        outcome.map_err(|what| format!("{}{what}", play.story))
    };
    let strategy = steps::sequence();
    for _ in 0..ROUNDS {
        // A runner counts what it has played, and plays no more than that.
        match TestRunner::new(config.clone()).run(&strategy, |steps| play(&steps).map_err(TestCaseError::fail)) {
            Ok(()) => {}
            Err(TestError::Fail(_, steps)) => panic!("the shortest story that fails:\n{}", shortest(steps, play)),
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
        if !many || never_met(&tally.borrow()).is_empty() {
            return;
        }
    }
    let tally = tally.into_inner();
    panic!("{:?} were never met: {tally:#?}", never_met(&tally));
}

/// The story without the steps that are not needed. proptest has left out some, and made the others simpler, after which
/// there are more of them.
fn shortest(mut steps: Vec<Option<Step>>, play: impl Fn(&[Option<Step>]) -> Result<(), String>) -> String {
    let mut story = play(&steps).err();
    for n in (0..steps.len()).rev() {
        let step = steps.remove(n);
        match play(&steps) {
            Err(shorter) => story = Some(shorter),
            Ok(()) => steps.insert(n, step),
        }
    }
    story.unwrap_or_else(|| format!("it failed once only:\n{steps:#?}"))
}

/// What the steps have not led to yet: a model and a server that refuse everything would agree, too.
fn never_met(tally: &Tally) -> Vec<&'static str> {
    let mut kinds = vec![
        "add_token: done",
        "add_tokens: done",
        "edit_token: done",
        "update_token: done",
        "delete_token: done",
        "delete_tokens: done",
        "restore: page 303",
        "restore: TokenNotExists",
        "consume_token: done",
        "consume_token: replayed",
        "consume_token: TokenNotExists",
        "consume_token: TokenUsageCountExceeded",
        "consume_token: TokenLockTimeViolation",
        "consume_token: TokenTimeRangeViolation",
        "consume_token: TokenValueError",
        "undo_consume: done",
        "undo_consume: replayed",
        "undo_consume: TokenValueError",
        "undo_consume: TokenNotExists",
        "undo_consume: Forbidden",
        "add_token: TokenValueError",
    ];
    kinds.retain(|kind| !tally.keys().any(|met| met.starts_with(kind)));
    kinds
}

/// A server, its model, and what has happened to both.
struct Play<'a> {
    client: &'a reqwest::Client,
    app: App,
    model: Model,
    story: String,
    tally: Tally,
}

impl<'a> Play<'a> {
    async fn start(client: &'a reqwest::Client) -> Self {
        let app = App::start().await;
        let model = Model { base: app.base.clone(), ..Model::default() };
        Self { client, app, model, story: String::new(), tally: Tally::new() }
    }

    async fn play(&mut self, steps: &[Option<Step>]) -> Result<(), String> {
        let mut ask = Ask::query_token(SPARE);
        for step in steps {
            if let Some(step) = step {
                ask = step.ask(&self.model);
            }
            self.ask(&ask).await?;
            self.look_at(&ask).await?;
        }
        self.compare_tokens().await?;
        self.compare_usage().await
    }

    /// Has both answer, and compares.
    async fn ask(&mut self, ask: &Ask) -> Result<(), String> {
        let answer = self.send(ask).await?;
        let _ = writeln!(self.story, "{ask}\n    {} {}", answer.status, answer_text(&answer));
        let expected = self.model.answer(ask, &answer.body);
        let outcome = if answer.status == 200 { "done" } else { answer.body["error"].as_str().unwrap_or("page") };
        let kind = match &answer.body["replayed"] {
            Value::Bool(true) => format!("{}: replayed", ask.view),
            _ => format!("{}: {outcome} {}", ask.view, answer.status),
        };
        *self.tally.entry(kind).or_default() += 1;
        if is_met(&expected, &answer) { Ok(()) } else { Err(format!("but the rules say\n    {expected}")) }
    }

    async fn send(&self, ask: &Ask) -> Result<Answer, String> {
        let request = ask.request(&self.app).build().map_err(|error| error.to_string())?;
        let response = self.client.execute(request).await.map_err(|error| format!("{ask}: {error}"))?;
        Ok(Answer::of(response).await)
    }

    /// Looks at the token that a step was about: what was refused must have changed nothing.
    async fn look_at(&mut self, ask: &Ask) -> Result<(), String> {
        let named = [ask.uid.as_deref(), ask.field("token_uid"), self.model.given.last().map(String::as_str)];
        let named: Vec<String> = named.into_iter().flatten().filter_map(uid).collect();
        for uid in named {
            self.ask(&Ask::query_token(&uid)).await?;
        }
        Ok(())
    }

    /// All tokens, and those of each state, in their order.
    async fn compare_tokens(&mut self) -> Result<(), String> {
        for state in ["", "active", "voided", "used_up", "locked", "pending", "expired"] {
            let seen = self.all("query_tokens", "tokens", ("state", state)).await?;
            let right = self.model.objects(Some(state).filter(|state| !state.is_empty()), &seen);
            if seen != right {
                return Err(format!(
                    "the tokens in state {state:?} are\n    {seen:?}\nbut the rules say\n    {right:?}"
                ));
            }
        }
        Ok(())
    }

    /// Every attempt once, in its order: all of them, and those at each uid.
    async fn compare_usage(&mut self) -> Result<(), String> {
        let uids: Vec<String> = ["", SPARE].into_iter().chain(self.model.uids()).map(str::to_owned).collect();
        for uid in uids {
            let seen = self.all("query_usage", "usage", ("token_uid", &uid)).await?;
            let wanted =
                self.model.log.iter().rev().filter(|entry| uid.is_empty() || entry.token_uid.as_ref() == Some(&uid));
            let right: Vec<Value> = wanted.zip(seen.iter().chain(std::iter::repeat(&Value::Null))).map(entry).collect();
            if seen != right {
                return Err(format!("the usage of {uid:?} is\n    {seen:?}\nbut the rules say\n    {right:?}"));
            }
        }
        Ok(())
    }

    /// Everything that a list has, page by page.
    async fn all(&self, view: &'static str, list: &str, filter: (&'static str, &str)) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let fields = vec![(filter.0, filter.1.to_owned()), ("limit", "7".to_owned()), ("cursor", cursor.clone())];
            let ask = Ask { view, fields, ..Ask::query_token(SPARE) };
            let answer = self.send(&ask).await?;
            let page = answer.body[list].as_array().ok_or_else(|| format!("{ask}\n    {}", answer_text(&answer)))?;
            all.extend(page.iter().cloned());
            match answer.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return Ok(all),
            }
        }
    }
}

/// A usage entry; its own uid and its moment are the server's to tell.
fn entry((entry, seen): (&rules::Entry, &Value)) -> Value {
    let seen_text = |name: &str, is: fn(&str) -> bool| seen[name].as_str().filter(|text| is(text)).unwrap_or("missing");
    json!({
        "uid": entry.uid.as_deref().unwrap_or_else(|| seen_text("uid", |text| uid(text).is_some())), "timestamp": seen_text("timestamp", |text| moment(text).is_some()),
        "token_uid": entry.token_uid, "token_value": entry.token_value, "user": entry.user, "error": entry.error,
        "error_code": entry.error.and_then(|error| code_and_status(error).0), "gate": null, "uses": entry.uses,
        "undoes": entry.undoes,
    })
}

fn is_met(expected: &Expected, answer: &Answer) -> bool {
    let message = answer.body["message"].as_str();
    match expected {
        Expected::Body(status, body) => {
            let waits = answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0);
            let sentence = answer.body["success"] == true || message.is_some_and(|text| text.ends_with('.'));
            (answer.status, &answer.body) == (*status, body) && waits == (*status == 423) && sentence
        }
        Expected::Faults(faults) => faults.iter().any(|fault| {
            let (code, status) = code_and_status(fault.error);
            let body = json!({"success": false, "error": fault.error, "error_code": code, "message": message});
            let mut body = body.as_object().unwrap().clone();
            fault.param.iter().for_each(|param| drop(body.insert("param".into(), json!(param))));
            // The data of the sentence; what belongs to which error has tests of its own.
            for data in ["reason", "detail", "place"] {
                answer.body.get(data).into_iter().for_each(|seen| drop(body.insert(data.into(), seen.clone())));
            }
            answer.status == status
                && answer.body == Value::Object(body)
                && message.is_some_and(|text| text.ends_with('.'))
        }),
        Expected::Page(status, location) => {
            answer.status == *status && answer.header("location").starts_with(location.as_str())
        }
    }
}

/// An answer in the story; of a page only where it leads.
fn answer_text(answer: &Answer) -> String {
    if answer.body.is_object() { answer.body.to_string() } else { answer.header("location").to_owned() }
}
