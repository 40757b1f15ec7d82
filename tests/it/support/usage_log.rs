//! A log of attempts that nobody made: written into the database as it were by them, at any time.

use chrono_tz::Tz;
use diesel::connection::SimpleConnection;
use tessera::store::Connection;
use tessera::token::{Micros, Uid};

/// An entry that a test writes.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// In Vienna, or with an offset.
    pub at: String,
    pub token_uid: Option<String>,
    pub value: String,
    pub who: String,
    pub code: Option<i16>,
}

/// A use of a token that is not there any more.
pub fn used(at: &str, value: &str) -> Attempt {
    Attempt {
        at: at.to_owned(),
        token_uid: Some(Uid::random().to_string()),
        value: value.to_owned(),
        who: "key:door-1".into(),
        code: None,
    }
}

pub fn refused(at: &str, value: &str, code: i16) -> Attempt {
    Attempt { code: Some(code), ..used(at, value) }
}

/// A moment, as tests write it.
pub fn at(text: &str) -> Micros {
    Micros::read(text, Tz::Europe__Vienna).unwrap()
}

/// Has the log keep what is written into it, however long ago that is when the test runs.
pub fn keep_all(connection: &mut Connection) {
    let keep = "DELETE FROM settings WHERE name = 'usage_days';
        INSERT INTO settings (name, value, changed, changed_by) VALUES ('usage_days', '36500', 0, 'test')";
    connection.batch_execute(keep).unwrap();
}

/// Writes entries, in the order in which they are given.
pub fn write(connection: &mut Connection, attempts: &[Attempt]) {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let row = |attempt: &Attempt| {
        let uid = attempt.token_uid.as_deref().map_or("NULL".into(), text);
        let token = match attempt.code {
            Some(1) => "NULL".into(),
            _ => format!("(SELECT id FROM tokens WHERE uid = {uid})"),
        };
        let code = attempt.code.map_or("NULL".into(), |code| code.to_string());
        let (value, who) = (text(&attempt.value), text(&attempt.who));
        format!("('{}', {token}, {uid}, {value}, {}, {who}, {code}, 1, 1)", Uid::random(), at(&attempt.at).get())
    };
    let rows: Vec<String> = attempts.iter().map(row).collect();
    let rows = rows.join(", ");
    let insert =
        "INSERT INTO usage (uid, token, token_uid, token_value, timestamp, principal, error_code, uses, taken) VALUES";
    keep_all(connection);
    connection.batch_execute(&format!("{insert} {rows}")).unwrap();
    link(connection);
}

/// Has each token know its newest entry, and each entry the one before it, as if they had been made one after the other.
fn link(connection: &mut Connection) {
    let linked = "UPDATE usage SET previous = n.previous FROM
            (SELECT id, LAG(id) OVER (PARTITION BY token ORDER BY id) AS previous FROM usage WHERE token IS NOT NULL) AS n
            WHERE usage.id = n.id;
        UPDATE tokens SET last_entry = n.id FROM
            (SELECT token, max(id) AS id FROM usage GROUP BY token) AS n WHERE tokens.id = n.token";
    connection.batch_execute(linked).unwrap();
}

/// Writes `count` entries of SQL: `i` is a running number from 1.
pub fn write_many(connection: &mut Connection, count: usize, timestamp: &str, token: &str, code: &str) {
    keep_all(connection);
    let many = format!(
        "INSERT INTO usage (uid, token, token_uid, token_value, timestamp, principal, error_code, uses, taken)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT 'uid-' || i, {token}, 'token-' || (i % 5000), 'T-' || (i % 5000), {timestamp}, 'key:door-' || (i % 7), {code}, 1, 1
         FROM n"
    );
    connection.batch_execute(&many).unwrap();
    link(connection);
}
