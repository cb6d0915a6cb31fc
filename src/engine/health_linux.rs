//! Owns what Linux tells of this process and its machine: `/proc`, control groups and clocks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::{Reading, Source, Ticks};

/// So many control groups around that of this process are looked at.
const GROUPS: usize = 16;

/// Reads what Linux tells.
pub(super) struct System {
    cores: Option<u64>,
    /// What tells how a control group was held back: that of this process, and those around it.
    limits: Vec<PathBuf>,
}

impl System {
    pub(super) fn new() -> Self {
        let groups = read("/proc/self/cgroup").unwrap_or_default();
        let tells = |path: &PathBuf| read(path).is_some_and(|text| throttled(&text).is_some());
        Self {
            cores: std::thread::available_parallelism().ok().map(|cores| cores.get() as u64),
            limits: limits(&groups).into_iter().filter(tells).collect(),
        }
    }
}

impl Source for System {
    fn read(&mut self) -> Reading {
        let memory = read("/proc/meminfo").unwrap_or_default();
        let bytes = |name| kilobytes(&memory, name);
        let status = read("/proc/self/status").unwrap_or_default();
        let held = self.limits.iter().filter_map(|path| throttled(&read(path)?));
        Reading {
            at: clock(ClockId::Monotonic),
            with_sleep: Some(clock(ClockId::Boottime)),
            queued: read("/proc/thread-self/schedstat").and_then(|text| queued(&text)),
            process: Some(clock(ClockId::ProcessCPUTime)),
            cores: self.cores,
            machine: read("/proc/stat").and_then(|text| ticks(&text)),
            files: open_files(),
            files_limit: getrlimit(Resource::Nofile).current,
            sockets: read("/proc/net/sockstat").and_then(|text| {
                let six = read("/proc/net/sockstat6").unwrap_or_default();
                sockets(&text, &six)
            }),
            ports: read("/proc/sys/net/ipv4/ip_local_port_range").and_then(|text| ports(&text)),
            memory: kilobytes(&status, "VmRSS:"),
            available: bytes("MemAvailable:"),
            memory_total: bytes("MemTotal:"),
            throttled: held.reduce(|all, one| (all.0 + one.0, all.1 + one.1)),
        }
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn clock(which: ClockId) -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(which);
    Duration::new(tv_sec.max(0) as u64, tv_nsec.clamp(0, 999_999_999) as u32)
}

/// The first line of `/proc/stat`: `cpu user nice system idle iowait irq softirq steal …`. What guests
/// use is part of `user`.
fn ticks(stat: &str) -> Option<Ticks> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let parts: Vec<u64> =
        line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [_, _, _, idle, ..] = parts[..] else { return None };
    let waits = parts.get(4).copied().unwrap_or(0);
    Some(Ticks { all: parts.iter().sum(), idle: idle + waits, stolen: parts.get(7).copied() })
}

/// The time that a thread waited for a processor: the second figure of `schedstat`, in nanoseconds.
fn queued(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// A line `Name:   123 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// How many descriptors are open. Linux tells since 6.2; before they are counted, but for the one that
/// counting takes.
fn open_files() -> Option<u64> {
    match fs::metadata("/proc/self/fd").ok()?.len() {
        0 => Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1)),
        told => Some(told),
    }
}

/// `TCP: inuse 5 orphan 0 tw 3 …`, and the same of version 6, which has no `tw` of its own.
fn sockets(four: &str, six: &str) -> Option<u64> {
    let figure = |text: &str, line: &str, name: &str| -> Option<u64> {
        let line = text.lines().find_map(|text| text.strip_prefix(line))?;
        let mut words = line.split_whitespace().skip_while(|word| *word != name);
        words.nth(1)?.parse().ok()
    };
    let used = figure(four, "TCP:", "inuse")?;
    let waits = figure(four, "TCP:", "tw").unwrap_or(0);
    Some(used + waits + figure(six, "TCP6:", "inuse").unwrap_or(0))
}

/// `32768  60999`: the first and the last.
fn ports(range: &str) -> Option<u64> {
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    (last >= first).then(|| last - first + 1)
}

/// Where a `cpu.stat` of the control groups in `/proc/self/cgroup` may be. A limit on a group around
/// that of this process holds it back as well; in a container its own may stand at the top.
fn limits(groups: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            _ if controllers.split(',').any(|one| one == "cpu") => "/sys/fs/cgroup/cpu",
            _ => continue,
        };
        let group = Path::new(group.trim_start_matches('/'));
        let above = group.ancestors().take(GROUPS).filter(|group| !group.as_os_str().is_empty());
        let within = above.chain([Path::new("")]);
        paths.extend(within.map(|group| Path::new(root).join(group).join("cpu.stat")));
    }
    paths
}

