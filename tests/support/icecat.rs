//! A real catalogue and its expected search results.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, http_client, is_full_scale, shared_data};

/// The Icecat catalogue, if the scale is full and the file is beside the repository; otherwise a small generated catalogue.
pub(crate) struct Icecat {
    /// Gzipped NDJSON.
    pub(crate) file: PathBuf,
    pub(crate) products: Vec<Value>,
    _folder: TempDir,
}

impl Icecat {
    pub(crate) fn load() -> Self {
        Self::from_file(is_full_scale().then(|| shared_data("icecat.ndjson.gz")).flatten())
    }

    fn from_file(file: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = file.unwrap_or_else(|| made(&folder));
        let file_read = std::fs::File::open(&file).unwrap();
        let lines = BufReader::new(flate2::read::GzDecoder::new(file_read)).lines();
        let products = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        Self { file, products, _folder: folder }
    }

    /// Compares the search results of the service at this address with counts over the file.
    pub(crate) async fn expect_at(&self, url: &str) {
        let search = async |parameters: &str| {
            let request = http_client().get(format!("{url}/products/search?{parameters}"));
            Answer::of(request).await.expect(200).json()
        };
        let found = search("facets=brand&facetSize=1000&pageSize=1").await;
        assert_eq!(found["total"], self.products.len());
        let mut brands: BTreeMap<&str, u64> = BTreeMap::new();
        for product in &self.products {
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
        let expected = self.products.iter().filter(is_hit).count();
        assert!(expected > 0);
        assert_eq!(search("priceRange=100-200&brand=HP").await["total"], expected);

        let page = search("query=procesor+intle").await;
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
}

fn made(folder: &TempDir) -> PathBuf {
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
