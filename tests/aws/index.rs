//! The behaviour of the OpenSearch index beyond the contract.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_setup::Aws;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::input::read_product;
use domain::ports::{Applied, IndexWriter, PortError, PortErrorKind, SearchIndex};
use domain::search::{Facet, FacetRequest, Field, SearchRequest, price_facet};
use domain::{Change, Currency, Language, Product, ProductId, Version};
use opensearch_index::{OpenError, OpenSearchSearcher, OpenSearchWriter, Options};
use serde_json::{Value, json};

use super::closed_address;
use crate::services::{self, Server};
use crate::support::{Answer, http_client, opensearch_options};

/// Returns a server and an alias of the test's own, or `None` if there is no server.
async fn place() -> Option<(&'static Server, Options)> {
    let server = services::opensearch().await?;
    Some((server, opensearch_options(server, &format!("index-{}", ProductId::generate()))))
}

#[expect(clippy::needless_pass_by_value, reason = "the calls read better without a reference")]
fn change(id: &str, content: Value) -> Change {
    let content = read_product(content.to_string().as_bytes(), Currency::USD).unwrap().content;
    let id = ProductId::parse(id).unwrap();
    let at = domain::now();
    Change::Create(Arc::new(Product { id, version: Version::FIRST, created_at: at, updated_at: at, content }))
}

/// Sends a request to OpenSearch.
async fn ask(server: &Server, path: &str) -> Value {
    Answer::of(http_client().get(format!("{}/{path}", server.url))).await.expect(200).json()
}

/// Creates an index without Noren.
async fn make(server: &Server, name: &str, body: Value) {
    Answer::of(http_client().put(format!("{}/{name}", server.url)).json(&body)).await.expect(200);
}

fn everything(facet: Field) -> SearchRequest {
    SearchRequest { facets: vec![facet], facet_values: 3, ..SearchRequest::all(Currency::USD) }
}

#[tokio::test]
async fn however_many_attributes_there_are_the_mapping_stays_as_it_is() {
    let Some((server, options)) = place().await else { return };
    let writer = OpenSearchWriter::create(&options).await.unwrap();
    let mapping = async || ask(server, &format!("{}/_mapping", options.alias)).await;
    writer
        .apply(&[change("first", json!({"name": "Lamp", "price": 1, "attributes": {"k": "v"}}))])
        .await
        .unwrap();
    let before = mapping().await;
    let with_own_keys = |at: usize| {
        let attributes: serde_json::Map<String, Value> = (0..50)
            .map(|n| (format!("key {at}.{n}"), json!(if n % 2 == 0 { json!(n) } else { json!("text") })))
            .collect();
        change(&format!("p{at}"), json!({"name": "Lamp", "attributes": attributes}))
    };
    let changes: Vec<Change> = (0..100).map(with_own_keys).collect();
    assert!(writer.apply(&changes).await.unwrap().iter().all(|applied| *applied == Applied::Done));
    assert_eq!(mapping().await, before);
    let searcher = OpenSearchSearcher::open(&options).await.unwrap();
    let facet = Field::Attribute("key 77.49".to_owned());
    let answer = searcher.search(&everything(facet)).await.unwrap();
    assert!(
        matches!(&answer.facets[0].1, Facet::Values { values, distinct: 1, .. } if values[0].count == 1),
        "{answer:?}"
    );
}