/// How often, and for how long: `throttled_usec` of version 2, `throttled_time` of version 1.
fn throttled(stat: &str) -> Option<(u64, Duration)> {
    let figure = |name: &str| -> Option<u64> {
        stat.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    };
    let time = match figure("throttled_usec") {
        Some(us) => Duration::from_micros(us),
        None => Duration::from_nanos(figure("throttled_time")?),
    };
    Some((figure("nr_throttled")?, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_busy_when_they_are_not_idle() {
        let stat = "cpu  141421 97647 36898 135990 1205 0 5378 209 7 0\ncpu0 63060 35482 17350 90132 463 0 2828 112 0 0\n";
        assert_eq!(
            ticks(stat),
            Some(Ticks { all: 418_748, idle: 137_195, stolen: Some(209) }),
            "guests are counted once"
        );
        // Linux 2.4.
        let old = Some(Ticks { all: 28, idle: 20, stolen: None });
        assert_eq!(ticks("cpu 3 4 1 20\n"), old);
        assert_eq!([ticks(""), ticks("cpu 1 2\n"), ticks("intr 1\n")], [None; 3]);
    }

    #[test]
    fn sizes_are_kilobytes() {
        let text = "MemTotal:       24684084 kB\nMemFree:        13740068 kB\nMemAvailable:   20792728 kB\n";
        assert_eq!(kilobytes(text, "MemAvailable:"), Some(20_792_728 * 1024));
        assert_eq!(kilobytes(text, "SwapTotal:"), None);
        assert_eq!(kilobytes("VmRSS:\t    5432 kB\n", "VmRSS:"), Some(5_562_368));
        assert_eq!(kilobytes("VmRSS: none\n", "VmRSS:"), None);
    }

    #[test]
    fn sockets_that_wait_for_their_port_take_it_still() {
        let four = "sockets: used 20\nTCP: inuse 64 orphan 0 tw 1200 alloc 70 mem 228\nUDP: inuse 9 mem 0\n";
        let six = "TCP6: inuse 3\nUDP6: inuse 7\n";
        assert_eq!((sockets(four, six), sockets(four, "")), (Some(1267), Some(1264)));
        assert_eq!(sockets("sockets: used 20\n", six), None);
        assert_eq!(
            (ports("32768\t60999\n"), ports("60999 32768"), ports("")),
            (Some(28_232), None, None)
        );
    }

    #[test]
    fn a_thread_says_how_long_it_waited_for_a_processor() {
        assert_eq!(queued("92257 6072874 2\n"), Some(Duration::from_nanos(6_072_874)));
        assert_eq!((queued(""), queued("92257")), (None, None));
    }

    #[test]
    fn the_limits_around_a_process_are_its_own() {
        let found = |groups: &str| -> Vec<String> {
            limits(groups).into_iter().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(
            found("0::/user.slice/run.scope\n"),
            [
                "/sys/fs/cgroup/user.slice/run.scope/cpu.stat",
                "/sys/fs/cgroup/user.slice/cpu.stat",
                "/sys/fs/cgroup/cpu.stat",
            ]
        );
        assert_eq!(
            found("9:name=systemd:/\n3:cpuset:/a\n2:cpu,cpuacct:/docker/1f\n0::/\n"),
            [
                "/sys/fs/cgroup/cpu/docker/1f/cpu.stat",
                "/sys/fs/cgroup/cpu/docker/cpu.stat",
                "/sys/fs/cgroup/cpu/cpu.stat",
                "/sys/fs/cgroup/cpu.stat",
            ]
        );
        assert_eq!(found(""), Vec::<String>::new());
        assert!(found(&format!("0::{}\n", "/a".repeat(500))).len() <= GROUPS + 1);
    }

    #[test]
    fn both_versions_of_control_groups_tell_how_they_were_held_back() {
        let two =
            "usage_usec 900\nuser_usec 500\nnr_periods 10\nnr_throttled 3\nthrottled_usec 45000\n";
        let one = "nr_periods 10\nnr_throttled 3\nthrottled_time 45000000\n";
        let want = Some((3, Duration::from_millis(45)));
        assert_eq!((throttled(two), throttled(one)), (want, want));
        // The group at the top has no limit.
        assert_eq!(throttled("usage_usec 900\nuser_usec 500\n"), None);
    }
}
