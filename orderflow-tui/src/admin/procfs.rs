//! What a process takes of this machine, from Linux's `/proc`: memory, and time of the processor. A process counts with
//! its children: PostgreSQL is many. On other systems nothing is known.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

/// Processes that are looked at.
const PROCESSES_MAX: usize = 20_000;
/// Parents that are climbed over.
const DEPTH_MAX: usize = 32;

/// What processes have taken, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Since the machine was started, in milliseconds.
    pub at_ms: u64,
    /// By process id.
    pub taken: BTreeMap<u32, Taken>,
}

/// What one process and its children have taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Time of processors, in milliseconds.
    pub cpu_ms: u64,
    /// Memory in RAM, in bytes; what children share with it counts once.
    pub memory: u64,
}

impl Reading {
    /// Per cent of one processor that a process has taken since an earlier reading.
    pub fn percent_since(&self, earlier: &Self, pid: u32) -> Option<u64> {
        let span = self.at_ms.checked_sub(earlier.at_ms).filter(|span| *span > 0)?;
        let (now, before) = (self.taken.get(&pid)?, earlier.taken.get(&pid)?);
        // A child that has ended takes its time with it.
        Some(now.cpu_ms.saturating_sub(before.cpu_ms) * 100 / span)
    }
}

/// One line of `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

/// Reads what these processes have taken; nothing where there is no `/proc`.
pub fn read(pids: &[u32]) -> Option<Reading> {
    let at_ms = uptime_ms(&fs::read_to_string("/proc/uptime").ok()?)?;
    let mut stats = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten().take(PROCESSES_MAX) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has ended in between is not there.
        if let Some(stat) = fs::read_to_string(entry.path().join("stat")).ok().as_deref().and_then(stat) {
            stats.insert(pid, stat);
        }
    }
    let tick_ms = 1000 / rustix::param::clock_ticks_per_second().max(1);
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let mut taken: BTreeMap<u32, Taken> = BTreeMap::new();
    let mut shared: HashMap<u32, u64> = HashMap::new();
    for (pid, stat) in &stats {
        let Some(root) = root(*pid, &stats, pids) else { continue };
        let memory = fs::read_to_string(format!("/proc/{pid}/statm")).ok().as_deref().and_then(statm);
        let (resident, common) = memory.unwrap_or_default();
        let sum = taken.entry(root).or_default();
        sum.cpu_ms += stat.ticks * tick_ms;
        sum.memory += resident.saturating_sub(common) * page;
        let most = shared.entry(root).or_default();
        *most = (*most).max(common * page);
    }
    for (root, bytes) in shared {
        taken.entry(root).or_default().memory += bytes;
    }
    Some(Reading { at_ms, taken })
}

/// The nearest of the wanted processes that this one is, or descends from.
fn root(pid: u32, stats: &HashMap<u32, Stat>, wanted: &[u32]) -> Option<u32> {
    let mut at = pid;
    for _ in 0..DEPTH_MAX {
        if wanted.contains(&at) {
            return Some(at);
        }
        at = stats.get(&at)?.parent;
    }
    None
}

/// `/proc/<pid>/stat`. The name in brackets can have anything in it, brackets and blanks too.
fn stat(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat { parent: u32::try_from(number(1)?).ok()?, ticks: number(11)?.checked_add(number(12)?)? })
}

/// `/proc/<pid>/statm`: pages in RAM, and those of them that others have too.
fn statm(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    Some((fields.next()?.ok()?, fields.next()?.ok()?))
}

/// `/proc/uptime`, in milliseconds.
fn uptime_ms(text: &str) -> Option<u64> {
    let (seconds, rest) = text.split_once('.')?;
    let hundredths = rest.get(..2)?.parse::<u64>().ok()?;
    Some(seconds.parse::<u64>().ok()? * 1000 + hundredths * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_proc_are_read() {
        let line =
            "4305 (post) gres (x) S 4025 4305 4305 0 -1 4194560 5113 9 0 0 12 34 0 0 20 0 1 0 2447 228171776 6797";
        assert_eq!(stat(line), Some(Stat { parent: 4025, ticks: 46 }));
        assert_eq!(statm("55706 6797 5986 1996 0 1155 0\n"), Some((6797, 5986)));
        assert_eq!(uptime_ms("24395.07 12345.67\n"), Some(24_395_070));
        for odd in ["", "1 (a", "1 (a) S", "1 (a) S x 1 2 3 4 5 6 7 8 9 10 11", ") "] {
            assert_eq!(stat(odd), None, "{odd}");
        }
        assert_eq!((statm("1 x"), uptime_ms("12")), (None, None));
    }

    #[test]
    fn children_count_to_the_nearest_that_is_asked_for() {
        let stat = |parent| Stat { parent, ticks: 0 };
        let stats = HashMap::from([
            (1, stat(0)),
            (10, stat(1)),
            (20, stat(10)),
            (21, stat(20)),
            (30, stat(31)),
            (31, stat(30)),
        ]);
        let root = |pid| root(pid, &stats, &[10, 20]);
        assert_eq!((root(21), root(20), root(10), root(1), root(30)), (Some(20), Some(20), Some(10), None, None));
    }

    #[test]
    fn per_cent_are_of_the_time_between() {
        let at = |at_ms, cpu_ms| Reading { at_ms, taken: BTreeMap::from([(7, Taken { cpu_ms, memory: 1 })]) };
        assert_eq!(at(3000, 500).percent_since(&at(1000, 100), 7), Some(20));
        assert_eq!(at(3000, 50).percent_since(&at(1000, 100), 7), Some(0));
        assert_eq!(at(1000, 50).percent_since(&at(1000, 100), 7), None);
        assert_eq!(at(3000, 50).percent_since(&at(1000, 100), 8), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn it_reads_of_itself() {
        let me = std::process::id();
        let taken = read(&[me]).unwrap().taken[&me];
        assert!(taken.memory > 1 << 20, "{taken:?}");
    }
}
