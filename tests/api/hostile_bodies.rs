//! Requests that are made to be expensive: their time and their responses are bounded.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, wait_until};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// The maximum bytes of a response that lists faults, which without a limit would have megabytes.
const SHORT: usize = 20_000;
/// Far more than a build without optimizations needs for any of these requests, and far less than it took when the work grew
/// with the square of the size.
const SOON: Duration = Duration::from_secs(10);

/// Returns an object with `keys` different keys.
fn object(keys: usize, value: &str) -> String {
    let mut object = String::from("{");
    for key in 0..keys {
        let comma = if key == 0 { "" } else { "," };
        write!(object, "{comma}\"k{key}\":{value}").unwrap();
    }
    object + "}"
}

fn list(count: usize, value: &str) -> String {
    format!("[{}]", vec![value; count].join(","))
}

/// Returns the fields at fault, and the number of faults that are not listed.
fn faults(problem: &Value) -> (Vec<&str>, u64) {
    (Answer::faulty_fields(problem), problem["errorsOmitted"].as_u64().unwrap_or(0))
}

async fn send(app: &TestApp, method: Method, path: &str, body: String) -> Answer {
    let begun = Instant::now();
    let answer = Answer::of(app.request(method, path).header(CONTENT_TYPE, JSON).body(body)).await;
    assert!(begun.elapsed() < SOON, "{:?} for {path}", begun.elapsed());
    assert!(answer.text.len() < SHORT, "{} bytes for {path}", answer.text.len());
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_with_countless_faults_gets_the_first_of_them() {
    let app = TestApp::spawn().await;
    let post = async |body: String| send(&app, Method::POST, "/products", body).await.problem(422);
    for (body, field) in [
        (format!(r#"{{"name":"x","tags":{}}}"#, list(520_000, "1")), "tags"),
        (format!(r#"{{"name":"x","images":{}}}"#, list(340_000, "\"\"")), "images"),
        (format!(r#"{{"name":"x","attributes":{}}}"#, object(70_000, "{}")), "attributes"),
        (format!(r#"{{"name":"x","attributes":{{"a":{}}}}}"#, list(340_000, "\"\"")), "attributes.a"),
        (object(80_000, "1"), ""),
    ] {
        assert_eq!(faults(&post(body).await), (vec![field], 0));
    }
    let problem = post(format!(r#"{{"name":"x","attributes":{}}}"#, object(1000, "{}"))).await;
    let (fields, omitted) = faults(&problem);
    assert_eq!((fields.len(), omitted), (50, 950));
    assert_eq!(problem["detail"], "the product has 1000 faults; the first 50 are listed");
    assert_eq!(faults(&post(object(900, "1")).await).1, 851, "unknown fields, and no name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_countless_keys_is_refused_soon() {
    let app = TestApp::spawn().await;
    app.put("/products/p", &json!({"name": "Lamp", "attributes": {"a": 1}})).await.expect(201);
    let patch = async |body: String| send(&app, Method::PATCH, "/products/p", body).await.problem(422);
    assert_eq!(faults(&patch(object(60_000, "1")).await), (vec![""], 0));
    let attributes = format!(r#"{{"attributes":{}}}"#, object(60_000, "1"));
    assert_eq!(faults(&patch(attributes).await), (vec!["attributes"], 0));
    let same = format!("{{{}}}", vec![r#""name":"x""#; 60_000].join(","));
    assert_eq!(faults(&patch(same).await), (vec![""], 0));
    // Null removes a key, so that any number of keys that are not there may be patched.
    let nulls = format!(r#"{{"attributes":{}}}"#, object(60_000, "null"));
    send(&app, Method::PATCH, "/products/p", nulls).await.expect(200);
    let product = app.get("/products/p").await.json();
    assert_eq!((&product["name"], &product["attributes"]), (&json!("Lamp"), &json!({"a": 1})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_body_is_short() {
    let app = TestApp::spawn().await;
    let padded = |bytes: usize| format!("{{\"query\":\"lamp\"{}}}", " ".repeat(bytes - 16));
    send(&app, Method::POST, "/products/search", padded(64 * 1024)).await.expect(200);
    for body in [padded(64 * 1024 + 1), format!(r#"{{"tags":{}}}"#, list(520_000, "1")), object(80_000, "1")]
    {
        let problem = send(&app, Method::POST, "/products/search", body).await.problem(413);
        assert!(problem["detail"].as_str().unwrap().contains("64 KiB"), "{problem}");
    }
    // A product may be larger.
    send(&app, Method::POST, "/products", format!(r#"{{"name":"x"{}}}"#, " ".repeat(900_000)))
        .await
        .expect(201);
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_countless_faults_gets_the_first_of_them() {
    let app = TestApp::spawn().await;
    let post = async |body: String| send(&app, Method::POST, "/products/search", body).await.problem(422);
    for (body, fields) in [
        (format!(r#"{{"tags":{}}}"#, list(30_000, "1")), vec!["tags"]),
        (format!(r#"{{"facets":{}}}"#, list(30_000, "1")), vec!["facets"]),
        (format!(r#"{{"facets":"{}"}}"#, "x,".repeat(30_000)), vec!["facets"]),
        (format!(r#"{{"attributes":{}}}"#, object(6000, "{}")), vec!["attributes"]),
        (format!(r#"{{"attributes":{{"k":{}}}}}"#, list(20_000, "[]")), vec!["attributes.k"]),
        (format!(r#"{{"searches":{}}}"#, list(20_000, "{}")), vec!["searches"]),
        (
            format!(r#"{{"searches":[{},{}]}}"#, object(3000, "1"), object(3000, "1")),
            vec!["searches[0]", "searches[1]"],
        ),
        (object(6000, "1"), vec![""]),
    ] {
        assert_eq!(faults(&post(body).await), (fields, 0));
    }
    let (several, unknown) = (list(10, &object(100, "1")), post(object(100, "1")).await);
    assert_eq!((faults(&unknown).0.len(), faults(&unknown).1), (50, 50));
    assert_eq!(faults(&post(format!(r#"{{"searches":{several}}}"#)).await).1, 950);
    let hints = unknown.to_string().matches("there are").count()
        + unknown.to_string().matches("did you mean").count();
    assert_eq!(hints, 3, "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_string_with_countless_faults_gets_the_first_of_them() {
    let app = TestApp::spawn().await;
    let get = async |query: String| {
        send(&app, Method::GET, &format!("/products/search?{query}"), String::new()).await.problem(400)
    };
    let unknown: String = (0..100).map(|name| format!("k{name}&")).collect();
    assert_eq!(faults(&get(unknown.clone()).await).1, 50);
    assert_eq!(faults(&get(unknown + "k100&k101").await), (vec![""], 0), "too many parameters");
    assert_eq!(faults(&get("a=%&".repeat(100)).await).1, 50);
    assert_eq!(faults(&get(format!("facets={}", "x,".repeat(30_000))).await), (vec!["facets"], 0));
    assert_eq!(faults(&get("tags=x&".repeat(9_000)).await), (vec![""], 0));
    assert_eq!(faults(&get(format!("cursor={}", "a".repeat(60_000))).await), (vec!["cursor"], 0));
    assert_eq!(faults(&get(format!("syncToken={}", "1".repeat(60_000))).await), (vec!["syncToken"], 0));
    assert_eq!(faults(&get(format!("priceRange={}-", "1".repeat(60_000))).await), (vec!["priceRange"], 0));
    assert_eq!(faults(&get(format!("{}=1", "x".repeat(60_000))).await).0.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_any_length_is_read_soon() {
    let app = TestApp::spawn().await;
    let digits = "1".repeat(100_000);
    for number in [
        "1e999999",
        "1e-999999",
        "-1e999999",
        &format!("1e{digits}"),
        &digits,
        &format!("0.{digits}"),
        &format!("{digits}e-{digits}"),
    ] {
        for body in [
            format!(r#"{{"name":"x","price":{number}}}"#),
            format!(r#"{{"name":"x","stock":{number}}}"#),
            format!(r#"{{"name":"x","price":1,"currency":{number}}}"#),
        ] {
            send(&app, Method::POST, "/products", body).await.problem(422);
        }
        let body = format!(r#"{{"name":"x","attributes":{{"a":{number}}}}}"#);
        let answer = send(&app, Method::POST, "/products", body).await;
        assert!(answer.status == 422 || answer.status == 201, "{answer:?}");
    }
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_any_depth_is_read_soon() {
    let app = TestApp::spawn().await;
    app.put("/products/p", &json!({"name": "Lamp"})).await.expect(201);
    let (lists, objects) = ("[".repeat(400_000), "{\"a\":".repeat(150_000));
    let closed = format!("{objects}1{}", "}".repeat(150_000));
    for body in [lists.clone(), objects.clone()] {
        send(&app, Method::POST, "/products", body.clone()).await.problem(400);
        send(&app, Method::PATCH, "/products/p", body).await.problem(400);
    }
    for value in [format!("{lists}{}", "]".repeat(400_000)), closed] {
        let body = format!(r#"{{"name":"x","attributes":{{"a":{value}}}}}"#);
        send(&app, Method::POST, "/products", body.clone()).await.problem(422);
        send(&app, Method::PATCH, "/products/p", body).await.problem(422);
    }
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_with_countless_faults_get_the_first_of_them() {
    let app = TestApp::spawn().await;
    let faulty = format!(r#"{{"name":"x","attributes":{}}}"#, object(1000, "{}"));
    let long = format!(r#"{{"name":"x","tags":{}}}"#, list(500_000, "1"));
    let lines = format!("{faulty}\n{long}\n{{\"id\":\"a\",\"name\":\"A\"}}\n");
    let results = app.post_text("/products/bulk", NDJSON, lines.clone()).await.expect(200).text;
    assert!(results.len() < SHORT, "{} bytes", results.len());
    let results: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let job = app.post_text("/imports", NDJSON, lines).await.expect(202);
    let job = async || app.get(job.header("location")).await.expect(200).json();
    wait_until("the job is finished", async || job().await["finishedAt"].is_string()).await;
    let imported = job().await;
    for rejected in [results.as_slice(), imported["faults"].as_array().unwrap()] {
        assert_eq!((faults(&rejected[0]["problem"]).0.len(), faults(&rejected[0]["problem"]).1), (20, 980));
        assert_eq!(faults(&rejected[1]["problem"]), (vec!["tags"], 0));
    }
    assert_eq!(results[2]["outcome"], "created");
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_is_refused() {
    let app = TestApp::spawn().await;
    app.put("/products/p", &json!({"name": "Lamp"})).await.expect(201);
    let product = "{\"id\":\"p\",\"name\":\"Bomb\"}";
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(product.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    for (method, path, kind) in [
        (Method::POST, "/products", JSON),
        (Method::PUT, "/products/p", JSON),
        (Method::PATCH, "/products/p", "application/merge-patch+json"),
        (Method::POST, "/products/search", JSON),
        (Method::POST, "/products/bulk", NDJSON),
        (Method::POST, "/imports", NDJSON),
        (Method::POST, "/admin/dead-letters/retry", JSON),
    ] {
        for encoding in ["gzip", "br", "deflate", "zstd", "gzip, gzip"] {
            let request = app.request(method.clone(), path).header(CONTENT_TYPE, kind);
            let answer = Answer::of(request.header(CONTENT_ENCODING, encoding).body(packed.clone())).await;
            assert_eq!(answer.headers[ACCEPT_ENCODING], "identity", "{path}");
            let problem = answer.problem(415);
            assert!(problem["detail"].as_str().unwrap().contains("`identity`"), "{problem}");
        }
    }
    let request = app.request(Method::PUT, "/products/p").header(CONTENT_TYPE, JSON);
    Answer::of(request.header(CONTENT_ENCODING, "identity").body(product)).await.expect(200);
    assert_eq!(app.get("/products/p").await.json()["name"], "Bomb");
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_short_and_harmless() {
    let app = TestApp::spawn().await;
    let id = async |sent: &str| {
        let request = app.request(Method::GET, "/products").header("x-request-id", sent);
        Answer::of(request).await.expect(200).header("x-request-id").to_owned()
    };
    for kept in ["mine-1", "Root=1-67891233:abc/def+x._", &"a".repeat(128)] {
        assert_eq!(id(kept).await, kept);
    }
    for replaced in ["a".repeat(129).as_str(), &"a".repeat(20_000), "a b", "<script>", "a,b", "\"", ""] {
        assert_eq!(id(replaced).await.len(), 36, "a new one for {replaced:.20}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_address_is_not_repeated() {
    let app = TestApp::spawn().await;
    for path in ["/nothing", "/imports", "/products"] {
        let answer = app.get(&format!("{path}/{}", "x".repeat(20_000))).await;
        assert!(answer.status.is_client_error() && answer.text.len() < 1000, "{answer:?}");
    }
}
