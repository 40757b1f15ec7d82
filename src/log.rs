//! The log. A thread of its own writes it, from a bounded queue: a pipe that nobody drains stops no request.

use std::io::IsTerminal;
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Lines that may wait to be written, about a megabyte. What comes beyond is dropped and counted.
const LINES: usize = 4_096;
/// How often it is told how many lines were dropped.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// What waits is written when this is dropped, for a second at most.
pub struct Log(#[expect(dead_code, reason = "for its end only")] WorkerGuard);

/// Writes the log to standard error from now on. `level` is as in `TESSERA_LOG`.
pub fn start(level: &str) -> Log {
    let queue = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES).thread_name("log");
    let (writer, guard) = queue.finish(std::io::stderr());
    let dropped = writer.error_counter();
    tracing_subscriber::fmt()
        // The libraries log each of their threads, and each forged cookie.
        .with_env_filter(EnvFilter::new(format!("actix_server=warn,actix_session=error,{level}")))
        .with_writer(writer)
        // Otherwise a log that cannot be written (a full disk, a closed pipe) would be reported to that same log, and
        // the report panics in the middle of a request.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let reporter = thread::Builder::new().name("log-report".into()).spawn(move || report(&dropped));
    if let Err(error) = reporter {
        tracing::warn!(%error, "dropped log lines will not be told");
    }
    Log(guard)
}

/// Tells how many lines were dropped. A report that is dropped counts itself, so the next one tells.
fn report(dropped: &ErrorCounter) {
    let mut told = 0;
    loop {
        thread::sleep(REPORT_INTERVAL);
        let lines = dropped.dropped_lines();
        if lines > told {
            tracing::warn!(lines = lines - told, "log lines were dropped: whatever reads the log is too slow");
            told = lines;
        }
    }
}
