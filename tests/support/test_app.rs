//! The whole service, over real HTTP: in this process, with its own folder and port, or at the address that `API_ENDPOINT` names.

use std::sync::Arc;

use domain::ProductId;
use noren::app::{App, Index, Options};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answer::Answer;
use super::remote::{RemoteService, report_own_process};
use super::{PATIENCE, http_client, opensearch_options, record};
use crate::services;

/// A running service. Dropping one in this process fails the test if changes are left in the queue or as dead letters.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    app: Option<App>,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    data_dir: Option<TempDir>,
    remote: Option<RemoteService>,
}

impl TestApp {
    /// Returns an empty service with the default options: the one at `API_ENDPOINT`, if there is one, else one in this process.
    pub(crate) async fn spawn() -> Self {
        Self::at_endpoint_or_with(Options::default()).await
    }

    /// Does the same as [`Self::spawn`], with these options for a service in this process. A service at `API_ENDPOINT` must have
    /// been started with the same options if the test depends on them.
    pub(crate) async fn at_endpoint_or_with(options: Options) -> Self {
        let Some(remote) = RemoteService::take().await else { return Self::spawn_with(options).await };
        record();
        let (url, client) = (remote.url.clone(), remote.client.clone());
        Self { url, client, app: None, server: None, data_dir: None, remote: Some(remote) }
    }

    /// Starts a service in this process, for a test that accesses its internals or needs several services at once.
    pub(crate) async fn spawn_in_process() -> Self {
        Self::spawn_with(Options::default()).await
    }

    /// Starts a service in this process.
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
        report_own_process();
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let (stop, stopped) = oneshot::channel();
        let router = app.router();
        let server = tokio::spawn(async move {
            runtime::server::serve(listener, router, async { _ = stopped.await }).await;
        });
        let client = http_client();
        Self {
            url,
            client,
            app: Some(app),
            server: Some((stop, server)),
            data_dir: Some(data_dir),
            remote: None,
        }
    }

    /// Returns the services, which must be in this process.
    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().expect("it is in this process, and runs until it is dropped")
    }

    /// Returns the number of import jobs that have a folder. The service must be in this process.
    pub(crate) fn folders_of_imports(&self) -> usize {
        let data_dir = self.data_dir.as_ref().expect("the service is in this process");
        let Ok(entries) = std::fs::read_dir(data_dir.path().join("imports")) else { return 0 };
        entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count()
    }

    /// Returns the number of files of images, uploads in progress included.
    pub(crate) fn files_of_images(&self) -> usize {
        let data_dir = self.data_dir.as_ref().expect("the service is in this process");
        let Ok(folders) = std::fs::read_dir(data_dir.path().join("images")) else { return 0 };
        let files = folders.flatten().filter_map(|folder| std::fs::read_dir(folder.path()).ok());
        files.map(Iterator::count).sum()
    }

    /// Waits until everything written before is searchable.
    pub(crate) async fn sync_all(&self) {
        match &self.remote {
            Some(remote) => remote.sync_all().await,
            None => self.app().sync_all(PATIENCE).await.expect("the queue runs empty"),
        }
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
