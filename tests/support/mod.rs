//! What the tests share.

mod processes;
mod test_app;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) use processes::{Running, command, finished, free_port};
pub(crate) use test_app::{Answer, TestApp};

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds, looking every few milliseconds.
///
/// # Panics
/// When it does not hold in time; `what` says what was waited for.
pub(crate) async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    assert!(wait_within(PATIENCE, condition).await, "waited in vain: {what}");
}

/// Waits until `condition` holds, and says whether it did in time.
pub(crate) async fn wait_within(patience: Duration, condition: impl AsyncFn() -> bool) -> bool {
    let begun = Instant::now();
    while !condition().await {
        if begun.elapsed() >= patience {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

/// A file of the data that lies beside the repository on the machines of those who develop it. Everybody else has
/// none: their tests run on small data of their own.
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let file = repository().parent()?.join("shared/data").join(name);
    if !file.exists() {
        println!("{name} is not beside the repository; this test uses small data of its own");
        return None;
    }
    Some(file)
}
