//! What the machine, or the container on it, lets this process have: memory and open files.

mod memory;
mod plan;
mod release;

pub(crate) use memory::memory_limit;
pub(crate) use plan::MemoryPlan;
pub(crate) use release::Keeper;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open beside connections: rasters, tables, the catalogue, threads.
const OTHER_FILES: u64 = 800;

/// Fewest connections, where files are very scarce.
const LEAST_CONNECTIONS: u64 = 16;

/// Raises the soft limit of open files to the hard one, and says how many connections they leave room for, of at most
/// `wanted`.
pub(crate) fn connections(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let room = connections_of(getrlimit(Resource::Nofile).current, wanted);
    if room < wanted {
        tracing::warn!(
            connections = room,
            wanted,
            "fewer connections than [serve] max_connections: raise the hard limit of open files (ulimit -Hn)"
        );
    }
    room
}

/// Connections that so many open files leave room for.
fn connections_of(files: Option<u64>, wanted: usize) -> usize {
    let room = files.map_or(u64::MAX, |files| {
        files.saturating_sub(OTHER_FILES).max(LEAST_CONNECTIONS)
    });
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_follow_the_open_files() {
        assert_eq!(connections_of(None, 4096), 4096);
        assert_eq!(connections_of(Some(1 << 20), 4096), 4096);
        assert_eq!(connections_of(Some(1024), 4096), 224);
        assert_eq!(connections_of(Some(256), 4096), 16);
        assert_eq!(connections_of(Some(256), 2), 2);
        connections(64);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
