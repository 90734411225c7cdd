//! How the servers can be had on this machine, if at all.

use std::io::Write as _;

use tokio::sync::OnceCell;

use super::guarded::has_compose;
use super::jars::Jars;

/// How servers are started.
pub(super) enum Means {
    /// By a Docker engine.
    Compose,
    /// With Java, from jars.
    Jars(Jars),
}

/// How servers are started here, found out once; none where they cannot be.
///
/// # Panics
/// In CI, where nothing may be left out.
pub(super) async fn means() -> Option<&'static Means> {
    static MEANS: OnceCell<Result<Means, String>> = OnceCell::const_new();
    let found = MEANS.get_or_init(async || {
        let found = tokio::task::spawn_blocking(find).await.expect("looking for servers does not panic");
        if let Err(reason) = &found {
            // Straight to standard error: what a passing test prints is never seen.
            let line = format!("left out: all tests on DynamoDB, SQS and OpenSearch, because {reason}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        found
    });
    match found.await {
        Ok(means) => Some(means),
        Err(reason) if is_ci() => panic!("CI leaves nothing out, but {reason}"),
        Err(_) => None,
    }
}

fn find() -> Result<Means, String> {
    if has_compose() {
        return Ok(Means::Compose);
    }
    Jars::fetch().map(Means::Jars).map_err(|reason| format!("no Docker engine answers and {reason}"))
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
