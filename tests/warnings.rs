//! Warnings at start: an index built with other weights, and an unfinished rebuild.

use std::path::Path;

use domain::ProductId;
use domain::ports::IndexMaintenance;
use opensearch_index::OpenSearchWriter;
use serde_json::{Value, json};
use tantivy_index::{TantivyWriter, WriterOptions};

use crate::services;
use crate::support::{Answer, Running, finished, http_client, opensearch_options, wait_until};

/// A consumer on a folder, with its index there or in OpenSearch.
struct Shop {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Shop {
    /// Creates a shop with one product, indexed with the weights of these rules.
    async fn new(variables: Vec<(&'static str, String)>, rules: Option<&str>) -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap(), variables };
        let (sync, warnings) = shop.start(rules).await;
        assert_eq!(warnings, [""; 0], "a new index");
        let command = Running::start("noren-command", &["--data-dir", shop.data()]).await;
        let put = http_client().put(format!("{}/products/lamp", command.url)).json(&json!({"name": "Lamp"}));
        Answer::of(put).await.expect(201);
        wait_until("it is indexed", async || state(&sync).await["live"]["documents"] == 1).await;
        shop
    }

    fn data(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Starts a consumer with these rules and returns its warnings.
    async fn start(&self, rules: Option<&str>) -> (Running, Vec<String>) {
        let (log, file) = (self.folder.path().join("log"), self.folder.path().join("rules.toml"));
        let mut arguments = vec!["--data-dir", self.data()];
        if let Some(rules) = rules {
            std::fs::write(&file, rules).unwrap();
            arguments.extend(["--rules", file.to_str().unwrap()]);
        }
        let sync = Running::start_with("noren-sync", &arguments, |command| {
            command.envs(self.variables.iter().cloned()).stderr(std::fs::File::create(&log).unwrap());
        })
        .await;
        (sync, warnings(&log))
    }
}

/// Returns the warnings in a log that mention `noren reindex`.
fn warnings(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings = lines.filter(|line| line["level"] == "WARN").map(|line| line.to_string());
    warnings.filter(|line| line.contains("`noren reindex")).collect()
}

async fn state(sync: &Running) -> Value {
    Answer::of(http_client().get(format!("{}/admin/index", sync.url))).await.expect(200).json()
}

fn reindex(sync: &Running, flags: &[&str]) {
    let run = finished("noren", &[&["reindex", "--url", &sync.url], flags].concat(), &[]);
    assert!(run.status.success(), "{run:?}");
}

/// Returns true if `/metrics` reports a generation in this state.
async fn has_generation(sync: &Running, state: &str) -> bool {
    let metrics = Answer::of(http_client().get(format!("{}/metrics", sync.url))).await.expect(200).text;
    let line = format!("noren_index_generations{{state=\"{state}\"}} ");
    let value = metrics.lines().find_map(|found| found.strip_prefix(&line));
    value.unwrap_or_else(|| panic!("{metrics}")) == "1"
}

const BRANDS_COUNT: &str = "version = 1\n[weights]\nbrand = 2.5\n";

async fn other_weights_are_told_until_the_index_is_made_with_them(variables: Vec<(&'static str, String)>) {
    let shop = Shop::new(variables, Some(BRANDS_COUNT)).await;
    assert_eq!(shop.start(Some(BRANDS_COUNT)).await.1, [""; 0]);
    let (sync, warnings) = shop.start(None).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let all = "name=1 sku=1 brand=1 labels=1 attributes=1 description=1";
    assert!(warnings[0].contains("brand=2.5") && warnings[0].contains(all), "{warnings:?}");
    reindex(&sync, &[]);
    drop(sync);
    assert_eq!(shop.start(None).await.1, [""; 0]);
    // A rollback brings the previous generation to the current weights.
    let (sync, _) = shop.start(None).await;
    reindex(&sync, &["--rollback"]);
    drop(sync);
    assert_eq!(shop.start(None).await.1, [""; 0]);
}

async fn an_unfinished_rebuild_is_reported(
    variables: Vec<(&'static str, String)>,
    begin: impl AsyncFnOnce(&Path),
) {
    let shop = Shop::new(variables, None).await;
    begin(shop.folder.path()).await;
    let (sync, warnings) = shop.start(None).await;
    assert!(warnings.len() == 1 && warnings[0].contains("--discard"), "{warnings:?}");
    assert!(has_generation(&sync, "live").await && has_generation(&sync, "next").await);
    reindex(&sync, &["--discard"]);
    assert!(!has_generation(&sync, "next").await);
    drop(sync);
    assert_eq!(shop.start(None).await.1, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_index_tells_of_other_weights() {
    other_weights_are_told_until_the_index_is_made_with_them(Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_index_tells_of_a_rebuild_that_was_not_ended() {
    an_unfinished_rebuild_is_reported(Vec::new(), async |folder| {
        let writer = TantivyWriter::open(&folder.join("index"), WriterOptions::default()).unwrap();
        assert!(!writer.create_next().await.unwrap());
    })
    .await;
}

fn in_opensearch(options: &opensearch_index::Options) -> Vec<(&'static str, String)> {
    vec![
        ("NOREN_INDEX", "opensearch".to_owned()),
        ("NOREN_OPENSEARCH_URL", options.url.clone()),
        ("NOREN_OPENSEARCH_INDEX", options.alias.clone()),
        ("NOREN_CREATE_TABLES", "true".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_in_opensearch_tells_of_other_weights() {
    let Some(server) = services::opensearch().await else { return };
    let options = opensearch_options(server, &format!("weights-{}", ProductId::generate()));
    other_weights_are_told_until_the_index_is_made_with_them(in_opensearch(&options)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_in_opensearch_tells_of_a_rebuild_that_was_not_ended() {
    let Some(server) = services::opensearch().await else { return };
    let options = opensearch_options(server, &format!("begun-{}", ProductId::generate()));
    an_unfinished_rebuild_is_reported(in_opensearch(&options), async |_| {
        let writer = OpenSearchWriter::open(&options).await.unwrap();
        assert!(!writer.create_next().await.unwrap());
    })
    .await;
}
