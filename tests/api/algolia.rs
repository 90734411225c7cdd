//! The search protocol of Algolia, with bodies as its clients send them. `tests/browser` runs the clients themselves.

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
            searches_of_one_body_are_answered_in_order,
            lists_of_values_do_not_narrow_their_own_facet,
            conditions_exclude_and_span_fields,
            categories_are_counted_by_level,
            products_that_searches_hide_are_not_there,
            words_that_hits_lack_are_listed,
            faults_are_messages,
        ]
    }
}

fn lamps() -> Vec<Value> {
    vec![
        json!({"id": "a", "name": "Red lamp", "brand": "Acme", "category": "Home > Lamps > Desk", "tags": ["new", "sale"],
            "price": 20, "stock": 1, "attributes": {"colour": "red", "width": 10}, "description": "A <b>lamp</b> & more"}),
        json!({"id": "b", "name": "Blue lamp", "brand": "Bolt", "category": "Home > Lamps", "tags": ["new"], "price": 30.5,
            "stock": 0, "attributes": {"colour": "blue", "width": 20}}),
        json!({"id": "c", "name": "Green lamp", "brand": "-odd", "category": "Garden", "price": 40,
            "attributes": {"colour": "green"}}),
        json!({"id": "d", "name": "Draft lamp", "brand": "Acme", "status": "draft"}),
    ]
}

async fn app_with_lamps(app: &TestApp) {
    app.fill(&lamps()).await;
}

async fn send(app: &TestApp, path: &str, body: &Value) -> Answer {
    // As browsers do, so that no preflight request is necessary.
    app.post_text(path, "text/plain", body.to_string()).await
}

/// Returns the results of searches in the index `products`.
async fn search(app: &TestApp, searches: Value) -> Vec<Value> {
    let requests = searches.as_array().unwrap().iter().map(|search| {
        let mut search = search.clone();
        search.as_object_mut().unwrap().entry("indexName").or_insert(json!("products"));
        search
    });
    let body = json!({ "requests": requests.collect::<Vec<_>>() });
    let answer = send(app, "/1/indexes/*/queries?x-algolia-agent=test", &body).await.expect(200).json();
    answer["results"].as_array().unwrap().clone()
}

fn ids(result: &Value) -> Vec<&str> {
    result["hits"].as_array().unwrap().iter().map(|hit| hit["objectID"].as_str().unwrap()).collect()
}

async fn searches_of_one_body_are_answered_in_order(app: TestApp) {
    app_with_lamps(&app).await;
    let encoded =
        "query=lamp&hitsPerPage=1&page=1&highlightPreTag=%5B&highlightPostTag=%5D&clickAnalytics=true";
    let results = search(
        &app,
        json!([
            {"indexName": "products_price_desc", "query": "lamp"},
            {"indexName": "products_price_asc", "params": encoded},
            {"type": "facet", "facet": "brand", "facetQuery": "bo", "query": "lamp"},
            {"hitsPerPage": 0, "facets": ["brand", "price", "width", "unknown"]},
        ]),
    )
    .await;
    assert_eq!(ids(&results[0]), ["c", "b", "a"]);
    assert_eq!(
        (&results[0]["nbHits"], &results[0]["nbPages"], results[0].get("queryID")),
        (&json!(3), &json!(1), None)
    );
    assert_eq!(ids(&results[1]), ["b"]);
    let page =
        [&results[1]["page"], &results[1]["nbPages"], &results[1]["hitsPerPage"], &results[1]["nbHits"]];
    assert_eq!(page, [&json!(1), &json!(3), &json!(1), &json!(3)]);
    assert_eq!(results[1]["hits"][0]["_highlightResult"]["name"]["value"], "Blue [lamp]");
    assert_eq!(results[1]["queryID"].as_str().unwrap().len(), 32);
    assert_eq!(
        results[2]["facetHits"],
        json!([{"value": "Bolt", "highlighted": "<em>Bo</em>lt", "count": 1}])
    );
    assert_eq!((ids(&results[3]).len(), &results[3]["nbPages"]), (0, &json!(0)));
    assert_eq!(results[3]["facets"]["brand"], json!({"-odd": 1, "Acme": 1, "Bolt": 1}));
    assert_eq!(results[3]["facets"]["width"], json!({"10": 1, "20": 1}));
    assert_eq!(results[3]["facets"]["unknown"], json!({}));
    assert_eq!(results[3]["facets_stats"]["price"], json!({"min": 20.0, "max": 40.0}));
    assert_eq!(results[3]["facets_stats"]["width"], json!({"min": 10.0, "max": 20.0}));
    let one =
        send(&app, "/1/indexes/products/query", &json!({"params": "query=red"})).await.expect(200).json();
    assert_eq!(ids(&one)[0], "a");
    let snippet = &one["hits"][0]["_snippetResult"]["description"]["value"];
    assert_eq!(snippet, "A lamp & more", "no match, without markup");
    let values = send(&app, "/1/indexes/products/facets/colour/query", &json!({"facetQuery": "gr"})).await;
    assert_eq!(values.expect(200).json()["facetHits"][0]["value"], "green");
}

