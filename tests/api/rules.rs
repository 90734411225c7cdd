//! The rules of a shop in a running service: their effect, and changes to the file. The tests of `rules` cover the
//! format, and the contract suite of the indexes covers the effect on matching.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use noren::app::Options;
use query::{Locale, Settings, ShopRules};
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestApp, wait_until};

const LAPTOP_IS_NOTEBOOK: &str = "version = 1\n[words]\nsynonyms = [[\"laptop\", \"notebook\"]]\n";

/// A shop whose rules file is checked on every search.
struct Shop {
    app: TestApp,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.toml");
        std::fs::write(&file, rules).unwrap();
        let rules = ShopRules::open(&file, Locale::default(), Duration::ZERO).unwrap();
        let app = TestApp::spawn_with(Options::of_search(Settings {
            rules: Some(Arc::new(rules)),
            ..Settings::default()
        }))
        .await;
        app.fill(&[
            json!({"id": "n1", "name": "Notebook 13", "brand": "Akari"}),
            json!({"id": "n2", "name": "Notebook 15", "brand": "Brass"}),
            json!({"id": "c1", "name": "Tea cup", "brand": "Akari"}),
        ])
        .await;
        Self { app, file, _folder: folder }
    }

    fn write(&self, rules: &str) {
        std::fs::write(&self.file, rules).unwrap();
    }

    async fn finds(&self, words: &str) -> Vec<String> {
        self.app.search(&format!("query={words}")).await.ids()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_for_searches_and_for_values_of_facets() {
    let shop = Shop::open(LAPTOP_IS_NOTEBOOK).await;
    assert_eq!(shop.finds("laptop").await, ["n1", "n2"]);
    let found = shop.app.search("query=laptops&pageSize=1").await.json();
    assert_eq!(
        found["products"][0]["highlights"]["name"], "<em>Notebook</em> 13",
        "what stands for it is marked"
    );
    let values = shop.app.get("/products/facets/brand?query=laptops").await.expect(200).json();
    assert_eq!(values["values"], json!([{"value": "Akari", "count": 1}, {"value": "Brass", "count": 1}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_for_suggestions_and_similar_products() {
    let rules = "version = 1\n[words]\nsynonyms = [[\"laptop\", \"notebook\"]]\n\
        [[pin]]\nquery = \"laptop\"\nproducts = [\"n2\"]\n\
        [[boost]]\nby = 1.0\nfilter = { brand = \"Brass\" }\n";
    let shop = Shop::open(rules).await;
    let suggested = shop.app.get("/products/suggest?query=laptop").await.expect(200);
    assert_eq!(suggested.ids(), ["n2", "n1"]);
    let completions = suggested.json()["completions"].clone();
    assert_eq!(completions, json!(["laptop 15", "laptop 13"]), "what was typed stays");
    shop.app
        .fill(&[
            json!({"id": "a1", "name": "Notebook"}),
            json!({"id": "z1", "name": "Notebook", "brand": "Brass"}),
        ])
        .await;
    let similar = shop.app.get("/products/a1/similar").await.expect(200).ids();
    assert_eq!(similar[0], "z1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_weights_of_parts_decide_what_comes_first() {
    let products = [
        json!({"id": "a-named", "name": "Lamp", "description": "for the table"}),
        json!({"id": "b-described", "name": "Table", "description": "lamp"}),
    ];
    let order = async |weights: &str| {
        let shop = Shop::open(&format!("version = 1\n{weights}")).await;
        shop.app.fill(&products).await;
        shop.finds("lamp").await
    };
    assert_eq!(order("").await, ["a-named", "b-described"]);
    assert_eq!(order("[weights]\nname = 0.2\ndescription = 3").await, ["b-described", "a-named"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_file_counts_without_a_restart() {
    let shop = Shop::open("version = 1").await;
    assert_eq!(shop.finds("laptop").await, [""; 0]);
    let before = shop.app.search("query=laptop").await;
    let tag = before.header("etag").to_owned();
    let again = |tag: &str| {
        let request = shop.app.request(Method::GET, "/products/search?query=laptop");
        Answer::of(request.header("if-none-match", tag))
    };
    again(&tag).await.expect(304);
    shop.write(LAPTOP_IS_NOTEBOOK);
    wait_until("the rules are read", async || shop.finds("laptop").await.len() == 2).await;
    let after = again(&tag).await.expect(200);
    assert_ne!(after.header("etag"), tag, "no cache answers with what held before");
    again(after.header("etag")).await.expect(304);
    // A search that no rule applies to is unchanged.
    let cup = shop.app.search("query=cup").await.header("etag").to_owned();
    shop.write("version = 1 # nothing again");
    wait_until("the rules are read", async || shop.finds("laptop").await.is_empty()).await;
    again(&tag).await.expect(304);
    assert_eq!(shop.app.search("query=cup").await.header("etag"), cup);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_refused_and_the_service_goes_on_with_the_rules_from_before() {
    let shop = Shop::open(LAPTOP_IS_NOTEBOOK).await;
    let refused = async || {
        let metrics = shop.app.get("/metrics").await.expect(200).text;
        let count = metrics.lines().find_map(|line| {
            line.strip_prefix("noren_rules_reloads_total{result=\"refused\"} ")?.parse::<u64>().ok()
        });
        count.unwrap_or_else(|| panic!("no count of refused files in\n{metrics}"))
    };
    let before = refused().await;
    shop.write("version = 1\n[words]\nsynonyms = [[\"laptop\"]]\n");
    // Without searches, reading the metrics checks the file too.
    wait_until("the file is refused", async || refused().await > before).await;
    assert_eq!(shop.finds("laptop").await, ["n1", "n2"]);
    shop.app.get("/health/ready").await.expect(200);
    std::fs::remove_file(&shop.file).unwrap();
    assert_eq!(shop.finds("laptop").await, ["n1", "n2"]);
    shop.write("version = 1\n[words]\nsynonyms = [[\"tablet\", \"notebook\"]]\n");
    wait_until("the file is taken again", async || shop.finds("tablet").await.len() == 2).await;
    assert_eq!(shop.finds("laptop").await, [""; 0]);
    let metrics = shop.app.get("/metrics").await.expect(200).text;
    assert!(metrics.contains("\nnoren_rules_version "), "{metrics}");
}
