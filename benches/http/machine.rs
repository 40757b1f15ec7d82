//! The machine, as far as it affects the measurements.

use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, io};

/// How many writes to the disk are measured, and how large they are.
const DISK_WRITES: usize = 200;
const PAGE: [u8; 4096] = [1; 4096];

/// Cores, CPU and kernel.
pub fn name() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("an unnamed CPU", |(_, name)| name.trim());
    format!("{cores} cores of {model}, {}; Linux {}", std::env::consts::ARCH, read("/proc/sys/kernel/osrelease").trim())
}

/// The median time for writing and syncing one page over an existing one: the least that a commit waits.
pub fn disk(folder: &Path) -> io::Result<Duration> {
    let file = tempfile::tempfile_in(folder)?;
    let mut times = Vec::new();
    for _ in 0..DISK_WRITES {
        let start = Instant::now();
        file.write_all_at(&PAGE, 0)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// CPU time of all cores since the machine was started, in ticks.
#[derive(Clone, Copy)]
pub struct Ticks {
    others: f64,
    all: f64,
}

impl Ticks {
    /// Reads `/proc` (proc(5)). `others` excludes this process and `ours`.
    pub fn read(ours: &[u32]) -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let ticks = numbers(stat.lines().next().unwrap_or_default(), 1..9)?;
        let [user, nice, system, _idle, _io, _irq, _softirq, steal] = ticks[..] else {
            return Err(io::Error::other("/proc/stat has other columns than it had"));
        };
        let mut others = user + nice + system + steal;
        for process in ours.iter().chain(&[std::process::id()]) {
            let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
            others -= own_ticks(&stat)?.iter().sum::<f64>();
        }
        Ok(Self { others, all: ticks.iter().sum() })
    }

    /// The share of CPU time that others have used since `earlier`, in per cent.
    pub fn of_others_since(self, earlier: Self) -> f64 {
        100.0 * (self.others - earlier.others).max(0.0) / (self.all - earlier.all).max(1.0)
    }
}

fn numbers(text: &str, columns: Range<usize>) -> io::Result<Vec<f64>> {
    let columns = text.split_whitespace().skip(columns.start).take(columns.len());
    columns.map(|number| number.parse().map_err(io::Error::other)).collect()
}

/// Ticks in a second (proc(5)): Linux tells them to programs as 100 on every machine.
const TICKS: f64 = 100.0;

/// A process and its children.
pub fn family(parent: u32) -> Vec<u32> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit_once(')').and_then(|(_, after)| after.split_whitespace().nth(1)?.parse().ok()) == Some(parent)
    };
    processes.filter(is_child).chain([parent]).collect()
}

/// The processor time of processes since their start, in seconds. One that has ended meanwhile has none.
pub fn cpu_seconds(processes: &[u32]) -> io::Result<f64> {
    let stats = processes.iter().filter_map(|process| fs::read_to_string(format!("/proc/{process}/stat")).ok());
    let ticks = stats.map(|stat| Ok(own_ticks(&stat)?.iter().sum::<f64>()));
    Ok(ticks.sum::<io::Result<f64>>()? / TICKS)
}

/// Bytes that processes have written to the disk, with those of children that have ended (proc(5), `io`).
pub fn written(processes: &[u32]) -> io::Result<u64> {
    let of = |process: &u32| {
        let counters = fs::read_to_string(format!("/proc/{process}/io"))?;
        let bytes = counters.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse::<u64>().ok());
        bytes.ok_or_else(|| io::Error::other(format!("no write_bytes of process {process}")))
    };
    processes.iter().map(of).sum()
}

/// User and system time in a process's `stat`. The name in brackets may contain spaces.
fn own_ticks(stat: &str) -> io::Result<Vec<f64>> {
    numbers(stat.rsplit_once(')').map_or("", |(_, after)| after), 11..13)
}

/// The measured commit.
pub fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]).output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if version.is_empty() { "unknown".into() } else { version }
}
