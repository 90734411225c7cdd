//! A hundred differences between index and store: `verify` finds exactly these and repairs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use domain::ports::{Generation, IndexMaintenance, Repair, RepairOutcome};
use domain::ports::{ListError, ProductStore};
use domain::{Product, ProductId, Record, Version};
use embedded_store::EmbeddedStore;
use noren::app::Options;
use tantivy_index::{TantivyWriter, WriterOptions};

use super::verified::{delete, fill, noren_verify, product, verify};
use crate::support::{Running, TestApp, scaled, seed, wait_until};

/// The number of planted differences.
const PLANTED: usize = 100;

/// Returns the number of products.
fn products() -> usize {
    scaled(3_000, 1_000) as usize
}

/// Writes products, drafts, updates and deletes.
async fn fill_catalogue(url: &str, chance: &mut fastrand::Rng) {
    let mut made: Vec<_> = (0..products()).map(|n| product(n, chance)).collect();
    fill(url, &made).await;
    made.iter_mut().step_by(3).for_each(|product| product["stock"] = 77.into());
    fill(url, &made.into_iter().step_by(3).collect::<Vec<_>>()).await;
    for n in (0..products()).step_by(products() / 50) {
        delete(url, &format!("p{n}")).await;
    }
}

/// Makes a hundred index entries differ from the store, through the index's write side. Returns the kind of difference
/// of each product.
async fn plant(
    store: &dyn ProductStore,
    index: &dyn IndexMaintenance,
    chance: &mut fastrand::Rng,
) -> BTreeMap<String, String> {
    let mut records = all(store).await.unwrap();
    records.sort_by(|a, b| a.id().as_str().cmp(b.id().as_str()));
    chance.shuffle(&mut records);
    let (products, tombstones): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| matches!(record, Record::Live(_)));
    let (mut products, mut tombstones) = (products.into_iter(), tombstones.into_iter());
    let (mut planted, mut repairs) = (BTreeMap::new(), Vec::new());
    for n in 0..PLANTED {
        let (kind, id, expected_version, record) = match n % 10 {
            0 | 1 => {
                let stored = products.next().unwrap();
                ("missing", stored.id().clone(), Some(stored.version()), None)
            }
            2 | 3 => {
                // Versions in the store begin with 1; the index accepts any.
                let stored = products.by_ref().find(|stored| stored.version() > Version::FIRST).unwrap();
                let older = altered(&stored, |product| product.version = Version::FIRST);
                ("stale", stored.id().clone(), Some(stored.version()), Some(older))
            }
            4 => {
                let of_nobody = ProductId::parse(&format!("orphan-{n}")).unwrap();
                let orphan = altered(&products.next().unwrap(), |product| product.id = of_nobody.clone());
                ("orphaned", of_nobody, None, Some(orphan))
            }
            5 => {
                let deleted = tombstones.next().unwrap();
                let (id, version) = (deleted.id().clone(), deleted.version());
                let undead = altered(&products.next().unwrap(), |product| {
                    (product.id, product.version) = (id.clone(), version);
                });
                ("orphaned", id.clone(), Some(version), Some(undead))
            }
            6 | 7 => {
                let stored = products.next().unwrap();
                let other = altered(&stored, |product| match n % 20 {
                    6 => product.content.name.push('!'),
                    7 => product.content.price = None,
                    16 => product.content.tags.push("altered".to_owned()),
                    _ => product.content.attributes.clear(),
                });
                ("differing", stored.id().clone(), Some(stored.version()), Some(other))
            }
            _ => {
                let stored = products.next().unwrap();
                let later = altered(&stored, |product| product.version.0 += 5);
                ("newer", stored.id().clone(), Some(stored.version()), Some(later))
            }
        };
        planted.insert(id.to_string(), kind.to_owned());
        repairs.push(Repair { id, expected_version, record });
    }
    assert_eq!(planted.len(), PLANTED);
    let repaired = index.repair(Generation::Live, &repairs).await.unwrap();
    assert_eq!(repaired, vec![RepairOutcome::Done; PLANTED]);
    planted
}

async fn all(store: &dyn ProductStore) -> Result<Vec<Record>, ListError> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = store.scan(cursor.as_deref(), 1_000).await?;
        all.extend(page.records);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Returns an altered copy of a stored product. It is active, because all drafts have the same projection.
fn altered(stored: &Record, alter: impl FnOnce(&mut Product)) -> Record {
    let Record::Live(product) = stored else { panic!("no product: {stored:?}") };
    let mut product = Product::clone(product);
    product.content.status = domain::Status::Active;
    alter(&mut product);
    Record::Live(Arc::new(product))
}

