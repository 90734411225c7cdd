//! Data folders with earlier formats of the embedded index.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::load::Load;
use super::{
    ACTIVE, FORMATS, RECORDS, expect_converged, expect_pages_by_name, indexes, readiness, total, unpack,
};
use crate::support::{Answer, Running, finished, http_client, wait_until, wait_within};

/// The longest time of a rebuild, on a busy machine.
const REBUILD: Duration = Duration::from_secs(120);
/// The maximum number of attempts to kill a process during its rebuild.
const MAX_MISSES: usize = 5;

/// A copy of the data folder.
struct OldFolder(TempDir);

impl OldFolder {
    /// Returns a folder with the oldest format that can be searched.
    fn new() -> Self {
        Self::of(FORMATS[0].0)
    }

    fn of(format: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        unpack(format, folder.path());
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn dir(&self) -> &str {
        self.path().to_str().unwrap()
    }

    fn pointer(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path().join("index/generations.json")).unwrap()).unwrap()
    }

    fn format_file(&self, generation: &str) -> PathBuf {
        self.path().join("index").join(generation).join("noren-index.json")
    }

    fn format(&self, generation: &str) -> Value {
        serde_json::from_slice(&fs::read(self.format_file(generation)).unwrap()).unwrap()
    }

    /// Replaces the format that a generation records.
    fn pretend(&self, generation: &str, format: u32) {
        let mut file = self.format(generation);
        file["format"] = format.into();
        fs::write(self.format_file(generation), file.to_string()).unwrap();
    }

    async fn start(&self, program: &str, arguments: &[&str]) -> Running {
        Running::start(program, &[arguments, &["--data-dir", self.dir()]].concat()).await
    }

    /// Waits until the index has been rebuilt, and checks that it has the current format and that the old one is kept.
    async fn expect_rebuilt(&self) {
        let is_rebuilt = async || self.pointer()["live"] != "g1";
        assert!(wait_within(REBUILD, is_rebuilt).await, "{}", self.pointer());
        let pointer = self.pointer();
        assert_eq!((&pointer["live"], &pointer["next"]), (&"g2".into(), &Value::Null), "{pointer}");
        assert_eq!(self.format("g2")["format"], 7);
    }
}

