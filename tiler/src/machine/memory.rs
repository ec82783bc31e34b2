//! How much memory there is: that of the machine, or less where a container (cgroup, version 2 or 1) has a limit.

use std::fs;
use std::path::{Path, PathBuf};

/// What is taken where nothing tells.
const UNKNOWN: u64 = 4 << 30;

/// Bytes of memory that this process may use together with all others of its container.
pub(crate) fn memory_limit() -> u64 {
    limit_below(Path::new("/"))
}

fn limit_below(root: &Path) -> u64 {
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let machine = machine(&text("proc/meminfo"));
    let groups = groups(&text("proc/self/cgroup"));
    let limits = groups
        .iter()
        .flat_map(|(file, folder)| of_group(root, file, folder));
    machine.into_iter().chain(limits).min().unwrap_or(UNKNOWN)
}

/// `MemTotal` of `/proc/meminfo`.
fn machine(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The file that holds a limit, and the folder of the process's own group, by `/proc/self/cgroup`.
fn groups(text: &str) -> Vec<(&'static str, PathBuf)> {
    let of = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let path = path.trim_start_matches('/');
        if number == "0" && controllers.is_empty() {
            return Some(("memory.max", Path::new("sys/fs/cgroup").join(path)));
        }
        let own = controllers.split(',').any(|name| name == "memory");
        own.then(|| {
            (
                "memory.limit_in_bytes",
                Path::new("sys/fs/cgroup/memory").join(path),
            )
        })
    };
    text.lines().filter_map(of).collect()
}

/// The limits of a group and of those above it; `max`, or a number no machine has, is none.
fn of_group(root: &Path, file: &str, folder: &Path) -> Vec<u64> {
    let above = folder
        .ancestors()
        .take_while(|above| above.starts_with("sys/fs/cgroup"));
    let read = |above: &Path| -> Option<u64> {
        let text = fs::read_to_string(root.join(above).join(file)).ok()?;
        text.trim().parse().ok().filter(|limit| *limit > 0)
    };
    above.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine_of(files: &[(&str, &str)]) -> u64 {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        limit_below(root.path())
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:        8000000 kB\nMemFree: 1 kB\n");

    #[test]
    fn a_machine_without_containers_has_what_it_has() {
        assert_eq!(machine_of(&[MEMINFO]), 8_192_000_000);
        assert_eq!(machine_of(&[]), UNKNOWN);
        let unlimited = [
            MEMINFO,
            ("proc/self/cgroup", "0::/user.slice/a.scope\n"),
            ("sys/fs/cgroup/user.slice/a.scope/memory.max", "max\n"),
        ];
        assert_eq!(machine_of(&unlimited), 8_192_000_000);
    }

    #[test]
    fn containers_of_both_versions_are_seen_and_the_tightest_group_counts() {
        let second = [
            MEMINFO,
            ("proc/self/cgroup", "0::/pods/one\n"),
            ("sys/fs/cgroup/pods/one/memory.max", "700000000\n"),
            ("sys/fs/cgroup/pods/memory.max", "600000000\n"),
        ];
        assert_eq!(machine_of(&second), 600_000_000);
        // inside a container the own group is the root
        let inside = [
            MEMINFO,
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "500000000\n"),
        ];
        assert_eq!(machine_of(&inside), 500_000_000);
        let first = [
            MEMINFO,
            ("proc/self/cgroup", "5:cpu,cpuacct:/d\n4:memory:/d\n0::/\n"),
            ("sys/fs/cgroup/memory/d/memory.limit_in_bytes", "400000000\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        assert_eq!(machine_of(&first), 400_000_000);
    }
}
