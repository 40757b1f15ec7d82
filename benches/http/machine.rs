//! The machine that is measured on, as far as it decides the figures.

use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, io};

/// How often a write to the disk is measured, and its bytes.
const DISK_WRITES: usize = 200;
const PAGE: [u8; 4096] = [1; 4096];

/// Cores, CPU and kernel.
pub fn name() -> String {
    let of = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let info = of("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("an unnamed CPU", |(_, name)| name.trim());
    format!("{cores} cores of {model}, {}; Linux {}", std::env::consts::ARCH, of("/proc/sys/kernel/osrelease").trim())
}

/// How long the disk takes to keep one page that is written over, in the median: what a commit waits for at least.
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
    /// Reads them from `/proc` (proc(5)); others are neither this process nor one of `ours`.
    pub fn read(ours: &[u32]) -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let ticks = numbers(stat.lines().next().unwrap_or_default(), 1..9)?;
        let [user, nice, system, _idle, _io, _irq, _softirq, steal] = ticks[..] else {
            return Err(io::Error::other("/proc/stat has other columns than it had"));
        };
        let mut others = user + nice + system + steal;
        for process in ours.iter().chain(&[std::process::id()]) {
            let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
            // The name in brackets may have blanks in it. Behind it, these are user and system.
            let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
            others -= numbers(behind, 11..13)?.iter().sum::<f64>();
        }
        Ok(Self { others, all: ticks.iter().sum() })
    }

    /// Percents of the CPU that others have used since `earlier`.
    pub fn of_others_since(self, earlier: Self) -> f64 {
        100.0 * (self.others - earlier.others).max(0.0) / (self.all - earlier.all).max(1.0)
    }
}

fn numbers(text: &str, columns: Range<usize>) -> io::Result<Vec<f64>> {
    let columns = text.split_whitespace().skip(columns.start).take(columns.len());
    columns.map(|number| number.parse().map_err(io::Error::other)).collect()
}

/// The commit that is measured.
pub fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if said.is_empty() { "unknown".into() } else { said }
}
