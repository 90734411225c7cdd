//! Whole imports into a catalogue in memory.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::response::IntoResponse as _;
use domain::{Content, ProductId};

use domain::Currency;
use domain::ports::WriteOutcome;

use super::http_sink::ServiceSink;
use super::{Candidate, Options, PutResult, Sink, Source, Summary, import};
use crate::client::Service;
use crate::failure::Failure;

/// A catalogue in memory that distinguishes created, updated and unchanged.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<ProductId, Content>>);

#[async_trait]
impl Sink for Memory {
    async fn put(&self, candidates: &mut [&mut Candidate]) -> Result<Vec<PutResult>, Failure> {
        let mut products = self.0.lock().unwrap();
        let put = |candidate: &mut &mut Candidate| {
            let input = candidate.take_input().unwrap();
            let from_json = feeds::read_record(candidate.json(), Currency::USD, candidate.mode()).unwrap();
            assert_eq!(from_json, input);
            let id = input.id.unwrap();
            Ok(match products.insert(id, input.content.clone()) {
                None => WriteOutcome::Created,
                Some(old) if old == input.content => WriteOutcome::Unchanged,
                Some(_) => WriteOutcome::Updated,
            })
        };
        Ok(candidates.iter_mut().map(put).collect())
    }
}

fn options(folder: &Path, files: &[&Path]) -> Options {
    Options {
        source: Source::Files(files.iter().map(|file| file.to_path_buf()).collect()),
        format: None,
        table: feeds::TableOptions::default(),
        currency: None,
        check: Some(Currency::USD),
        rejects: None,
        source_name: None,
        rejects_folder: folder.to_owned(),
        is_quiet: true,
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    catalogue: Arc<Memory>,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), catalogue: Arc::new(Memory::default()) }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn import(&self, files: &[&Path]) -> Summary {
        let sink: Arc<dyn Sink> = self.catalogue.clone();
        import(options(self.folder.path(), files), Some(sink)).await.unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.catalogue.0.lock().unwrap().values().map(|content| content.name.clone()).collect()
    }
}

fn counts(summary: &Summary) -> [u64; 4] {
    [summary.created, summary.updated, summary.unchanged, summary.rejected]
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let fixture = Fixture::new();
    let lines: String = (0..1203)
        .map(|at| format!("{{\"name\":\"Cup {at}\",\"price\":\"{at}.50\",\"glaze\":{at}}}\n"))
        .collect();
    let file = fixture.file("cups.ndjson", &lines);
    assert_eq!(counts(&fixture.import(&[&file]).await), [1203, 0, 0, 0]);
    assert_eq!(counts(&fixture.import(&[&file]).await), [0, 0, 1203, 0]);
    let dearer = fixture.file("dearer.ndjson", &lines.replacen("0.50", "0.75", 1));
    assert_eq!(counts(&fixture.import(&[&dearer]).await), [0, 1, 1202, 0]);
}

#[tokio::test]
async fn faults_go_to_a_rejects_file_that_can_be_corrected_and_imported() {
    let fixture = Fixture::new();
    let file = fixture.file(
        "tea.ndjson",
        "{\"id\":\"a\",\"name\":\"Sencha\"}\n{\"id\":\"b\",\"name\":\"Gyokuro\",\"price\":-1}\n\n{\"id\":\"c\" \n{\"id\":\"d\",\"name\":\"Bancha\"}\n",
    );
    let summary = fixture.import(&[&file]).await;
    assert_eq!(counts(&summary), [2, 0, 0, 2]);
    let path = fixture.folder.path().join("tea.rejects.ndjson");
    assert_eq!(summary.rejects, std::slice::from_ref(&path));
    let rejects = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["line"], &lines[1]["line"]), (&2.into(), &4.into()));
    assert_eq!(lines[0]["faults"][0]["field"], "price");
    assert_eq!(lines[0]["faults"][0]["message"], "must not be negative");
    assert_eq!(lines[1]["input"], "{\"id\":\"c\"");

    let corrected = rejects.replace(":-1}", ":1}").replace(r#"\"c\""#, r#"\"c\",\"name\":\"Hojicha\"}"#);
    std::fs::write(&path, corrected).unwrap();
    let summary = fixture.import(&[&path]).await;
    assert_eq!(counts(&summary), [2, 0, 0, 0]);
    assert_eq!(fixture.names(), ["Sencha", "Gyokuro", "Hojicha", "Bancha"]);
}

