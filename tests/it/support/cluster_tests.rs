//! The throw-away PostgreSQL cluster keeps its data, stops and hangs as it is told, and leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::support::cluster::Cluster;

/// Set in the process that is to be killed.
const VICTIM: &str = "CLUSTER_VICTIM";

/// A process that nobody has waited for yet has a number, but no command any more.
fn runs(process: u32) -> bool {
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|command| !command.is_empty())
}

#[test]
fn a_database_may_be_another_ones_copy() {
    let cluster = Cluster::shared();
    assert_eq!(cluster.create_database("origin"), cluster.url("origin"));
    cluster.sql("origin", "CREATE TABLE t AS SELECT 7 AS a, 'é' AS b");
    cluster.create_database_from("origin", "copy");
    cluster.sql("origin", "DROP TABLE t");
    assert_eq!(cluster.sql("copy", "SELECT * FROM t"), "7|é");
    let settings = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') ORDER BY 1";
    assert_eq!(cluster.sql("copy", settings), "fsync|off\nsynchronous_commit|on");
}

#[test]
fn the_data_outlives_kill_9_and_a_pause_only_delays() {
    // The kernel outlives the kill, and with it what was written; a sync of every file would only take long.
    let mut cluster = Cluster::start(&["max_connections=20", "fsync=off"]);
    let url = cluster.create_database("kept");
    assert_eq!(cluster.sql("kept", "SHOW max_connections"), "20");
    cluster.sql("kept", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
    let first = cluster.pid();
    cluster.kill();
    assert!(!runs(first));
    cluster.restart();
    assert_eq!(cluster.url("kept"), url);
    assert!(cluster.log().contains("automatic recovery in progress"), "{}", cluster.log());
    assert_eq!(cluster.sql("kept", "SELECT sum(n) FROM t"), "500500");

    cluster.pause();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| cluster.sql("kept", "SELECT 1"));
        thread::sleep(Duration::from_millis(500));
        assert!(!waiting.is_finished());
        cluster.resume();
        assert_eq!(waiting.join().unwrap(), "1");
    });

    cluster.pause();
    cluster.kill();
    cluster.restart();
    cluster.stop();
    cluster.restart();
    assert_eq!(cluster.sql("kept", "SELECT sum(n) FROM t"), "500500");

    let (last, folder) = (cluster.pid(), cluster.folder().to_owned());
    drop(cluster);
    assert!(!runs(last) && !folder.exists());
}

#[test]
fn nothing_is_left_of_a_process_that_was_killed() {
    if env::var_os(VICTIM).is_some() {
        let cluster = Cluster::shared();
        println!("\nvictim {} {}", cluster.pid(), cluster.folder().display());
        // Not for ever, if the test that started this is killed itself.
        let _ = std::io::stdin().read(&mut [0]);
        return;
    }
    let mut victim = Command::new(env::current_exe().unwrap());
    victim.args(["--exact", "--nocapture", "support::cluster_tests::nothing_is_left_of_a_process_that_was_killed"]);
    let mut victim = victim.env(VICTIM, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.map(|line| line.strip_prefix("victim ").map(str::to_owned)).find_map(|line| line).unwrap();
    let (postmaster, folder) = line.split_once(' ').unwrap();
    let (postmaster, folder) = (postmaster.parse().unwrap(), Path::new(folder));
    assert!(runs(postmaster) && folder.exists());

    victim.kill().unwrap();
    victim.wait().unwrap();
    let since = Instant::now();
    while runs(postmaster) || folder.exists() {
        assert!(since.elapsed() < Duration::from_secs(30), "{line} is left");
        thread::sleep(Duration::from_millis(20));
    }
}
