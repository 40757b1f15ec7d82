//! The seal of a backup: a last page of text, behind what SQLite reads, which says what is before it. SQLite's own check
//! notices a broken page, but not a letter that has become another.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::store::copy::CopiedTable;
use crate::store::error::Error;
use crate::token::Micros;

/// A page of SQLite, so that the file is still whole pages.
pub(super) const LENGTH: u64 = 4_096;
/// What a file of SQLite begins with (sqlite.org/fileformat.html, "The Database Header").
const SQLITE: &[u8] = b"SQLite format 3\0";
/// Bytes of SQLite's header.
const HEADER: u64 = 100;
/// SQLite's `application_id` of a backup, by which one is known that was cut off before its seal.
pub(super) const MARK: i32 = i32::from_be_bytes(*b"TesB");
/// What a seal begins with, before the number of its format.
const BEGINNING: &str = "Tessera backup ";
const FORMAT: &str = "1";
/// Bytes read at a time.
const PIECE: usize = 1 << 18;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    /// The moment that the backup is of.
    pub(crate) taken: Micros,
    /// The version of its schema.
    pub(super) schema: String,
    /// The rows of each table.
    pub(super) rows: Vec<(String, usize)>,
}

impl Seal {
    /// The seal of tables that were read.
    pub(super) fn new(taken: Micros, schema: String, tables: &[CopiedTable]) -> Self {
        Self { taken, schema, rows: tables.iter().map(|table| (table.table.to_owned(), table.rows)).collect() }
    }

    /// The text, without the digest of itself at its end.
    fn text(&self, digest: &str, length: u64) -> String {
        let mut text = format!("{BEGINNING}{FORMAT}\nsha256 {digest}\nlength {length}\n");
        // Writing to a String cannot fail.
        let _ = write!(text, "taken {}\nschema {}\n", self.taken, self.schema);
        for (table, rows) in &self.rows {
            let _ = writeln!(text, "rows {table} {rows}");
        }
        text
    }

    /// Writes the seal behind all that is in the file.
    pub(super) fn write(&self, file: &mut File) -> io::Result<()> {
        let length = file.seek(SeekFrom::End(0))?;
        let text = self.text(&digest(file, length)?, length);
        let mut page = format!("{text}seal {}\n", hex(&Sha256::digest(&text))).into_bytes();
        let room = usize::try_from(LENGTH).unwrap_or_default();
        if page.len() > room || length % LENGTH != 0 {
            return Err(io::Error::other("the seal does not fit"));
        }
        page.resize(room, b'\n');
        file.seek(SeekFrom::End(0))?;
        file.write_all(&page)
    }

    /// Reads a seal and what it says of the file before it. None if the text is none.
    fn read(page: &str) -> Option<(Self, String, u64)> {
        let (text, own) = page.trim_end_matches('\n').rsplit_once("seal ")?;
        if own != hex(&Sha256::digest(text)) || page.len() != usize::try_from(LENGTH).ok()? {
            return None;
        }
        let mut lines = text.lines().skip(1);
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let (digest, length) = (value("sha256")?, value("length")?.parse().ok()?);
        let taken = Micros::read(&value("taken")?, chrono_tz::Tz::UTC).ok()?;
        let schema = value("schema")?;
        let rows = lines.map(|line| {
            let (table, rows) = line.strip_prefix("rows ")?.split_once(' ')?;
            Some((table.to_owned(), rows.parse().ok()?))
        });
        Some((Self { taken, schema, rows: rows.collect::<Option<_>>()? }, digest, length))
    }
}