#[tokio::test]
async fn rejects_of_csv_are_csv_and_can_be_imported() {
    let fixture = Fixture::new();
    let file =
        fixture.file("tea.csv", "id,name,price,tags\na,\"Tea, green\",9.50,x|y\nb,Bad,9-50,\nc,Short\n");
    let summary = fixture.import(&[&file]).await;
    assert_eq!(counts(&summary), [1, 0, 0, 2]);
    let path = fixture.folder.path().join("tea.rejects.csv");
    let rejects = std::fs::read_to_string(&path).unwrap();
    let mut lines = rejects.lines();
    assert_eq!(lines.next(), Some("id,name,price,tags,noren.line,noren.faults"));
    let second = lines.next().unwrap();
    assert!(second.starts_with("b,Bad,9-50,,3,\"price: must be a number"), "{second}");
    assert!(lines.next().unwrap().starts_with("c,Short,,,4,"), "{rejects}");

    std::fs::write(&path, rejects.replace("9-50,,", "9.50,,")).unwrap();
    assert_eq!(counts(&fixture.import(&[&path]).await), [2, 0, 0, 0]);
    assert_eq!(fixture.names(), ["Tea, green", "Bad", "Short"]);
}

#[tokio::test]
async fn two_products_with_one_id_do_not_replace_each_other() {
    let fixture = Fixture::new();
    let file = fixture.file(
        "a.ndjson",
        "{\"id\":\"a\",\"name\":\"x\"}\n{\"id\":\"a\",\"name\":\"y\"}\n{\"name\":\"z\",\"price\":1}\n\
         {\"name\":\"z\",\"price\":2}\n{\"id\":\"a\",\"name\":\"x\"}\n",
    );
    let summary = fixture.import(&[&file]).await;
    assert_eq!(counts(&summary), [2, 0, 1, 2]);
    let rejects = std::fs::read_to_string(&summary.rejects[0]).unwrap();
    assert!(rejects.contains("another product in line 1") && rejects.contains("in line 3"), "{rejects}");
    // Another file may have a newer state of the same product.
    let newer = fixture.file("b.ndjson", "{\"id\":\"a\",\"name\":\"y\"}\n");
    assert_eq!(counts(&fixture.import(&[&newer]).await), [0, 1, 0, 0]);
}

#[tokio::test]
async fn files_of_one_name_have_rejects_of_their_own() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.folder.path().join("sub")).unwrap();
    let (one, two) = (fixture.file("a.ndjson", "{}\n"), fixture.file("sub/a.csv", "id,name\n"));
    let failed = import(options(fixture.folder.path(), &[&one, &two]), None).await.unwrap_err();
    assert!(failed.to_string().contains("has no rows"), "{failed}");
    let two = fixture.file("sub/a.ndjson", "{}\n");
    let summary = import(options(fixture.folder.path(), &[&one, &two]), None).await.unwrap();
    let names: Vec<_> = summary.rejects.iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.rejects.ndjson", "a-2.rejects.ndjson"]);
}

