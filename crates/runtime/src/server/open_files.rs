//! The limit of open files, of which each connection takes one.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections, if the limit of open files allows them.
const MAX_CONNECTIONS: usize = 4096;

/// The most open files that the store, the index, back ends and the process itself need besides connections. A busy
/// `noren serve` that also rebuilds its index has some 150.
const RESERVE: usize = 256;

/// Returns the number of connections that the limit of open files allows, at most [`MAX_CONNECTIONS`]. The first call raises the
/// soft limit, whose usual value of 1,024 exists for programs that use `select`.
pub(super) fn connections() -> usize {
    static ALLOWED: OnceLock<usize> = OnceLock::new();
    *ALLOWED.get_or_init(|| raise_limit_for(MAX_CONNECTIONS))
}

fn raise_limit_for(wanted: usize) -> usize {
    let needed = (wanted + RESERVE) as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    let is_enough = current.is_none_or(|current| current >= raised);
    let limit =
        match is_enough || setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_err() {
            true => current,
            false => Some(raised),
        };
    let allowed = connections_within(limit, wanted);
    if allowed < wanted {
        tracing::warn!(
            "at most {allowed} connections, because this process may open {} files only; raise the hard limit to \
             {needed}, for example with `ulimit -n` or LimitNOFILE",
            limit.unwrap_or(u64::MAX)
        );
    }
    allowed
}

/// Returns the number of connections within a limit of open files; `None` means no limit. At least half of a very low limit is
/// for connections.
fn connections_within(limit: Option<u64>, wanted: usize) -> usize {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return wanted };
    limit.saturating_sub(RESERVE).max(limit / 2).clamp(1, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_store_and_the_index() {
        for (limit, connections) in [
            (None, 4096),
            (Some(1 << 20), 4096),
            (Some(1024), 1024 - RESERVE),
            (Some(256), 128),
            (Some(1), 1),
        ] {
            assert_eq!(connections_within(limit, 4096), connections, "{limit:?}");
        }
    }
}
