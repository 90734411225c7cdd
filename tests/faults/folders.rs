//! Deleted, restored and damaged folders: detected at start, and repaired or rejected with one line that says what to
//! do.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::verified::{delete, expect_converged, fill, product, verify};
use crate::support::{Answer, Running, finished, http_client, seed, wait_until};

/// The number of products at the beginning.
const PRODUCTS: usize = 1_500;

/// A data folder whose service is started and stopped.
struct Shop {
    folder: tempfile::TempDir,
    chance: fastrand::Rng,
}

impl Shop {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), chance: fastrand::Rng::with_seed(seed()) }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn dir(&self) -> &str {
        self.path().to_str().unwrap()
    }

    fn index(&self) -> PathBuf {
        self.path().join("index")
    }

    async fn serve(&self) -> Running {
        Running::start("noren", &["serve", "--data-dir", self.dir()]).await
    }

    /// Writes a catalogue, waits until it is indexed, and stops the service.
    async fn fill(&mut self) {
        let service = self.serve().await;
        let products: Vec<Value> = (0..PRODUCTS).map(|n| product(n, &mut self.chance)).collect();
        fill(&service.url, &products).await;
        for n in (0..PRODUCTS).step_by(100) {
            delete(&service.url, &format!("p{n}")).await;
        }
        expect_converged(&service.url, seed()).await;
        stop(service);
    }

    /// Updates, creates and deletes products, waits until that is indexed, and returns the number of matches.
    async fn write_more(&mut self) -> u64 {
        let service = self.serve().await;
        let products: Vec<Value> =
            (PRODUCTS - 500..PRODUCTS + 500).map(|n| product(n, &mut self.chance)).collect();
        fill(&service.url, &products).await;
        for n in (1..PRODUCTS).step_by(50) {
            delete(&service.url, &format!("p{n}")).await;
        }
        expect_converged(&service.url, seed()).await;
        let found = total(&service.url).await;
        stop(service);
        found
    }

    /// Returns the error of `noren serve`, which must not start.
    fn refusal(&self, variables: &[(&str, &str)]) -> String {
        let arguments = ["serve", "--data-dir", self.dir(), "--listen", "127.0.0.1:0"];
        let output = finished("noren", &arguments, variables);
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!((errors.len(), text.lines().count()), (1, 1), "one clear line: {text}");
        errors[0].to_owned()
    }

    /// Runs `noren reindex` on the folder.
    fn reindex(&self, variables: &[(&str, &str)]) {
        let output = finished("noren", &["reindex", "--data-dir", self.dir()], variables);
        assert!(output.status.success(), "{output:?}");
    }
}

fn stop(service: Running) {
    assert!(service.interrupt().success());
}

