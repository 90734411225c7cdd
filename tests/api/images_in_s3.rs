//! Uploaded images in S3: sent through the service, or to S3 itself.

use std::sync::Arc;

use aws_setup::Aws;
use command::{Catalogue, Images};
use domain::Currency;
use embedded_store::EmbeddedStore;
use reqwest::{Client, Method};
use runtime::Service;
use s3_images::S3Images;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::{Answer, S3, S3_BUCKET, http_client};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01";
const CDN: &str = "https://cdn.example/images";

/// The write service with its images in S3, and the product `lamp`.
struct Shop {
    url: String,
    client: Client,
    s3: S3,
    server: JoinHandle<()>,
    _data: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let (s3, data) = (S3::start().await, tempfile::tempdir().unwrap());
        let store = Arc::new(EmbeddedStore::open(data.path(), embedded_store::Options::default()).unwrap());
        let catalogue = Catalogue::new(store.clone(), store, Currency::USD);
        let bucket = S3Images::unchecked(&Aws::local(&s3.url).await.unwrap(), S3_BUCKET).unwrap();
        let images = Images::new(catalogue.clone(), Arc::new(bucket), Some(CDN.to_owned()));
        let (routes, uploads) = (command::routes(catalogue), command::image_routes(Some(images)));
        let router = Service { routes, uploads, ..Service::default() }.into_router();
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(runtime::server::serve(listener, router, std::future::pending()));
        let shop = Self { url, client: http_client(), s3, server, _data: data };
        let lamp = shop.request(Method::PUT, "/products/lamp").json(&json!({"name": "Lamp"}));
        Answer::of(lamp).await.expect(201);
        shop
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    async fn put(&self, path: &str, body: &'static [u8]) -> Answer {
        Answer::of(self.request(Method::PUT, path).body(body)).await
    }

    async fn images(&self) -> Value {
        let lamp = Answer::of(self.request(Method::GET, "/products/lamp")).await.expect(200).json();
        lamp["images"].clone()
    }

    /// Asks for the address of an upload.
    async fn allow(&self, size: usize) -> Value {
        let path = format!("/products/lamp/images/a.png?size={size}&type=image/png");
        Answer::of(self.request(Method::POST, &path)).await.expect(200).json()
    }

    /// Sends an image to S3. Returns the status.
    async fn send(&self, allowed: &Value, body: &'static [u8]) -> u16 {
        let headers = allowed["headers"].as_object().unwrap();
        let request = self.client.request(Method::PUT, allowed["url"].as_str().unwrap()).body(body);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value.as_str().unwrap()));
        request.send().await.unwrap().status().as_u16()
    }

    async fn add(&self, allowed: &Value) -> Answer {
        let upload = allowed["upload"].as_str().unwrap();
        self.put(&format!("/products/lamp/images/a.png?upload={upload}"), b"").await
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_sent_to_the_service_is_in_the_bucket() {
    let shop = Shop::open().await;
    let uploaded = shop.put("/products/lamp/images/a.png", PNG).await.expect(200).json();
    let address = uploaded["url"].as_str().unwrap();
    let key = address.strip_prefix("https://cdn.example/").unwrap();
    assert_eq!((shop.images().await, shop.s3.keys()), (json!([address]), vec![key.to_owned()]));
    assert_eq!(shop.s3.headers_of(key)[0], "image/png");
    let served = shop.request(Method::GET, &format!("/{key}")).send().await.unwrap();
    assert_eq!(served.headers()["content-type"], "image/png");
    assert_eq!(served.bytes().await.unwrap(), PNG);
    Answer::of(shop.request(Method::DELETE, "/products/lamp/images/a.png")).await.expect(200);
    assert_eq!((shop.images().await, shop.s3.keys()), (json!([]), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_sent_to_s3_is_added_to_the_product() {
    let shop = Shop::open().await;
    let allowed = shop.allow(PNG.len()).await;
    shop.add(&allowed).await.problem(409);
    assert_eq!(shop.send(&allowed, PNG).await, 200);
    assert_eq!(shop.images().await, json!([]), "not before the client says so");
    let stale = format!("/products/lamp/images/a.png?upload={}", allowed["upload"].as_str().unwrap());
    let stale = shop.request(Method::PUT, &stale).header("if-match", "\"9\"");
    assert_eq!(Answer::of(stale).await.problem(412)["currentVersion"], 1);
    let added = shop.add(&allowed).await.expect(200).json();
    assert_eq!((&added["size"], &added["type"]), (&json!(PNG.len()), &json!("image/png")));
    assert_eq!(added["url"], format!("{CDN}/lamp/{}/a.png", allowed["upload"].as_str().unwrap()));
    assert_eq!(shop.images().await, json!([added["url"]]));
    assert_eq!(shop.add(&allowed).await.expect(200).json()["version"], added["version"], "once is enough");
    assert_eq!(shop.send(&allowed, PNG).await, 412, "its bytes stay the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_to_s3_must_be_an_image() {
    let shop = Shop::open().await;
    let page = b"<!doctype html><script>alert(1)</script>";
    let allowed = shop.allow(page.len()).await;
    assert_eq!(shop.send(&allowed, page).await, 200);
    shop.add(&allowed).await.problem(415);
    assert_eq!((shop.images().await, shop.s3.keys()), (json!([]), Vec::new()));
    let path = "/products/none/images/a.png?size=5&type=image/png";
    Answer::of(shop.request(Method::POST, path)).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_while_s3_is_away_changes_nothing() {
    let shop = Shop::open().await;
    shop.s3.fail_next(9);
    shop.put("/products/lamp/images/a.png", PNG).await.problem(503);
    shop.s3.fail_next(0);
    assert_eq!((shop.images().await, shop.s3.keys()), (json!([]), Vec::new()));
}