async fn lists_of_values_do_not_narrow_their_own_facet(app: TestApp) {
    app_with_lamps(&app).await;
    let results = search(
        &app,
        json!([
            {"facetFilters": [["brand:Acme", "brand:\\-odd"]], "facets": ["brand", "colour"]},
            {"facetFilters": ["brand:Acme"], "facets": ["brand", "colour"]},
            {"facetFilters": ["tags:new", "tags:sale"], "facets": ["tags"]},
        ]),
    )
    .await;
    assert_eq!(ids(&results[0]), ["a", "c"]);
    assert_eq!(results[0]["facets"]["brand"], json!({"-odd": 1, "Acme": 1, "Bolt": 1}));
    assert_eq!(results[0]["facets"]["colour"], json!({"green": 1, "red": 1}));
    assert_eq!(results[1]["facets"], json!({"brand": {"Acme": 1}, "colour": {"red": 1}}));
    assert_eq!((ids(&results[2]), &results[2]["facets"]["tags"]), (vec!["a"], &json!({"new": 1, "sale": 1})));
}

async fn conditions_exclude_and_span_fields(app: TestApp) {
    app_with_lamps(&app).await;
    for (parameters, found) in [
        (json!({"facetFilters": ["brand:-Acme"]}), &["b", "c"][..]),
        (json!({"facetFilters": [["brand:Bolt", "colour:red"]]}), &["a", "b"]),
        (json!({"facetFilters": [["brand:Bolt", "colour:-red"]]}), &["b", "c"]),
        (json!({"numericFilters": ["price>=20", "price<40"]}), &["a", "b"]),
        (json!({"numericFilters": ["price!=20", ["width<15", "width>=20"]]}), &["b"]),
        (json!({"filters": "price:20 TO 30.5 AND NOT colour:red"}), &["b"]),
        (json!({"filters": "brand:'-odd' OR inStock:true"}), &["a", "c"]),
        (json!({"filters": "categories.lvl1:\"Home > Lamps\""}), &["a", "b"]),
        (json!({"filters": "NOT category:Home"}), &["c"]),
        (json!({"filters": "NOT width < 15"}), &["b", "c"]),
        (json!({"facetFilters": [["attributes.width:10", "width:20"]]}), &["a", "b"]),
        (json!({"numericFilters": "price>30"}), &["b", "c"]),
        (json!({"filters": "_tags:sale OR NOT width > 0"}), &["a", "c"]),
        (json!({"indexName": "products_attributes.width_desc"}), &["b", "a", "c"]),
        (json!({"filters": "brand:Nobody"}), &[]),
    ] {
        let results = search(&app, json!([parameters])).await;
        assert_eq!(ids(&results[0]), found, "{parameters}");
        assert_eq!(results[0]["nbHits"], found.len(), "{parameters}");
    }
}

async fn categories_are_counted_by_level(app: TestApp) {
    app_with_lamps(&app).await;
    let levels = ["categories.lvl0", "categories.lvl1", "categories.lvl2"];
    let results = search(
        &app,
        json!([{"facets": levels}, {"facets": levels, "facetFilters": [["categories.lvl1:Home > Lamps"]]}, {"facets": ["*"]}]),
    )
    .await;
    let facets = json!({
        "categories.lvl0": {"Garden": 1, "Home": 2},
        "categories.lvl1": {"Home > Lamps": 2},
        "categories.lvl2": {"Home > Lamps > Desk": 1},
    });
    assert_eq!(results[0]["facets"], facets);
    assert_eq!((ids(&results[1]), &results[1]["facets"]), (vec!["a", "b"], &facets));
    assert_eq!(
        results[1]["hits"][0]["categories"],
        json!({"lvl0": ["Home"], "lvl1": ["Home > Lamps"], "lvl2": ["Home > Lamps > Desk"]})
    );
    let order = results[2]["renderingContent"]["facetOrdering"]["facets"]["order"].as_array().unwrap();
    for name in ["brand", "categories.lvl0", "categories.lvl2", "price"] {
        assert!(order.contains(&json!(name)), "{name}: {order:?}");
    }
}

