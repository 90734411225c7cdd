//! The limits of requests: a request at a limit succeeds, one beyond it is rejected.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// Names and values of parameters.
type Parameters = Vec<(&'static str, String)>;

/// Returns cases: the field that a fault names, parameters at a limit, and parameters beyond it.
fn bounds() -> Vec<(&'static str, Parameters, Parameters)> {
    let many = |name: &'static str, count: usize| -> Parameters {
        (0..count).map(|number| (name, format!("v{number}"))).collect()
    };
    let ranges = |count: usize| -> Parameters {
        (0..count).map(|number| ("priceRange", format!("{number}-{number}.5"))).collect()
    };
    vec![
        ("", many("tags", 20), many("tags", 21)),
        ("", [many("brand", 10), ranges(10)].concat(), [many("brand", 10), ranges(11)].concat()),
        ("", many("attributes.k", 20), many("attributes.k", 21)),
    ]
}

fn query_string(parameters: &[(&str, String)]) -> String {
    parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Returns the only fault, which must name this field.
fn assert_fault(answer: Answer, status: u16, field: &str) {
    let problem = answer.problem(status);
    assert_eq!(Answer::faulty_fields(&problem), [field], "{problem}");
    assert_eq!(problem["errors"][0]["type"], "out_of_range", "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_takes_what_the_bounds_allow_and_no_more() {
    let app = TestApp::spawn().await;
    app.fill(&[json!({"id": "p", "name": "Lamp"})]).await;
    for (field, most, too_much) in bounds() {
        for address in ["search", "suggest", "facets/brand"] {
            app.get(&format!("/products/{address}?{}", query_string(&most))).await.expect(200);
            let refused = app.get(&format!("/products/{address}?{}", query_string(&too_much))).await;
            assert_fault(refused, 400, field);
        }
        if field.is_empty() {
            app.get(&format!("/products/p/similar?{}", query_string(&most))).await.expect(200);
            let refused = app.get(&format!("/products/p/similar?{}", query_string(&too_much))).await;
            assert_fault(refused, 400, field);
        }
    }
    let facets =
        |count: usize| (0..count).map(|number| format!("attributes.k{number}")).collect::<Vec<_>>().join(",");
    app.search(&format!("facets={}", facets(20))).await;
    assert_fault(app.get(&format!("/products/search?facets={}", facets(21))).await, 400, "facets");
    app.get(&format!("/products/facets/brand?prefix={}", "x".repeat(256))).await.expect(200);
    let refused = app.get(&format!("/products/facets/brand?prefix={}", "x".repeat(257))).await;
    assert_fault(refused, 400, "prefix");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_the_same_bounds() {
    let app = TestApp::spawn().await;
    let list = |count: usize| (0..count).map(|number| format!("v{number}")).collect::<Vec<_>>();
    let facets = |count: usize| list(count).iter().map(|key| format!("attributes.{key}")).collect::<Vec<_>>();
    let cases: [(&str, Value, Value); 3] = [
        ("", json!({"tags": list(20)}), json!({"tags": list(21)})),
        ("", json!({"attributes": {"k": list(20)}}), json!({"attributes": {"k": list(21)}})),
        ("facets", json!({"facets": facets(20)}), json!({"facets": facets(21)})),
    ];
    for (field, most, too_much) in cases {
        app.post("/products/search", &most).await.expect(200);
        assert_fault(app.post("/products/search", &too_much).await, 422, field);
        let several = json!({"searches": [most, too_much]});
        let at = if field.is_empty() { "searches[1]".to_owned() } else { format!("searches[1].{field}") };
        assert_fault(app.post("/products/search", &several).await, 422, &at);
    }
    app.post("/products/search", &json!({"searches": vec![json!({}); 10]})).await.expect(200);
    let too_many = app.post("/products/search", &json!({"searches": vec![json!({}); 11]})).await;
    assert_fault(too_many, 422, "searches");
}
