//! Starts the real binary, and talks to it.

use std::borrow::BorrowMut;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tessera::store::{Connection, DatabaseUrl};

use crate::support::app::send;
use crate::support::database::{self, Database, on_postgres};

/// A folder with a database, in which commands run.
pub struct Place {
    folder: TempDir,
    /// On a server; else it is `tessera.db` in the folder, as nobody says otherwise.
    pub database: Option<Database>,
}

impl Place {
    pub fn new() -> Self {
        let database = on_postgres().then(Database::empty);
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    /// One whose database has the tables, and nothing in them.
    pub fn migrated() -> Self {
        let place = Self::new();
        place.works(&["migrate"]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_tessera"), arguments)
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TESSERA_")) {
            command.env_remove(name);
        }
        if let Some(database) = &self.database {
            command.env("TESSERA_DATABASE_URL", &database.text);
        }
        command
    }

    /// The database that commands use when nobody says otherwise.
    pub fn database_url(&self) -> DatabaseUrl {
        let of_file = || format!("sqlite:{}", self.path("tessera.db").display()).parse().unwrap();
        self.database.as_ref().map_or_else(of_file, |database| database.url.clone())
    }

    /// A connection of another process to it.
    pub fn connection(&self) -> Connection {
        database::connect(&self.database_url())
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[], "")
    }

    /// Runs a command with environment variables and a text on standard input.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Starts a command that is not waited for.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs a command that must work, and returns what it printed.
    #[track_caller]
    pub fn works(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail with `code` and say `words` in one line.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str], code: i32, words: &str) {
        check_failed(&self.run(arguments), code, words);
    }

    /// Runs a script in which `$BIN` is the program, and returns what was said on standard error.
    pub fn shell(&self, script: &str) -> String {
        let mut shell = self.program("sh", &["-c", script]);
        let output = shell.env("BIN", env!("CARGO_BIN_EXE_tessera")).stdin(Stdio::null()).output().unwrap();
        text(&output.stderr)
    }

    /// Starts the server on a free port.
    pub fn serve(&self) -> Server {
        self.serve_as(self.command(&["serve", "--bind", "127.0.0.1:0"]))
    }

    /// Starts the server on a database.
    pub fn serve_on(&self, database_url: &str) -> Server {
        self.serve_as(self.command(&["serve", "--bind", "127.0.0.1:0", "--database-url", database_url]))
    }

    /// Starts the server with a clock that is wrong by `offset`, as in `+3600s`.
    pub fn serve_with_clock(&self, offset: &str) -> Server {
        let mut command = self.command(&["serve", "--bind", "127.0.0.1:0"]);
        // Only the time of day: what measures how long something takes stays right.
        command.envs([("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")]);
        self.serve_as(command.env("LD_PRELOAD", libfaketime()))
    }

    /// Starts the server by another program, which becomes it.
    pub fn serve_under(&self, program: &[&str]) -> Server {
        let serve = [env!("CARGO_BIN_EXE_tessera"), "serve", "--bind", "127.0.0.1:0"];
        self.serve_as(self.program(program[0], &[&program[1..], &serve].concat()))
    }

    /// Starts the server from a shell that first does `before`.
    pub fn serve_after(&self, before: &str) -> Server {
        let mut shell = Command::new("sh");
        let script = format!("{before}; exec {} serve --bind 127.0.0.1:0", env!("CARGO_BIN_EXE_tessera"));
        shell.args(["-c", &script]).current_dir(self.folder.path());
        if let Some(database) = &self.database {
            shell.env("TESSERA_DATABASE_URL", &database.text);
        }
        self.serve_as(shell)
    }

    fn serve_as(&self, mut command: impl BorrowMut<Command>) -> Server {
        let command = command.borrow_mut();
        let log = self.path(&format!("log-{}", rand::random::<u32>()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("Tessera is listening on ").map(|url| url.trim_end_matches('/').to_owned());
        let base = base.unwrap_or_else(|| panic!("{line:?}: {}", std::fs::read_to_string(&log).unwrap()));
        Server { child, base, log }
    }

    /// Makes a key of that role.
    pub fn key(&self, role: &str) -> String {
        self.works(&["key", "add", &format!("{role}-{}", rand::random::<u32>()), "--role", role]).trim().to_owned()
    }
}

/// A running server, which is killed when the test ends.
pub struct Server {
    child: Child,
    pub base: String,
    log: PathBuf,
}

impl Server {
    pub fn post(&self, key: &str, path: &str) -> RequestBuilder {
        reqwest::Client::new().post(format!("{}{path}", self.base)).bearer_auth(key)
    }

    pub fn get(&self, key: &str, path: &str) -> RequestBuilder {
        reqwest::Client::new().get(format!("{}{path}", self.base)).bearer_auth(key)
    }

    /// Adds tokens, and returns their uids.
    pub async fn add_tokens(&self, key: &str, form: &[(&str, &str)]) -> Vec<String> {
        let answer = send(self.post(key, "/add_tokens").form(form)).await;
        serde_json::from_value(answer.check_success().body["token_uids"].clone()).unwrap()
    }

    /// The usage log, of one token or the whole, newest first.
    pub async fn usage(&self, key: &str, uid: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/query_usage?limit=1000&token_uid={uid}&cursor={cursor}");
            let answer = send(self.get(key, &path)).await;
            entries.extend(answer.check_success().body["usage"].as_array().unwrap().clone());
            match answer.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return entries,
            }
        }
    }

    /// Its log, once nothing is added any more: a thread of its own writes it.
    pub fn log(&self) -> String {
        let read = || std::fs::read_to_string(&self.log).unwrap();
        let mut before = read();
        loop {
            std::thread::sleep(Duration::from_millis(30));
            let log = read();
            if log.len() == before.len() {
                return log;
            }
            before = log;
        }
    }

    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `kill -TERM`
    pub fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for the end, and returns the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Debian's place for it, whatever the processor.
pub fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut libraries = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    libraries.find(|library| library.exists()).expect("Install libfaketime (Debian: faketime).")
}

/// Holds that a command failed with `code` and says `words` in one line.
#[track_caller]
pub fn check_failed(output: &Output, code: i32, words: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.starts_with("tessera: ") && said.trim_end().ends_with('.'), "{said}");
}

pub fn write_file(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}
