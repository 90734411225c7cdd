//! Indexes of earlier schemas in OpenSearch, with the stores of the data folders.

use std::time::Duration;

use domain::ProductId;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::load::Load;
use super::{ACTIVE, FORMATS, expect_converged, expect_pages_by_name, readiness, replay, total, unpack};
use crate::services::{self, Server};
use crate::support::{Answer, Running, http_client, wait_until, wait_within};

/// Longer than a claim of a process that was killed.
const TAKE_OVER: Duration = Duration::from_secs(90);

/// A store in a folder, and its index in OpenSearch.
struct OldIndex {
    folder: TempDir,
    server: &'static Server,
    alias: String,
    schema: u32,
}

impl OldIndex {
    /// Creates a store and an index with the oldest schema that can be searched, or returns `None` if there is no server.
    async fn new() -> Option<Self> {
        let [oldest, ..] = FORMATS;
        Self::of(oldest).await
    }

    async fn of((format, schema): (u32, u32)) -> Option<Self> {
        let server = services::opensearch().await?;
        let folder = tempfile::tempdir().unwrap();
        unpack(format, folder.path());
        let alias = format!("upgraded-{}", ProductId::generate());
        replay(schema, server, &alias).await;
        Some(Self { folder, server, alias, schema })
    }

    async fn start(&self, program: &str, arguments: &[&str]) -> Running {
        Running::start_with(program, arguments, |command| {
            command.arg("--data-dir").arg(self.folder.path());
            command.env("NOREN_INDEX", "opensearch").env("NOREN_OPENSEARCH_URL", &self.server.url);
            command.env("NOREN_OPENSEARCH_INDEX", &self.alias);
        })
        .await
    }

    async fn get(&self, path: &str) -> Value {
        Answer::of(http_client().get(format!("{}/{path}", self.server.url))).await.expect(200).json()
    }

    /// Returns the aliases of each index, by their suffixes.
    async fn aliases(&self) -> Value {
        let indexes = self.get(&format!("{0},{0}-v*?ignore_unavailable=true", self.alias)).await;
        let short = |name: &String| name.replacen(&self.alias, "", 1);
        let indexes = indexes.as_object().unwrap().iter().map(|(name, index)| {
            let aliases = index["aliases"].as_object().unwrap().keys().map(short).collect::<Vec<_>>();
            (short(name), json!(aliases))
        });
        Value::Object(indexes.collect())
    }

    async fn is_rebuilt(&self) -> bool {
        let old = format!("-v{}-000001", self.schema);
        self.aliases().await == json!({ old: ["-previous"], "-v6-000002": [""] })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_index_answers_until_one_of_two_processes_has_rebuilt_it() {
    for format in FORMATS {
        let Some(old) = OldIndex::of(format).await else { return };
        expect_upgrade(&old).await;
    }
}

async fn expect_upgrade(old: &OldIndex) {
    let query = old.start("noren-query", &["--cache-seconds", "0"]).await;
    let command = old.start("noren-command", &[]).await;
    assert_eq!(readiness(&query.url).await.0, 200);
    let load = Load::start(&query.url, &command.url);
    let (first, second) = futures::join!(old.start("noren-sync", &[]), old.start("noren-sync", &[]));
    for sync in [&first, &second] {
        assert_eq!(readiness(&sync.url).await.0, 200, "it is ready at once");
    }
    assert!(wait_within(TAKE_OVER, async || old.is_rebuilt().await).await, "{}", old.aliases().await);
    let written = load.end().await;
    expect_converged(&first.url).await;
    assert_eq!(total(&query.url, "tags=written").await, written);
    for sync in [&first, &second] {
        wait_until("it knows that the rebuild has ended", async || readiness(&sync.url).await.1 == "ready")
            .await;
    }
    assert!(old.is_rebuilt().await, "no other index was built: {}", old.aliases().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_continues_the_rebuild_of_one_that_was_killed() {
    let Some(old) = OldIndex::new().await else { return };
    let first = old.start("noren-sync", &[]).await;
    wait_until("the rebuild has begun", async || old.aliases().await["-v6-000002"].is_array()).await;
    first.kill();
    let second = old.start("noren-sync", &[]).await;
    assert!(wait_within(TAKE_OVER, async || old.is_rebuilt().await).await, "{}", old.aliases().await);
    expect_converged(&second.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_too_old_to_be_read_is_rebuilt_before_it_is_searched() {
    let Some(old) = OldIndex::new().await else { return };
    let index = format!("{}-v4-000001", old.alias);
    let mut meta = old.get(&format!("{index}/_mapping")).await[&index]["mappings"]["_meta"].take();
    meta["norenSchema"] = 3.into();
    let put = http_client().put(format!("{}/{index}/_mapping", old.server.url));
    Answer::of(put.json(&json!({ "_meta": meta }))).await.expect(200);
    let query = old.start("noren-query", &["--cache-seconds", "0"]).await;
    let (status, state) = readiness(&query.url).await;
    assert!(status == 503 && state.contains("has schema 3, and this noren needs schema 6.5"), "{state}");
    let sync = old.start("noren-sync", &[]).await;
    wait_until("query changes over", async || readiness(&query.url).await.0 == 200).await;
    assert_eq!(total(&query.url, "tags=fixture").await, ACTIVE);
    expect_converged(&sync.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_index_is_listed_by_name_before_it_is_rebuilt() {
    for format in FORMATS {
        let Some(old) = OldIndex::of(format).await else { return };
        let query = old.start("noren-query", &["--cache-seconds", "0"]).await;
        expect_pages_by_name(&query.url).await;
    }
}
