//! Explanations of a product's rank, and of why it does not match.

use noren::app::Options;
use query::{Locale, Settings, ShopRules};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use crate::api::scenarios::{on_opensearch, on_tantivy, shop};
use crate::support::{Answer, TestApp, on_each};

on_each! {
    {
        tantivy: on_tantivy().await;
        opensearch: on_opensearch().await;
    }
    {
        |app| (app) [
            each_product_says_how_its_words_are_found,
            a_product_says_its_place,
            a_product_that_is_not_found_says_why,
            faulty_questions_are_refused,
        ]
    }
}

fn words(product: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let words = product["explanation"]["words"].as_array().unwrap();
    words
        .iter()
        .map(|found| {
            (found["word"].as_str().unwrap(), found["found"].as_str().unwrap(), found["as"].as_str())
        })
        .collect()
}

async fn each_product_says_how_its_words_are_found(app: TestApp) {
    app.fill(&shop()).await;
    let answer = app.search("query=processors+intle&explain=true").await.json();
    let first = &answer["products"][0];
    assert_eq!(first["id"], "p1");
    assert_eq!(words(first), [("processors", "exact", None), ("intle", "oneTypo", Some("Intel"))]);
    assert_eq!(first["explanation"]["words"][0]["in"], json!(["name", "category"]));
    assert_eq!(first["explanation"]["words"][1]["in"], json!(["name", "brand"]));
    let answer = app.search("query=intel+kettle&explain=true").await.json();
    assert_eq!(words(&answer["products"][0]), [("intel", "exact", None), ("kettle", "missing", None)]);
    assert_eq!(answer["products"][0]["explanation"]["words"][1]["score"], 0.0);
    let answer = app.search("query=coolers&explain=true").await.json();
    assert_eq!(words(&answer["products"][0]), [("coolers", "otherForm", Some("cooler"))]);
    let answer = app.search("query=silv&explain=true").await.json();
    assert_eq!(words(&answer["products"][0]), [("silv", "beginning", Some("silver"))]);
    assert_eq!(answer["products"][0]["explanation"]["words"][0]["in"], json!(["tags", "attributes.colour"]));
    let body = json!({"query": "lamp", "explain": true});
    let answer = app.post("/products/search", &body).await.expect(200).json();
    assert_eq!(words(&answer["products"][0]), [("lamp", "exact", None)]);
    for parameters in ["query=lamp", "query=lamp&explain=false"] {
        assert_eq!(app.search(parameters).await.json()["products"][0].get("explanation"), None);
    }
}

async fn a_product_says_its_place(app: TestApp) {
    app.fill(&shop()).await;
    let explained = async |path: &str| app.get(&format!("/products/{path}")).await.expect(200).json();
    let found = explained("p3/explain?query=processor").await;
    let ids = app.search("query=processor").await.ids();
    let rank = ids.iter().position(|id| id == "p3").unwrap() + 1;
    assert_eq!((&found["rank"], &found["total"]), (&json!(rank), &json!(4)), "{found}");
    assert_eq!((&found["state"], &found["version"]), (&json!("active"), &json!(1)));
    assert_eq!(found.get("excludedBy"), None);
    assert_eq!(words(&found), [("processor", "exact", None)]);
    app.patch("/products/p3", &json!({"price": 1})).await.expect(200);
    app.sync_all().await;
    assert_eq!(explained("p3/explain").await["version"], 2);
    assert_eq!(explained("p2/explain?query=procesor").await["correctedQuery"], "processor");
}

async fn a_product_that_is_not_found_says_why(app: TestApp) {
    app.fill(&shop()).await;
    app.put("/products/draft", &json!({"name": "Desk lamp", "status": "draft"})).await.expect(201);
    app.put("/products/gone", &json!({"name": "Desk lamp"})).await.expect(201);
    app.delete("/products/gone").await.expect(200);
    app.sync_all().await;
    let explained = async |path: &str| {
        let answer = app.get(&format!("/products/{path}")).await.expect(200).json();
        assert_eq!(answer.get("rank"), None, "{answer}");
        answer
    };
    for (id, state, version) in
        [("draft", "hidden", json!(1)), ("gone", "deleted", json!(2)), ("none", "unknown", Value::Null)]
    {
        let answer = explained(&format!("{id}/explain?query=lamp")).await;
        assert_eq!((&answer["state"], &answer["version"]), (&json!(state), &version), "{id}");
        assert_eq!(answer["total"], 1);
        assert_eq!(answer.get("explanation"), None);
    }
    let filters = "brand=AMD&brand=Intel&category=Computers&tags=silver&priceRange=-20&inStock=false\
                   &attributes.colour=red&attributes.weight=1..2";
    let answer = explained(&format!("p5/explain?query=lamp&{filters}")).await;
    let expected = json!([
        {"filter": "category", "wanted": ["Computers"], "has": ["Home > Lamps"]},
        {"filter": "brand", "wanted": ["AMD", "Intel"], "has": ["Hikari"]},
        {"filter": "tags", "wanted": ["silver"], "has": ["black"]},
        {"filter": "priceRange", "wanted": ["-20.00"], "has": ["39.90 USD"]},
        {"filter": "inStock", "wanted": ["false"], "has": ["1"]},
        {"filter": "attributes.colour", "wanted": ["red"], "has": ["black"]},
        {"filter": "attributes.weight", "wanted": ["1..2"], "has": ["399"]},
    ]);
    assert_eq!(answer["excludedBy"], expected);
    assert_eq!(words(&answer), [("lamp", "exact", None)]);
    let answer = explained("p5/explain?query=steel+kettle").await;
    assert_eq!(words(&answer), [("steel", "missing", None), ("kettle", "missing", None)]);
}