/// Verifies and repairs through the service's route, on an index that the service has open.
async fn found_and_repaired_over_http(app: &TestApp) {
    let seed = seed();
    let mut chance = fastrand::Rng::with_seed(seed);
    fill_catalogue(&app.url, &mut chance).await;
    app.sync_all().await;
    assert!(verify(&app.url, "patience=0").await.is_converged(), "SEED={seed}");
    let sides = app.app().store_and_index();
    let planted = plant(&*sides.store, &*sides.index, &mut chance).await;

    // The comparison reports what was planted, and changes nothing.
    for parameters in ["patience=0", "patience=0.5"] {
        let verified = verify(&app.url, parameters).await;
        assert_eq!(verified.kinds(), planted, "SEED={seed}");
        assert_eq!(verified.summary["isConverged"], false);
        assert!(verified.drifts.values().all(|(_, repair)| repair == "none"), "SEED={seed}: {verified:?}");
        let sums =
            ["missing", "stale", "orphaned", "differing", "newer"].map(|kind| verified.summary[kind].clone());
        assert_eq!(sums, [20, 20, 20, 20, 20], "SEED={seed}");
        assert_eq!(verified.summary["compared"], products());
    }

    // A sample finds some of them, the same each time, and repairs only these.
    let sample = verify(&app.url, "patience=0&oneIn=4").await;
    let is_planted = |(id, kind): (&String, &String)| planted.get(id) == Some(kind);
    assert!(sample.kinds().iter().all(is_planted), "SEED={seed}: {sample:?}");
    assert!((5..60).contains(&sample.drifts.len()), "SEED={seed}: one in four of 100: {sample:?}");
    let compared = sample.summary["compared"].as_u64().unwrap() as usize;
    assert!((products() / 6..products() / 3).contains(&compared), "one in four: {compared}");
    let repaired = verify(&app.url, "patience=0&oneIn=4&repair=true").await;
    assert_eq!(repaired.kinds(), sample.kinds(), "SEED={seed}");
    assert!(repaired.summary["isConverged"] == true, "SEED={seed}: {repaired:?}");
    assert!(verify(&app.url, "patience=0&oneIn=4").await.is_converged(), "SEED={seed}");

    // A full comparison repairs the rest; afterwards nothing differs.
    let rest: BTreeMap<_, _> = planted.iter().filter(|(id, _)| !sample.drifts.contains_key(*id)).collect();
    let repaired = verify(&app.url, "patience=0&repair=true").await;
    assert_eq!(repaired.kinds().iter().collect::<BTreeMap<_, _>>(), rest, "SEED={seed}");
    assert!(repaired.drifts.values().all(|(_, repair)| repair == "done"), "SEED={seed}: {repaired:?}");
    assert!(repaired.summary["isConverged"] == true, "SEED={seed}: {repaired:?}");
    assert!(verify(&app.url, "patience=0").await.is_converged(), "SEED={seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_differences_are_found_and_repaired_in_a_running_service() {
    found_and_repaired_over_http(&TestApp::spawn().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_differences_are_found_and_repaired_in_opensearch() {
    let Some(app) = TestApp::spawn_on_opensearch(Options::default()).await else { return };
    found_and_repaired_over_http(&app).await;
}

/// Verifies and repairs with the program, on the folder of a stopped service and on a running service.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_differences_are_found_and_repaired_in_a_folder_by_the_program() {
    let seed = seed();
    let mut chance = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let place = ["--data-dir", folder.path().to_str().unwrap()];
    let service = Running::start("noren", &[&["serve"], &place[..]].concat()).await;
    fill_catalogue(&service.url, &mut chance).await;
    wait_until("it has converged", async || verify(&service.url, "patience=5").await.is_converged()).await;
    let url = service.url.clone();
    let (code, found, last_line) = noren_verify(&["--url", &url]);
    assert_eq!((code, found.len()), (Some(0), 0), "SEED={seed}: {last_line}");
    let all_equal = format!("{} products and tombstones compared: the index equals the store", products());
    assert_eq!(last_line, all_equal);
    assert!(service.interrupt().success());

    let planted = plant_in_folder(folder.path(), &mut chance).await;
    let fast = [&place[..], &["--patience", "0"]].concat();
    let (code, found, last_line) = noren_verify(&fast);
    assert_eq!((code, &found), (Some(1), &planted), "SEED={seed}: {last_line}");
    let expected = "100 differ: 20 missing, 20 stale, 20 orphaned, 20 newer, 20 differing; 0 repaired";
    assert!(last_line.ends_with(expected), "{last_line}");
    let (code, found, last_line) = noren_verify(&[&fast[..], &["--repair"]].concat());
    assert_eq!((code, &found), (Some(0), &planted), "SEED={seed}: {last_line}");
    assert!(last_line.ends_with("; 100 repaired"), "{last_line}");
    let (code, found, last_line) = noren_verify(&fast);
    assert_eq!((code, found.len(), last_line), (Some(0), 0, all_equal), "SEED={seed}");

    // `serve` compares only versions at start; differences at equal versions are left to `verify`.
    let planted = plant_in_folder(folder.path(), &mut chance).await;
    let service = Running::start("noren", &[&["serve"], &place[..]].concat()).await;
    let is_subtle = |kind: &str| kind == "differing";
    let subtle: BTreeMap<String, String> = planted.into_iter().filter(|(_, kind)| is_subtle(kind)).collect();
    wait_until("what has a wrong version is repaired at the start", async || {
        verify(&service.url, "patience=0").await.kinds() == subtle
    })
    .await;
    let sampled = noren_verify(&["--url", &service.url, "--sample", "2", "--repair"]);
    assert_eq!(sampled.0, Some(0), "SEED={seed}: {sampled:?}");
    assert!(sampled.1.iter().all(|(id, _)| subtle.contains_key(id)), "SEED={seed}: {sampled:?}");
    let rest = noren_verify(&["--url", &service.url, "--repair"]);
    assert_eq!((rest.0, rest.1.len() + sampled.1.len()), (Some(0), subtle.len()), "SEED={seed}: {rest:?}");
    assert!(verify(&service.url, "patience=0").await.is_converged(), "SEED={seed}");
}

async fn plant_in_folder(folder: &Path, chance: &mut fastrand::Rng) -> BTreeMap<String, String> {
    let store = EmbeddedStore::open(folder, embedded_store::Options::default()).unwrap();
    let index = TantivyWriter::open(&folder.join("index"), WriterOptions::default()).unwrap();
    plant(&store, &index, chance).await
}
