//! The consumer as a process.

use clap::Parser;
use runtime::config;
use runtime::{Service, StartError, server};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    BackEnds, ColocatedStore, Consumer, ConsumerOptions, OpenQueue, StoreAndIndex, admin, catch_up,
    generation_gauges, open_index, open_queue,
};

/// Noren's consumer: applies the changes in the queue to the search index.
#[derive(Debug, Parser)]
#[command(
    name = "noren-sync",
    version = build_info::VERSION,
    after_help = "Examples:\n  noren-sync --listen 127.0.0.1:8082\n  noren-sync --listen 127.0.0.1:8082 --data-dir /var/lib/noren\n  noren-sync --listen 127.0.0.1:8082 --queue sqs\n\nIt serves /health and /metrics, and /admin if store and queue are in the data folder. An embedded index has one noren-sync at a time."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    back_ends: BackEnds,
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
        return crate::lambda::serve(open_index(back_ends).await?).await;
    }
    let listener = server::listen(config.listen.listen).await?;
    let opening = async { tokio::try_join!(open_queue(back_ends), open_index(back_ends)) };
    let opened = back_ends.waiting.serve_while(&listener, &["queue", "index"], opening).await?;
    let Some((OpenQueue { queue, colocated }, index)) = opened else { return Ok(()) };
    let consumer = Consumer::new(queue, index.clone(), ConsumerOptions::default());
    let (parts, queue) = (consumer.parts(), Some(consumer.queue_probe()));
    let gauges = vec![generation_gauges(index.clone())];
    let stop = CancellationToken::new();
    let (routes, catching_up) = match colocated {
        Some(ColocatedStore { store, dead_letters }) => {
            let sides = StoreAndIndex { store, index };
            let routes = admin::dead_letters::routes(dead_letters).merge(admin::index_routes(sides.clone()));
            (routes, Some(catch_up(sides, stop.clone())))
        }
        None => (OpenApiRouter::new(), None),
    };
    let (routes, described) = routes.split_for_parts();
    let (title, undocumented) = ("Noren sync", described.paths.paths.into_keys().collect());
    let router =
        Service { routes, title, undocumented, parts, gauges, queue, ..Service::default() }.into_router();
    catching_up.map(tokio::spawn);
    let stopped = stop.clone();
    let consuming = tokio::spawn(async move { consumer.run(stopped).await });
    server::serve(listener, router, server::stop_signal()).await;
    stop.cancel();
    consuming.await.map_err(|error| StartError::because("the consumer failed", error))
}
