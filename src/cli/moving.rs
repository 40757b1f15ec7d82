//! What the commands take that move tokens in and out.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, ValueEnum};

use super::parse::{database, file, zone};
use crate::store::DatabaseUrl;
use crate::token::State;
use crate::token::import::options::{Encoding, FileFormat, Mode, Separator};
use crate::work::export::format::Format;

/// What `import` takes.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_COLUMNS)]
pub(crate) struct Import {
    /// The file
    pub(crate) file: PathBuf,
    /// The column of the label
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// The column of the value
    #[arg(long, value_name = "COLUMN")]
    pub(crate) value: Option<String>,
    /// The column of the number of uses; -1 or "unlimited" is no limit
    #[arg(long, value_name = "COLUMN")]
    pub(crate) usage_count: Option<String>,
    /// The column of the seconds of lock after a use
    #[arg(long, value_name = "COLUMN")]
    pub(crate) lock_time: Option<String>,
    /// The column of the start of the validity
    #[arg(long, value_name = "COLUMN")]
    pub(crate) valid_from: Option<String>,
    /// The column of the end of the validity
    #[arg(long, value_name = "COLUMN")]
    pub(crate) valid_to: Option<String>,
    /// The batch of new tokens for which the file names none
    #[arg(long, value_name = "NAME")]
    pub(crate) batch: Option<String>,
    /// Change the tokens that have the file's uids or values, instead of adding new ones
    #[arg(long, value_name = "uid|value", value_parser = change_by)]
    pub(crate) change: Option<Mode>,
    /// utf-8, utf-16le, utf-16be or windows-1252 [default: what its byte order mark says, otherwise utf-8]
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<Encoding>,
    /// csv, jsonl, or labels for one label a line [default: by the file's name, otherwise by its content]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,
    /// comma, semicolon, tab or bar [default: the one that the first line has most often]
    #[arg(long, value_name = "NAME")]
    pub(crate) separator: Option<Separator>,
    /// Where the lines with errors are written, each with what is wrong
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Only say what would be done; exits with 1 where the import would
    #[arg(long)]
    pub(crate) dry_run: bool,
}

const IMPORT_COLUMNS: &str = "A field without an option takes the column that is named as it: uid, value, label, valid_from, \
valid_to, usage_count, lock_time, batch, voided, void_reason. Other columns are ignored, and named.";

/// What `export` takes.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// csv for programs, excel for Excel, or jsonl for one JSON object a line
    #[arg(long, default_value = "csv", value_name = "FORMAT")]
    pub(crate) format: Format,
    /// The file, which appears when it is complete [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the usage log instead of the tokens
    #[arg(long)]
    pub(crate) usage: bool,
    /// Only tokens of this batch: its name or its ID
    #[arg(long, value_name = "BATCH")]
    pub(crate) batch: Option<String>,
    /// Only tokens in this state: active, voided, `used_up`, locked, pending or expired
    #[arg(long, value_name = "STATE", conflicts_with = "usage")]
    pub(crate) state: Option<State>,
    /// Only tokens that a search for this finds, in value or label
    #[arg(long, value_name = "TEXT")]
    pub(crate) q: Option<String>,
    /// Write everything into a new directory, as CSV and as JSON Lines, with a README.txt that explains it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "output", "usage", "batch", "state", "q"])]
    pub(crate) all: Option<PathBuf>,
}

fn change_by(text: &str) -> Result<Mode, String> {
    match text {
        "uid" => Ok(Mode::ChangeByUid),
        "value" => Ok(Mode::ChangeByValue),
        _ => Err("write uid or value: by which tokens are found".to_owned()),
    }
}

const IMPORT_CONE: &str = "Without --dry-run it does all or nothing. Either way it first lists what it finds; what it \
cannot take refuses the import. docs/MOVING.md explains each finding.";

/// What `import-cone` takes.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_CONE)]
pub(crate) struct ImportCone {
    /// The database of cone.tokens, which is only read: sqlite:FILE or <postgres://USER@HOST/DATABASE>
    #[arg(value_name = "URL", value_parser = database)]
    pub(crate) from: DatabaseUrl,
    /// The time zone in which cone.tokens ran, as in Europe/Vienna: its times are those of a clock there
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub(crate) source_timezone: Tz,
    /// The settings file of cone.tokens, to take its time ranges and defaults over
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// What becomes of tokens that have the value of an older one: suffix makes it value-2, value-3 and so on
    #[arg(long, value_name = "HOW", default_value = "refuse")]
    pub(crate) duplicates: Duplicates,
    /// What becomes of values that look like a UUID and are not the token's own
    #[arg(long, value_name = "HOW", default_value = "keep")]
    pub(crate) foreign_uuids: ForeignUuids,
    /// Adjust what cannot be stored as it is: white space at the ends of values, time ranges that end before they begin,
    /// times that do not exist in the zone or cannot be stored, and too large numbers
    #[arg(long)]
    pub(crate) adjust: bool,
    /// Only list what is found, and exit with 1 where the import would
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What becomes of tokens that have the value of an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Duplicates {
    /// They refuse the import.
    Refuse,
    /// They get another value.
    Suffix,
}

/// What becomes of values that look like a UUID and are not the token's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForeignUuids {
    /// They stay.
    Keep,
    /// They refuse the import.
    Refuse,
}

/// What `backup` takes.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The backup's file; an older backup there is replaced by the new one once this is verified
    #[arg(value_name = "FILE", value_parser = file())]
    pub(crate) file: PathBuf,
    /// Put the time into the file's name, as in tessera-20261130T221500Z.db for tessera.db, and keep N of these: this one,
    /// and the newest of the others
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<NonZeroUsize>,
    /// Read the whole backup and say whether it is good, without using the database
    #[arg(long, conflicts_with = "keep")]
    pub(crate) verify: bool,
}
