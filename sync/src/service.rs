//! The consumer as a process.

use std::sync::Arc;
use std::time::Duration;

use api::access::StoreOptions;
use clap::Parser;
use domain::ports::IndexMaintenance;
use futures::FutureExt as _;
use runtime::config::{self, QueueKind, Reach, StoreKind};
use runtime::server::{Server, stop_signal};
use runtime::{Routes, Service, StartError, retry};
use tokio_util::sync::CancellationToken;

use crate::back_ends::{names_store, open_store};
use crate::{
    BackEnds, ColocatedStore, Consumer, ConsumerOptions, OpenQueue, RebuildState, StoreAndIndex, Upgrade,
    admin, catch_up, generation_gauges, open_index, open_index_to_upgrade, open_queue, upgrade,
};

/// The longest pause between two attempts to open the store for a rebuild.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Noren's consumer: applies the changes in the queue to the search index.
#[derive(Debug, Parser)]
#[command(
    name = "noren-sync",
    version = build_info::VERSION,
    max_term_width = 80,
    after_help = "Examples:\n  noren-sync --listen 127.0.0.1:8082\n  noren-sync --listen 127.0.0.1:8082 --data-dir /var/lib/noren\n  noren-sync --listen 127.0.0.1:8082 --queue sqs\n\nIt serves /health and /metrics, and /admin if store and queue are in the data folder. An embedded index has one noren-sync at a time."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    back_ends: BackEnds,
    #[command(flatten)]
    access: config::Access,
    /// The log of requests.
    #[command(flatten)]
    pub logging: config::Logging,
}

/// Runs the service until Ctrl-C or SIGTERM.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    let back_ends = &config.back_ends;
    #[cfg(feature = "aws")]
    if runtime::lambda::is_lambda() {
        // Lambda receives from the queue itself; the function gets messages only.
        let index = open_index(back_ends).await?;
        return Box::pin(crate::lambda::serve(config.back_ends, index)).await;
    }
    let reach = Reach::Address(config.listen.listen);
    config.access.check(reach)?;
    let server = Server::listen(config.listen.listen).await?;
    let BackEnds { data_dir, create_tables, waiting, .. } = back_ends;
    let access = api::access::open(&config.access, reach, StoreOptions { data_dir, create_tables, waiting });
    let opening = async { tokio::try_join!(access, open_queue(back_ends), open_index_of_service(back_ends)) };
    let parts = api::access::parts_to_open(&config.access, &["queue", "index"]);
    let opened = waiting.serve_while(server, config.access.guard_of_start(), &parts, opening).await?;
    let Some((server, (guard, OpenQueue { queue, colocated }, index))) = opened else { return Ok(()) };
    let consumer = Consumer::new(queue, index.clone(), ConsumerOptions::default());
    let rebuild = RebuildState::default();
    let (mut parts, queue) = (consumer.parts(&rebuild), Some(consumer.queue_probe()));
    parts.extend(api::access::part(&guard));
    let gauges = vec![generation_gauges(index.clone())];
    let stop = CancellationToken::new();
    let (routes, maintenance) = match colocated {
        Some(ColocatedStore { store, dead_letters }) => {
            let sides = StoreAndIndex::with_rebuild(store, index, rebuild);
            let routes = admin::dead_letters::routes(dead_letters).merge(admin::index_routes(sides.clone()));
            (routes, maintain(sides, stop.clone()).boxed())
        }
        None => {
            let upgrading = upgrade_from_configured_store(back_ends.clone(), index, rebuild, stop.clone());
            (Routes::default(), upgrading.boxed())
        }
    };
    let title = "Noren sync";
    let connections = guard.connection_limits();
    let router = Service { guard, routes, title, parts, gauges, queue, ..Service::default() }.into_router();
    let maintaining = tokio::spawn(maintenance);
    let stopped = stop.clone();
    let consuming = tokio::spawn(async move { consumer.run(stopped).await });
    server.serve(router, connections, stop_signal()).await;
    stop.cancel();
    consuming.await.map_err(|error| StartError::because("the consumer failed", error))?;
    maintaining.await.map_err(|error| StartError::because("the maintenance of the index failed", error))
}

/// Opens the index, even if it is too old to be read, provided that this service has a store to rebuild it from.
async fn open_index_of_service(back_ends: &BackEnds) -> Result<Arc<dyn IndexMaintenance>, StartError> {
    let is_colocated =
        back_ends.queue.queue == QueueKind::Sqlite && back_ends.store.store == StoreKind::Sqlite;
    match is_colocated || names_store(back_ends) {
        true => open_index_to_upgrade(back_ends).await,
        false => open_index(back_ends).await,
    }
}

/// Compares the index with the store, then rebuilds it if it has an older format.
async fn maintain(sides: StoreAndIndex, stop: CancellationToken) {
    catch_up(sides.clone(), stop.clone()).await;
    upgrade(sides, stop).await;
}

/// Rebuilds the index if it has an older format, from the store that the configuration names. Without such a store, the
/// index stays as it is; opening it has logged what to do.
async fn upgrade_from_configured_store(
    back_ends: BackEnds,
    index: Arc<dyn IndexMaintenance>,
    rebuild: RebuildState,
    stop: CancellationToken,
) {
    if !names_store(&back_ends) {
        return;
    }
    let is_retried = |error: &StartError| {
        tracing::warn!(%error, "cannot determine whether the index must be rebuilt; retrying");
        true
    };
    let prepare = || async {
        let generations = index.generations().await;
        let generations =
            generations.map_err(|error| StartError::because("cannot read the state of the index", error))?;
        match Upgrade::of(&generations) {
            Upgrade::NotNeeded => Ok(None),
            Upgrade::Needed | Upgrade::NeededToSearch => open_store(&back_ends).await.map(Some),
        }
    };
    if let Some(Ok(Some(store))) = retry(MAX_PAUSE, &stop, prepare, is_retried).await {
        upgrade(StoreAndIndex::with_rebuild(store, index, rebuild), stop.clone()).await;
    }
}
