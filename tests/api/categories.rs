//! Products with several categories, in writes, reads and searches.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::scenarios::{on_opensearch, on_tantivy};
use crate::support::{Answer, TestApp, on_each};

on_each! {
    {
        tantivy: on_tantivy().await;
        opensearch: on_opensearch().await;
    }
    {
        |app| (app) [
            a_product_is_found_and_counted_in_each_of_its_categories,
            words_of_every_category_are_found,
            products_of_any_shared_category_are_similar,
        ]
    }
}

/// Returns `category` and `categories` of a product as `GET` answers them.
async fn read(app: &TestApp, id: &str) -> (Value, Value) {
    let product = app.get(&format!("/products/{id}")).await.expect(200).json();
    let field = |name: &str| product.get(name).cloned().unwrap_or_default();
    (field("category"), field("categories"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_several_categories_is_the_main_one() {
    let app = TestApp::spawn().await;
    let list = json!(["Home > Lamps", "Sale", "Home"]);
    let written = json!({"name": "Lamp", "categories": ["Home>Lamps", " Sale", "Home", "Sale"]});
    app.put("/products/a", &written).await.expect(201);
    assert_eq!(read(&app, "a").await, (json!("Home > Lamps"), list.clone()));
    // What was read can be put back, and either field alone means the same as both.
    let whole = app.get("/products/a").await.json();
    assert_eq!(app.put("/products/a", &whole).await.expect(200).json()["version"], 1);
    let both = json!({"name": "Lamp", "category": "Home > Lamps", "categories": list});
    assert_eq!(app.put("/products/a", &both).await.expect(200).json()["version"], 1);
    // A product with one category has no list.
    for one in [json!({"category": "Home"}), json!({"categories": ["Home"]})] {
        let mut product = json!({"name": "Lamp"});
        product.as_object_mut().unwrap().extend(one.as_object().unwrap().clone());
        app.put("/products/b", &product).await;
        assert_eq!(read(&app, "b").await, (json!("Home"), Value::Null), "{one}");
    }
    assert_eq!(app.get("/products/b").await.json()["version"], 1);
    app.put("/products/b", &json!({"name": "Lamp", "categories": []})).await.expect(200);
    assert_eq!(read(&app, "b").await, (Value::Null, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_categories_are_refused() {
    let app = TestApp::spawn().await;
    let paths = |count: usize| (0..count).map(|number| format!("C{number}")).collect::<Vec<_>>();
    app.put("/products/a", &json!({"name": "Lamp", "categories": paths(10)})).await.expect(201);
    for (fields, faulty) in [
        (json!({"categories": paths(11)}), &["categories"][..]),
        (json!({"categories": "Home"}), &["categories"]),
        (json!({"categories": ["Home", " > ", 7]}), &["categories.1", "categories.2"]),
        (json!({"category": "Home", "categories": ["Sale", "Home"]}), &["category"]),
        (json!({"category": "Home", "categories": []}), &["category"]),
        (json!({"category": ">", "categories": ["Home", ""]}), &["category", "categories.1"]),
    ] {
        let mut product = json!({"name": "Lamp"});
        product.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let problem = app.put("/products/b", &product).await.problem(422);
        assert_eq!(Answer::faulty_fields(&problem), faulty, "{fields}");
    }
    let differing = json!({"name": "Lamp", "category": "Home", "categories": ["Sale", "Home"]});
    let problem = app.put("/products/b", &differing).await.problem(422);
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert_eq!(message, "must be the first of `categories`, `Sale`; leave out one of the two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_one_field_changes_both() {
    let app = TestApp::spawn().await;
    let several = json!({"name": "Lamp", "categories": ["Home > Lamps", "Sale", "Gifts"]});
    let after = async |patch: Value| {
        app.put("/products/a", &several).await;
        app.patch("/products/a", &patch).await.expect(200);
        read(&app, "a").await
    };
    let list = |paths: &[&str]| (json!(paths[0]), json!(paths));
    assert_eq!(after(json!({"category": "Home"})).await, list(&["Home", "Sale", "Gifts"]));
    assert_eq!(after(json!({"category": "Gifts"})).await, list(&["Gifts", "Sale"]));
    assert_eq!(after(json!({"category": null})).await, (Value::Null, Value::Null));
    assert_eq!(after(json!({"categories": ["Toys", "Sale"]})).await, list(&["Toys", "Sale"]));
    assert_eq!(after(json!({"categories": ["Toys"]})).await, (json!("Toys"), Value::Null));
    assert_eq!(after(json!({"categories": null})).await, (Value::Null, Value::Null));
    assert_eq!(after(json!({"category": "Toys", "categories": null})).await, (json!("Toys"), Value::Null));
    assert_eq!(after(json!({"price": 5})).await, list(&["Home > Lamps", "Sale", "Gifts"]));
    let problem =
        app.patch("/products/a", &json!({"category": "A", "categories": ["B", "A"]})).await.problem(422);
    assert_eq!(Answer::faulty_fields(&problem), ["category"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_with_several_categories_is_imported_unchanged() {
    let app = TestApp::spawn().await;
    app.put("/products/a", &json!({"name": "Lamp", "categories": ["Lamps", "Sale"], "price": 5})).await;
    let exported = app.get("/products/a").await.text;
    let request = app.request(Method::POST, "/products/bulk").header("content-type", "application/x-ndjson");
    let answer = Answer::of(request.body(exported)).await.expect(200);
    assert!(answer.text.contains("\"unchanged\""), "{}", answer.text);
}

fn shelf() -> Vec<Value> {
    vec![
        json!({"id": "both", "name": "Akari", "categories": ["Home > Lamps", "Home > Gifts", "Sale"]}),
        json!({"id": "lamp", "name": "Hikari", "category": "Home > Lamps"}),
        json!({"id": "home", "name": "Komorebi", "categories": ["Home", "Home > Lamps > Desk"]}),
        json!({"id": "none", "name": "Nothing"}),
    ]
}

async fn ids(app: &TestApp, parameters: &str) -> Vec<String> {
    let answer = app.search(&format!("sortBy=name&{parameters}")).await.json();
    let products = answer["products"].as_array().unwrap().clone();
    products.iter().map(|product| product["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_product_is_found_and_counted_in_each_of_its_categories(app: TestApp) {
    app.fill(&shelf()).await;
    assert_eq!(ids(&app, "category=Home+%3E+Lamps").await, ["both", "lamp", "home"]);
    assert_eq!(ids(&app, "category=Home+%3E+Gifts").await, ["both"]);
    assert_eq!(ids(&app, "category=Sale&category=Home+%3E+Lamps+%3E+Desk").await, ["both", "home"]);
    let answer = app.search("facets=category&category=Home").await.json();
    assert_eq!(answer["total"], 3);
    let tree = json!([
        {"value": "Home", "name": "Home", "count": 3, "children": [
            {"value": "Home > Lamps", "name": "Lamps", "count": 3},
            {"value": "Home > Gifts", "name": "Gifts", "count": 1},
        ]},
        {"value": "Sale", "name": "Sale", "count": 1},
    ]);
    assert_eq!(answer["facets"]["category"]["tree"], tree);
    let both = app.search("category=Sale&fields=category,categories").await.json()["products"][0].clone();
    let list = ["Home > Lamps", "Home > Gifts", "Sale"];
    assert_eq!(both, json!({"id": "both", "category": list[0], "categories": list}));
}

async fn words_of_every_category_are_found(app: TestApp) {
    app.fill(&shelf()).await;
    assert_eq!(ids(&app, "query=gifts").await, ["both"]);
    let hit = app.search("query=gifts&explain=true").await.json()["products"][0].clone();
    let list = "Home &gt; Lamps, Home &gt; <em>Gifts</em>, Sale";
    assert_eq!(hit["highlights"], json!({"categories": list}));
    assert_eq!(hit["explanation"]["words"][0]["in"], json!(["categories"]));
    let answer = app.get("/products/both/explain?query=akari&category=Toys").await.expect(200).json();
    let has = ["Home > Lamps", "Home > Gifts", "Sale"];
    assert_eq!(answer["excludedBy"], json!([{"filter": "category", "wanted": ["Toys"], "has": has}]));
    // A further category makes a product no less a lamp, and no more.
    let scores = app.search("query=lamps&category=Home+%3E+Lamps").await.json();
    let score = |id: &str| {
        let mut products = scores["products"].as_array().unwrap().iter();
        products.find(|product| product["id"] == id).unwrap()["score"].clone()
    };
    assert_eq!(score("both"), score("lamp"));
}

async fn products_of_any_shared_category_are_similar(app: TestApp) {
    app.fill(&[
        json!({"id": "tent", "name": "Canvas tent", "categories": ["Outdoor > Tents", "Garden > Shade"]}),
        json!({"id": "sail", "name": "Sun sail", "category": "Garden > Shade"}),
        json!({"id": "bag", "name": "Canvas tent bag", "category": "Bags"}),
        json!({"id": "poles", "name": "Poles", "categories": ["Spares", "Outdoor > Tents"]}),
    ])
    .await;
    let similar = app.get("/products/tent/similar").await.expect(200).json();
    let ids: Vec<&str> = similar["products"]
        .as_array()
        .unwrap()
        .iter()
        .map(|product| product["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(ids[2], "bag", "it shares most words, but no category: {ids:?}");
}
