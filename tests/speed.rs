//! What typos and HTTP cost, as ratios: how fast a machine is does not matter for them, and what disturbs it meets both
//! sides. docs/BENCHMARKS.md has the figures of large catalogues.

use std::io::Write as _;

use bench::figures::Measurement;
use bench::load::{Plan, compare};
use bench::queries::{Facets, Query, misspelt};
use bench::{Endpoint, Sample, Workload};
use noren::app::{App, Options};
use noren::import;

use crate::support::{Icecat, TestApp};

/// Products of the catalogue, if there are as many.
const PRODUCTS: usize = 5_000;
/// How many times as long a misspelt search took as the same spelt right, with the build that tests have.
const MISSPELT_TO_RIGHT: f64 = 1.25;
/// How many times as long a search over HTTP took as the same in the index, with the build that tests have.
const HTTP_TO_INDEX: f64 = 1.35;
/// What is a regression.
const A_THIRD_MORE: f64 = 4.0 / 3.0;
/// A ratio that is too high this many times is no accident.
const TRIES: usize = 3;
const PLAN: Plan = Plan { connections: 2, rounds: 10, searches: 60 };

/// A catalogue that is served, and searches for its products.
struct Shop {
    app: TestApp,
    queries: Vec<Query>,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::spawn_with(Options { answer_cache_mb: 0, ..Options::default() }).await;
        fill(app.app()).await;
        let queries = Sample::of(&Endpoint::Router(app.app().router())).await.unwrap().queries();
        assert!(queries.len() >= 100, "there is enough to search for");
        Self { app, queries }
    }

    fn http(&self, queries: &[Query]) -> Workload {
        let host = self.app.url.trim_start_matches("http://").to_owned();
        Workload::searches(Endpoint::Http(host), queries, Facets::Two).unwrap()
    }
}

async fn fill(app: &App) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("products.ndjson");
    let mut lines = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    for product in Icecat::load().products.iter().take(PRODUCTS) {
        writeln!(lines, "{product}").unwrap();
    }
    lines.flush().unwrap();
    let options = import::Options {
        files: vec![file],
        format: None,
        currency: None,
        check: Some(Options::default().currency),
        rejects: None,
        rejects_folder: folder.path().to_owned(),
        is_quiet: true,
    };
    import::import_into(app, options, false).await.unwrap();
    app.optimize().await.unwrap();
}

/// Fails when the first way to search takes more than a third more than `documented` times as long as the second.
async fn expect_ratio(documented: f64, of: Workload, to: Workload) {
    let most = documented * A_THIRD_MORE;
    let mut seen = Vec::new();
    while seen.len() < TRIES {
        let [of, to] = compare([("one", of.clone()), ("the other", to.clone())], PLAN).await.unwrap();
        let ratio = of.ratio_to(&to);
        println!("{ratio:.2} times; {}; {}", figures(&of), figures(&to));
        if ratio <= most {
            return;
        }
        seen.push(ratio);
    }
    panic!("{seen:.2?} times as long, and at most {most:.2} were expected");
}

fn figures(measured: &Measurement) -> String {
    format!("{}: {}", measured.name, measured.figures())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_search_costs_little_more_than_one_that_is_spelt_right() {
    let shop = Shop::open().await;
    let wrong = misspelt(&shop.queries, 1);
    assert!(
        wrong.iter().zip(&shop.queries).filter(|(wrong, right)| wrong != right).count() > wrong.len() / 3
    );
    expect_ratio(MISSPELT_TO_RIGHT, shop.http(&wrong), shop.http(&shop.queries)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_costs_little_beside_the_search_itself() {
    let shop = Shop::open().await;
    let app = shop.app.app();
    let index = Workload::index(app.search().clone(), &shop.queries, app.currency()).unwrap();
    let http = shop.http(&shop.queries);
    expect_ratio(HTTP_TO_INDEX, http, index).await;
}