/// More values than one response of OpenSearch returns.
#[tokio::test]
async fn facets_with_very_many_values_are_exact() {
    const PRODUCTS: i64 = 3_500;
    let Some((_, options)) = place().await else { return };
    let writer = OpenSearchWriter::create(&options).await.unwrap();
    let product = |n: i64| {
        let brand = if n < 2 { "Twice".to_owned() } else { format!("Brand {n}") };
        let attributes = json!({"a": "before", "serial": n, "z": "after"});
        change(
            &format!("p{n}"),
            json!({"name": "Lamp", "brand": brand, "price": n, "attributes": attributes}),
        )
    };
    let changes: Vec<Change> = (0..PRODUCTS).map(product).collect();
    for part in changes.chunks(1000) {
        writer.apply(part).await.unwrap();
    }
    let searcher = OpenSearchSearcher::open(&options).await.unwrap();
    let facet = async |field: Field| searcher.search(&everything(field)).await.unwrap().facets.remove(0).1;
    let Facet::Values { values, distinct, .. } = facet(Field::Brand).await else {
        panic!("the facet of brands has no values")
    };
    assert_eq!((distinct, values.len()), (PRODUCTS as usize - 1, 3));
    assert_eq!((values[0].value.as_str(), values[0].count), ("Twice", 2));
    let serial = Field::Attribute("serial".to_owned());
    let Facet::Values { values, distinct, .. } = facet(serial.clone()).await else {
        panic!("the facet of serials has no values")
    };
    assert_eq!(distinct, PRODUCTS as usize);
    assert_eq!(values.iter().map(|value| value.value.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
    let prices: Vec<(i64, u64)> = (0..PRODUCTS).map(|n| (n * 100, 1)).collect();
    assert_eq!(facet(Field::Price).await, Facet::Price(price_facet(&prices)));
    let search = SearchRequest::all(Currency::USD);
    let request = FacetRequest { search, field: serial, prefix: "349".to_owned(), limit: 100 };
    let values = searcher.facet_values(&request).await.unwrap();
    assert_eq!(values.len(), 11, "349 and 3490 to 3499: {values:?}");
}

#[tokio::test]
async fn writers_that_start_together_make_one_index() {
    let Some((server, options)) = place().await else { return };
    let opened = futures::future::join_all((0..4).map(|_| OpenSearchWriter::create(&options))).await;
    for (number, writer) in opened.into_iter().enumerate() {
        let change = change(&format!("p{number}"), json!({"name": "Lamp"}));
        assert_eq!(writer.unwrap().apply(&[change]).await.unwrap(), [Applied::Done]);
    }
    let searcher = OpenSearchSearcher::open(&options).await.unwrap();
    assert_eq!(searcher.stats().await.unwrap().products, 4);
    let indexes = ask(server, &format!("{}*", options.alias)).await;
    let names: Vec<&String> = indexes.as_object().unwrap().keys().collect();
    assert_eq!(names, [&format!("{}-v6-000001", options.alias)]);
}

#[tokio::test]
async fn what_cannot_be_used_is_one_line_that_says_what_to_do() {
    let Some((server, options)) = place().await else { return };
    let alias = options.alias.clone();
    let with_alias = |alias: &str| Options { alias: alias.to_owned(), ..options.clone() };
    let fault = async |options: &Options| {
        let error = OpenSearchWriter::create(options).await.err().unwrap();
        let same = OpenSearchSearcher::open(options).await.err().unwrap();
        assert_eq!(error.to_string(), same.to_string());
        error
    };
    let missing = OpenSearchWriter::open(&options).await.err().unwrap();
    assert!(
        matches!(missing, OpenError::Missing { .. }) && missing.to_string().contains("NOREN_CREATE_TABLES")
    );

    let plain = format!("{alias}-plain");
    make(server, &plain, json!({})).await;
    let error = fault(&with_alias(&plain)).await;
    assert!(
        matches!(error, OpenError::Unusable { .. }) && error.to_string().contains("not an alias"),
        "{error}"
    );

    let foreign = format!("{alias}-foreign");
    make(server, &format!("{foreign}-1"), json!({"aliases": {&foreign: {}}})).await;
    let error = fault(&with_alias(&foreign)).await;
    assert!(
        matches!(error, OpenError::Unusable { .. }) && error.to_string().contains("did not make"),
        "{error}"
    );

    let newer = format!("{alias}-newer");
    let meta = json!({"norenSchema": 99, "norenMade": 1});
    let body = json!({"aliases": {&newer: {}}, "mappings": {"_meta": meta}});
    make(server, &format!("{newer}-1"), body).await;
    let error = fault(&with_alias(&newer)).await;
    assert!(
        matches!(error, OpenError::Newer { .. }) && error.to_string().contains("update noren"),
        "{error}"
    );

    let german = Options { language: Language::German, ..with_alias(&format!("{alias}-german")) };
    OpenSearchWriter::create(&german).await.unwrap();
    let error = fault(&Options { language: Language::French, ..german }).await;
    assert!(
        matches!(error, OpenError::OtherLanguage { .. })
            && error.to_string().contains("set NOREN_LANGUAGE=de"),
        "{error}"
    );

    let error = fault(&with_alias("no*alias")).await;
    assert!(matches!(error, OpenError::Alias { .. }), "{error}");
    let error = fault(&Options { url: "opensearch:9200".to_owned(), ..options.clone() }).await;
    assert!(matches!(error, OpenError::Address { .. }) && error.to_string().contains("http://"), "{error}");
}

/// A missing field stands for every reason for which OpenSearch rejects one document.
#[tokio::test]
async fn a_document_that_is_refused_leaves_the_others_indexed() {
    let Some((server, options)) = place().await else { return };
    let whole = Options { alias: format!("{}-whole", options.alias), ..options.clone() };
    OpenSearchWriter::create(&whole).await.unwrap();
    let made_name = format!("{}-v6-000001", whole.alias);
    let made = ask(server, &made_name).await;
    let mut mappings = made[&made_name]["mappings"].clone();
    mappings["properties"].as_object_mut().unwrap().remove("brand").unwrap();
    let settings = &made[&made_name]["settings"]["index"];
    let settings = json!({"analysis": settings["analysis"], "similarity": settings["similarity"]});
    let body = json!({"aliases": {&options.alias: {}}, "mappings": mappings, "settings": settings});
    make(server, &format!("{}-1", options.alias), body).await;
    let writer = OpenSearchWriter::open(&options).await.unwrap();
    let changes = [
        change("a", json!({"name": "Lamp"})),
        change("b", json!({"name": "Lamp", "brand": "Hikari"})),
        change("c", json!({"name": "Lamp"})),
    ];
    let applied = writer.apply(&changes).await.unwrap();
    assert_eq!((&applied[0], &applied[2]), (&Applied::Done, &Applied::Done));
    assert!(matches!(&applied[1], Applied::Refused(reason) if reason.contains("brand")), "{applied:?}");
    let searcher = OpenSearchSearcher::open(&options).await.unwrap();
    let found = searcher.search(&SearchRequest::all(Currency::USD)).await.unwrap();
    assert_eq!(found.total, 2);
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let (url, language) = (format!("http://{}", closed_address()), Language::English);
    let options = Options { url, alias: "any".to_owned(), language, weights: Default::default(), aws: None };
    let (writer, searcher) = (
        OpenSearchWriter::unchecked(&options, true).unwrap(),
        OpenSearchSearcher::unchecked(&options).unwrap(),
    );
    let errors =
        [OpenSearchWriter::create(&options).await.err(), OpenSearchSearcher::open(&options).await.err()];
    assert!(errors.iter().flatten().filter(|error| error.is_transient()).count() == 2, "{errors:?}");
    let error = writer.apply(&[change("a", json!({"name": "Lamp"}))]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unavailable);
    assert_eq!(writer.ready().await.unwrap_err().kind, PortErrorKind::Unavailable);
    assert_eq!(searcher.ready().await.unwrap_err().kind, PortErrorKind::Unavailable);
    let error = searcher.search(&SearchRequest::all(Currency::USD)).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unavailable);
    assert!(error.chain().contains(&options.url), "{}", error.chain());
}

/// A proxy that answers as an overloaded OpenSearch.
struct Busy {
    url: String,
    /// The number of bulk requests still to be rejected.
    refusals: AtomicUsize,
    /// True if each item is rejected in a response of status 200; false if the whole request is.
    by_item: bool,
    seen: AtomicUsize,
    client: reqwest::Client,
}

impl Busy {
    async fn before(server: &Server, refusals: usize, by_item: bool) -> (String, Arc<Self>) {
        let busy = Arc::new(Self {
            url: server.url.clone(),
            refusals: AtomicUsize::new(refusals),
            by_item,
            seen: AtomicUsize::new(0),
            client: http_client(),
        });
        let router = Router::new().fallback(Self::answer).with_state(Arc::clone(&busy));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (url, busy)
    }

    async fn answer(State(busy): State<Arc<Self>>, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        // Without compression, so that the proxy can read the response.
        head.headers.remove("accept-encoding");
        let body = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        let path = head.uri.path_and_query().unwrap().as_str();
        if path.contains("_bulk") {
            busy.seen.fetch_add(1, Ordering::Relaxed);
            let left =
                busy.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if left.is_ok() {
                let error = json!({"type": "rejected_execution_exception", "reason": "too much to do"});
                if !busy.by_item {
                    return (StatusCode::TOO_MANY_REQUESTS, json!({"error": error}).to_string())
                        .into_response();
                }
                let items = body.split(|byte| *byte == b'\n').count() / 2;
                let item = json!({"index": {"status": 429, "error": error}});
                return json!({"errors": true, "items": vec![item; items]}).to_string().into_response();
            }
        }
        let request = busy.client.request(head.method, format!("{}{path}", busy.url)).headers(head.headers);
        let answer = request.body(body).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap()).into_response()
    }
}

