//! The system calls of the server, as strace saw them.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Follows every thread, names the file behind a descriptor, and shows all data whole and in hexadecimal. The tracer is
/// not the parent (`-D`), so that the server is ended and waited for as ever; the filter (`--seccomp-bpf`) stops no call
/// but those that are asked for.
const STRACE: [&str; 8] = ["strace", "-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "65536"];

/// One system call. Lines of the trace stand for time: a thread is stopped until strace has written of its call.
pub struct Call {
    pub name: String,
    /// The file or socket behind the first argument.
    pub target: String,
    /// All bytes that were given to it.
    pub data: Vec<u8>,
    /// The line of its beginning.
    pub began: usize,
    /// The line of its end; none if it has not ended.
    pub ended: Option<usize>,
    /// What it returned; -1 for an error.
    pub returned: i64,
}

/// The command line that traces these calls into a file.
pub fn command<'a>(calls: &'a str, file: &'a str) -> Vec<&'a str> {
    STRACE.into_iter().chain(["-e", calls, "-o", file]).collect()
}

/// Holds that there is strace, and that it may trace.
pub fn check() {
    let tried = Command::new("strace").args(["-f", "-e", "trace=none", "-o", "/dev/null", "true"]).output();
    let tried = tried.unwrap_or_else(|why| panic!("this test needs strace, which cannot be started: {why}"));
    let why = String::from_utf8_lossy(&tried.stderr);
    assert!(tried.status.success(), "this test needs ptrace, which is not allowed here: {why}");
}

/// Reads the trace of a server that was ended. The tracer ends a moment after it.
pub fn read(file: &Path) -> Vec<Call> {
    let since = Instant::now();
    loop {
        let trace = std::fs::read_to_string(file).unwrap();
        let thread = |line: Option<&str>| line.and_then(|line| line.split(' ').next().map(str::to_owned));
        let last = trace.lines().last();
        if last.is_some_and(|last| last.contains("+++ exited with 0")) && thread(last) == thread(trace.lines().next()) {
            return calls(&trace);
        }
        assert!(since.elapsed() < Duration::from_mins(1), "strace has not ended its trace: {last:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn calls(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    // Of each thread the call that another thread's line came into the middle of.
    let mut unfinished = HashMap::new();
    for (n, line) in trace.lines().enumerate() {
        let (thread, what) = line.split_once(' ').unwrap();
        let what = what.trim_start();
        if what.starts_with("<... ") {
            if let Some(began) = unfinished.remove(thread) {
                let call: &mut Call = &mut calls[began];
                (call.ended, call.returned) = (Some(n), returned(what));
            }
        } else if let Some((name, rest)) = what.split_once('(')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            let ended = !what.ends_with("<unfinished ...>");
            if !ended {
                unfinished.insert(thread, calls.len());
            }
            let target = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(target, _)| target);
            calls.push(Call {
                name: name.to_owned(),
                target: String::from_utf8(bytes(target.unwrap_or_default())).unwrap(),
                data: rest.split('"').skip(1).step_by(2).flat_map(bytes).collect(),
                began: n,
                ended: ended.then_some(n),
                returned: if ended { returned(what) } else { -1 },
            });
        }
    }
    calls
}

/// `\x2f\x74` as bytes; what is not written so is itself.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// What stands behind the last `=`, before which strace may leave room.
fn returned(line: &str) -> i64 {
    let value = line.rsplit_once("= ").and_then(|(_, value)| value.split(' ').next()?.parse().ok());
    value.unwrap_or(-1)
}

#[test]
fn a_call_that_is_told_in_two_lines_is_one() {
    let trace = "7  pwrite64(5<\\x2f\\x61>, \"\\x00\\x41\", 2, 0 <unfinished ...>\n\
                 8  writev(9<socket:[1]>, [{iov_base=\"\\x48\", iov_len=1}, {iov_base=\"\\x49\", iov_len=1}], 2) = 2\n\
                 8  --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER} ---\n\
                 7  <... pwrite64 resumed>)          = 2\n\
                 7  fsync(5<\\x2f\\x61>) = -1 EIO (Input/output error)\n\
                 7  +++ exited with 0 +++\n";
    let calls = calls(trace);
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.name.as_str(), call.target.as_str(), &call.data[..], call.began, call.ended, call.returned))
        .collect();
    assert_eq!(
        told,
        [
            ("pwrite64", "/a", &b"\0A"[..], 0, Some(3), 2),
            ("writev", "socket:[1]", b"HI", 1, Some(1), 2),
            ("fsync", "/a", b"", 4, Some(4), -1),
        ]
    );
}
