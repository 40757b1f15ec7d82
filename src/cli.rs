//! The command line and its environment variables: the whole configuration.

pub(crate) mod moving;
pub(crate) mod parse;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::access::Role;
use crate::access::rate::Rate;
use crate::store::DatabaseUrl;
use crate::store::writer::BATCH;
use crate::token::public_url::PublicUrl;
use crate::web::client_address::TrustedProxies;
use moving::{Backup, Export, Import, ImportCone};
use parse::{database, file, without_empty_variables, zone};

/// A token server: a token with n uses is used n times.
#[derive(Debug, Parser)]
#[command(name = "tessera", version, about, propagate_version = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What is to be done.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line. An environment variable that is set to nothing counts as not set.
    ///
    /// # Errors
    /// It is wrong, or it asks for help or the version.
    pub fn read() -> Result<Self, clap::Error> {
        let matches = without_empty_variables(Self::command()).try_get_matches();
        match matches.and_then(|matches| Self::from_arg_matches(&matches)) {
            // Help names every variable, also one that is set to nothing.
            Err(error) if !error.use_stderr() => Self::try_parse(),
            result => result,
        }
    }
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// The database: sqlite:FILE, which `serve` and `migrate` create if it is not there, or
    /// <postgres://USER@HOST/DATABASE>
    #[arg(
        long,
        global = true,
        env = "TESSERA_DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:tessera.db",
        value_name = "URL",
        value_parser = database
    )]
    pub(crate) database_url: DatabaseUrl,
    /// The time zone of times without an offset, as in Europe/Vienna [default: the machine's]
    #[arg(long, global = true, env = "TESSERA_TIMEZONE", value_name = "ZONE", value_parser = zone)]
    pub(crate) timezone: Option<Tz>,
    /// What is logged to standard error: error, warn, info, debug, trace, or as in tessera=debug
    #[arg(long, global = true, env = "TESSERA_LOG", default_value = "info", value_name = "LEVEL", value_parser = log_filter)]
    pub log: String,
}

/// Only an environment variable: everybody on the machine could see a password on the command line.
const FIRST_ADMIN: &str = "When there is no user yet, the user `admin` is created, a manager, with the password in the \
environment variable TESSERA_ADMIN_PASSWORD, or with a random one that is shown once.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Migrate the database if needed, then serve
    #[command(after_help = FIRST_ADMIN)]
    Serve(Serve),
    /// Add, list, change and remove users
    #[command(subcommand)]
    User(UserCommand),
    /// Add, list and revoke API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Bring the database to this version's schema
    Migrate,
    /// Print the description of the JSON API, OpenAPI 3.1
    Openapi,
    /// Write tokens, the usage log or everything to a file or to standard output
    Export(Export),
    /// Copy the whole database into an empty one, as from SQLite to PostgreSQL, and compare every row
    Copy {
        /// The empty database: sqlite:FILE, which is created if it is not there, or <postgres://USER@HOST/DATABASE>
        #[arg(long, value_name = "URL", value_parser = database)]
        to: DatabaseUrl,
    },
    /// Add the tokens of a CSV or JSON Lines file, or change tokens as it says, all or nothing
    Import(Import),
    /// Move the tokens and the usage log of a cone.tokens database into an empty one, and compare both
    ImportCone(ImportCone),
    /// Back the database up into one file, while servers use it, or verify such a file
    Backup(Backup),
    /// Put a backup in the place of the database, which is kept beside it; no server may be using it
    Restore {
        /// The backup, as `tessera backup` has made it
        #[arg(value_name = "FILE", value_parser = file())]
        file: PathBuf,
    },
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, env = "TESSERA_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT", value_parser = address)]
    pub(crate) bind: SocketAddr,
    /// The address under which it is reached; its path is the base path [default: what it is bound to]
    #[arg(long, env = "TESSERA_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<PublicUrl>,
    /// Proxies whose X-Forwarded-For is believed: addresses and networks, divided by commas [default: none]
    #[arg(long, env = "TESSERA_TRUSTED_PROXIES", default_value = "", hide_default_value = true, value_name = "LIST")]
    pub(crate) trusted_proxies: TrustedProxies,
    /// A font file (.ttf or .otf) for texts on labels in scripts that the built-in font lacks; may be given several times,
    /// or be several files divided by colons
    #[arg(long = "font", env = "TESSERA_FONTS", value_name = "FILE", value_delimiter = ':', value_parser = file())]
    pub(crate) fonts: Vec<PathBuf>,
    /// Most consumes in one transaction; the benchmark shows with 1 what sharing a commit gains
    #[arg(long, env = "TESSERA_BATCH", default_value_t = BATCH, value_name = "N", hide = true)]
    pub(crate) batch: usize,
}

/// The commands below `user`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user
    Add {
        /// The user's name
        name: String,
        /// scanner, viewer, editor, admin or manager
        #[arg(long)]
        role: Role,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// List the users
    List,
    /// Set a user's password; it ends the user's sessions
    Passwd {
        /// The user's name
        name: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Give a user another role; it ends the user's sessions
    Role {
        /// The user's name
        name: String,
        /// scanner, viewer, editor, admin or manager
        role: Role,
    },
    /// Remove a user
    Remove {
        /// The user's name
        name: String,
    },
}

/// Where a password comes from.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PasswordFrom {
    /// Read the password from the first line of standard input instead of asking on the terminal
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// The commands below `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Add a key and print it, alone, on standard output
    Add(NewKeyOptions),
    /// List the keys, with their first characters, by which a key that was found somewhere is told
    List,
    /// End a key; its name can be given again
    Revoke {
        /// The key's name, or its first characters, as `tessera key list` shows them
        name: String,
    },
}

/// What `key add` takes.
#[derive(Debug, Args)]
pub(crate) struct NewKeyOptions {
    /// The key's name
    pub(crate) name: String,
    /// scanner, viewer, editor, admin or manager
    #[arg(long)]
    pub(crate) role: Role,
    /// When it ends, as in 2026-12-31 or 2026-12-31T18:00+01:00 [default: never]
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// The gate at which it uses tokens [default: none]
    #[arg(long, value_name = "GATE")]
    pub(crate) gate: Option<String>,
    /// How many requests a second it may send, 1 to 10,000, in each instance of Tessera; beyond that it gets 429
    /// [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<Rate>,
}

/// An address, or a host name with a port, such as localhost:8080.
fn address(text: &str) -> Result<SocketAddr, String> {
    let address = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    address.ok_or_else(|| "write an address and a port, as in 127.0.0.1:8080".to_owned())
}

fn log_filter(text: &str) -> Result<String, String> {
    let filter = tracing_subscriber::EnvFilter::try_new(text);
    filter.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Common {
    /// The configured time zone, otherwise the machine's: `TZ`, then the system's setting, then UTC.
    pub(crate) fn zone(&self) -> Tz {
        // TZ may also be the path of a time zone file.
        let parse_name = |name: String| name.rsplit("zoneinfo/").next()?.trim_start_matches(':').parse().ok();
        let system = || iana_time_zone::get_timezone().ok().and_then(parse_name);
        self.timezone.or_else(|| std::env::var("TZ").ok().and_then(parse_name)).or_else(system).unwrap_or(Tz::UTC)
    }
}
