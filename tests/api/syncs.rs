//! Imports with `mode=sync`: the catalogue, or a source of it, becomes equal to the file.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, finished, wait_until};

const NDJSON: &str = "application/x-ndjson";

fn lines(ids: impl IntoIterator<Item = usize>, name: &str) -> String {
    ids.into_iter()
        .map(|id| format!("{}\n", json!({"id": format!("p{id}"), "name": format!("{name} {id}")})))
        .collect()
}

/// Sends a file and returns its finished job.
async fn import(app: &TestApp, query: &str, content_type: &str, body: impl Into<String>) -> Value {
    let answer = app.post_text(&format!("/imports?{query}"), content_type, body).await.expect(202);
    let address = answer.header("location").to_owned();
    let job = async || app.get(&address).await.expect(200).json();
    wait_until("the job is finished", async || job().await["finishedAt"].is_string()).await;
    job().await
}

/// Returns the id and the source of all products.
async fn products(app: &TestApp) -> Vec<(String, Option<String>)> {
    let list = app.get("/products?limit=500").await.expect(200).json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let products = list["products"].as_array().unwrap().iter();
    let mut products: Vec<_> =
        products.map(|product| (text(&product["id"]).unwrap(), text(&product["source"]))).collect();
    products.sort();
    products
}

async fn number(app: &TestApp) -> usize {
    products(app).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_lacks_is_deleted() {
    let app = TestApp::spawn().await;
    app.post_text("/products/bulk", NDJSON, lines(0..100, "Cup")).await.expect(200);
    // Without a line break at its end.
    let file = lines((0..100).filter(|id| id % 20 != 7), "Mug");
    let job = import(&app, "mode=sync", NDJSON, file.trim_end()).await;
    assert_eq!(
        (&job["status"], &job["deleted"], &job["updated"]),
        (&json!("done"), &json!(5), &json!(95)),
        "{job}"
    );
    assert_eq!((&job["rejected"], &job["bytesDone"]), (&json!(0), &job["bytes"]), "{job}");
    assert_eq!(number(&app).await, 95);
    let again = import(&app, "mode=sync", NDJSON, file).await;
    assert_eq!((&again["deleted"], &again["unchanged"]), (&json!(0), &json!(95)), "{again}");
    app.sync_all().await;
    assert_eq!(app.search("query=mug&pageSize=1").await.json()["total"], 95);
    assert!(app.search("query=cup").await.ids().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_guard_nothing_is_changed() {
    let app = TestApp::spawn().await;
    let first = json!({"id": "p0", "name": "Cup 0", "sku": "S0"});
    app.post_text("/products/bulk", NDJSON, format!("{first}\n{}", lines(1..10, "Cup"))).await.expect(200);
    for (query, file, word) in [
        ("mode=sync", lines(0..7, "Mug"), "3 of 10 products"),
        ("mode=sync&maxDelete=2", lines(0..7, "Mug"), "more than the 2"),
        (
            "mode=sync&maxDelete=100%25",
            format!("{}{{\"name\":\"Mug\"}}\n", lines(0..9, "Mug")),
            "line 10 has no readable id",
        ),
        (
            "mode=sync&maxDelete=100%25",
            format!("{}no json\n", lines(0..9, "Mug")),
            "line 10 has no readable id",
        ),
        (
            "mode=sync&maxDelete=100%25",
            "{\"id\":\"a b\",\"name\":\"Mug\"}\n".to_owned(),
            "line 1 has no readable id",
        ),
        (
            "mode=sync&maxDelete=100%25",
            "{\"id\":\"new\",\"sku\":\"S0\",\"name\":\"Mug\"}\n".to_owned(),
            "its sku is, under another id",
        ),
    ] {
        let job = import(&app, query, NDJSON, file).await;
        assert_eq!(job["status"], "failed", "{query}: {job}");
        assert!(job["error"].as_str().unwrap().contains(word), "{query}: {job}");
        assert_eq!(number(&app).await, 10, "{query}");
        assert_eq!(app.get("/products/p1").await.json()["version"], 1, "{query}: nothing is written either");
    }
    let job = import(&app, "mode=sync&maxDelete=30%25", NDJSON, lines(0..7, "Mug")).await;
    assert_eq!((&job["deleted"], number(&app).await), (&json!(3), 7), "{job}");
    let job = import(&app, "mode=sync", NDJSON, "").await;
    assert_eq!((&job["status"], number(&app).await), (&json!("failed"), 7), "an empty file: {job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_synchronised_by_itself() {
    let app = TestApp::spawn().await;
    app.post_text("/products/bulk?source=shop", NDJSON, lines(0..3, "Cup")).await.expect(200);
    app.post_text("/products/bulk", NDJSON, lines(3..5, "Cup")).await.expect(200);
    import(&app, "source=erp", "text/csv", "id,name\np5,Bowl\np6,Plate\np7,Jug\n").await;
    let source = |id: usize| match id {
        0..3 => Some("shop".to_owned()),
        3..5 => None,
        _ => Some("erp".to_owned()),
    };
    let expected = |ids: &[usize]| ids.iter().map(|id| (format!("p{id}"), source(*id))).collect::<Vec<_>>();
    assert_eq!(products(&app).await, expected(&[0, 1, 2, 3, 4, 5, 6, 7]));
    // The row with a fault names its product, which therefore stays.
    let csv = "id,name,price\np5,Bowl,12\np6,Plate,none\n";
    let job = import(&app, "mode=sync&source=erp&maxDelete=1", "text/csv", csv).await;
    assert_eq!((&job["deleted"], &job["rejected"]), (&json!(1), &json!(1)), "{job}");
    assert_eq!(products(&app).await, expected(&[0, 1, 2, 3, 4, 5, 6]));
    assert_eq!(app.get("/products/p5").await.json()["price"], 12.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_with_faults_import_nothing() {
    let app = TestApp::spawn().await;
    for (query, field) in [
        ("mode=delete", "mode"),
        ("mode=merge&maxDelete=5", "maxDelete"),
        ("maxDelete=5", "maxDelete"),
        ("mode=sync&maxDelete=101%25", "maxDelete"),
        ("mode=sync&maxDelete=-1", "maxDelete"),
        ("mode=sync&source=", "source"),
        ("source=a&source=b", "source"),
        ("encoding=utf-9", "encoding"),
    ] {
        let request = app.request(Method::POST, &format!("/imports?{query}"));
        let request = request.header("content-type", NDJSON).body(lines(0..1, "Cup"));
        let problem = Answer::of(request).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), [field], "{query}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_may_be_any_product_deletes_nothing() {
    let app = TestApp::spawn().await;
    let skus = |id: usize| {
        json!({"id": format!("p{id}"), "name": "Cup", "sku": format!("S{id}")}).to_string() + "\n"
    };
    app.post_text("/products/bulk", NDJSON, (0..4).map(skus).collect::<String>()).await.expect(200);
    let folder = tempfile::tempdir().unwrap();
    for (table, reason) in [
        ("id,name,price\np0,Cup,1\n,,5\n", "has no readable id"),
        ("id,name,price\np0,Cup,1\n,Mug,5\n", "has no id, unlike others"),
        ("id,name,sku,price\np0,Cup,S0,1\nnew,Cup,S3,x\n", "its sku is, under another id"),
        ("id,name,sku,stock\np0,Cup,S0,1\nnew,Cup,S3,-\n", "its sku is, under another id"),
        ("id,name,price\nerr,Not Found,x\n", "no product without faults"),
    ] {
        let job = import(&app, "mode=sync&maxDelete=100%25", "text/csv", table).await;
        assert!(job["error"].as_str().unwrap_or_default().contains(reason), "{table}: {job}");
        let file = folder.path().join("shop.csv");
        std::fs::write(&file, table).unwrap();
        let arguments =
            ["import", "--url", &app.url, "--sync", "--max-delete", "100%", file.to_str().unwrap()];
        let run = finished("noren", &arguments, &[]);
        let errors = String::from_utf8(run.stderr).unwrap();
        assert!(!run.status.success() && errors.contains(reason), "{table}: {errors}");
        assert_eq!(number(&app).await, 4, "{table}");
    }
}
