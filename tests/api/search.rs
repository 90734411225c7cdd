//! Searching over HTTP. The contract suite of the index and the oracle cover matching, filters and facets; these tests
//! cover what the API adds.

use reqwest::Method;
use serde_json::json;

use crate::api::scenarios::{on_opensearch, on_tantivy, shop};
use crate::support::{Answer, TestApp, on_each, wait_until};

on_each! {
    {
        tantivy: on_tantivy().await;
        opensearch: on_opensearch().await;
    }
    {
        |app| (app) [
            misspelt_words_find_what_was_meant,
            a_search_answers_products_with_score_and_highlights,
            each_facet_is_counted_with_every_filter_but_its_own,
            filters_of_one_key_widen_and_of_different_keys_narrow,
            every_order_and_every_page,
            names_are_in_the_order_of_the_language_and_words_as_typed_come_first,
            a_cursor_that_no_search_returned_is_a_fault,
            the_newest_are_those_created_last,
            misspelt_words_are_marked_where_they_were_found,
            only_active_products_are_found,
            answers_can_be_cached_until_something_changes,
            the_values_of_one_facet,
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_product_is_found_and_a_deleted_one_gone() {
    let app = TestApp::spawn().await;
    let becomes = async |total: u64| {
        wait_until(&format!("{total} products are found"), async || {
            app.search("query=intel").await.json()["total"] == total
        })
        .await;
    };
    app.post("/products", &shop()[0]).await.expect(201);
    becomes(1).await;
    app.delete("/products/p1").await.expect(200);
    becomes(0).await;
}

async fn misspelt_words_find_what_was_meant(app: TestApp) {
    app.fill(&shop()).await;
    let answer = app.search("query=procesor+intle").await;
    assert_eq!(answer.ids(), ["p1", "p2"]);
    assert_eq!(answer.json()["correctedQuery"], "processor intel");
    assert!(app.search("query=processor+intel").await.json().get("correctedQuery").is_none());
}

async fn a_search_answers_products_with_score_and_highlights(app: TestApp) {
    app.put("/products/x", &json!({"name": "Lamp <b>\"oak\"</b>", "price": 12.50})).await.expect(201);
    app.sync_all().await;
    let answer = app.search("query=lamp&facets=price").await;
    assert!(answer.text.contains("\"price\":12.50"), "{}", answer.text);
    let answer = answer.json();
    let product = &answer["products"][0];
    assert_eq!(product["name"], "Lamp <b>\"oak\"</b>");
    assert!(product["score"].as_f64().unwrap() > 0.0);
    assert_eq!(product["highlights"]["name"], "<em>Lamp</em> &quot;oak&quot;");
    assert_eq!((&answer["total"], &answer["page"], &answer["pageSize"]), (&json!(1), &json!(1), &json!(20)));
    assert!(answer["took"].as_f64().unwrap() >= 0.0);
    assert!(answer.get("nextCursor").is_none());
    let price = &answer["facets"]["price"];
    assert_eq!((&price["min"], &price["max"], &price["count"]), (&json!(12.5), &json!(12.5), &json!(1)));
}

async fn each_facet_is_counted_with_every_filter_but_its_own(app: TestApp) {
    app.fill(&shop()).await;
    let answer =
        app.search("category=Computers&brand=Intel&facets=brand,category&facets=attributes.colour").await;
    assert_eq!(answer.ids(), ["p1", "p2"]);
    let facets = answer.json()["facets"].clone();
    let brands = json!([{"value": "Intel", "count": 2}, {"value": "AMD", "count": 1}, {"value": "Noctua", "count": 1}]);
    assert_eq!(facets["brand"], json!({"values": brands, "distinct": 3}));
    let categories =
        json!([{"value": "Computers", "count": 2}, {"value": "Computers > Processors", "count": 2}]);
    assert_eq!(facets["category"]["values"], categories);
    assert_eq!(facets["attributes.colour"]["values"], json!([{"value": "silver", "count": 2}]));
}

async fn filters_of_one_key_widen_and_of_different_keys_narrow(app: TestApp) {
    app.fill(&shop()).await;
    let ids = async |parameters: &str| app.search(parameters).await.ids();
    assert_eq!(ids("brand=AMD&brand=Hikari").await, ["p3", "p5"]);
    assert_eq!(ids("brand=AMD&brand=Hikari&tags=black&category=Home").await, ["p5"]);
    assert_eq!(ids("priceRange=199-249.5").await, ["p2", "p3"]);
    assert_eq!(ids("priceRange=-60&priceRange=299-").await, ["p1", "p4", "p5"]);
    assert_eq!(ids("inStock=false").await, ["p2"]);
    assert_eq!(ids("attributes.colour=brown").await, ["p4"]);
    assert_eq!(ids("attributes.weight=2000..3000").await, ["p1", "p3"]);
    assert_eq!(ids("attributes.nothing=brown").await, Vec::<String>::new());
    assert_eq!(ids("currency=EUR&priceRange=0-").await, Vec::<String>::new());
}

async fn every_order_and_every_page(app: TestApp) {
    app.fill(&shop()).await;
    let ids = async |parameters: &str| app.search(parameters).await.ids();
    assert_eq!(ids("sortBy=price_asc").await, ["p5", "p4", "p2", "p3", "p1"]);
    assert_eq!(ids("sortBy=price_desc").await, ["p1", "p3", "p2", "p4", "p5"]);
    assert_eq!(ids("sortBy=name").await, ["p3", "p5", "p2", "p1", "p4"]);
    assert_eq!(ids("sortBy=relevance").await, ["p1", "p2", "p3", "p4", "p5"]);
    app.put("/products/p0", &json!({"name": "Newcomer"})).await.expect(201);
    app.sync_all().await;
    assert_eq!(ids("sortBy=newest&pageSize=1").await, ["p0"]);
    assert_eq!(ids("sortBy=price_asc&page=2&pageSize=4").await, ["p1", "p0"]);
    let mut seen = Vec::new();
    let mut parameters = "sortBy=name&pageSize=2".to_owned();
    loop {
        let page = app.search(&parameters).await;
        seen.extend(page.ids());
        match page.json()["nextCursor"].as_str() {
            Some(cursor) => parameters = format!("sortBy=name&pageSize=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["p3", "p5", "p2", "p1", "p0", "p4"]);
}

async fn names_are_in_the_order_of_the_language_and_words_as_typed_come_first(app: TestApp) {
    let names = ["Zebra print", "Äpfel", "Item 10", "Item 2", "Rød", "Rod"];
    for (number, name) in names.iter().enumerate() {
        app.put(&format!("/products/a{number}"), &json!({ "name": name })).await.expect(201);
    }
    app.sync_all().await;
    let ids = async |parameters: &str| app.search(parameters).await.ids();
    assert_eq!(ids("sortBy=name").await, ["a1", "a3", "a2", "a5", "a4", "a0"]);
    for (query, order) in [("rod", ["a5", "a4"]), ("r%C3%B8d", ["a4", "a5"])] {
        let answer = app.search(&format!("query={query}&explain=true")).await;
        assert_eq!(answer.ids(), order, "{query}");
        let scores = answer.json()["products"].as_array().unwrap().clone();
        let score = |at: usize| scores[at]["score"].as_f64().unwrap();
        let own = |at: usize| scores[at]["explanation"]["words"][0]["score"].as_f64().unwrap();
        assert!(score(0) > score(1) && score(0) - score(1) < 0.002, "{query}: {scores:?}");
        let explained = (own(0) - own(1)) - (score(0) - score(1));
        assert!(explained.abs() < 1e-6, "{query}: {scores:?}");
    }
}

async fn a_cursor_that_no_search_returned_is_a_fault(app: TestApp) {
    app.fill(&shop()).await;
    // {"s":"newest","k":null,"i":"a"}: every product has a time of creation, so this order has no cursor without a key.
    let problem =
        app.get("/products/search?cursor=eyJzIjoibmV3ZXN0IiwiayI6bnVsbCwiaSI6ImEifQ").await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["cursor"], "{problem}");
}

async fn the_newest_are_those_created_last(app: TestApp) {
    for number in 1..=5 {
        app.put(&format!("/products/n{number}"), &json!({"name": "Lamp", "price": number})).await.expect(201);
        // Timestamps have milliseconds.
        let created = app.get(&format!("/products/n{number}")).await.json()["createdAt"].clone();
        wait_until("the clock goes on", async || json!(domain::now().to_string()) != created).await;
    }
    // An update does not make a product newer, but a product that is created again after a delete is new.
    app.patch("/products/n1", &json!({"price": 10})).await.expect(200);
    app.delete("/products/n2").await.expect(200);
    app.put("/products/n2", &json!({"name": "Lamp", "price": 2})).await.expect(201);
    app.sync_all().await;
    let all = ["n2", "n5", "n4", "n3", "n1"];
    assert_eq!(app.search("sortBy=newest").await.ids(), all);
    assert_eq!(app.search("sortBy=newest&query=lmap&priceRange=3-").await.ids(), ["n5", "n4", "n3", "n1"]);
    let first = app.search("sortBy=newest&pageSize=2").await;
    app.put("/products/n6", &json!({"name": "Lamp"})).await.expect(201);
    app.sync_all().await;
    let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
    let behind = app.search(&format!("pageSize=3&cursor={cursor}")).await.ids();
    assert_eq!([first.ids(), behind].concat(), all, "what came meanwhile is ahead of both pages");
}

async fn misspelt_words_are_marked_where_they_were_found(app: TestApp) {
    let description =
        format!("{}A processor of the newest kind. {}", "All about it. ".repeat(30), "And more. ".repeat(30));
    let product = json!({"name": "Core 7", "description": description, "tags": ["Processors"]});
    app.put("/products/x", &product).await.expect(201);
    app.sync_all().await;
    let highlights = app.search("query=procesor").await.json()["products"][0]["highlights"].clone();
    assert_eq!(highlights["tags"], "<em>Processors</em>");
    let snippet = highlights["description"].as_str().unwrap();
    assert!(snippet.contains(" A <em>processor</em> of the newest kind. And"), "{snippet}");
    assert!(snippet.starts_with('…') && snippet.ends_with('…') && snippet.chars().count() < 250, "{snippet}");
    assert_eq!(highlights.get("name"), None);
    let highlights = app.search("query=newst+core").await.json()["products"][0]["highlights"].clone();
    assert_eq!(highlights["name"], "<em>Core</em> 7");
    assert!(highlights["description"].as_str().unwrap().contains("the <em>newest</em> kind"), "{highlights}");
}

async fn only_active_products_are_found(app: TestApp) {
    app.put("/products/a", &json!({"name": "Lamp", "status": "draft"})).await.expect(201);
    app.put("/products/b", &json!({"name": "Lamp", "status": "archived"})).await.expect(201);
    app.put("/products/c", &json!({"name": "Lamp"})).await.expect(201);
    app.sync_all().await;
    assert_eq!(app.search("query=lamp&facets=price").await.ids(), ["c"]);
    app.patch("/products/a", &json!({"status": "active"})).await.expect(200);
    app.patch("/products/c", &json!({"status": "draft"})).await.expect(200);
    app.sync_all().await;
    assert_eq!(app.search("query=lamp").await.ids(), ["a"]);
}

async fn answers_can_be_cached_until_something_changes(app: TestApp) {
    app.fill(&shop()).await;
    let first = app.search("query=lamp").await;
    assert_eq!(
        first.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=3600"
    );
    let again = |tag: String| {
        Answer::of(app.request(Method::GET, "/products/search?query=lamp").header("if-none-match", tag))
    };
    let tag = first.header("etag").to_owned();
    assert!(!tag.is_empty());
    again(tag.clone()).await.expect(304);
    assert_ne!(app.search("query=processor").await.header("etag"), tag);
    app.patch("/products/p5", &json!({"price": 1})).await.expect(200);
    app.sync_all().await;
    again(tag).await.expect(200);
}

async fn the_values_of_one_facet(app: TestApp) {
    app.fill(&shop()).await;
    let values = async |path: &str| app.get(&format!("/products/facets/{path}")).await.expect(200).json();
    let expected =
        json!({"field": "brand", "values": [{"value": "Intel", "count": 2}, {"value": "AMD", "count": 1}]});
    assert_eq!(values("brand?query=processor&category=Computers+%3E+Processors").await, expected);
    assert_eq!(values("brand?prefix=no").await["values"], json!([{"value": "Noctua", "count": 1}]));
    assert_eq!(values("attributes.colour?limit=1").await["values"].as_array().unwrap().len(), 1);
}
