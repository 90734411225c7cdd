//! The whole service in this process, over real HTTP, with its own folder and port.

use std::sync::Arc;

use domain::ProductId;
use noren::app::{App, Index, Options};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{PATIENCE, http_client, opensearch_options, record};
use crate::services;

/// A running service. Dropping it fails the test if changes are left in the queue or as dead letters.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    app: Option<App>,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    data_dir: TempDir,
}

/// A response over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.timeout(PATIENCE).send().await.expect("the service answers");
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("the answer is text") }
    }

    /// Returns the body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    /// Returns the response, which must have this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// Returns the body, which must be a problem document of this status.
    pub(crate) fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the ids of the products of a search or a list, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let products = self.json()["products"].as_array().expect("there is a list of products").clone();
        products
            .iter()
            .map(|product| product["id"].as_str().expect("a product has an id").to_owned())
            .collect()
    }

    /// Returns the fields of all faults, in order.
    pub(crate) fn faulty_fields(problem: &Value) -> Vec<&str> {
        let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|fault| fault["field"].as_str().expect("a fault has a field")).collect()
    }
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::spawn_with(Options::default()).await
    }

    pub(crate) async fn spawn_with(options: Options) -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
        let app = App::open(data_dir.path(), options).await.expect("a new folder can be opened");
        Self::serve(app, data_dir).await
    }

    /// Starts a service on an existing folder.
    pub(crate) async fn spawn_in(data_dir: TempDir) -> Self {
        let app = App::open(data_dir.path(), Options::default()).await.expect("the folder can be opened");
        Self::serve(app, data_dir).await
    }

    /// Starts a service with its index in OpenSearch, or returns `None` if there is no server.
    pub(crate) async fn spawn_on_opensearch(options: Options) -> Option<Self> {
        let place =
            opensearch_options(services::opensearch().await?, &format!("app-{}", ProductId::generate()));
        let writer = OpenSearchWriter::create(&place).await.expect("an index can be made");
        let search = OpenSearchSearcher::open(&place).await.expect("the index is there");
        let index = Index { writer: Arc::new(writer), search: Arc::new(search) };
        let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
        let app = App::open_with_index(data_dir.path(), options, index).await;
        Some(Self::serve(app.expect("a new folder can be opened"), data_dir).await)
    }

    async fn serve(app: App, data_dir: TempDir) -> Self {
        record();
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let (stop, stopped) = oneshot::channel();
        let router = app.router();
        let server = tokio::spawn(async move {
            runtime::server::serve(listener, router, async { _ = stopped.await }).await;
        });
        let client = http_client();
        Self { url, client, app: Some(app), server: Some((stop, server)), data_dir }
    }

    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().expect("it runs until it is dropped")
    }

    /// Returns the number of import jobs that have a folder.
    pub(crate) fn folders_of_imports(&self) -> usize {
        let Ok(entries) = std::fs::read_dir(self.data_dir.path().join("imports")) else { return 0 };
        entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count()
    }

    /// Waits until everything written before is searchable.
    pub(crate) async fn sync_all(&self) {
        self.app().sync_all(PATIENCE).await.expect("the queue runs empty");
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a POST with a raw body.
    pub(crate) async fn post_text(&self, path: &str, content_type: &str, body: impl Into<String>) -> Answer {
        Answer::of(self.request(Method::POST, path).header(CONTENT_TYPE, content_type).body(body.into()))
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Writes these products in one request and waits until they are searchable.
    pub(crate) async fn fill(&self, products: &[Value]) {
        let lines: String = products.iter().map(|product| format!("{product}\n")).collect();
        let answer = self.post_text("/products/bulk", "application/x-ndjson", lines).await.expect(200);
        for line in answer.text.lines() {
            assert!(line.contains("\"outcome\""), "a product was refused: {line}");
        }
        self.sync_all().await;
    }

    /// Runs a search, which must succeed.
    pub(crate) async fn search(&self, parameters: &str) -> Answer {
        self.get(&format!("/products/search?{parameters}")).await.expect(200)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let (Some(app), Some((stop, server))) = (self.app.take(), self.server.take()) else { return };
        let leftovers = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let drained = app.sync_all(PATIENCE).await;
                let dead = app.dead_letters(10).await;
                // The server ends on the message, and also if the sender is dropped.
                let _ = stop.send(());
                let _ = server.await;
                app.stop().await;
                (drained, dead)
            })
        });
        if !std::thread::panicking() {
            leftovers.0.expect("the test leaves no change in the queue");
            let dead = leftovers.1.expect("dead letters can be read");
            assert!(dead.is_empty(), "the test leaves dead letters: {dead:?}");
        }
    }
}
