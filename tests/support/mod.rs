//! Helpers that the tests share.

mod answer;
mod fault_proxy;
mod icecat;
pub(crate) mod indexes;
mod on_each;
mod processes;
mod proxy;
mod remote;
mod run;
mod s3;
mod searches;
mod test_app;
mod times;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::ports::{ChangeQueue, MAX_RECEIVES};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;

use crate::services::Server;

pub(crate) use answer::Answer;
pub(crate) use fault_proxy::{FaultProxy, Passing, Rule};
pub(crate) use icecat::Icecat;
pub(crate) use on_each::on_each;
pub(crate) use processes::{Running, after_script, command, command_at, finished, free_port};
pub(crate) use proxy::Proxy;
pub(crate) use run::{chosen_seed, folder, fuzz_time, is_full_scale, scaled, seed};
pub(crate) use s3::{S3, S3_BUCKET};
pub(crate) use searches::{Searched, Searches};
pub(crate) use test_app::TestApp;
pub(crate) use times::record;

/// The longest time that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds, polling every few milliseconds.
///
/// # Panics
/// Panics if it does not hold in time; `what` names the condition.
pub(crate) async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    assert!(wait_within(PATIENCE, condition).await, "timed out before this held: {what}");
}

/// Waits until `condition` holds. Returns true if it did in time.
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

/// Fails every message that can be received, until all are dead letters.
pub(crate) async fn dead_letter_all(queue: &dyn ChangeQueue, reason: &str) {
    for _ in 0..MAX_RECEIVES {
        let deliveries = queue.receive(100, Duration::from_secs(1)).await.expect("the queue answers");
        let failed: Vec<_> =
            deliveries.iter().map(|delivery| delivery.retry_request(reason, Duration::ZERO)).collect();
        queue.retry_later(&failed).await.expect("the queue takes them back");
    }
}

/// Creates an HTTP client for servers on this machine, which requests no compression unless a test does.
pub(crate) fn http_client() -> reqwest::Client {
    http_client_with(HeaderMap::new())
}

/// Creates such a client, which sends these headers with every request.
fn http_client_with(headers: HeaderMap) -> reqwest::Client {
    // The workspace compiles reqwest without a TLS provider. Another test may have installed one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().no_gzip().default_headers(headers);
    client.build().expect("a client can be made")
}

/// Returns the options of the index behind this alias.
pub(crate) fn opensearch_options(server: &Server, alias: &str) -> opensearch_index::Options {
    let language = domain::Language::default();
    opensearch_index::Options {
        url: server.url.clone(),
        alias: alias.to_owned(),
        language,
        weights: Default::default(),
        aws: None,
    }
}

/// Returns the root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

/// Compares a document that a service serves with the one in `docs/openapi`. With `UPDATE_OPENAPI=1`, writes it there instead.
pub(crate) fn check_openapi(name: &str, served: &serde_json::Value) {
    let file = repository().join("docs/openapi").join(name);
    let text = format!("{}\n", serde_json::to_string_pretty(served).expect("JSON can be written"));
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &text).expect("the document can be written");
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        checked_in == text,
        "{} is out of date; run UPDATE_OPENAPI=1 cargo test -p tests openapi",
        file.display()
    );
}

/// Returns a clock, and the seconds by which it is ahead of the computer's.
pub(crate) fn later_clock() -> (Arc<dyn Fn() -> Timestamp + Send + Sync>, Arc<AtomicI64>) {
    let seconds_later = Arc::new(AtomicI64::new(0));
    let later = Arc::clone(&seconds_later);
    let clock = move || Timestamp::now() + SignedDuration::from_secs(later.load(Ordering::Relaxed));
    (Arc::new(clock), seconds_later)
}

/// Returns the path of a file in the shared data folder next to the repository, or `None` if there is no such file: tests
/// then use small generated data.
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let file = repository().parent()?.join("shared/data").join(name);
    if !file.exists() {
        println!("{name} is not beside the repository; this test uses small data of its own");
        return None;
    }
    Some(file)
}
