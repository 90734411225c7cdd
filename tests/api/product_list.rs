//! The list of products with filters: a scan of the store, in pages that may be short.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const NDJSON: &str = "application/x-ndjson";

async fn with_products(products: &[Value]) -> TestApp {
    let app = TestApp::spawn().await;
    let lines: String = products.iter().map(|product| format!("{product}\n")).collect();
    app.post_text("/products/bulk", NDJSON, lines).await.expect(200);
    app
}

/// Reads all pages of a list. Returns the ids on each.
async fn pages(app: &TestApp, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/products?{query}{cursor}")).await.expect(200);
        pages.push(page.ids());
        match page.json()["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

async fn sorted(app: &TestApp, query: &str) -> Vec<String> {
    let mut ids = pages(app, query).await.concat();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_select_products_that_pass_all_of_them() {
    let app = with_products(&[
        json!({"id": "a", "name": "A", "brand": "Hikari", "sku": "A-1", "category": "Home > Lamps"}),
        json!({"id": "b", "name": "B", "brand": "Hikari", "status": "draft", "categories": ["Sale", "Home > Lamps > Desk"]}),
        json!({"id": "c", "name": "C", "brand": "hikari", "status": "archived", "category": "Homes"}),
        json!({"id": "d", "name": "D", "sku": "D-1"}),
    ])
    .await;
    for (query, expected) in [
        ("", "a b c d"),
        ("status=active", "a d"),
        ("status=draft&status=archived", "b c"),
        ("category=Home", "a b"),
        ("category=Home+%3E+Lamps+%3E+Desk&category=Homes", "b c"),
        ("brand=Hikari", "a b"),
        ("brand=Hikari&status=draft", "b"),
        ("sku=D-1", "d"),
        ("sku=A-1&sku=D-1&sku=none", "a d"),
        ("sku=a-1", ""),
        ("updatedSince=2026-01-01T00:00:00Z&status=archived", "c"),
        ("updatedSince=9999-01-01T00:00:00Z", ""),
    ] {
        assert_eq!(sorted(&app, query).await.join(" "), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_passes_from_the_time_of_its_last_write_on() {
    let app = with_products(&["a", "b"].map(|id| json!({"id": id, "name": id}))).await;
    app.patch("/products/b", &json!({"stock": 1})).await.expect(200);
    let updated = async |id: &str| {
        let product = app.get(&format!("/products/{id}")).await.expect(200).json();
        product["updatedAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let (written, before) = (updated("b").await, updated("a").await);
    let since = sorted(&app, &format!("updatedSince={written}")).await;
    assert!(since.contains(&"b".to_owned()), "the time itself is included: {since:?}");
    assert_eq!(since.contains(&"a".to_owned()), before >= written, "{before} {written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_product_that_passes_is_on_one_page() {
    let brand = |n: u32| if n.is_multiple_of(3) { "Hikari" } else { "Other" };
    let products: Vec<Value> =
        (0..350).map(|n| json!({"id": format!("p{n:03}"), "name": "Cup", "brand": brand(n)})).collect();
    let app = with_products(&products).await;
    let mut expected: Vec<String> =
        (0..350).filter(|n| n % 3 == 0).map(|n: u32| format!("p{n:03}")).collect();
    expected.sort();
    for limit in [1, 7, 34, 100, 500] {
        let pages = pages(&app, &format!("brand=Hikari&limit={limit}")).await;
        assert!(pages.iter().all(|page| page.len() <= limit), "{limit}: {pages:?}");
        let last = pages.len() - 1;
        assert!(pages[..last].iter().all(|page| page.len() == limit), "none of them is short: {pages:?}");
        let mut ids = pages.concat();
        ids.sort();
        assert_eq!(ids, expected, "{limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_large_catalogue_may_be_empty_and_have_a_cursor() {
    let products: Vec<Value> = (0..2500)
        .map(|n| json!({"id": format!("p{n:04}"), "name": "Cup", "status": if n == 1700 { "draft" } else { "active" }}))
        .collect();
    let app = with_products(&products).await;
    let pages = pages(&app, "status=draft").await;
    assert_eq!(pages.concat(), ["p1700"]);
    assert_eq!(pages.len(), 3, "1,000 products at a time: {pages:?}");
    assert!(pages.iter().any(Vec::is_empty), "{pages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_not_understood_is_named() {
    let app = TestApp::spawn().await;
    for (query, fields) in [
        ("status=gone", &["status"][..]),
        ("category=%3E&brand=", &["category", "brand"]),
        ("updatedSince=yesterday", &["updatedSince"]),
        ("updatedSince=2026-02-01T12:00:00Z&updatedSince=2026-02-01T12:00:00Z", &["updatedSince"]),
        ("stauts=draft", &["stauts"]),
        ("source=erp", &["source"]),
        ("status=draft&cursor=none", &["cursor"]),
    ] {
        let problem = app.get(&format!("/products?{query}")).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), fields, "{query}");
    }
}
