//! What an office does while people stand at the door.

use std::io;
use std::net::SocketAddr;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, get, post};
use crate::database::Database;
use crate::scenarios::{PER_REQUEST, ROTATION, TOKENS};

/// Connections of those who look.
const VIEWERS: usize = 4;
/// Bytes of a body of nested JSON, and how many are sent at a time.
const NESTED_BYTES: usize = 8 * 1024 * 1024;
const NESTED: usize = 3;
/// Labels that are printed.
const PRINTED: usize = 10_000;
/// How often the page of something under way is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Phones that scan, and how often each does.
const PHONES: usize = 20;
const SCAN_INTERVAL: Duration = Duration::from_millis(400);
/// The gate at which they do. Adding it again changes nothing.
const GATE: &str = "gate_uid=5ca00000-0000-4000-8000-000000000000&name=North&undo=60&several=1&open=1";
/// How long a row is locked by somebody else.
const LOCKED_SECONDS: u64 = 4;

/// What the office works with.
pub struct Office {
    key: String,
    /// Batches of 100,000 tokens, and the uids of one that is deleted.
    batches: Vec<String>,
    deleted: Vec<String>,
    /// A batch of 10,000 tokens.
    printed: String,
    /// Tokens from all over the database, which nobody but the door touches.
    pub door: Vec<String>,
}

impl Office {
    /// Makes a million tokens.
    pub fn open(server: SocketAddr, key: &str) -> io::Result<Self> {
        let mut client = Client::connect(server, key)?;
        let mut make = |count: usize, name: &str| {
            let form = format!("count={count}&usage_count=-1&label=Ticket+%7Bn%3A06%7D&batch_name={name}");
            let made = client.post("/add_tokens", &form)?;
            let uids = made["token_uids"].as_array().into_iter().flatten().filter_map(|uid| uid.as_str());
            let batch = made["batch_uid"].as_str().ok_or_else(|| io::Error::other("no batch was made"))?;
            Ok::<_, io::Error>((batch.to_owned(), uids.map(str::to_owned).collect::<Vec<String>>()))
        };
        let mut office = Self {
            key: key.to_owned(),
            printed: make(PRINTED, "Printed")?.0,
            batches: Vec::new(),
            deleted: Vec::new(),
            door: Vec::new(),
        };
        for n in 0..TOKENS / PER_REQUEST {
            let (batch, uids) = make(PER_REQUEST, &format!("Batch+{n}"))?;
            office.batches.push(batch);
            match n {
                // The door's tokens are of batches that are not changed.
                4.. => office.door.extend(uids.into_iter().step_by(TOKENS / ROTATION)),
                3 => office.deleted = uids,
                _ => {}
            }
        }
        Ok(office)
    }

    fn client(&self, server: SocketAddr) -> io::Result<Client> {
        Client::connect(server, &self.key)
    }

    /// Changes a batch as a person does: previews it, does it, and looks at its page until it is whole.
    fn change(&self, server: SocketAddr, batch: usize, change: &str) -> io::Result<()> {
        let form = format!("select=found&batch={}&{change}", self.batches[batch]);
        let preview =
            self.client(server)?.exchange(&post(server, &self.key, "/bulk", &format!("{form}&step=preview")), 200)?;
        let hidden = |name: &str| {
            let value = preview
                .split("value=\"do\"")
                .nth(1)?
                .split_once(&format!("name=\"{name}\" value=\""))?
                .1
                .split('"')
                .next()?;
            Some(format!("&{name}={}", encoded(&unescaped(value))))
        };
        let fields: Option<Vec<String>> = ["action", "action_uid", "seal"].into_iter().map(hidden).collect();
        let fields = fields.ok_or_else(|| io::Error::other(format!("no preview:\n{preview}")))?.concat();
        let mut client = self.client(server)?;
        let page = client.location(&post(server, &self.key, "/bulk", &format!("{form}&step=do{fields}")))?;
        self.wait_for(server, &page)
    }

    /// Undoes what was done last.
    fn undo(&self, server: SocketAddr) -> io::Result<()> {
        let actions = self.client(server)?.get("/actions")?;
        let action = actions.split("action=\"/actions/").nth(1).and_then(|rest| rest.split('/').next());
        let action = action.ok_or_else(|| io::Error::other("nothing can be undone"))?.to_owned();
        self.client(server)?.send(&format!("/actions/{action}/undo"), "")?;
        self.wait_for(server, &format!("/actions/{action}"))
    }

    /// Scans with phones as their page does: each scan has a key of its own, and the counters are asked for after it.
    fn scan(&self, server: SocketAddr, time: Duration) -> io::Result<()> {
        self.client(server)?.send("/gates/add", GATE)?;
        let until = Instant::now() + time;
        let phone = |n: usize| {
            let mut client = self.client(server)?;
            thread::sleep(SCAN_INTERVAL * u32::try_from(n).unwrap_or(0) / u32::try_from(PHONES).unwrap_or(1));
            for (scan, uid) in self.door.iter().cycle().skip(n * 131).enumerate() {
                let start = Instant::now();
                if start >= until {
                    break;
                }
                let form = format!("code={uid}&gate=North&uses=1&source=camera&fragment=1&nonce={n}-{scan}");
                client.exchange(&post(server, &self.key, "/scan", &form), 200)?;
                client.get("/scan/counts?gate=North")?;
                thread::sleep(SCAN_INTERVAL.saturating_sub(start.elapsed()));
            }
            Ok(())
        };
        thread::scope(|scope| {
            let phones: Vec<_> = (0..PHONES).map(|n| scope.spawn(move || phone(n))).collect();
            phones.into_iter().try_for_each(joined)
        })
    }

