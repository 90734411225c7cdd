//! Operators, long queries and values that look like something else, as clients use them.

use serde_json::{Value, json};

use crate::api::scenarios::{on_opensearch, on_tantivy};
use crate::support::{TestApp, on_each};

on_each! {
    {
        tantivy: on_tantivy().await;
        opensearch: on_opensearch().await;
    }
    {
        |app| (app) [
            operators_hold_in_every_answer,
            operands_are_not_completed,
            what_a_query_leaves_out_is_explained,
            a_long_query_is_cut_and_the_answer_says_so,
            attributes_of_every_kind_are_filtered_by,
        ]
    }
}

fn shoes() -> Vec<Value> {
    vec![
        json!({"id": "a", "name": "New Balance shoe red", "brand": "New Balance", "category": "Shoes > Running"}),
        json!({"id": "b", "name": "Balance board new", "brand": "Bolt", "category": "Sport"}),
        json!({"id": "c", "name": "Shoe blue", "brand": "Bolt", "category": "Shoes"}),
    ]
}

async fn operators_hold_in_every_answer(app: TestApp) {
    app.fill(&shoes()).await;
    let answer = app.search("query=shoe+-red&facets=brand").await;
    assert_eq!((answer.ids(), &answer.json()["total"]), (vec!["c".to_owned()], &json!(1)));
    assert_eq!(answer.json()["facets"]["brand"]["values"], json!([{"value": "Bolt", "count": 1}]));
    assert_eq!(app.search("query=-shoe").await.ids(), ["b"]);
    assert_eq!(app.search("query=%22new+balance%22").await.ids(), ["a"]);
    assert_eq!(app.search("query=balance+-%22new+balance%22").await.ids(), ["b"]);
    let off = app.search("query=%22new+balance%22&operators=false").await;
    assert_eq!(off.json()["total"], 2);
    let body = json!({"searches": [{"query": "-shoe"}, {"query": "-shoe", "operators": false}]});
    let answers = app.post("/products/search", &body).await.expect(200).json();
    assert_eq!(answers["results"][0]["products"][0]["id"], "b");
    assert_eq!(answers["results"][1]["total"], 2);
    let brands = app.get("/products/facets/brand?query=shoe+-red").await.expect(200).json();
    assert_eq!(brands["values"], json!([{"value": "Bolt", "count": 1}]));
    app.get("/products/search?query=a&operators=perhaps").await.problem(400);
}

async fn operands_are_not_completed(app: TestApp) {
    app.fill(&shoes()).await;
    let suggested =
        async |query: &str| app.get(&format!("/products/suggest?query={query}")).await.expect(200).json();
    let sho = suggested("-red+sho").await;
    assert_eq!(sho["completions"], json!(["-red shoe", "-red shoe blue"]));
    assert_eq!(sho["products"].as_array().unwrap().len(), 1);
    let ends = suggested("shoe+-re").await;
    assert_eq!(ends["completions"], json!([]));
    assert_eq!(ends["products"].as_array().unwrap().len(), 2, "`re` is a word of none");
    let phrase = suggested("%22new+balance%22").await;
    assert_eq!((&phrase["completions"], &phrase["products"][0]["id"]), (&json!([]), &json!("a")));
    assert_eq!(suggested("%22new+balance%22+sh").await["completions"][0], "\"new balance\" shoe");
}

async fn what_a_query_leaves_out_is_explained(app: TestApp) {
    app.fill(&shoes()).await;
    let explained = async |id: &str, query: &str| {
        app.get(&format!("/products/{id}/explain?query={query}")).await.expect(200).json()
    };
    let red = explained("a", "shoe+-red").await;
    assert_eq!(red["excludedBy"], json!([{"filter": "query", "wanted": ["-red"], "has": ["red"]}]));
    assert_eq!((&red["explanation"]["leftOut"], red.get("rank")), (&json!(["red"]), None));
    let board = explained("b", "%22new+balance%22").await;
    let lacking = json!([{"filter": "query", "wanted": ["\"new balance\""], "has": []}]);
    assert_eq!(
        (&board["excludedBy"], &board["explanation"]["required"]),
        (&lacking, &json!(["new balance"]))
    );
    let found = explained("a", "%22new+balance%22").await;
    assert_eq!((&found["rank"], found.get("excludedBy")), (&json!(1), None));
    let search = app.search("query=%22new+balance%22+-blue&explain=true").await.json();
    let explanation = &search["products"][0]["explanation"];
    assert_eq!(
        (&explanation["required"], &explanation["leftOut"]),
        (&json!(["new balance"]), &json!(["blue"]))
    );
}

async fn a_long_query_is_cut_and_the_answer_says_so(app: TestApp) {
    app.fill(&shoes()).await;
    let long = format!("shoe+{}", "x".repeat(300));
    for path in [
        format!("/products/search?query={long}"),
        format!("/products/suggest?query={long}"),
        format!("/products/facets/brand?query={long}"),
        format!("/products/a/explain?query={long}"),
    ] {
        assert_eq!(app.get(&path).await.expect(200).json()["truncated"], true, "{path}");
        let short = app.get(&path.replace(&long, "shoe")).await.expect(200).json();
        assert_eq!(short.get("truncated"), None, "{path}");
    }
    assert_eq!(
        app.search(&format!("query={long}")).await.json()["total"],
        2,
        "of the words within the bounds"
    );
    let body = json!({"query": "shoe ".repeat(40)});
    let answer = app.post("/products/search", &body).await.expect(200).json();
    assert_eq!((&answer["truncated"], &answer["total"]), (&json!(true), &json!(2)));
}

async fn attributes_of_every_kind_are_filtered_by(app: TestApp) {
    let one = |id: &str, attributes: Value| json!({"id": id, "name": "x", "attributes": attributes});
    app.fill(&[
        one("a", json!({"volt": "100..240", "released": "2026-02-28"})),
        one("b", json!({"volt": 230, "released": "2026-06-30T12:00:00Z"})),
        one("c", json!({"volt": "230 ", "released": "2026-07-01"})),
    ])
    .await;
    assert_eq!(app.search("attributes.volt.is=100..240").await.ids(), ["a"]);
    assert_eq!(app.search("attributes%5Bvolt%5D%5Bis%5D=100..240").await.ids(), ["a"]);
    assert_eq!(app.search("attributes.volt=100..240").await.ids(), ["b"]);
    assert_eq!(app.search("attributes.volt=230").await.ids(), ["b", "c"]);
    assert_eq!(app.search("attributes.volt=200..<230").await.ids(), [""; 0]);
    assert_eq!(app.search("attributes.released=2026-01-01..2026-06-30").await.ids(), ["a", "b"]);
    let body = json!({"attributes": {"volt.is": "100..240", "released": "2026-01-01.."}});
    assert_eq!(app.post("/products/search", &body).await.expect(200).json()["products"][0]["id"], "a");
    app.get("/products/search?attributes.released=2026-06-30..2026-01-01").await.problem(400);
    let answer = app.search("facets=attributes.released").await.json();
    let facet = &answer["facets"]["attributes.released"];
    assert_eq!(facet["dates"]["min"], "2026-02-28T00:00:00Z");
    assert_eq!((&facet["dates"]["count"], facet.get("numbers")), (&json!(3), None));
    for bucket in facet["dates"]["histogram"].as_array().unwrap() {
        let (from, to) = (bucket["from"].as_str().unwrap(), bucket["to"].as_str().unwrap());
        let found = app.search(&format!("attributes.released={from}..{to}")).await.json();
        assert_eq!(found["total"], bucket["count"], "{bucket}");
    }
}