#[tokio::test]
async fn what_is_refused_for_now_is_sent_again_and_no_more_than_five_times() {
    let Some((server, options)) = place().await else { return };
    for by_item in [false, true] {
        let (url, busy) = Busy::before(server, 2, by_item).await;
        let writer = OpenSearchWriter::create(&Options { url, ..options.clone() }).await.unwrap();
        let changes = [
            change(&format!("a-{by_item}"), json!({"name": "A"})),
            change(&format!("b-{by_item}"), json!({"name": "B"})),
        ];
        assert_eq!(writer.apply(&changes).await.unwrap(), [Applied::Done, Applied::Done]);
        assert_eq!(busy.seen.load(Ordering::Relaxed), 3);

        busy.refusals.store(100, Ordering::Relaxed);
        let error = writer.apply(&changes).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Throttled, "{error:?}");
        assert_eq!(busy.seen.load(Ordering::Relaxed), 3 + 5);
    }
}

#[tokio::test]
async fn requests_are_signed_when_there_are_credentials_of_aws() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let router = Router::new().fallback(move |request: Request| {
        keep.lock().unwrap().push(request.headers().clone());
        async { (StatusCode::FORBIDDEN, json!({"message": "not yours"}).to_string()) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let aws = Aws::local(&url).await.unwrap();
    let (alias, language) = ("any".to_owned(), Language::English);
    let options = Options { url, alias, language, weights: Default::default(), aws: Some(aws) };
    let error = OpenSearchSearcher::open(&options).await.err().unwrap();
    assert!(
        matches!(error, OpenError::Denied { .. }) && error.to_string().contains("credentials"),
        "{error}"
    );
    let error = PortError::from(error);
    assert_eq!(error.kind, PortErrorKind::Unavailable);
    assert!(error.chain().contains("403"), "{}", error.chain());
    let headers = seen.lock().unwrap().pop().unwrap();
    let signature = headers["authorization"].to_str().unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=local/"), "{signature}");
    assert!(signature.contains("/us-east-1/es/aws4_request"), "{signature}");
    assert!(headers.contains_key("x-amz-content-sha256") && headers.contains_key("x-amz-date"));
}

/// By default OpenSearch reads documents by id that searches do not see yet.
#[tokio::test]
async fn a_version_is_told_once_searches_see_it() {
    let Some((server, options)) = place().await else { return };
    let writer = OpenSearchWriter::create(&options).await.unwrap();
    let searcher = OpenSearchSearcher::open(&options).await.unwrap();
    writer.apply(&[change("a", json!({"name": "Lamp"}))]).await.unwrap();
    let ids = [ProductId::parse("a").unwrap()];
    // The same document at a later version, without the refresh that ends each batch.
    let document = ask(server, &format!("{}/_doc/a", options.alias)).await["_source"].clone();
    let path = format!("{}/{}/_doc/a?version=7&version_type=external", server.url, options.alias);
    Answer::of(http_client().put(path).json(&document)).await.expect(200);
    let read = searcher.get(&ids).await.unwrap().remove(0).unwrap();
    assert_eq!(read.version, Version(7), "by id it is there");
    assert_eq!(searcher.versions(&ids).await.unwrap(), [Some(Version(1))]);
    Answer::of(http_client().post(format!("{}/{}/_refresh", server.url, options.alias))).await.expect(200);
    assert_eq!(searcher.versions(&ids).await.unwrap(), [Some(Version(7))]);
}
