//! The source of the servers on this machine.

use std::io::Write as _;

use tokio::sync::OnceCell;

use super::OTHER_OPENSEARCH;
use super::maven::Maven;
use super::process_guard::has_compose;

/// A source of servers.
pub(super) enum Provider {
    /// A Docker engine.
    Compose,
    /// Java, with jars from Maven Central.
    Maven(Maven),
}

/// Returns the source of servers on this machine, determined once, or `None` if there is none.
///
/// # Panics
/// Panics in CI if there is none, because CI must not skip tests.
pub(super) async fn provider() -> Option<&'static Provider> {
    static MEANS: OnceCell<Result<Provider, String>> = OnceCell::const_new();
    let found = MEANS.get_or_init(async || {
        let found = tokio::task::spawn_blocking(find).await.expect("looking for servers does not panic");
        if let Err(reason) = &found {
            // Directly to standard error, because libtest hides the output of passing tests.
            let line = format!("left out: all tests on DynamoDB, SQS and OpenSearch, because {reason}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        found
    });
    match found.await {
        Ok(provider) => Some(provider),
        Err(reason) if is_ci() => panic!("CI leaves nothing out, but {reason}"),
        Err(_) => None,
    }
}

fn find() -> Result<Provider, String> {
    if std::env::var_os(OTHER_OPENSEARCH).is_none() && has_compose() {
        return Ok(Provider::Compose);
    }
    Maven::fetch().map(Provider::Maven).map_err(|reason| format!("no Docker engine answers and {reason}"))
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
