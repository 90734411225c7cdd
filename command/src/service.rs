//! The write side as a process of its own.

use std::sync::Arc;

use clap::Parser;
use domain::Currency;
use domain::ports::{ChangeQueue, ProductStore};
use runtime::config::{self, QueueKind, StoreKind};
use runtime::{Service, StartError, server};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{Catalogue, relay_forever, routes};

/// Noren's write service: takes products over HTTP, keeps them, and enqueues what must be indexed.
#[derive(Debug, Parser)]
#[command(
    name = "noren-command",
    version,
    after_help = "Examples:\n  noren-command\n  noren-command --listen 127.0.0.1:8081 --data-dir /var/lib/noren\n\nnoren-sync and noren-query must be given the same data folder."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    data_dir: config::DataDir,
    #[command(flatten)]
    store: config::Store,
    #[command(flatten)]
    queue: config::Queue,
    #[command(flatten)]
    currency: config::Currency,
}

/// What the document says of the service as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "Noren command", description = "The write side of the product catalogue."),
    tags((name = "products", description = "Products as the catalogue keeps them"))
)]
struct Api;

/// The routes of the write side, with the document that describes them.
pub fn documented_routes(catalogue: Catalogue) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Api::openapi()).merge(routes(catalogue))
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    let currency = Currency::parse(&config.currency.currency)
        .map_err(|error| StartError::because("NOREN_CURRENCY cannot be used", error))?;
    let (store, queue) = back_ends(&config)?;
    let catalogue = Catalogue::new(store, queue, currency);
    let (parts, queue) = (catalogue.parts(), Some(catalogue.queue_probe()));
    let (routes, openapi) = documented_routes(catalogue.clone()).split_for_parts();
    let router = Service { routes, openapi: Some(openapi), parts, queue, ..Service::default() }.into_router();
    let listener = server::listen(config.listen.listen).await?;
    // Whatever the relay has in hand when it ends here is still marked in the store.
    let relay = tokio::spawn(relay_forever(catalogue));
    server::serve(listener, router, server::stop_signal()).await;
    relay.abort();
    Ok(())
}

type BackEnds = (Arc<dyn ProductStore>, Arc<dyn ChangeQueue>);

/// The store and the queue that the configuration names.
fn back_ends(config: &Config) -> Result<BackEnds, StartError> {
    match (config.store.store, config.queue.queue) {
        #[cfg(feature = "embedded")]
        (StoreKind::Sqlite, QueueKind::Sqlite) => {
            let options = embedded_store::Options::default();
            let store = embedded_store::EmbeddedStore::open(&config.data_dir.data_dir, options)
                .map_err(|error| StartError::because("cannot open the store", error))?;
            let store = Arc::new(store);
            Ok((store.clone(), store))
        }
        (StoreKind::Dynamodb, _) => Err(config::compiled_out("NOREN_STORE", "dynamodb", "aws")),
        (_, QueueKind::Sqs) => Err(config::compiled_out("NOREN_QUEUE", "sqs", "aws")),
        #[cfg(not(feature = "embedded"))]
        (StoreKind::Sqlite, QueueKind::Sqlite) => {
            Err(config::compiled_out("NOREN_STORE", "sqlite", "embedded"))
        }
    }
}
