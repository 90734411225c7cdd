//! Catalogues of earlier versions of Noren: this version uses them at once, and rebuilds the index meanwhile.
//!
//! The data is checked in, see `tests/upgrades/README.md`.

mod analysis;
mod embedded;
mod load;
mod opensearch;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::services::Server;
use crate::support::{Answer, http_client, repository};

/// The number of active products in the fixtures. All have the tag `fixture`.
const ACTIVE: u64 = 1_150;
/// The number of products and tombstones in the fixtures.
const RECORDS: u64 = 1_200;
/// The alias in the recorded requests.
const RECORDED_ALIAS: &str = "noren-products";

/// The earlier formats of the embedded index, each with the schema of the OpenSearch index at that time.
const FORMATS: [(u32, u32); 2] = [(5, 4), (6, 5)];

/// Unpacks the data folder of the version with this format of the embedded index.
fn unpack(format: u32, folder: &Path) {
    let archive = repository().join(format!("tests/upgrades/format-{format}.tar.gz"));
    let unpacked = Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(folder).status();
    assert!(unpacked.expect("there is a tar").success());
}

/// Sends the requests with which the version with this schema wrote its index, under another alias.
async fn replay(schema: u32, server: &Server, alias: &str) {
    let file = File::open(repository().join(format!("tests/upgrades/schema-{schema}.ndjson.gz"))).unwrap();
    let mut requests = String::new();
    GzDecoder::new(file).read_to_string(&mut requests).unwrap();
    for line in requests.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| request[name].as_str().map(|text| text.replace(RECORDED_ALIAS, alias));
        let url = format!("{}/{}", server.url, text("path").unwrap());
        let method = text("method").unwrap().parse().unwrap();
        let mut sent = http_client().request(method, &url);
        if let Some(body) = text("body") {
            let kind = if url.ends_with("_bulk") { "application/x-ndjson" } else { "application/json" };
            sent = sent.header("content-type", kind).body(body);
        }
        let answer = Answer::of(sent).await.expect(200);
        assert!(!answer.text.contains("\"errors\":true"), "{}", answer.text);
    }
}

/// Compares every product of the store with the index of the service at this address.
async fn expect_converged(url: &str) {
    let answer = Answer::of(http_client().post(format!("{url}/admin/verify?patience=30"))).await.expect(200);
    let last: Value = serde_json::from_str(answer.text.trim_end().lines().last().unwrap()).unwrap();
    assert_eq!(last["isConverged"], true, "{}", answer.text);
    assert!(last["compared"].as_u64() >= Some(RECORDS), "{last}");
}

/// Returns the number of products that a search of the service at this address finds.
async fn total(url: &str, parameters: &str) -> u64 {
    let request = http_client().get(format!("{url}/products/search?pageSize=1&{parameters}"));
    Answer::of(request).await.expect(200).json()["total"].as_u64().unwrap()
}

/// Lists the products of the service at this address by name, page by page.
async fn expect_pages_by_name(url: &str) {
    let (mut seen, mut cursor) = (BTreeSet::new(), String::new());
    for _ in 0..=ACTIVE / 100 {
        let path = format!("{url}/products/search?sortBy=name&pageSize=100&fields=id{cursor}");
        let page = Answer::of(http_client().get(path)).await.expect(200).json();
        for product in page["products"].as_array().unwrap() {
            assert!(seen.insert(product["id"].to_string()), "{product} is listed twice");
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, ACTIVE);
}

/// Returns the indexes of the service at this address.
async fn indexes(url: &str) -> Value {
    Answer::of(http_client().get(format!("{url}/admin/index"))).await.expect(200).json()
}

/// Returns the status of `/health/ready`, and the state of the index in it.
async fn readiness(url: &str) -> (u16, String) {
    let answer = Answer::of(http_client().get(format!("{url}/health/ready"))).await;
    let state = answer.json()["parts"]["index"].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), state)
}