/// What is wrong with a file that should be a backup.
#[derive(Debug)]
pub(super) enum Flaw {
    /// It ends too early.
    CutOff,
    /// Something in it is not what it was.
    Damaged(&'static str),
    /// It was made by a later version, in another format.
    Newer,
    /// It is a database, without a seal: perhaps one of ours.
    Database,
    /// It is something else.
    Other,
    /// It cannot be read.
    Unreadable(io::Error),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Flaw {
    /// A sentence about the file.
    pub(super) fn error(&self, path: &Path) -> Error {
        let why = match self {
            Self::CutOff => "was cut off: its end is missing; take another backup".to_owned(),
            Self::Damaged(what) => format!("is damaged: {what}; take another backup"),
            Self::Newer => "was made by a newer version of Tessera, which it needs".into(),
            Self::Database | Self::Other => {
                "is no backup of Tessera; name a file that `tessera backup` has made".into()
            }
            Self::Unreadable(error) => format!("cannot be read: {error}"),
        };
        Error::Refused(format!("The file {} {why}", path.display()))
    }
}

/// Checks every byte of a backup against its seal.
pub(super) fn check(file: &mut File) -> Result<Seal, Flaw> {
    let length = file.seek(SeekFrom::End(0))?;
    let header = read_at(file, 0, length.min(HEADER))?;
    let Some(body) = length.checked_sub(LENGTH) else { return Err(unsealed(&header, length)) };
    let page = read_at(file, body, LENGTH)?;
    if !page.starts_with(BEGINNING.as_bytes()) {
        return Err(unsealed(&header, length));
    }
    let damaged = || Flaw::Damaged("the seal at its end is not what it was");
    let page = String::from_utf8(page).map_err(|_| damaged())?;
    let format = page.lines().next().and_then(|line| line.strip_prefix(BEGINNING));
    let newer = format.and_then(|format| format.parse::<u32>().ok()).is_some_and(|format| format > 1);
    let Some((seal, expected, expected_length)) = Seal::read(&page) else {
        return Err(if newer { Flaw::Newer } else { damaged() });
    };
    if format != Some(FORMAT) {
        return Err(Flaw::Newer);
    }
    if expected_length != body {
        return Err(Flaw::Damaged("it is longer or shorter than its seal says"));
    }
    if digest(file, body)? != expected {
        return Err(Flaw::Damaged("something in it is not what it was when it was sealed"));
    }
    Ok(seal)
}

/// What a file without a seal is.
fn unsealed(header: &[u8], length: u64) -> Flaw {
    // Its beginning alone.
    if !header.is_empty() && length < HEADER && (SQLITE.starts_with(header) || header.starts_with(SQLITE)) {
        return Flaw::CutOff;
    }
    if !header.starts_with(SQLITE) {
        return Flaw::Other;
    }
    if !has_mark(header) {
        return Flaw::Database;
    }
    let pages = header.get(28..32).and_then(|pages| pages.try_into().ok()).map_or(0, u32::from_be_bytes);
    let whole = u64::from(pages) * LENGTH + LENGTH;
    if length < whole { Flaw::CutOff } else { Flaw::Damaged("it has no seal at its end") }
}

fn has_mark(header: &[u8]) -> bool {
    header.starts_with(SQLITE) && header.get(68..72) == Some(&MARK.to_be_bytes())
}

/// Opens a file that may be a backup. A pipe would wait for whoever writes into it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if path.metadata()?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
    }
}

/// Whether a file begins as one of SQLite does, or is empty, as a new one is. See [`is_marked`].
pub(super) fn is_database(path: &Path) -> io::Result<bool> {
    let header = read_at(&mut open(path)?, 0, HEADER)?;
    Ok(header.is_empty() || header.starts_with(SQLITE))
}

/// Whether a file is a backup by how it begins, be it whole or not. No file that this process has open by SQLite: closing it
/// would take SQLite's locks away.
pub(super) fn is_marked(path: &Path) -> io::Result<bool> {
    Ok(has_mark(&read_at(&mut open(path)?, 0, HEADER)?))
}

/// Whether a file is a whole backup by how it begins and ends, without reading what is between. See [`is_marked`].
pub(super) fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut file = open(path)?;
    let header = read_at(&mut file, 0, HEADER)?;
    let Some(body) = file.metadata()?.len().checked_sub(LENGTH) else { return Ok(false) };
    let page = String::from_utf8(read_at(&mut file, body, LENGTH)?).unwrap_or_default();
    Ok(has_mark(&header) && Seal::read(&page).is_some_and(|(.., sealed)| sealed == body))
}

fn read_at(file: &mut File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The SHA-256 of the first bytes of a file.
fn digest(file: &mut File, length: u64) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let (mut digest, mut left, mut piece) = (Sha256::new(), length, vec![0; PIECE]);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = file.read(&mut piece[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        digest.update(&piece[..read]);
        left -= read as u64;
    }
    Ok(hex(&digest.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
