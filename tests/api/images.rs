//! Uploaded images of products.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00";
const WEBP: &[u8] = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00";
const AVIF: &[u8] = b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf";
const MAX_BYTES: usize = 10 * 1024 * 1024;

async fn put(app: &TestApp, path: &str, image: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> Answer {
    let request = app.request(Method::PUT, path).body(image);
    Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

/// Starts a service with the product `lamp`.
async fn with_lamp(images: &Value) -> TestApp {
    let app = TestApp::spawn().await;
    app.put("/products/lamp", &json!({"name": "Lamp", "images": images})).await.expect(201);
    app
}

async fn images_of(app: &TestApp, id: &str) -> Vec<String> {
    let product = app.get(&format!("/products/{id}")).await.expect(200).json();
    serde_json::from_value(product["images"].clone()).unwrap()
}

/// Returns the path of an address of this service.
fn path(app: &TestApp, address: &Value) -> String {
    address
        .as_str()
        .and_then(|address| address.strip_prefix(&app.url))
        .expect("it is of this service")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_image_is_in_the_product_and_at_its_address() {
    let app = with_lamp(&json!(["https://example.com/old.jpg"])).await;
    for (at, (name, image, kind)) in [
        ("front.png", PNG, "image/png"),
        ("side.jpg", JPEG, "image/jpeg"),
        ("back.webp", WEBP, "image/webp"),
        ("top.avif", AVIF, "image/avif"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer =
            put(&app, &format!("/products/lamp/images/{name}"), image, &[("content-type", kind)]).await;
        let answer = answer.expect(200);
        let uploaded = answer.json();
        assert_eq!(answer.header("etag"), format!("\"{}\"", at + 2));
        assert_eq!(answer.header("noren-sync-token"), format!("{}.lamp", at + 2));
        assert_eq!(
            (&uploaded["filename"], &uploaded["size"], &uploaded["type"]),
            (&json!(name), &json!(image.len()), &json!(kind))
        );
        assert_eq!((&uploaded["id"], &uploaded["version"]), (&json!("lamp"), &json!(at + 2)));
        let path = path(&app, &uploaded["url"]);
        let response = app.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), kind);
        assert_eq!(header("content-length"), image.len().to_string());
        assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").contains("sandbox"));
        let tag = header("etag");
        assert_eq!(response.bytes().await.unwrap(), image);
        let head = app.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()),
            (200, &*image.len().to_string())
        );
        let again =
            Answer::of(app.request(Method::GET, &path).header("if-none-match", &tag)).await.expect(304);
        assert_eq!((again.header("etag"), again.text.as_str()), (&*tag, ""));
    }
    let images = images_of(&app, "lamp").await;
    assert_eq!((images.len(), images[0].as_str()), (5, "https://example.com/old.jpg"));
    app.sync_all().await;
    let found = app.search("query=lamp").await.json();
    assert_eq!(found["products"][0]["images"], json!(images));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_image_of_a_name_takes_the_place_of_the_one_before() {
    let app = with_lamp(&json!([])).await;
    let upload = async |image: &'static [u8]| {
        let uploaded = put(&app, "/products/lamp/images/front", image, &[]).await.expect(200).json();
        (path(&app, &uploaded["url"]), uploaded["version"].as_u64().unwrap())
    };
    let (first, version) = upload(PNG).await;
    assert_eq!(upload(PNG).await, (first.clone(), version), "the same image changes nothing");
    app.patch(
        "/products/lamp",
        &json!({"images": [format!("{}{first}", app.url), "https://example.com/last.jpg"]}),
    )
    .await
    .expect(200);
    let (second, _) = upload(JPEG).await;
    assert_eq!(
        images_of(&app, "lamp").await,
        [format!("{}{second}", app.url), "https://example.com/last.jpg".to_owned()]
    );
    app.get(&first).await.expect(200);
    let (third, _) = upload(WEBP).await;
    app.get(&first).await.problem(404);
    for kept in [&second, &third] {
        app.get(kept).await.expect(200);
    }
    let (again, _) = upload(JPEG).await;
    assert_eq!(again, second);
    upload(AVIF).await;
    app.get(&third).await.problem(404);
    app.get(&second).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_images_are_stored() {
    let app = with_lamp(&json!([])).await;
    for (body, headers) in [
        (&b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"[..], &[][..]),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", &[("content-type", "image/svg+xml")]),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", &[("content-type", "image/png")]),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", &[]),
        (b"<!doctype html><title>x</title>", &[("content-type", "image/jpeg")]),
        (b"", &[]),
        (PNG, &[("content-type", "image/jpeg")]),
        (PNG, &[("content-type", "text/plain")]),
        (PNG, &[("content-encoding", "gzip")]),
    ] {
        put(&app, "/products/lamp/images/x", body, headers).await.problem(415);
    }
    assert_eq!(images_of(&app, "lamp").await, [""; 0]);
    assert_eq!(app.files_of_images(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_has_at_most_10_mb() {
    let app = with_lamp(&json!([])).await;
    let image = |bytes: usize| [PNG, &vec![0; bytes - PNG.len()]].concat();
    let uploaded =
        put(&app, "/products/lamp/images/full.png", image(MAX_BYTES), &[]).await.expect(200).json();
    assert_eq!(uploaded["size"], MAX_BYTES);
    let served = app.request(Method::GET, &path(&app, &uploaded["url"])).send().await.unwrap();
    assert_eq!(served.bytes().await.unwrap(), image(MAX_BYTES));
    let problem = put(&app, "/products/lamp/images/large.png", image(MAX_BYTES + 1), &[]).await.problem(413);
    assert!(problem["detail"].as_str().unwrap().contains("10 MB"), "{problem}");
    // Without a length, too many bytes are noticed as they arrive.
    let chunks =
        futures::stream::iter(image(MAX_BYTES + 1).chunks(65_536).map(Vec::from).collect::<Vec<_>>());
    let chunks = futures::StreamExt::map(chunks, Ok::<_, std::io::Error>);
    let body = reqwest::Body::wrap_stream(chunks);
    put(&app, "/products/lamp/images/large.png", body, &[]).await.problem(413);
    assert_eq!((images_of(&app, "lamp").await.len(), app.files_of_images()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_under_a_stale_version_changes_nothing() {
    let app = with_lamp(&json!([])).await;
    let front = "/products/lamp/images/front.png";
    let problem = put(&app, front, PNG, &[("if-match", "\"7\"")]).await.problem(412);
    assert_eq!(problem["currentVersion"], 1);
    assert_eq!(app.files_of_images(), 0, "the file is removed again");
    put(&app, front, PNG, &[("if-match", "\"1\"")]).await.expect(200);
    put(&app, front, PNG, &[("if-match", "\"1\"")]).await.problem(412);
    assert_eq!(app.files_of_images(), 1, "the product names the file");
    put(&app, "/products/none/images/front.png", PNG, &[]).await.problem(404);
    for (path, status) in [
        ("/products/lamp/images/.hidden", 422),
        ("/products/lamp/images/a%20b", 422),
        ("/products/lamp/images/%2e%2e%2fnoren.db", 422),
        ("/products/search/images/a", 422),
        ("/products/lamp/images/front.png?uplod=1", 400),
        ("/products/lamp/images/front.png?upload=1", 400),
    ] {
        put(&app, path, PNG, &[]).await.problem(status);
    }
    let many: Vec<String> = (0..100).map(|n| format!("https://example.com/{n}.jpg")).collect();
    app.put("/products/full", &json!({"name": "Full", "images": many})).await.expect(201);
    let problem = put(&app, "/products/full/images/front.png", PNG, &[]).await.problem(422);
    assert_eq!(Answer::faulty_fields(&problem), ["images"]);
    assert_eq!(app.files_of_images(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_upload_under_its_key_gets_the_first_response() {
    let app = with_lamp(&json!([])).await;
    let key = [("idempotency-key", "k-1"), ("if-match", "\"1\"")];
    let first = put(&app, "/products/lamp/images/a.png", PNG, &key).await.expect(200);
    let again = put(&app, "/products/lamp/images/a.png", PNG, &key).await.expect(200);
    assert_eq!(first.json(), again.json());
    put(&app, "/products/lamp/images/a.png", JPEG, &key).await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_the_same_time_all_arrive() {
    let app = with_lamp(&json!([])).await;
    let paths: Vec<String> = (0..8).map(|n| format!("/products/lamp/images/{n}.png")).collect();
    let uploads = paths.iter().map(|path| put(&app, path, PNG, &[]));
    for answer in futures::future::join_all(uploads).await {
        answer.expect(200);
    }
    assert_eq!((images_of(&app, "lamp").await.len(), app.files_of_images()), (8, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_image_is_gone_from_the_product_and_from_its_address() {
    let app = with_lamp(&json!(["https://example.com/old.jpg"])).await;
    let front = "/products/lamp/images/front.png";
    let mut addresses = Vec::new();
    for image in [PNG, JPEG] {
        addresses.push(path(&app, &put(&app, front, image, &[]).await.expect(200).json()["url"]));
    }
    let delete = async |headers: &[(&str, &str)]| {
        let request = app.request(Method::DELETE, front);
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    assert_eq!(delete(&[("if-match", "\"1\"")]).await.problem(412)["currentVersion"], 3);
    let deleted = delete(&[("if-match", "\"3\"")]).await.expect(200);
    assert_eq!((&deleted.json()["version"], deleted.header("etag")), (&json!(4), "\"4\""));
    assert_eq!(images_of(&app, "lamp").await, ["https://example.com/old.jpg"]);
    for address in &addresses {
        app.get(address).await.problem(404);
    }
    assert_eq!(app.files_of_images(), 0);
    delete(&[]).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_product_keeps_its_files_until_they_are_deleted() {
    let app = with_lamp(&json!([])).await;
    let front = "/products/lamp/images/front.png";
    let address = path(&app, &put(&app, front, PNG, &[]).await.expect(200).json()["url"]);
    app.delete("/products/lamp").await.expect(200);
    app.get(&address).await.expect(200);
    app.delete(front).await.expect(204);
    app.get(&address).await.problem(404);
    app.delete(front).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_ids_that_differ_in_letter_case_are_apart() {
    let app = TestApp::spawn().await;
    let mut addresses = Vec::new();
    for id in ["lamp", "Lamp"] {
        app.put(&format!("/products/{id}"), &json!({"name": "Lamp"})).await.expect(201);
        let uploaded = put(&app, &format!("/products/{id}/images/a.png"), PNG, &[]).await.expect(200);
        addresses.push(path(&app, &uploaded.json()["url"]));
    }
    app.delete("/products/lamp/images/a.png").await.expect(200);
    app.get(&addresses[0]).await.problem(404);
    app.get(&addresses[1]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_names_the_site_that_the_client_called() {
    let app = with_lamp(&json!([])).await;
    let upload = async |name: &str, headers: &[(&str, &str)]| {
        let path = format!("/products/lamp/images/{name}");
        put(&app, &path, PNG, headers).await.expect(200).json()["url"].as_str().unwrap().to_owned()
    };
    let own = upload("a.png", &[]).await;
    assert!(own.starts_with(&format!("{}/images/lamp/", app.url)), "{own}");
    let proxied = upload("a.png", &[("host", "10.0.0.7:8443"), ("x-forwarded-proto", "https")]).await;
    assert!(proxied.starts_with("https://10.0.0.7:8443/images/lamp/"), "{proxied}");
    assert_eq!(images_of(&app, "lamp").await, [proxied], "it is the same image");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_names_no_image_is_not_found() {
    let app = with_lamp(&json!([])).await;
    let uploaded = put(&app, "/products/lamp/images/a.png", PNG, &[]).await.expect(200).json();
    let address = path(&app, &uploaded["url"]);
    let version = address.split('/').nth(3).unwrap();
    for path in [
        "/images/lamp/a.png".to_owned(),
        format!("/images/cup/{version}/a.png"),
        format!("/images/lamp/{version}/b.png"),
        format!("/images/lamp/{}/a.png", version.to_uppercase()),
        format!("/images/lamp/{}/a.png", "0".repeat(32)),
        format!("/images/lamp/{version}/..%2fa.png"),
    ] {
        app.get(&path).await.problem(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_direct_upload_needs_s3() {
    let app = with_lamp(&json!([])).await;
    let upload = async |query: &str| {
        Answer::of(app.request(Method::POST, &format!("/products/lamp/images/a.png{query}"))).await
    };
    let problem = upload("?size=5&type=image/png").await.problem(501);
    assert!(problem["detail"].as_str().unwrap().contains("PUT"), "{problem}");
    for (query, fields) in [
        ("", &["size", "type"][..]),
        ("?size=10485761&type=image/gif", &["size", "type"]),
        ("?size=5&type=image/png&name=x", &["name"]),
    ] {
        assert_eq!(Answer::faulty_fields(&upload(query).await.problem(400)), fields, "{query}");
    }
    let missing = format!("/products/lamp/images/a.png?upload={}", "0".repeat(32));
    put(&app, &missing, "", &[]).await.problem(409);
}

/// A repeated request gets the first response; its effect must not be repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_removes_no_image_that_the_product_names_since() {
    let app = with_lamp(&json!([])).await;
    let image = "/products/lamp/images/front.png";
    let variant = |byte: u8| [PNG, &[byte]].concat();
    let exists = async |answer: &Answer| {
        let path = path(&app, &answer.json()["url"]);
        app.get(&path).await.status == 200
    };
    put(&app, image, variant(1), &[("idempotency-key", "first")]).await.expect(200);
    put(&app, image, variant(2), &[("idempotency-key", "second")]).await.expect(200);
    let third = put(&app, image, variant(3), &[]).await.expect(200);
    put(&app, image, variant(1), &[("idempotency-key", "first")]).await.expect(200);
    put(&app, image, variant(2), &[("idempotency-key", "second")]).await.expect(200);
    assert!(exists(&third).await, "the product names it");
    let delete = || app.request(Method::DELETE, image).header("idempotency-key", "deletion");
    Answer::of(delete()).await.expect(200);
    let fourth = put(&app, image, variant(4), &[]).await.expect(200);
    Answer::of(delete()).await.expect(200);
    assert!(exists(&fourth).await, "the product names it");
    assert_eq!(images_of(&app, "lamp").await, [fourth.json()["url"].as_str().unwrap()]);
}
