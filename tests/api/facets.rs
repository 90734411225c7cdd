//! Facets as storefronts use them: values to choose from while typing, categories to drill down into, and facets that are
//! chosen for a result. The contract suite and the oracle check that counts are exact.

use serde_json::{Value, json};

use crate::api::scenarios::{on_opensearch, on_tantivy, shop};
use crate::support::{TestApp, on_each};

on_each! {
    {
        tantivy: on_tantivy().await;
        opensearch: on_opensearch().await;
    }
    {
        |app| (app) [
            values_are_found_with_typos_and_by_later_words,
            categories_are_a_tree_to_drill_down_in,
            a_tree_is_whole_where_the_list_is_cut,
            facets_that_matter_are_picked,
            several_searches_pick_their_own_facets,
        ]
    }
}

async fn values_are_found_with_typos_and_by_later_words(app: TestApp) {
    app.fill(&shop()).await;
    let values = async |path: &str| -> Vec<String> {
        let answer = app.get(&format!("/products/facets/{path}")).await.expect(200).json();
        let values = answer["values"].as_array().unwrap();
        values.iter().map(|value| value["value"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(values("brand?prefix=noctau").await, ["Noctua"]);
    assert_eq!(values("brand?prefix=itne").await, ["Intel"]);
    assert_eq!(values("brand?prefix=itne&query=lamp").await, [""; 0]);
    assert_eq!(values("category?prefix=lam").await, ["Home > Lamps"]);
    assert_eq!(values("category?prefix=Home").await, ["Home", "Home > Lamps"]);
    assert_eq!(values("category?prefix=prosessors").await, ["Computers > Processors"]);
}

fn category(value: &str, name: &str, count: u64) -> Value {
    json!({"value": value, "name": name, "count": count})
}

async fn categories_are_a_tree_to_drill_down_in(app: TestApp) {
    app.fill(&shop()).await;
    let tree = async |parameters: &str| {
        app.search(&format!("facets=category&{parameters}")).await.json()["facets"]["category"]["tree"]
            .clone()
    };
    let home = category("Home", "Home", 1);
    assert_eq!(tree("").await, json!([category("Computers", "Computers", 4), home]));
    let mut computers = category("Computers", "Computers", 4);
    let below =
        [category("Computers > Processors", "Processors", 3), category("Computers > Cooling", "Cooling", 1)];
    computers["children"] = json!(below);
    // The siblings of the filtered category stay listed, with their counts.
    for filter in ["category=Computers", "category=Computers+%3E+Cooling"] {
        assert_eq!(tree(filter).await, json!([computers, home]), "{filter}");
    }
    assert_eq!(tree("category=Computers&brand=Noctua").await[0]["children"], json!([below[1]]));
    let without = app.search("facets=brand").await.json();
    assert_eq!(without["facets"]["brand"].get("tree"), None);
}

async fn a_tree_is_whole_where_the_list_is_cut(app: TestApp) {
    let product = |number: usize| {
        let top = if number < 40 { format!("Big > Part {number}") } else { format!("Small {number}") };
        json!({"id": format!("p{number}"), "name": "Thing", "category": top})
    };
    app.fill(&(0..44).map(product).collect::<Vec<_>>()).await;
    let facet = async |parameters: &str| {
        app.search(&format!("facets=category&{parameters}")).await.json()["facets"]["category"].clone()
    };
    let found = facet("facetSize=3").await;
    assert_eq!(found["values"].as_array().unwrap().len(), 3);
    assert_eq!(found["distinct"], 45);
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|category| category["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&found["tree"]), ["Big", "Small 40", "Small 41"]);
    let found = facet("facetSize=2&category=Small+43&category=Big+%3E+Part+39").await;
    assert_eq!(names(&found["tree"]), ["Big", "Small 40", "Small 43"], "what is filtered by is always there");
    assert_eq!(names(&found["tree"][0]["children"]), ["Part 0", "Part 1", "Part 39"]);
}

async fn facets_that_matter_are_picked(app: TestApp) {
    app.fill(&shop()).await;
    let picked = async |parameters: &str| -> Vec<String> {
        let answer = app.search(parameters).await.json();
        answer["facets"].as_object().unwrap().keys().cloned().collect()
    };
    let all = ["attributes.colour", "brand", "category", "price"];
    assert_eq!(picked("facets=*").await, all, "all weights differ");
    assert_eq!(picked("facets=*,tags&pageSize=1&sortBy=price_asc").await, [&all[..], &["tags"]].concat());
    assert_eq!(picked("facets=*&query=lamp").await, ["brand", "category", "price"]);
    assert_eq!(
        picked("facets=*&query=lamp&attributes.weight=1..").await,
        ["attributes.weight", "brand", "category", "price"],
        "a filtered value can be replaced by another"
    );
    assert_eq!(picked("facets=*&query=zzzzzz").await, [""; 0]);
    let counted = app.search("facets=*&query=processor").await.json();
    let named = app.search("facets=brand,category,price,attributes.colour&query=processor").await.json();
    assert_eq!(counted["facets"], named["facets"], "they are counted as any");
}

async fn several_searches_pick_their_own_facets(app: TestApp) {
    app.fill(&shop()).await;
    let searches = [
        json!({"query": "lamp", "facets": "*"}),
        json!({"facets": ["tags"]}),
        json!({"facets": ["*"], "query": "processor"}),
    ];
    let answer = app.post("/products/search", &json!({"searches": searches})).await.expect(200).json();
    let picked =
        |at: usize| -> Vec<&String> { answer["results"][at]["facets"].as_object().unwrap().keys().collect() };
    assert_eq!(picked(0), ["brand", "category", "price"]);
    assert_eq!(picked(1), ["tags"]);
    assert_eq!(picked(2), ["attributes.colour", "brand", "category", "price"]);
}
