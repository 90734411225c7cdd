//! The consumer as a process of its own.

use clap::Parser;
use runtime::config;
use runtime::{Service, StartError, server};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::reconcile::Sides;
use crate::{
    BackEnds, OpenQueue, StoreBeside, Worker, WorkerOptions, admin, catch_up, generation_gauges, open_index,
    open_queue,
};

/// Noren's consumer: takes changes from the queue and brings the search index to them.
#[derive(Debug, Parser)]
#[command(
    name = "noren-sync",
    version,
    after_help = "Examples:\n  noren-sync --listen 127.0.0.1:8082\n  noren-sync --listen 127.0.0.1:8082 --data-dir /var/lib/noren\n  noren-sync --listen 127.0.0.1:8082 --queue sqs\n\nIt listens for /health and /metrics, and for /admin where the store and the queue are in the data folder. One\nnoren-sync writes an embedded index at a time."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    back_ends: BackEnds,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    let back_ends = &config.back_ends;
    #[cfg(feature = "aws")]
    if runtime::lambda::is_lambda() {
        // Lambda itself receives from the queue; the function sees the messages only.
        return crate::lambda::serve(open_index(back_ends).await?).await;
    }
    let (OpenQueue { queue, beside }, index) = (open_queue(back_ends).await?, open_index(back_ends).await?);
    let worker = Worker::new(queue, index.clone(), WorkerOptions::default());
    let (parts, queue) = (worker.parts(), Some(worker.queue_probe()));
    let gauges = vec![generation_gauges(index.clone())];
    let (mut routes, mut sides) = (OpenApiRouter::new(), None);
    if let Some(StoreBeside { store, dead_letters }) = beside {
        let both = Sides { store, index };
        routes = admin::dead_letters::routes(dead_letters).merge(admin::index_routes(both.clone()));
        sides = Some(both);
    }
    let routes = routes.split_for_parts().0;
    let router = Service { routes, parts, gauges, queue, ..Service::default() }.into_router();
    let listener = server::listen(config.listen.listen).await?;
    let stop = CancellationToken::new();
    if let Some(sides) = sides {
        tokio::spawn(catch_up(sides, stop.clone()));
    }
    let stopped = stop.clone();
    let work = tokio::spawn(async move { worker.run(stopped).await });
    server::serve(listener, router, server::stop_signal()).await;
    stop.cancel();
    work.await.map_err(|error| StartError::because("the sync worker failed", error))
}