#[tokio::test]
async fn records_before_an_unreadable_part_are_imported() {
    let fixture = Fixture::new();
    let file = fixture.folder.path().join("a.ndjson.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(b"{\"name\":\"A\"}\n{\"name\":\"B\"}\n").unwrap();
    let mut bytes = gzip.finish().unwrap();
    // The checksum at the end is wrong.
    let end = bytes.len() - 6;
    bytes[end] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let sink: Arc<dyn Sink> = fixture.catalogue.clone();
    let failure = import(options(fixture.folder.path(), &[&file]), Some(sink)).await.unwrap_err();
    assert!(failure.note().unwrap().starts_with("before that: 2 created"), "{failure:?}");
    assert_eq!(fixture.names().len(), 2);
}

#[tokio::test]
async fn an_unclosed_quotation_mark_costs_its_row_only() {
    let fixture = Fixture::new();
    let file = fixture.file("a.csv", "name,price\nA,1\n\"B,2\nC,3\n");
    let summary = fixture.import(&[&file]).await;
    assert_eq!(counts(&summary), [2, 0, 0, 1]);
    let rejects = std::fs::read_to_string(&summary.rejects[0]).unwrap();
    assert!(rejects.contains(",3,") && rejects.contains("does not close it"), "{rejects}");
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let fixture = Fixture::new();
    let file = fixture.file("a.ndjson", "{\"name\":\"x\"}\n{\"name\":\"\"}\n");
    let kept = fixture.file("a.rejects.ndjson", "half corrected");
    let summary = import(options(fixture.folder.path(), &[&file]), None).await.unwrap();
    assert_eq!((summary.checked, summary.rejected, summary.rejects.len()), (1, 1, 0));
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "half corrected");
    assert!(summary.to_string().starts_with("nothing was written: 1 would be accepted, 1 rejected in "));
}

/// Uses the real catalogues next to the repository, if they exist.
#[tokio::test]
async fn real_catalogues_are_accepted_as_they_are() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.exists() {
        eprintln!("skipped: {} does not exist", data.display());
        return;
    }
    let fixture = Fixture::new();
    let icecat = data.join("icecat.ndjson.gz");
    assert_eq!(counts(&fixture.import(&[&icecat]).await), [19_406, 0, 0, 0]);
    {
        let products = fixture.catalogue.0.lock().unwrap();
        let cyan = &products[&ProductId::parse("1399").unwrap()];
        assert_eq!(cyan.price.unwrap().minor_units(), 12_595);
        let attribute = |key: &str| serde_json::to_string(&cyan.attributes[key]).unwrap();
        assert_eq!(attribute("model"), "\"80\"");
        assert_eq!(attribute("ean"), r#"["0882780756328","0088698629123"]"#);
        assert_eq!(attribute("released"), "\"2006-07-01T00:00:00Z\"");
        assert_eq!(attribute("oem_code"), "\"C4872A\"");
    }
    let bestbuy = data.join("bestbuy.ndjson.gz");
    assert_eq!(counts(&fixture.import(&[&bestbuy]).await), [3_291, 0, 0, 0]);
    assert_eq!(counts(&fixture.import(&[&bestbuy, &icecat]).await), [0, 0, 22_697, 0]);
    let products = fixture.catalogue.0.lock().unwrap();
    let phone = products.values().find(|content| content.name.contains("Galaxy Express 3 4G")).unwrap();
    let category = phone.category().unwrap().to_string();
    assert_eq!(category, "Cell Phones > Prepaid Phones > All Prepaid Phones");
    assert_eq!(serde_json::to_string(&phone.attributes["popularity"]).unwrap(), "21449");
}

/// A write service with its own store, on a free port.
struct RealService {
    _folder: tempfile::TempDir,
    catalogue: command::Catalogue,
    service: Service,
    /// Number of requests that are answered with 503 from now on.
    refusals: Arc<AtomicUsize>,
}

