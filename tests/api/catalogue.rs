//! A whole real catalogue through the command line into search, and the counts compared with those over the file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{TestApp, finished, shared_data};

/// The Icecat catalogue, or a made one for those who do not have it.
fn catalogue(folder: &tempfile::TempDir) -> PathBuf {
    if let Some(file) = shared_data("icecat.ndjson.gz") {
        return file;
    }
    let file = folder.path().join("made.ndjson.gz");
    let mut gzip =
        flate2::write::GzEncoder::new(std::fs::File::create(&file).unwrap(), flate2::Compression::fast());
    for n in 0..500 {
        let (brand, kind) = (["HP", "Intel", "Epson"][n % 3], ["printer", "processor"][n % 2]);
        let product = json!({
            "id": n.to_string(), "model": format!("M{n}"), "name": format!("{brand} {kind} {n}"), "brand": brand,
            "price": (n * 7 % 300) as f64 + 0.95, "currency": "USD", "ean": [format!("{n:013}")], "attributes": {}
        });
        writeln!(gzip, "{product}").unwrap();
    }
    gzip.finish().unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_over_the_file_is_counted_by_search() {
    let app = TestApp::spawn().await;
    let folder = tempfile::tempdir().unwrap();
    let file = catalogue(&folder);
    let lines = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap())).lines();
    let products: Vec<Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();

    let output = finished("noren", &["import", file.to_str().unwrap(), "--url", &app.url], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The import ended, so everything is searchable.
    let found = app.search("facets=brand&facetSize=1000&pageSize=1").await.json();
    assert_eq!(found["total"], products.len());
    let mut brands: BTreeMap<&str, u64> = BTreeMap::new();
    for product in &products {
        *brands.entry(product["brand"].as_str().unwrap().trim()).or_default() += 1;
    }
    let counted: BTreeMap<&str, u64> = found["facets"]["brand"]["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| (value["value"].as_str().unwrap(), value["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(counted, brands);

    let is_hit = |product: &&Value| {
        product["brand"] == "HP" && (100.0..=200.0).contains(&product["price"].as_f64().unwrap())
    };
    let expected = products.iter().filter(is_hit).count();
    assert!(expected > 0);
    assert_eq!(app.search("priceRange=100-200&brand=HP").await.json()["total"], expected);

    let page = app.search("query=procesor+intle").await.json();
    let names: Vec<&str> = page["products"]
        .as_array()
        .unwrap()
        .iter()
        .map(|product| product["name"].as_str().unwrap())
        .collect();
    assert!(!names.is_empty());
    let is_meant = |name: &&&str| name.contains("Intel") && name.to_lowercase().contains("processor");
    assert_eq!(names.iter().filter(is_meant).count(), names.len(), "{names:?}");
}
