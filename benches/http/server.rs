//! The measured server: the real binary, started as anybody would.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The password of the first user, whose name is `admin`.
pub const PASSWORD: &str = "mosaic-tile-1887";
/// Log lines that are shown when something goes wrong.
const LAST_LINES: usize = 5;

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    log: File,
    log_path: PathBuf,
    pub address: SocketAddr,
    /// The time from its start until it listened.
    pub started_in: Duration,
}

impl Server {
    /// Starts a server on a free port. Its log goes to a file in `folder`, as for a service.
    pub fn start(url: &str, folder: &Path, options: &[&str]) -> io::Result<Self> {
        let path = folder.join(format!("log-{}", rand::random::<u32>()));
        // In append mode, so that the file can be emptied while the server runs.
        let log = OpenOptions::new().create_new(true).append(true).open(&path)?;
        let to_log = log.try_clone()?.into();
        Self::start_with(url, options, log, path, to_log)
    }

    /// Starts a server whose log goes into a pipe that nobody reads.
    pub fn start_unread(url: &str) -> io::Result<Self> {
        Self::start_with(url, &[], tempfile::tempfile()?, PathBuf::new(), Stdio::piped())
    }

    fn start_with(url: &str, options: &[&str], log: File, path: PathBuf, to_log: Stdio) -> io::Result<Self> {
        let mut command = tessera(url, &["serve", "--bind", "127.0.0.1:0"]);
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(to_log);
        let start = Instant::now();
        let mut child = command.spawn()?;
        let mut line = String::new();
        let read = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let started_in = start.elapsed();
        let url = line.trim().strip_prefix("Tessera is listening on http://");
        let Some(address) = url.and_then(|url| url.trim_end_matches('/').parse().ok()) else {
            let _ = child.kill();
            let _ = child.wait();
            read.transpose()?;
            return Err(io::Error::other(format!("tessera serve: {}", fs::read_to_string(&path)?)));
        };
        Ok(Self { child, log, log_path: path, address, started_in })
    }

    /// Empties the log: millions of lines would fill the disk.
    pub fn empty_log(&self) -> io::Result<()> {
        self.log.set_len(0)
    }

    /// The error, with the last lines of the server's log.
    pub fn explain(&self, error: &io::Error) -> io::Error {
        let log = fs::read_to_string(&self.log_path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        io::Error::other(format!("{error}\nThe server's log ends with:\n{last}"))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its present memory, in bytes.
    pub fn memory(&self) -> io::Result<u64> {
        self.status("VmRSS:")
    }

    /// Its highest memory since [`Server::forget_peak`], in bytes.
    pub fn peak(&self) -> io::Result<u64> {
        self.status("VmHWM:")
    }

    /// Resets the peak (proc(5), `clear_refs`).
    pub fn forget_peak(&self) -> io::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
    }

    fn status(&self, name: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kibibytes =
            status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok());
        kibibytes.map(|kibibytes: u64| kibibytes * 1024).ok_or_else(|| io::Error::other(format!("no {name} in status")))
    }

    /// Shuts it down gracefully, which also leaves the database in a clean state.
    pub fn stop(mut self) -> io::Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        match self.child.wait()? {
            status if status.success() => Ok(()),
            status => Err(io::Error::other(format!("tessera serve ended with {status}"))),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates a key with all permissions.
pub fn key(url: &str) -> io::Result<String> {
    let output = tessera(url, &["key", "add", "bench", "--role", "manager"]).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("tessera key: {}", String::from_utf8_lossy(&output.stderr))));
    }
    String::from_utf8(output.stdout).map(|key| key.trim().to_owned()).map_err(io::Error::other)
}

/// The binary with its default configuration, whatever the shell's variables say.
fn tessera(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TESSERA_")) {
        command.env_remove(name);
    }
    command.args(arguments).env("TESSERA_DATABASE_URL", url).env("TESSERA_ADMIN_PASSWORD", PASSWORD);
    command
}