impl RealService {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = embedded_store::EmbeddedStore::open(folder.path(), Default::default()).unwrap();
        let store = Arc::new(store);
        let catalogue = command::Catalogue::new(store.clone(), store, Currency::USD);
        let refusals = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&refusals);
        let refuse = axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
            let is_refused = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            async move {
                match is_refused {
                    true => runtime::Problem::unavailable("not now").into_response(),
                    false => next.run(request).await,
                }
            }
        });
        let routes = command::routes(catalogue.clone());
        let router = runtime::Service { routes, ..Default::default() }.into_router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Service::with_key(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        tokio::spawn(axum::serve(listener, router.layer(refuse)).into_future());
        Self { _folder: folder, catalogue, service, refusals }
    }

    async fn import(&self, folder: &Path, files: &[&Path]) -> Summary {
        let options = Options { check: None, ..options(folder, files) };
        import(options, Some(Arc::new(ServiceSink { service: self.service.clone(), source: None })))
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn faults_of_a_service_are_reported() {
    let real = RealService::start().await;
    let fixture = Fixture::new();
    let cups: String =
        (0..1100).map(|at| format!("{{\"sku\":\"s-{at}\",\"name\":\"Cup\",\"price\":{at}.50}}\n")).collect();
    let first = "{\"id\":\"bad\",\"name\":\"Cup\",\"price\":1.234}\n{\"id\":\"broken\"\n";
    // Both products with the sku are in one batch: of batches under way together, either could win.
    let (start, rest) = cups.split_at(cups.find("{\"sku\":\"s-9\"").unwrap());
    let lines = format!("{first}{start}{{\"id\":\"other\",\"name\":\"Cup\",\"sku\":\"s-3\"}}\n{rest}");
    let file = fixture.file("cups.ndjson", &lines);
    let summary = real.import(fixture.folder.path(), &[&file]).await;
    assert_eq!(counts(&summary), [1100, 0, 0, 3]);
    let rejects = std::fs::read_to_string(&summary.rejects[0]).unwrap();
    let faults: Vec<(u64, String)> = rejects
        .lines()
        .map(|line| {
            let reject: serde_json::Value = serde_json::from_str(line).unwrap();
            (reject["line"].as_u64().unwrap(), reject["faults"][0]["field"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(faults, [(1, "price".to_owned()), (2, String::new()), (12, "sku".to_owned())]);
    assert_eq!(counts(&real.import(fixture.folder.path(), &[&file]).await), [0, 0, 1100, 3]);
}

#[tokio::test]
async fn an_export_is_imported_without_changing_anything() {
    let real = RealService::start().await;
    let fixture = Fixture::new();
    let products: Vec<_> = demo::demo_catalogue().collect();
    for batch in products.chunks(500) {
        for answer in real.catalogue.put_many(batch.to_vec()).await {
            assert_eq!(answer.unwrap().outcome, WriteOutcome::Created);
        }
    }
    let path = fixture.folder.path().join("all.ndjson.gz");
    let count = crate::export::export(&real.service, Some(&path)).await.unwrap();
    assert_eq!(count as usize, products.len());
    assert_eq!(counts(&real.import(fixture.folder.path(), &[&path]).await), [0, 0, count, 0]);
    let other = RealService::start().await;
    assert_eq!(counts(&other.import(fixture.folder.path(), &[&path]).await), [count, 0, 0, 0]);
    assert_eq!(all(&other.catalogue).await, all(&real.catalogue).await);
}

/// Returns the content of every product.
async fn all(catalogue: &command::Catalogue) -> BTreeMap<ProductId, String> {
    let page = catalogue.list(None, 10_000).await.unwrap();
    assert_eq!(page.next, None);
    page.products.into_iter().map(|product| (product.id, format!("{:?}", product.content))).collect()
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let real = RealService::start().await;
    let fixture = Fixture::new();
    let file = fixture.file("a.ndjson", "{\"name\":\"x\"}\n{\"name\":\"y\"}\n");
    real.refusals.store(2, SeqCst);
    assert_eq!(counts(&real.import(fixture.folder.path(), &[&file]).await), [2, 0, 0, 0]);
    assert_eq!(real.refusals.load(SeqCst), 0);
}
