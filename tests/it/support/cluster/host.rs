//! What a throw-away cluster needs of the machine: the installed programs, a user, a port, and the processes in /proc.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

/// How long the server may take to start, to stop, or to recover: a busy disk has been seen to take 20 seconds of it.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The folder with the server's programs.
pub fn programs() -> PathBuf {
    let has = |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file());
    if let Some(folder) = env::var_os("PG_BIN").map(PathBuf::from) {
        assert!(has(&folder), "PG_BIN is {}, which has no initdb, postgres and psql.", folder.display());
        return folder;
    }
    let configured = || {
        let output = Command::new("pg_config").arg("--bindir").output().ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    };
    let newest = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let names = versions.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut numbers: Vec<u32> = names.filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        let folders = numbers.iter().rev().map(|number| PathBuf::from(format!("/usr/lib/postgresql/{number}/bin")));
        folders.into_iter().find(has)
    };
    let in_path = || env::split_paths(&env::var_os("PATH")?).find(has);
    let found = configured().filter(has).or_else(newest).or_else(in_path);
    found.expect("Install PostgreSQL's server (Debian: postgresql), or let PG_BIN name the folder of its programs.")
}

/// The user and group for the server where we are root, as whom it refuses to run.
pub fn owner(ours: &Path) -> Option<(u32, u32)> {
    if fs::metadata(ours).unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = fields.find(|fields| fields.len() > 3 && fields[0] == name)?;
        Some((user[2].parse().ok()?, user[3].parse().ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("PostgreSQL does not run as root; add a user postgres."))
}

/// A port that nobody listens on, below those that Linux gives to outgoing connections: one of these could take the
/// port of a server that is down for a moment.
pub fn free_port() -> u16 {
    loop {
        let port = 15_000 + u16::try_from(RandomState::new().hash_one(()) % 17_000).unwrap();
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return port,
            Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}"),
        }
    }
}

/// By the shell, as std sends no signals and not every machine has a program `kill`. A process that has ended is none
/// to complain about.
pub fn signal(name: &str, processes: &[u32]) {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"for process; do kill "-$0" "$process"; done"#, name]);
    shell.args(processes.iter().map(u32::to_string)).stderr(Stdio::null()).status().unwrap();
}

/// A process's state, and its parent.
pub fn status(process: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it may hold anything, parentheses and spaces too.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// A process and its children.
pub fn family(parent: u32) -> Vec<u32> {
    let names = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let children = names
        .filter_map(|name| name.parse().ok())
        .filter(|&process| status(process).is_some_and(|(_, its_parent)| its_parent == parent));
    [parent].into_iter().chain(children).collect()
}

pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(10));
    }
}
