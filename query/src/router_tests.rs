//! Tests of the routes on a real index.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use domain::input::read_product;
use domain::ports::IndexWriter as _;
use domain::{Change, Currency, Product, ProductId, Version};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tantivy_index::TantivyWriter;
use tower::ServiceExt as _;

use crate::{ReadSide, test_index};

struct Catalogue {
    router: Router,
    writer: TantivyWriter,
    _folder: tempfile::TempDir,
}

impl Catalogue {
    /// Creates a catalogue of three lamps and a kettle.
    async fn new() -> Self {
        let (folder, writer, searcher) = test_index::empty();
        let routes = ReadSide::new(Arc::new(searcher), test_index::settings()).routes();
        let router = runtime::Service { routes, ..Default::default() }.into_router();
        let catalogue = Self { router, writer, _folder: folder };
        catalogue
            .write(&[
                (
                    "a",
                    json!({"name": "Desk lamp", "brand": "Akari", "price": 19.9, "attributes": {"w/h": 1}}),
                ),
                (
                    "b",
                    json!({"name": "Floor lamp", "brand": "Akari", "price": 120, "attributes": {"w/h": 2}}),
                ),
                ("c", json!({"name": "Wall lamp", "brand": "Brass & Co", "price": 60})),
                ("d", json!({"name": "Kettle", "brand": "Nambu", "price": 60})),
            ])
            .await;
        catalogue
    }

    async fn write(&self, products: &[(&str, Value)]) {
        let change = |(id, json): &(&str, Value)| {
            Change::Create(Arc::new(Product {
                id: ProductId::parse(id).unwrap(),
                version: Version::FIRST,
                created_at: domain::now(),
                updated_at: domain::now(),
                content: read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content,
            }))
        };
        self.writer.apply(&products.iter().map(change).collect::<Vec<_>>()).await.unwrap();
    }

    async fn get_with(&self, path: &str, if_none_match: Option<&str>) -> Response {
        let mut request = Request::builder().method(Method::GET).uri(path);
        if let Some(tag) = if_none_match {
            request = request.header(IF_NONE_MATCH, tag);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Returns the status and the body.
    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.get_with(path, None).await;
        let status = response.status();
        let kind = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
        assert_eq!(kind, expected, "{path}");
        (status, serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap())
    }

    async fn found(&self, path: &str) -> Vec<String> {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body["products"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_search_goes_from_parameters_to_json() {
    let catalogue = Catalogue::new().await;
    let path = "/products/search?query=lmap&brand=Akari&facets=brand,price&sortBy=price_asc&pageSize=1";
    let (status, body) = catalogue.get(path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["total"], 2);
    assert_eq!(body["products"][0]["id"], "a");
    assert_eq!(body["products"][0]["price"], 19.9);
    assert_eq!(
        body["facets"]["brand"],
        json!({"values": [{"value": "Akari", "count": 2}, {"value": "Brass & Co", "count": 1}], "distinct": 2})
    );
    assert_eq!(body["facets"]["price"]["count"], 2);
    assert_eq!(body["facets"]["price"]["currency"], "USD");
    assert_eq!((&body["page"], &body["pageSize"]), (&json!(1), &json!(1)));
    assert!(body["took"].is_f64());
    let cursor = body["nextCursor"].as_str().unwrap();
    assert_eq!(catalogue.found(&format!("{path}&cursor={cursor}")).await, ["b"]);
    assert_eq!(catalogue.found("/products/search?attributes.w%2Fh=1..2&sortBy=name").await, ["a", "b"]);
    assert_eq!(
        catalogue.found("/products/search?brand=Brass+%26+Co&brand=Nambu&sortBy=name").await,
        ["d", "c"]
    );
}

#[tokio::test]
async fn an_answer_is_sent_again_only_after_a_change() {
    let catalogue = Catalogue::new().await;
    let path = "/products/search?query=lamp&pageSize=5";
    let first = catalogue.get_with(path, None).await;
    assert_eq!(
        first.headers()[CACHE_CONTROL],
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=3600"
    );
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    let same = "/products/search?pageSize=5&currency=USD&query=+lamp&page=1";
    for path in [path, same] {
        let response = catalogue.get_with(path, Some(&tag)).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(response.headers()[ETAG], tag);
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    let other = catalogue.get_with("/products/search?query=lamp&pageSize=6", Some(&tag)).await;
    assert_eq!(other.status(), StatusCode::OK);
    catalogue.write(&[("e", json!({"name": "Table lamp"}))]).await;
    assert_eq!(catalogue.get_with(path, Some(&tag)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_values_of_a_facet_are_listed() {
    let catalogue = Catalogue::new().await;
    let (_, body) = catalogue.get("/products/facets/brand?query=lamp&prefix=aK").await;
    assert_eq!(body, json!({"field": "brand", "values": [{"value": "Akari", "count": 2}]}));
    let (_, body) = catalogue.get("/products/facets/attributes.w%2Fh?limit=1").await;
    assert_eq!(body, json!({"field": "attributes.w/h", "values": [{"value": "1", "count": 1}]}));
    let (_, body) = catalogue.get("/products/facets/attributes.none").await;
    assert_eq!(body, json!({"field": "attributes.none", "values": []}));
    // The field's own filter does not narrow its list.
    let (_, body) = catalogue.get("/products/facets/brand?brand=Nambu&priceRange=60-60").await;
    assert_eq!(body["values"], json!([{"value": "Brass & Co", "count": 1}, {"value": "Nambu", "count": 1}]));
    let response = catalogue.get_with("/products/facets/brand", None).await;
    let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
    let again = catalogue.get_with("/products/facets/brand", Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn what_is_wrong_is_a_problem() {
    let catalogue = Catalogue::new().await;
    let cases = [
        ("/products/search?priceRange=abc", 400, "priceRange"),
        ("/products/search?priceRange=9-1", 400, "priceRange"),
        ("/products/search?pageSize=0", 400, "pageSize"),
        ("/products/search?pageSize=101", 400, "pageSize"),
        ("/products/search?colour=red", 400, "colour"),
        ("/products/search?facets=colour", 400, "facets"),
        ("/products/facets/price", 400, "field"),
        ("/products/facets/brand?limit=0", 400, "limit"),
    ];
    for (path, status, field) in cases {
        let (found, body) = catalogue.get(path).await;
        assert_eq!((found.as_u16(), &body["errors"][0]["field"]), (status, &json!(field)), "{body}");
        assert!(body["detail"].as_str().unwrap().starts_with(field), "{body}");
    }
    assert_eq!(catalogue.get("/products/facets/colour").await.0, StatusCode::NOT_FOUND);
    assert_eq!(catalogue.get("/products/facets/%ff").await.0, StatusCode::BAD_REQUEST);
    let (_, body) = catalogue.get("/products/search?pageSize=0&facets=x").await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 2);
}