    fn wait_for(&self, server: SocketAddr, page: &str) -> io::Result<()> {
        while self.client(server)?.get(page)?.contains("<progress") {
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Sends requests over some connections, again and again.
    fn repeat(
        &self,
        server: SocketAddr,
        connections: usize,
        request: &[u8],
        statuses: &[u16],
        time: Duration,
    ) -> io::Result<()> {
        let until = Instant::now() + time;
        let one = || {
            while Instant::now() < until {
                self.client(server)?.exchange_any(request, statuses)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
            threads.into_iter().try_for_each(joined)
        })
    }
}

fn joined(thread: ScopedJoinHandle<'_, io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a panic")))
}

/// A form's field in an address or a body (URL Standard, section 5.2).
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A value in the pages' HTML.
fn unescaped(text: &str) -> String {
    let entities = [("&#34;", "\""), ("&quot;", "\""), ("&#60;", "<"), ("&#62;", ">"), ("&#39;", "'"), ("&#38;", "&")];
    entities.into_iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// What is worked with: the office, the database, the server, and for how long, unless it ends by itself.
type Run = fn(&Office, &Database, SocketAddr, Duration) -> io::Result<()>;

/// A kind of work.
pub struct Work {
    pub name: &'static str,
    /// Whether it is done on a server whose log nobody reads.
    pub blocks_log: bool,
    needs_rows: bool,
    run: Run,
}

impl Work {
    /// Whether there is such work on a database: only PostgreSQL locks rows.
    pub fn is_for(&self, database: &Database) -> bool {
        !self.needs_rows || database.locks_rows()
    }

    pub fn run(&self, office: &Office, database: &Database, server: SocketAddr, time: Duration) -> io::Result<()> {
        (self.run)(office, database, server, time)
    }
}

/// Everything that is measured, in order: what is undone was done before.
pub fn all() -> Vec<Work> {
    let work = |name, run: Run| Work { name, blocks_log: false, needs_rows: false, run };
    vec![
        work("nothing", |_, _, _, time| {
            thread::sleep(time);
            Ok(())
        }),
        work("making 100,000", |office, _, server, _| {
            office
                .client(server)?
                .post("/add_tokens", &format!("count={PER_REQUEST}&usage_count=1&label=New+%7Bn%7D"))
                .map(drop)
        }),
        work("changing the labels of 100,000", |office, _, server, _| {
            office.change(server, 0, "do=label&label=Locker+%7Bn%3A06%7D")
        }),
        work("undoing that", |office, _, server, _| office.undo(server)),
        work("changing the uses of 100,000", |office, _, server, _| office.change(server, 1, "do=uses&usage_count=7")),
        work("voiding 100,000", |office, _, server, _| office.change(server, 2, "do=void&reason=Lost")),
        work("undoing that again", |office, _, server, _| office.undo(server)),
        work("deleting 100,000 by a call", |office, _, server, _| {
            let list = format!("{{\"token_uids\":[\"{}\"]}}", office.deleted.join("\",\""));
            office.client(server)?.exchange(&json(server, &office.key, "/delete_tokens", &list), 200).map(drop)
        }),
        work("undoing the deletion", |office, _, server, _| office.undo(server)),
        work("20 phones that scan every 400 ms", |office, _, server, time| office.scan(server, time)),
        work("4 viewers, a search that finds nothing", |office, _, server, time| {
            let request = get(server, &office.key, "/?q=no+such+token+anywhere");
            office.repeat(server, VIEWERS, &request, &[200, 422], time)
        }),
        work("4 viewers, the worst filter", |office, _, server, time| {
            let request = get(server, &office.key, "/?sort=label&created_from=2099-01-01");
            office.repeat(server, VIEWERS, &request, &[200, 422], time)
        }),
        work("4 viewers, the usage log's chart", |office, _, server, time| {
            office.repeat(server, VIEWERS, &get(server, &office.key, "/usage"), &[200], time)
        }),
        work("4 viewers, 1,000 tiles each", |office, _, server, time| {
            office.repeat(server, VIEWERS, &get(server, &office.key, "/?view=tiles&show=1000"), &[200], time)
        }),
        work("printing 10,000 labels", |office, _, server, _| {
            office.client(server)?.get(&format!("/sheet.pdf?sheet=avery-l7651&batch={}", office.printed)).map(drop)
        }),
        work("the usage log as CSV", |office, _, server, time| {
            office.repeat(server, 1, &get(server, &office.key, "/usage.csv"), &[200], time)
        }),
        work("3 bodies of 8 MiB of nested JSON", |office, _, server, time| {
            let body = format!("{{\"token_uids\":{}{}}}", "[".repeat(NESTED_BYTES / 2), "]".repeat(NESTED_BYTES / 2));
            office.repeat(server, NESTED, &json(server, &office.key, "/delete_tokens", &body), &[400, 413, 422], time)
        }),
        Work {
            name: "4 who ask for a row that is locked",
            blocks_log: false,
            needs_rows: true,
            run: |office, database, server, _| {
                let uid = &office.deleted[0];
                thread::scope(|scope| {
                    scope.spawn(|| database.lock_row(uid, LOCKED_SECONDS));
                    let request = post(server, &office.key, &format!("/{uid}/consume_token"), "");
                    office.repeat(server, VIEWERS, &request, &[200, 503], Duration::from_secs(LOCKED_SECONDS + 1))
                })
            },
        },
        Work {
            name: "a log that nobody reads",
            blocks_log: true,
            needs_rows: false,
            run: |_, _, _, time| {
                thread::sleep(time);
                Ok(())
            },
        },
    ]
}

fn json(server: SocketAddr, key: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
