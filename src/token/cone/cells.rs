//! Columns of cone.tokens' rows, as they come: SQLite holds nobody to a column's type.

use crate::token::Uid;
use crate::token::quoted;

/// A column: the first letter of its type (`t`ext, `i`nteger, `r`eal, `b`lob), and what it holds as text. None is NULL.
pub(crate) type Cell = Option<Vec<u8>>;

/// A row of `tokens`.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenCells {
    pub(crate) uid: Cell,
    pub(crate) value: Cell,
    pub(crate) last_used: Cell,
    pub(crate) valid_from: Cell,
    pub(crate) valid_to: Cell,
    pub(crate) usage_count: Cell,
    pub(crate) lock_time: Cell,
    pub(crate) creator: Cell,
    pub(crate) created: Cell,
    pub(crate) modified: Cell,
}

/// A row of `token_usage`.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntryCells {
    pub(crate) uid: Cell,
    pub(crate) token_uid: Cell,
    pub(crate) token_value: Cell,
    pub(crate) timestamp: Cell,
    pub(crate) error_code: Cell,
    pub(crate) user: Cell,
}

/// What a column holds that it should not: for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) String);

/// A text; none for NULL.
pub(super) fn text(cell: &Cell) -> Result<Option<&str>, Unreadable> {
    let Some((kind, bytes)) = parts(cell) else { return Ok(None) };
    match (kind, std::str::from_utf8(bytes)) {
        // PostgreSQL's texts cannot hold it.
        (b't', Ok(text)) if text.contains('\0') => Err(Unreadable(format!("the text {} with a NUL", quoted(text)))),
        (b't', Ok(text)) => Ok(Some(text)),
        (b't', Err(_)) => {
            Err(Unreadable(format!("the text {} that is not UTF-8", quoted(&String::from_utf8_lossy(bytes)))))
        }
        _ => Err(Unreadable(shown(kind, bytes))),
    }
}

/// A whole number; none for NULL.
pub(super) fn integer(cell: &Cell) -> Result<Option<i64>, Unreadable> {
    let Some((kind, bytes)) = parts(cell) else { return Ok(None) };
    let number = std::str::from_utf8(bytes).ok().filter(|_| kind == b'i').and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| Unreadable(shown(kind, bytes)))
}

/// A uid; none for NULL.
pub(super) fn uid(cell: &Cell) -> Result<Option<Uid>, Unreadable> {
    let Some(text) = text(cell)? else { return Ok(None) };
    Uid::of_digits(text).map(Some).ok_or_else(|| Unreadable(format!("{}, which is no UUID", quoted(text))))
}

/// A row's uid for people, whatever it is.
pub(super) fn name(cell: &Cell) -> String {
    match uid(cell) {
        Ok(Some(uid)) => uid.to_string(),
        Ok(None) => "NULL".to_owned(),
        Err(Unreadable(what)) => what,
    }
}

fn parts(cell: &Cell) -> Option<(u8, &[u8])> {
    cell.as_deref()?.split_first().map(|(kind, bytes)| (*kind, bytes))
}

fn shown(kind: u8, bytes: &[u8]) -> String {
    let text = quoted(&String::from_utf8_lossy(bytes));
    match kind {
        b'i' | b'r' => format!("the number {}", text.trim_matches('"')),
        b'b' => "bytes".to_owned(),
        _ => format!("the text {text}"),
    }
}
