//! A line of an import that ends the process each time that it is applied.
//!
//! Guarantee: after the process ended twice in the line's batch and twice at the line alone, only this line is rejected, with
//! the reason. Every other line is applied once. A line is never rejected because the process ended while the store was away.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::wire::imports::{JobDetails, JobStatus};
use async_trait::async_trait;
use command::{Catalogue, Imports, import_routes};
use domain::ports::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError, PortErrorKind,
    ProductPage, ProductStore, RecordPage, Write, WriteError, Written,
};
use domain::{Currency, ProductId, Record};
use embedded_store::EmbeddedStore;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use crate::support::{http_client, wait_until};

const LINES: &str =
    "{\"id\":\"a\",\"name\":\"A\"}\n\n{\"id\":\"deadly\",\"name\":\"B\"}\n{\"id\":\"c\",\"name\":\"C\"}\n";

#[derive(Clone, Copy, PartialEq)]
enum Deadly {
    /// The process ends in the middle of the write.
    Ends,
    /// The store is away.
    Away,
    /// The write is like any other.
    Harmless,
}

/// A store that does not write the product `deadly`.
struct DeadlyStore {
    store: Arc<EmbeddedStore>,
    deadly: Deadly,
    /// A permit for each attempt to write the product.
    attempts: Semaphore,
}

#[async_trait]
impl ProductStore for DeadlyStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        self.store.get(ids).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        if self.deadly != Deadly::Harmless
            && writes.iter().any(|write| write.change.id().as_str() == "deadly")
        {
            self.attempts.add_permits(1);
            if self.deadly == Deadly::Ends {
                // Nothing happens after the end of a process.
                return std::future::pending().await;
            }
            let away = || PortError::bare(PortErrorKind::Unavailable, "writing");
            return writes.iter().map(|_| Err(WriteError::Failed(away()))).collect();
        }
        self.store.write(writes).await
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        self.store.record_idempotent(record).await
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        self.store.find_idempotent(key).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        self.store.list(cursor, limit).await
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        self.store.scan(cursor, limit).await
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        self.store.pending(age, limit).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        self.store.remove_from_outbox(entries).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        self.store.outbox().await
    }

    fn back_end(&self) -> &'static str {
        "sqlite"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}

/// A stand-in for a process that runs the jobs in a folder: its tasks run in this process.
struct Process {
    url: String,
    store: Arc<DeadlyStore>,
    running: tokio::task::JoinHandle<()>,
    server: (oneshot::Sender<()>, tokio::task::JoinHandle<()>),
    stop: CancellationToken,
}

impl Process {
    async fn start(dir: &Path, deadly: Deadly) -> Self {
        let embedded = Arc::new(EmbeddedStore::open(dir, embedded_store::Options::default()).unwrap());
        let store = Arc::new(DeadlyStore { store: embedded.clone(), deadly, attempts: Semaphore::new(0) });
        let catalogue = Catalogue::new(store.clone(), embedded, Currency::USD);
        let imports = Imports::open(
            dir.join("imports"),
            catalogue,
            domain::Language::default(),
            runtime::config::ImportLimits::default(),
        )
        .unwrap();
        let routes = import_routes(Some(imports.clone()));
        let router = runtime::Service { routes, ..Default::default() }.into_router();
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}/imports", listener.local_addr().unwrap());
        let (end, ended) = oneshot::channel();
        let server = tokio::spawn(async move {
            runtime::server::serve(listener, router, async { _ = ended.await }).await;
        });
        let stop = CancellationToken::new();
        let token = stop.clone();
        let running = tokio::spawn(async move { imports.run(token).await });
        Self { url, store, running, server: (end, server), stop }
    }

    async fn import(&self, lines: &'static str) {
        let request = http_client().post(&self.url).header(CONTENT_TYPE, "application/x-ndjson");
        assert_eq!(request.body(lines).send().await.unwrap().status(), 202);
    }

    /// Returns the only job; `None` while the folder is still locked by the previous process.
    async fn find_job(&self) -> Option<JobDetails> {
        let get = async |url: &str| http_client().get(url).send().await.unwrap();
        let jobs: serde_json::Value = get(&self.url).await.json().await.unwrap();
        let address = format!("{}/{}", self.url, jobs["imports"][0]["id"].as_str()?);
        Some(get(&address).await.json().await.unwrap())
    }

    async fn finished_job(&self) -> JobDetails {
        wait_until("the job is finished", async || {
            self.find_job().await.is_some_and(|found| found.job.is_finished())
        })
        .await;
        self.find_job().await.unwrap()
    }

    /// Waits for an attempt to write the product `deadly`; returns false if the job finishes first.
    async fn reaches_deadly_write(&self) -> bool {
        wait_until("the line is reached or the job is finished", async || {
            self.store.attempts.available_permits() > 0
                || self.find_job().await.is_some_and(|found| found.job.is_finished())
        })
        .await;
        self.store.attempts.try_acquire().is_ok_and(|permit| {
            permit.forget();
            true
        })
    }

    /// Ends all tasks at once, like a killed process.
    async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
        drop(self.server.0);
        let _ = self.server.1.await;
    }

    /// Ends like a process that is asked to stop.
    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
        drop(self.server.0);
        let _ = self.server.1.await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_ends_the_process_twice_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(dir.path(), Deadly::Ends).await;
    process.import(LINES).await;
    let mut ends = 0;
    while process.reaches_deadly_write().await {
        process.kill().await;
        ends += 1;
        assert!(ends <= 4, "the line ends the process again and again");
        process = Process::start(dir.path(), Deadly::Ends).await;
    }
    assert_eq!(ends, 4, "twice in the batch, twice alone");
    let JobDetails { job, faults, .. } = process.finished_job().await;
    assert_eq!(job.status, JobStatus::Done);
    assert_eq!((job.lines_done, job.created, job.unchanged, job.rejected), (4, 2, 0, 1));
    let fault: serde_json::Value = serde_json::from_str(faults[0].get()).unwrap();
    assert_eq!((&fault["line"], &fault["status"]), (&3.into(), &422.into()));
    let detail = fault["problem"]["detail"].as_str().unwrap();
    assert!(detail.contains("ended the process twice"), "{detail}");
    let deadly = ProductId::parse("deadly").unwrap();
    assert_eq!(process.store.get(&[deadly]).await.unwrap(), [None]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_is_rejected_for_a_process_that_ended_while_the_store_was_away() {
    let dir = tempfile::tempdir().unwrap();
    let process = Process::start(dir.path(), Deadly::Away).await;
    process.import(LINES).await;
    process.kill().await;
    for _ in 0..5 {
        let process = Process::start(dir.path(), Deadly::Away).await;
        // At the second attempt the job is known to wait for the store.
        for _ in 0..2 {
            assert!(process.reaches_deadly_write().await);
        }
        process.kill().await;
    }
    let process = Process::start(dir.path(), Deadly::Harmless).await;
    let job = process.finished_job().await.job;
    assert_eq!((job.created, job.rejected), (3, 0));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_asked_to_stop_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let process = Process::start(dir.path(), Deadly::Away).await;
    process.import(LINES).await;
    process.stop().await;
    for _ in 0..5 {
        Process::start(dir.path(), Deadly::Away).await.stop().await;
    }
    let process = Process::start(dir.path(), Deadly::Harmless).await;
    assert_eq!(process.finished_job().await.job.rejected, 0);
    process.stop().await;
}
