//! The write side over HTTP in this process, with a clock that tests advance.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_setup::Aws;
use command::{Catalogue, relay_all};
use domain::ports::{ChangeQueue, ProductStore};
use domain::{Currency, ProductId};
use dynamodb_store::DynamoStore;
use embedded_store::{EmbeddedStore, Options, Outbox};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::{FaultProxy, Rule, later_clock};

/// Seconds; longer than DynamoDB remembers a transaction.
pub(super) const LATER: i64 = 11 * 60;

/// A running write side.
pub(super) struct Shop {
    pub(super) url: String,
    /// A proxy of the service that loses every response.
    pub(super) mute: FaultProxy,
    catalogue: Catalogue,
    pub(super) store: Arc<dyn ProductStore>,
    queue: Arc<EmbeddedStore>,
    pub(super) seconds_later: Arc<AtomicI64>,
    serving: JoinHandle<()>,
    _data: TempDir,
}

impl Shop {
    pub(super) async fn embedded(outbox: Outbox) -> Self {
        let (clock, seconds_later) = later_clock();
        let data = tempfile::tempdir().unwrap();
        let options = Options { outbox, clock, ..Options::default() };
        let store = Arc::new(EmbeddedStore::open(data.path(), options).unwrap());
        Self::serve(store.clone(), store, seconds_later, data).await
    }

    /// Starts a shop on DynamoDB at this address. The queue is a file, so that its messages can be counted.
    pub(super) async fn dynamodb(url: &str) -> Self {
        let table = format!("repeated-{}", ProductId::generate());
        Self::dynamodb_table(&DynamoStore::create(&Aws::local(url).await.unwrap(), &table).await.unwrap())
            .await
    }

    /// Starts a shop on an existing table.
    pub(super) async fn dynamodb_table(store: &DynamoStore) -> Self {
        let (clock, seconds_later) = later_clock();
        let data = tempfile::tempdir().unwrap();
        let queue = EmbeddedStore::open(data.path(), Options::default()).unwrap();
        let store = Arc::new(store.clone().with_clock(clock));
        Self::serve(store, Arc::new(queue), seconds_later, data).await
    }

    async fn serve(
        store: Arc<dyn ProductStore>,
        queue: Arc<EmbeddedStore>,
        seconds_later: Arc<AtomicI64>,
        data: TempDir,
    ) -> Self {
        let catalogue = Catalogue::new(store.clone(), queue.clone(), Currency::USD);
        let routes = command::routes(catalogue.clone());
        let router = runtime::Service { routes, ..Default::default() }.into_router();
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(runtime::server::serve(listener, router, std::future::pending()));
        let mute = FaultProxy::before(&url, |_| Rule::Swallow).await;
        Self { url, mute, catalogue, store, queue, seconds_later, serving, _data: data }
    }

    /// Runs the relay and empties the queue. Returns each product and version that was enqueued, and the number of
    /// messages.
    pub(super) async fn events(&self) -> (BTreeSet<(String, u64)>, usize) {
        self.seconds_later.fetch_add(LATER, Ordering::Relaxed);
        relay_all(&self.catalogue).await.unwrap();
        let (mut events, mut messages) = (BTreeSet::new(), 0);
        loop {
            let deliveries = self.queue.receive(100, Duration::ZERO).await.unwrap();
            if deliveries.is_empty() {
                return (events, messages);
            }
            messages += deliveries.len();
            let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
            for delivery in deliveries {
                let change = delivery.envelope.unwrap().change;
                events.insert((change.id().to_string(), change.version().0));
            }
            self.queue.acknowledge(&receipts).await.unwrap();
        }
    }

    pub(super) async fn products(&self) -> Vec<(String, u64)> {
        let page = self.store.list(None, 100).await.unwrap();
        page.products.iter().map(|product| (product.id.to_string(), product.version.0)).collect()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
