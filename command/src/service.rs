//! The write side as a process.

use axum::Router;
use clap::Parser;
use runtime::config;
use runtime::{Service, StartError, server};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    BackEnds, Catalogue, Imports, OpenBackEnds, import_routes, open_back_ends, relay_forever, routes,
};

/// Noren's write service: stores products over HTTP, and enqueues their changes for the index.
#[derive(Debug, Parser)]
#[command(
    name = "noren-command",
    version = build_info::VERSION,
    after_help = "Examples:\n  noren-command\n  noren-command --listen 127.0.0.1:8081 --data-dir /var/lib/noren\n  noren-command --store dynamodb --queue sqs --create-tables\n\nGive noren-sync and noren-query the same data folder. Region, credentials and endpoints of AWS are read from its own variables, such as AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    back_ends: BackEnds,
    #[command(flatten)]
    currency: api::config::Currency,
}

/// The general part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Noren command", description = "The write side of the product catalogue."),
    servers((url = "/", description = "The address that serves this document")),
    security(()),
    tags(
        (name = "products", description = "Products in the catalogue"),
        (name = "imports", description = "Background imports of files")
    )
)]
struct Api;

/// Returns the routes of products, with an OpenAPI document of this service.
pub fn documented_routes(catalogue: Catalogue) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Api::openapi()).merge(routes(catalogue))
}

/// Runs the service until Ctrl-C or SIGTERM.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    #[cfg(feature = "aws")]
    if runtime::lambda::is_lambda() {
        let OpenBackEnds { store, queue, .. } = open_back_ends(&config.back_ends).await?;
        let catalogue = Catalogue::new(store, queue, config.currency.currency);
        let router = router(&catalogue, None);
        return runtime::lambda::serve_http(router, Some(relay_on_schedule(catalogue))).await;
    }
    let listener = server::listen(config.listen.listen).await?;
    let (waiting, opening) = (&config.back_ends.waiting, open_back_ends(&config.back_ends));
    let opened = waiting.serve_while(&listener, &["store", "queue"], opening).await?;
    let Some(OpenBackEnds { store, queue, .. }) = opened else { return Ok(()) };
    let catalogue = Catalogue::new(store, queue, config.currency.currency);
    // On Lambda, which keeps no files, there are no import jobs.
    let imports = Imports::open(config.back_ends.data_dir.imports(), catalogue.clone())?;
    let router = router(&catalogue, Some(&imports));
    // A change that the relay is enqueueing when it is aborted is still in the outbox.
    let relay = tokio::spawn(relay_forever(catalogue));
    let stop = CancellationToken::new();
    let importing = imports.run(stop.clone());
    let serving = async {
        server::serve(listener, router, server::stop_signal()).await;
        stop.cancel();
    };
    tokio::join!(importing, serving);
    relay.abort();
    Ok(())
}

/// Builds the router of the service. Without import jobs, `/imports` says so.
fn router(catalogue: &Catalogue, imports: Option<&Imports>) -> Router {
    let (parts, queue) = (catalogue.parts(), Some(catalogue.queue_probe()));
    let (routes, mut openapi) = documented_routes(catalogue.clone()).split_for_parts();
    let (uploads, described) = import_routes(imports.cloned()).split_for_parts();
    openapi.merge(described);
    Service { routes, uploads, openapi: Some(openapi), parts, queue, ..Service::default() }.into_router()
}

/// Returns the relay for a schedule: on Lambda nothing runs between requests.
#[cfg(feature = "aws")]
fn relay_on_schedule(catalogue: Catalogue) -> runtime::lambda::Scheduled {
    std::sync::Arc::new(move || {
        let catalogue = catalogue.clone();
        Box::pin(async move { crate::relay_all(&catalogue).await.map_err(|error| error.chain()) })
    })
}
