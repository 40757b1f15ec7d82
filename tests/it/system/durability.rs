//! An answer is sent only after the change would survive a power cut: what the system calls say of that.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::app::{Answer, send};
use crate::support::process::{Place, Server};
use crate::support::trace::{self, Call};

/// Everything that could write to a file or a socket, or wait for the disk.
const CALLS: &str = "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync";
/// Clients that ask at once, and how often they do.
const CLIENTS: usize = 32;
const ROUNDS: usize = 10;

/// A transaction in the write-ahead log.
struct Batch {
    /// The tokens of which its pages hold a usage entry: its own attempts, and earlier ones on the same pages.
    attempts: HashSet<String>,
    /// The line at which its last page, which commits it, was written.
    written: usize,
    /// The line at which a sync had ended that began after that.
    synced: Option<usize>,
}

#[actix_web::test]
async fn no_answer_leaves_before_the_sync_that_follows_its_batch() {
    // On PostgreSQL it is another process that writes and syncs, and its commit that is waited for.
    only_on_sqlite!();
    trace::check();
    let place = Place::new();
    let file = place.path("trace");
    let mut server = place.serve_under(&trace::command(CALLS, file.to_str().unwrap()));
    let uids = attempt_all(&server, &place.key("manager")).await;
    server.terminate();
    assert_eq!(server.wait(), Some(0));

    let calls = trace::read(&file);
    let batches = batches(&calls);
    let answers: Vec<(String, &Call)> =
        calls.iter().filter_map(|call| answered(call).map(|token| (token, call))).collect();
    let tokens: HashSet<&String> = answers.iter().map(|(token, _)| token).collect();
    assert_eq!((answers.len(), tokens), (uids.len(), uids.iter().collect()), "each token has one answer");
    let mut told = vec![0; batches.len()];
    for (token, answer) in &answers {
        // The first transaction with this attempt is the one that made it.
        let own = batches.iter().position(|batch| batch.attempts.contains(token));
        let own = own.unwrap_or_else(|| panic!("no transaction has a usage entry of token {token}"));
        let Batch { written, synced, .. } = batches[own];
        assert!(
            synced.is_some_and(|synced| synced < answer.began),
            "the answer for token {token} left at line {} of the trace; its batch was written at {written}, synced at {synced:?}",
            answer.began
        );
        told[own] += 1;
    }
    let shared = told.iter().filter(|answers| **answers > 1).count();
    assert!(shared >= 3, "asks at once share a sync: {told:?}");
    // The log's file was made for the first of these transactions; its name must survive, too.
    let log = calls.iter().find(|call| is_log(call)).unwrap();
    let folder = log.target.rsplit_once('/').unwrap().0;
    let kept = calls.iter().find(|call| is_sync(call) && call.target == folder && call.began > log.began);
    assert!(kept.is_some_and(|sync| sync.began < answers[0].1.began), "the folder was not synced");
}

/// Asks for each of many tokens once, for as many at a time as there are clients. Every second one is used up.
async fn attempt_all(server: &Server, key: &str) -> Vec<String> {
    let mut sets = Vec::new();
    for uses in ["1", "0"] {
        let form = [("count", (CLIENTS * ROUNDS / 2).to_string()), ("usage_count", uses.to_owned())];
        let added = send(server.post(key, "/add_tokens").form(&form)).await;
        sets.push(serde_json::from_value::<Vec<String>>(added.check_success().body["token_uids"].clone()).unwrap());
    }
    let (usable, used_up) = (&sets[0], &sets[1]);
    let uids: Vec<String> = usable.iter().zip(used_up).flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
    let client = reqwest::Client::new();
    for round in uids.chunks(CLIENTS) {
        let ask = |uid| send(client.post(format!("{}/{uid}/consume_token", server.base)).bearer_auth(key));
        let answers: Vec<Answer> = join_all(round.iter().map(ask)).await;
        for (n, answer) in answers.iter().enumerate() {
            if n % 2 == 0 {
                answer.check_success();
            } else {
                answer.check_failure("TokenUsageCountExceeded");
            }
        }
    }
    uids
}

/// The token whose attempt this call answers, if it does.
fn answered(call: &Call) -> Option<String> {
    let text = std::str::from_utf8(&call.data).ok().filter(|_| call.target.starts_with("socket:"))?;
    let body: Value = serde_json::from_str(text.strip_prefix("HTTP/1.1 ")?.split_once("\r\n\r\n")?.1).ok()?;
    // Adding tokens is answered, too, but not with a face.
    body.get("usage_count").and(body["token_uid"].as_str()).map(str::to_owned)
}

fn is_log(call: &Call) -> bool {
    call.target.ends_with("tessera.db-wal")
}

fn is_sync(call: &Call) -> bool {
    matches!(call.name.as_str(), "fsync" | "fdatasync") && call.returned == 0
}

/// The tokens of which these pages hold a usage entry. A row's columns lie one behind the other: `token_uid`, `token_value`
/// (which is the uid, too), timestamp (eight bytes) and principal. A token's own row, which shares its page with others',
/// has two times between its value and its creator, or none, and is no entry.
fn attempts(pages: &[u8]) -> HashSet<String> {
    let rows = pages.windows(36 + 36 + 8 + 4).filter(|row| row.ends_with(b"key:") && row[..36] == row[36..72]);
    rows.filter_map(|row| String::from_utf8(row[..36].to_vec()).ok()).collect()
}

/// The transactions of the write-ahead log. SQLite writes a page in two calls: a header of 24 bytes, in which the last page
/// of a transaction has the size of the database, and the page itself (sqlite.org/fileformat2.html, section 4).
fn batches(calls: &[Call]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut pages = Vec::new();
    let mut commits = false;
    for call in calls.iter().filter(|call| is_log(call)) {
        if is_sync(call) {
            let waiting = batches.iter_mut().filter(|batch| batch.synced.is_none() && batch.written < call.began);
            waiting.for_each(|batch| batch.synced = call.ended);
            continue;
        }
        match call.data.len() {
            // The header of the log, when it begins anew.
            32 => {}
            24 => commits = call.data[4..8] != [0; 4],
            4_096 => {
                pages.extend(&call.data);
                if commits {
                    let written = call.ended.unwrap_or(usize::MAX);
                    batches.push(Batch { attempts: attempts(&pages), written, synced: None });
                    pages.clear();
                }
            }
            other => panic!("{} wrote {other} bytes to the log, which is no page", call.name),
        }
    }
    batches
}