async fn total(url: &str) -> u64 {
    let request = http_client().get(format!("{url}/products/search?pageSize=1"));
    Answer::of(request).await.expect(200).json()["total"].as_u64().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => _ = fs::copy(entry.path(), to).unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_put_back_to_an_older_copy_catches_up() {
    let mut shop = Shop::new();
    shop.fill().await;
    let backup = tempfile::tempdir().unwrap();
    copy(&shop.index(), backup.path());
    let found = shop.write_more().await;
    fs::remove_dir_all(shop.index()).unwrap();
    copy(backup.path(), &shop.index());
    let service = shop.serve().await;
    expect_converged(&service.url, seed()).await;
    assert_eq!(total(&service.url).await, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_deleted_is_rebuilt() {
    let mut shop = Shop::new();
    shop.fill().await;
    let found = shop.write_more().await;
    fs::remove_dir_all(shop.index()).unwrap();
    let service = shop.serve().await;
    expect_converged(&service.url, seed()).await;
    assert_eq!(total(&service.url).await, found);
    // The same while the service runs: it has the files open and notices the loss at the next start.
    service.kill();
    fs::remove_dir_all(shop.index().join("g1")).unwrap();
    let service = shop.serve().await;
    expect_converged(&service.url, seed()).await;
    assert_eq!(total(&service.url).await, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_segment_is_refused_with_one_line_and_repaired_by_a_rebuild() {
    let mut shop = Shop::new();
    shop.fill().await;
    let extensions = ["store", "term", "idx", "pos", "fast", "fieldnorm"];
    for extension in extensions {
        let segment = segment_file(&shop.index(), extension);
        let length = fs::metadata(&segment).unwrap().len();
        let kept = shop.chance.u64(..length);
        fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(kept).unwrap();
        let line = shop.refusal(&[]);
        assert!(line.contains("cannot be read") && line.contains("`noren reindex --data-dir DIR`"), "{line}");
        shop.reindex(&[]);
        let service = shop.serve().await;
        let verified = verify(&service.url, "patience=0").await;
        assert!(verified.is_converged(), "SEED={}: {extension}: {verified:?}", seed());
        stop(service);
    }
}

/// Returns a segment file of the only generation.
fn segment_file(index: &Path, extension: &str) -> PathBuf {
    let is_folder = |path: &PathBuf| path.is_dir();
    let mut generations = fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path()).filter(is_folder);
    let (live, none) = (generations.next().unwrap(), generations.next());
    assert_eq!(none, None, "a damaged index is not kept to go back to");
    let mut files = fs::read_dir(live).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_language_asks_for_a_rebuild() {
    let mut shop = Shop::new();
    shop.fill().await;
    let german = [("NOREN_LANGUAGE", "de")];
    let line = shop.refusal(&german);
    assert!(line.contains("NOREN_LANGUAGE=en") && line.contains("`noren reindex --data-dir DIR`"), "{line}");
    shop.reindex(&german);
    let line = shop.refusal(&[]);
    assert!(line.contains("was made for NOREN_LANGUAGE=de, not en"), "{line}");
    let service = Running::start_with("noren", &["serve", "--data-dir", shop.dir()], |command| {
        command.envs(german);
    })
    .await;
    expect_converged(&service.url, seed()).await;
    stop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_pointer_asks_for_a_rebuild() {
    let mut shop = Shop::new();
    shop.fill().await;
    let found = shop.write_more().await;
    for damage in ["no pointer that can be read", "no pointer and half a folder"] {
        match damage {
            "no pointer that can be read" => {
                fs::write(shop.index().join("generations.json"), "{").unwrap();
            }
            _ => {
                fs::write(shop.index().join("generations.json"), "").unwrap();
                let half = shop.index().join("g9");
                fs::create_dir(&half).unwrap();
                fs::write(half.join("noren-index.json"), "nonsense").unwrap();
            }
        }
        let line = shop.refusal(&[]);
        assert!(line.contains("`noren reindex --data-dir DIR`"), "{damage}: {line}");
        shop.reindex(&[]);
        let service = shop.serve().await;
        expect_converged(&service.url, seed()).await;
        assert_eq!(total(&service.url).await, found, "{damage}");
        stop(service);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_restored_from_an_older_copy_wins_over_its_index() {
    let mut shop = Shop::new();
    shop.fill().await;
    let backup = tempfile::tempdir().unwrap();
    let files = ["noren.db", "noren.db-wal", "noren.db-shm"];
    for file in files.iter().filter(|file| shop.path().join(file).exists()) {
        fs::copy(shop.path().join(file), backup.path().join(file)).unwrap();
    }
    let service = shop.serve().await;
    let then = total(&service.url).await;
    stop(service);
    assert_ne!(shop.write_more().await, then);
    for file in files {
        let (from, to) = (backup.path().join(file), shop.path().join(file));
        let _ = fs::remove_file(&to);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    let service = shop.serve().await;
    expect_converged(&service.url, seed()).await;
    assert_eq!(total(&service.url).await, then);
    // Versions that were assigned after the copy are assigned again, and the index follows.
    let changed = product(PRODUCTS - 1, &mut shop.chance);
    fill(&service.url, &[changed]).await;
    expect_converged(&service.url, seed()).await;
    stop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_whose_store_is_empty_is_left_alone() {
    let mut shop = Shop::new();
    shop.fill().await;
    let service = shop.serve().await;
    let found = total(&service.url).await;
    stop(service);
    for file in ["noren.db", "noren.db-wal", "noren.db-shm"] {
        let _ = fs::remove_file(shop.path().join(file));
    }
    let service = shop.serve().await;
    let verified = verify(&service.url, "patience=0").await;
    assert_eq!(verified.summary["orphaned"], PRODUCTS, "{:?}", verified.summary);
    assert_eq!(total(&service.url).await, found, "it is left as it is");
    // Only an explicit repair empties it.
    let repaired = verify(&service.url, "patience=0&repair=true").await;
    assert_eq!(repaired.summary["repaired"], PRODUCTS, "{:?}", repaired.summary);
    wait_until("it is empty", async || total(&service.url).await == 0).await;
    stop(service);
}