fn stop(service: Running) {
    assert!(service.interrupt().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_index_answers_until_it_has_been_rebuilt() {
    for (format, _) in FORMATS {
        expect_upgrade(&OldFolder::of(format)).await;
    }
}

async fn expect_upgrade(folder: &OldFolder) {
    let service = folder.start("noren", &["serve"]).await;
    let load = Load::start(&service.url, &service.url);
    assert_eq!(readiness(&service.url).await.0, 200, "it is ready at once");
    folder.expect_rebuilt().await;
    wait_until("the rebuild has ended", async || readiness(&service.url).await.1 == "ready").await;
    let written = load.end().await;
    expect_converged(&service.url).await;
    assert_eq!(total(&service.url, "tags=written").await, written);
    assert_eq!(total(&service.url, "query=teepot").await, total(&service.url, "query=teapot").await);
    assert_eq!(indexes(&service.url).await["previous"], "g1", "it is kept for a rollback");
    stop(service);
    // The next start has nothing to do.
    let service = folder.start("noren", &["serve"]).await;
    expect_converged(&service.url).await;
    assert_eq!(indexes(&service.url).await["live"]["name"], "g2");
    stop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_killed_is_continued_by_the_next_start() {
    for _ in 0..MAX_MISSES {
        let folder = OldFolder::new();
        let service = folder.start("noren", &["serve"]).await;
        let is_begun = async || folder.pointer()["next"] == "g2" || folder.pointer()["live"] == "g2";
        wait_until("the rebuild has begun", is_begun).await;
        service.kill();
        if folder.pointer()["live"] == "g2" {
            continue;
        }
        let service = folder.start("noren", &["serve"]).await;
        let load = Load::start(&service.url, &service.url);
        folder.expect_rebuilt().await;
        load.end().await;
        expect_converged(&service.url).await;
        stop(service);
        return;
    }
    panic!("in {MAX_MISSES} attempts, each rebuild ended before it could be killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn query_as_its_own_process_changes_over_when_sync_has_rebuilt_the_index() {
    let folder = OldFolder::new();
    let query = folder.start("noren-query", &["--cache-seconds", "0"]).await;
    let command = folder.start("noren-command", &[]).await;
    let load = Load::start(&query.url, &command.url);
    let sync = folder.start("noren-sync", &[]).await;
    folder.expect_rebuilt().await;
    let written = load.end().await;
    expect_converged(&sync.url).await;
    assert_eq!(total(&query.url, "tags=written").await, written);
    for service in [query, command, sync] {
        stop(service);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_too_old_to_be_read_is_rebuilt_before_it_is_searched() {
    let folder = OldFolder::new();
    folder.pretend("g1", 4);
    // A command that does not rebuild says what to do.
    let search = finished("noren", &["search", "teapot", "--data-dir", folder.dir()], &[]);
    let text = String::from_utf8(search.stderr).unwrap();
    assert!(!search.status.success() && text.contains("`noren reindex --data-dir DIR`"), "{text}");
    // Started before the service that rebuilds: it answers 503 until the rebuild has ended.
    let query = folder.start("noren-query", &["--cache-seconds", "0"]).await;
    let unavailable = Answer::of(http_client().get(format!("{}/products/search", query.url))).await;
    assert_eq!(unavailable.status, 503, "{unavailable:?}");
    let (status, state) = readiness(&query.url).await;
    assert_eq!(status, 503);
    assert!(state.contains("the format of an older version and is not rebuilt yet"), "{state}");
    let service = folder.start("noren", &["serve"]).await;
    wait_until("it can be searched", async || readiness(&service.url).await.0 == 200).await;
    folder.expect_rebuilt().await;
    expect_converged(&service.url).await;
    assert_eq!(total(&service.url, "tags=fixture").await, ACTIVE);
    wait_until("query changes over", async || readiness(&query.url).await.0 == 200).await;
    assert_eq!(total(&query.url, "tags=fixture").await, ACTIVE);
    assert!(!folder.path().join("index/g1").exists(), "there is no rollback to an index that cannot be read");
    stop(service);
    stop(query);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_a_newer_format_is_refused_in_one_line() {
    let folder = OldFolder::new();
    folder.pretend("g1", 8);
    for (program, arguments) in [("noren", &["serve"][..]), ("noren-sync", &[]), ("noren-query", &[])] {
        let listen = ["--data-dir", folder.dir(), "--listen", "127.0.0.1:0"];
        let output = finished(program, &[arguments, &listen].concat(), &[]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert_eq!(text.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{text}");
        assert!(text.contains("format 8") && text.contains("update noren"), "{text}");
    }
    assert_eq!(folder.pointer(), serde_json::json!({ "live": "g1" }), "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_index_is_not_replaced_from_an_empty_store() {
    let folder = OldFolder::new();
    fs::remove_file(folder.path().join("noren.db")).unwrap();
    let service = folder.start("noren", &["serve"]).await;
    let verified = Answer::of(http_client().post(format!("{}/admin/verify?patience=0", service.url))).await;
    assert!(verified.text.contains("\"orphaned\":"), "{}", verified.text);
    assert_eq!(total(&service.url, "tags=fixture").await, ACTIVE);
    stop(service);
    assert_eq!(folder.pointer(), serde_json::json!({ "live": "g1" }));
}

/// Format 7 introduced products with several categories.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_index_takes_products_with_several_categories() {
    for (format, _) in FORMATS {
        let folder = OldFolder::of(format);
        let file = folder.path().join("new.ndjson");
        let product = r#"{"id":"new","name":"Lamp","categories":["New > Lamps","New > Gifts","Offers"]}"#;
        fs::write(&file, product).unwrap();
        let import = finished("noren", &["import", file.to_str().unwrap(), "--data-dir", folder.dir()], &[]);
        assert!(import.status.success(), "{import:?}");
        for category in ["New", "New > Gifts", "Offers"] {
            let arguments = ["search", "--category", category, "--json", "--data-dir", folder.dir()];
            let search = finished("noren", &[&arguments[..], &["--facet", "category"]].concat(), &[]);
            let answer: Value = serde_json::from_slice(&search.stdout).expect("it answers with JSON");
            assert_eq!(answer["total"], 1, "{category}: {answer}");
            let values = answer["facets"]["category"]["values"].as_array().unwrap();
            let new = values.iter().find(|value| value["value"] == "New").unwrap();
            assert_eq!(new["count"], 1, "{answer}");
        }
        assert_eq!(folder.pointer(), serde_json::json!({ "live": "g1" }), "it is still the old index");
    }
}

/// A command of an operator uses the old index as it is: a rebuild would make it wait.
#[tokio::test(flavor = "multi_thread")]
async fn commands_use_an_old_index_and_reindex_replaces_it() {
    let folder = OldFolder::new();
    let verify = finished("noren", &["verify", "--data-dir", folder.dir()], &[]);
    let text = String::from_utf8(verify.stderr).unwrap();
    assert!(verify.status.success() && text.contains(&format!("{RECORDS} products")), "{text}");
    let search = finished("noren", &["search", "teepot", "--data-dir", folder.dir()], &[]);
    assert!(search.status.success(), "{search:?}");
    assert_eq!(folder.pointer(), serde_json::json!({ "live": "g1" }));
    let reindex = finished("noren", &["reindex", "--data-dir", folder.dir()], &[]);
    assert!(reindex.status.success(), "{reindex:?}");
    folder.expect_rebuilt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_index_is_listed_by_name_before_it_is_rebuilt() {
    for (format, _) in FORMATS {
        let old = OldFolder::of(format);
        let query = old.start("noren-query", &["--cache-seconds", "0"]).await;
        expect_pages_by_name(&query.url).await;
        stop(query);
    }
}