async fn products_that_searches_hide_are_not_there(app: TestApp) {
    app_with_lamps(&app).await;
    let object = app.get("/1/indexes/products/a").await.expect(200).json();
    assert_eq!(
        (&object["objectID"], &object["price"], &object["categories"]["lvl0"]),
        (&json!("a"), &json!(20.0), &json!(["Home"]))
    );
    for path in ["/1/indexes/products/d", "/1/indexes/products/none", "/1/indexes/products/a%2Fb"] {
        assert_eq!(
            app.get(path).await.expect(404).json(),
            json!({"message": "ObjectID does not exist", "status": 404})
        );
    }
    let requests = ["a", "d", "none"]
        .map(|id| json!({"indexName": "products", "objectID": id, "attributesToRetrieve": ["name"]}));
    let objects =
        send(&app, "/1/indexes/*/objects", &json!({ "requests": requests })).await.expect(200).json();
    assert_eq!(objects["results"], json!([{"name": "Red lamp", "objectID": "a"}, null, null]));
    let recommend = |id: &str| json!({"requests": [{"indexName": "products", "model": "related-products", "objectID": id, "threshold": 0}]});
    let similar = send(&app, "/1/indexes/*/recommendations", &recommend("a")).await.expect(200).json();
    let hits = ids(&similar["results"][0]);
    assert!(hits.contains(&"b") && !hits.contains(&"a") && !hits.contains(&"d"), "{hits:?}");
    for hidden in ["d", "none"] {
        let none = send(&app, "/1/indexes/*/recommendations", &recommend(hidden)).await.expect(200).json();
        assert_eq!(ids(&none["results"][0]).len(), 0, "{hidden}");
    }
}

async fn words_that_hits_lack_are_listed(app: TestApp) {
    app_with_lamps(&app).await;
    let results =
        search(&app, json!([{"query": "red lamp"}, {"query": "lamp"}, {"query": "purple lmap"}])).await;
    let member = |at: usize, name: &str| results[at][name].clone();
    assert_eq!(
        (member(0, "relaxed"), member(0, "relaxedTotal"), member(0, "nbHits")),
        (json!(["red"]), json!(2), json!(3))
    );
    assert_eq!((member(1, "relaxed"), member(1, "relaxedTotal")), (Value::Null, Value::Null));
    assert_eq!(
        (member(2, "relaxed"), member(2, "correctedQuery")),
        (json!(["purple"]), json!("purple lamp"))
    );
    assert_eq!((member(2, "relaxedTotal"), member(2, "nbHits")), (Value::Null, json!(3)));
}

async fn faults_are_messages(app: TestApp) {
    for (path, body, status, message) in [
        (
            "/1/indexes/*/queries",
            json!({"requests": [{"indexName": "nothing"}]}),
            404,
            "there is no index \"nothing\"",
        ),
        ("/1/indexes/nothing/query", json!({}), 404, "there is no index"),
        ("/1/indexes/*/queries", json!({}), 400, "requests: must be a list"),
        ("/1/indexes/products/query", json!({"aroundLatLng": "1,2"}), 400, "aroundLatLng"),
        ("/1/indexes/products/query", json!({"filters": "a:b OR (c:d AND e:f)"}), 400, "filters"),
        ("/1/indexes/products/facets/price/query", json!({}), 400, "facet"),
        ("/1/indexes/*/recommendations", json!({"requests": [{"model": "trending-items"}]}), 400, "model"),
        ("/1/indexes/*/objects", json!({"requests": [{"indexName": "products"}]}), 400, "objectID"),
        ("/1/indexes/products/query", json!({"filters": "NOT objectID:a"}), 400, "objectID"),
        ("/1/indexes/products/query", json!({"highlightPreTag": "x".repeat(1000)}), 400, "highlightPreTag"),
        ("/1/indexes/products/query", json!({"facetFilters": ["x".repeat(200_000)]}), 400, "facetFilters"),
        ("/1/events", json!({"events": 1}), 400, "events"),
        ("/1/indexes", json!({}), 404, "there is nothing at /1/indexes"),
    ] {
        let answer = send(&app, path, &body).await;
        let shown = format!("{path} {body}: {answer:?}");
        let answer = answer.expect(status);
        assert_eq!(answer.header("content-type"), "application/json", "{shown}");
        assert_eq!(answer.json()["status"], status, "{shown}");
        assert!(answer.json()["message"].as_str().unwrap().contains(message), "{shown}");
    }
    let events =
        json!({"events": [{"eventType": "click", "eventName": "x", "index": "products", "userToken": "u"}]});
    assert_eq!(send(&app, "/1/events", &events).await.expect(200).json()["status"], 200);
    assert_eq!(app.get("/1/events").await.expect(405).json()["status"], 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_may_be_compressed() {
    use std::io::Write as _;
    let app = TestApp::spawn().await;
    app_with_lamps(&app).await;
    let path = "/1/indexes/*/queries";
    let compressed = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let post = async |body: Vec<u8>, coding: &str| {
        Answer::of(app.request(Method::POST, path).header("content-encoding", coding).body(body)).await
    };
    let body = json!({"requests": [{"indexName": "products", "query": "lamp"}]}).to_string();
    let answer = post(compressed(&body), "gzip").await.expect(200).json();
    assert_eq!(answer["results"][0]["nbHits"], 3);
    let large = format!("{{\"requests\": [], \"x\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    assert_eq!(post(compressed(&large), "gzip").await.expect(413).json()["status"], 413);
    assert_eq!(post(body.clone().into_bytes(), "gzip").await.expect(400).json()["status"], 400);
    assert_eq!(post(body.into_bytes(), "br").await.expect(415).json()["status"], 415);
}