async fn faulty_questions_are_refused(app: TestApp) {
    app.fill(&shop()).await;
    let problem = app.get("/products/p1/explain?pageSize=5&priceRange=x&q=lamp").await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["priceRange", "pageSize", "q"]);
    app.get("/products/a%20b/explain").await.problem(422);
    let problem = app.get("/products/search?explain=yes").await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["explain"]);
}

const RULES: &str = r#"
version = 1
[words]
synonyms = [["laptop", "notebook"]]
[[pin]]
query = "lamp"
products = ["b3"]
[[hide]]
query = "cable"
match = "contains"
products = ["b5"]
[[boost]]
by = 0.5
filter = { brand = "Akari" }
[[bury]]
by = 0.25
filter = { inStock = false }
"#;

/// Returns products of a few words, which match in every way.
fn many() -> Vec<Value> {
    let words = [
        "red",
        "lamp",
        "lamps",
        "desk",
        "table",
        "cable",
        "notebook",
        "head",
        "phones",
        "headphones",
        "usb-c",
        "x10",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut text = |count: usize| {
        let words: Vec<&str> = (0..count).map(|_| words[random.usize(..words.len())]).collect();
        words.join(" ")
    };
    (0..150)
        .map(|number| {
            json!({"id": format!("b{number}"), "name": text(1 + number % 5), "brand": (["Akari", "Brass"][number % 2]),
                   "tags": [text(1)], "description": text(number % 9), "stock": number % 3, "sku": format!("S-{number}"),
                   "attributes": {"kind": text(2)}})
        })
        .collect()
}

/// Tantivy only, because OpenSearch scores prefixes and typos differently.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_adds_up_to_the_score() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, RULES).unwrap();
    let rules = ShopRules::open(&file, Locale::default(), Duration::ZERO).unwrap();
    let app = TestApp::spawn_with(Options::of_search(Settings {
        rules: Some(Arc::new(rules)),
        ..Settings::default()
    }))
    .await;
    app.fill(&many()).await;
    let mut seen = std::collections::BTreeSet::new();
    for query in [
        "lamp",
        "lamps red",
        "red lmap",
        "desk lamp",
        "head phones",
        "headphone",
        "laptop",
        "laptops cable",
        "usbc",
        "usb",
        "tab",
        "re",
        "x1",
        "x10 lamp desk",
        "tabel cabel",
        "notbook",
        "nothing",
        "",
        "s-12",
        "red lamp desk table cable x",
        "phones head",
        "akari lamp",
        "kabl",
        "heaadphonnes",
        "the red",
        "lamp lamp la",
    ] {
        for sort in ["relevance", "name"] {
            let parameters =
                format!("query={}&explain=true&pageSize=100&sortBy={sort}", query.replace(' ', "+"));
            let answer = app.search(&parameters).await.json();
            for product in answer["products"].as_array().unwrap() {
                let explanation = &product["explanation"];
                if explanation["pinned"] == true {
                    seen.insert("pinned".to_owned());
                    assert!(product["score"].as_f64() > Some(1e6), "{product}");
                    continue;
                }
                let sum = |list: &str| -> f64 {
                    let list = explanation[list].as_array().map(Vec::as_slice).unwrap_or_default();
                    list.iter().map(|part| part["score"].as_f64().unwrap()).sum()
                };
                let number = |name: &str| explanation[name].as_f64().unwrap_or_default();
                let parts = sum("words") + sum("phrases") + sum("kinds");
                let all = number("base") + number("boost") + parts;
                let score = product["score"].as_f64().unwrap();
                assert!((all - score).abs() < 1e-3, "{query}: {all} is not {score}: {product}");
                let words = explanation["words"].as_array().unwrap().iter();
                seen.extend(words.map(|word| word["found"].as_str().unwrap().to_owned()));
                seen.extend((sum("phrases") > 0.0).then(|| "phrase".to_owned()));
            }
        }
    }
    let all = [
        "beginning",
        "exact",
        "joined",
        "missing",
        "oneTypo",
        "otherForm",
        "phrase",
        "pinned",
        "synonym",
        "twoTypos",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all, "every way was seen");
    let hidden = app.get("/products/b5/explain?query=cable").await.expect(200).json();
    assert_eq!(hidden["hiddenByRule"], true, "{hidden}");
    assert_eq!(hidden.get("rank"), None);
    let pinned = app.get("/products/b3/explain?query=lamp").await.expect(200).json();
    assert_eq!((&pinned["rank"], &pinned["explanation"]["pinned"]), (&json!(1), &json!(true)));
}
