//! A PostgreSQL cluster to throw away, which a test or a bench starts itself from the installed server programs.
//!
//! It leans on nothing but std and tempfile, so that a bench can name this file by `#[path]`. It needs Linux's /proc.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "a bench needs a part of it")]

mod host;

use std::env;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use host::{PATIENCE, family, free_port, owner, programs, signal, status, wait_until};

/// A running PostgreSQL server with data of its own. Nothing of it is left when the process ends, in whatever way.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// The user and group that the server runs as, where that is not ours.
    owner: Option<(u32, u32)>,
    options: Vec<String>,
    port: u16,
    postmaster: Option<Child>,
    guard: Child,
    /// std opens it close-on-exec: no other child that a test spawns holds it open when we end.
    guard_pipe: Option<ChildStdin>,
}

impl Cluster {
    /// The one cluster of the many tests of a process. It may lose data with the machine, and is quicker for it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&["fsync=off", "full_page_writes=off", "max_connections=1000"]))
    }

    /// Starts a cluster with further settings, each `name=value`. It writes through to the disk as in earnest.
    pub fn start(options: &[&str]) -> Self {
        Self::start_from(options, Self::make)
    }

    /// Starts a standby: it follows `primary`, and takes no writes until [`Cluster::promote`].
    pub fn standby_of(primary: &Self) -> Self {
        Self::start_from(&[], |standby| standby.follow(primary))
    }

    /// Lets a standby take over.
    pub fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote(true, 60)"), "t");
    }

    /// Starts a cluster whose data are there after `make`.
    fn start_from(options: &[&str], make: impl FnOnce(&Self)) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("tessera-pg-").tempdir().unwrap().keep();
        // The guard is there before anything that it has to clean up.
        let mut guard = Command::new("sh");
        guard.args(["-c", include_str!("guard.sh"), "guard"]).arg(&folder).current_dir("/");
        // A process group of its own, as a Ctrl-C in the terminal reaches the whole group of the tests. And no output
        // of ours, as whoever reads it to its end would wait for the guard.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut guard = guard.spawn().unwrap();
        let guard_pipe = guard.stdin.take();

        let owner = owner(&folder);
        if let Some((user, group)) = owner {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let mut cluster = Self { programs, folder, owner, options, port: 0, postmaster: None, guard, guard_pipe };
        make(&cluster);
        // Between the choice of a port and the start another process may have taken it.
        for _ in 0..20 {
            cluster.port = free_port();
            match cluster.launch() {
                Ok(()) => return cluster,
                Err(log) => assert!(log.contains("Address already in use"), "PostgreSQL does not start:\n{log}"),
            }
        }
        panic!("found no free port for PostgreSQL");
    }

    /// The database's URL.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the data, the log and the Unix socket are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process id of the postmaster.
    pub fn pid(&self) -> u32 {
        self.postmaster.as_ref().expect("the cluster does not run").id()
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap()).into_owned()
    }

    /// Makes an empty database, and returns its URL.
    pub fn create_database(&self, name: &str) -> String {
        self.create_database_from("template1", name)
    }

    /// Makes a copy of a database to which nobody is connected, and returns its URL.
    pub fn create_database_from(&self, template: &str, name: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        assert!(name.chars().all(plain), "{name:?} would have to be escaped in a URL");
        self.sql("postgres", &format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#));
        self.url(name)
    }

    /// Runs a statement that must work, and returns what it gives: a line per row, `|` between columns.
    #[track_caller]
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-X", "-q", "-w", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]).arg(self.url(database));
        let output = psql.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// `kill -9` of every process of the server at once. Afterwards it can be started again.
    pub fn kill(&mut self) {
        // Stopped first: a postmaster that still ran could start another child between the look and the kill.
        let processes = self.freeze();
        signal("KILL", &processes);
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.wait().unwrap();
        }
        let alive = |process: &u32| status(*process).is_some_and(|(state, _)| state != 'Z');
        wait_until("the killed server has ended", || !processes.iter().any(alive));
    }

    /// Stops the server without a checkpoint; its next start recovers. Returns when it has ended.
    pub fn stop(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        signal("CONT", &family(postmaster.id()));
        signal("QUIT", &[postmaster.id()]);
        wait_until("the server has stopped", || postmaster.try_wait().unwrap().is_some());
    }

    /// Starts the server again, on the same port and with the same data. One that still runs is stopped before.
    pub fn restart(&mut self) {
        self.stop();
        let since = Instant::now();
        while let Err(log) = self.launch() {
            let passing = ["Address already in use", "still in use"].iter().any(|words| log.contains(words));
            assert!(passing && since.elapsed() < PATIENCE, "PostgreSQL does not start again:\n{log}");
            sleep(Duration::from_millis(100));
        }
    }

    /// Stops every process of the server where it stands: connections stay open, and nothing answers.
    pub fn pause(&mut self) {
        self.freeze();
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        signal("CONT", &family(self.pid()));
    }

    /// Pauses the server, and returns its processes.
    fn freeze(&mut self) -> Vec<u32> {
        let Some(postmaster) = &mut self.postmaster else { return Vec::new() };
        // Once reaped, its number may be another's.
        if postmaster.try_wait().unwrap().is_some() {
            self.postmaster = None;
            return Vec::new();
        }
        let postmaster = postmaster.id();
        let stopped = |process: &u32| status(*process).is_none_or(|(state, _)| "TtZX".contains(state));
        // A signal takes effect a moment after it was sent, and only then the family grows no more.
        signal("STOP", &[postmaster]);
        wait_until("the postmaster is paused", || stopped(&postmaster));
        let family = family(postmaster);
        signal("STOP", &family);
        wait_until("the server is paused", || family.iter().all(stopped));
        family
    }

    /// One of PostgreSQL's programs, as the user that we are.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // PGPORT, PGOPTIONS and their like would reach into every client and server.
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        // The messages in English, as some are looked for. And a client that cannot connect must not hang.
        command.env("LC_ALL", "C").env("HOME", &self.folder).env("PGCONNECT_TIMEOUT", "30");
        command
    }

    /// One of the server's programs, as the user that owns the data.
    fn server_command(&self, program: &str) -> Command {
        let mut command = self.command(program);
        command.current_dir(&self.folder).stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn make(&self) {
        let mut initdb = self.server_command("initdb");
        initdb.args(["--auth=trust", "--username=postgres", "--no-locale", "--encoding=UTF8", "--no-sync"]);
        // It holds the guard's pipe open, too: the guard must not pull the files from under it, as the server that it runs
        // would abort, and leave its shared memory in the kernel.
        let pipe = self.guard_pipe.as_ref().unwrap().as_fd().try_clone_to_owned().unwrap();
        let output = initdb.arg("-D").arg(self.folder.join("data")).stdout(pipe).output().unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn follow(&self, primary: &Self) {
        let mut backup = self.server_command("pg_basebackup");
        backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname", &primary.url("postgres")]);
        let output = backup.arg("--pgdata").arg(self.folder.join("data")).output().unwrap();
        assert!(output.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the server, and waits until it accepts connections. Gives its log of this start if it ends instead.
    fn launch(&mut self) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let logged = self.log().len();
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.display()),
            // Within the folder, and so removed with it, even after a kill -9.
            "dynamic_shared_memory_type=mmap".to_owned(),
            "max_connections=400".to_owned(),
            "shared_buffers=64MB".to_owned(),
        ];
        settings.extend(self.options.iter().cloned());
        let data = self.folder.join("data");
        let mut postgres = self.server_command("postgres");
        postgres.arg("-D").arg(&data).args(settings.iter().flat_map(|setting| ["-c", setting]));
        // A Ctrl-C in the terminal is not for the server, which would close the connections under the tests.
        postgres.process_group(0).stdout(log.try_clone().unwrap()).stderr(log);
        let postmaster = self.postmaster.insert(postgres.spawn().unwrap());

        let pid = postmaster.id().to_string();
        let since = Instant::now();
        // Asking whoever listens on the port could find another cluster there; the pid file is this one's.
        let pid_file = data.join("postmaster.pid");
        let ready = || {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            text.lines().next() == Some(&pid)
                && text.lines().nth(7).is_some_and(|line| ["ready", "standby"].contains(&line.trim()))
        };
        while !ready() {
            let ended = postmaster.try_wait().unwrap().is_some();
            if ended {
                self.postmaster = None;
                return Err(self.log().split_off(logged));
            }
            assert!(since.elapsed() < PATIENCE, "PostgreSQL is not ready:\n{}", self.log());
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A paused child would keep the postmaster waiting.
        if let Some(postmaster) = &self.postmaster {
            signal("CONT", &family(postmaster.id()));
        }
        // The guard does the rest.
        drop(self.guard_pipe.take());
        let _ = self.guard.wait();
        if let Some(postmaster) = &mut self.postmaster {
            let _ = postmaster.kill();
            let _ = postmaster.wait();
        }
    }
}
