//! The write side as a process.

use std::sync::Arc;

use api::access::StoreOptions;
use axum::Router;
use clap::Parser;
use runtime::access::Guard;
use runtime::config::{self, Reach};
use runtime::server::{Server, stop_signal};
use runtime::{Routes, Service, StartError};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use crate::{
    BackEnds, Catalogue, Images, Imports, OpenBackEnds, image_routes, import_routes, open_back_ends,
    open_images, relay_forever, routes,
};

/// Noren's write service: stores products over HTTP, and enqueues their changes for the index.
#[derive(Debug, Parser)]
#[command(
    name = "noren-command",
    version = build_info::VERSION,
    max_term_width = 80,
    after_help = "Examples:\n  noren-command\n  noren-command --listen 127.0.0.1:8081 --data-dir /var/lib/noren\n  noren-command --store dynamodb --queue sqs --create-tables\n\nGive noren-sync and noren-query the same data folder. Region, credentials and endpoints of AWS are read from its own variables, such as AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    back_ends: BackEnds,
    #[command(flatten)]
    currency: api::config::Currency,
    #[command(flatten)]
    language: api::config::Language,
    #[command(flatten)]
    html: api::config::Html,
    #[command(flatten)]
    images: config::Images,
    #[command(flatten)]
    access: config::Access,
    /// The log of requests.
    #[command(flatten)]
    pub logging: config::Logging,
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
pub fn documented_routes(catalogue: Catalogue) -> Routes {
    Routes::with_openapi(Api::openapi()).merge(routes(catalogue))
}

/// Runs the service until Ctrl-C or SIGTERM.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    #[cfg(feature = "aws")]
    if runtime::lambda::is_lambda() {
        let (guard, back_ends) = open(&config, Reach::Lambda).await?;
        let OpenBackEnds { store, queue, .. } = back_ends;
        let catalogue = Catalogue::new(store, queue, config.currency.currency).with_html(config.html.html);
        let images = open_images(&config.images, &config.back_ends, true).await?;
        let images = images.map(|store| Images::new(catalogue.clone(), store, config.images.images_url));
        let router = router(guard, &catalogue, None, images);
        return runtime::lambda::serve_http(router, Some(relay_on_schedule(catalogue))).await;
    }
    let reach = Reach::Address(config.listen.listen);
    config.access.check(reach)?;
    let server = Server::listen(config.listen.listen).await?;
    let parts = api::access::parts_to_open(&config.access, &["store", "queue"]);
    let opening = async {
        tokio::try_join!(open(&config, reach), open_images(&config.images, &config.back_ends, false))
    };
    let opened =
        config.back_ends.waiting.serve_while(server, config.access.guard_of_start(), &parts, opening).await?;
    let Some((server, ((guard, OpenBackEnds { store, queue, .. }), images))) = opened else { return Ok(()) };
    let catalogue = Catalogue::new(store, queue, config.currency.currency).with_html(config.html.html);
    let images = images.map(|store| Images::new(catalogue.clone(), store, config.images.images_url));
    // On Lambda, which keeps no files, there are no import jobs.
    let (folder, limits) = (config.back_ends.data_dir.imports(), config.back_ends.imports);
    let imports = Imports::open(folder, catalogue.clone(), config.language.language, limits)?;
    let connections = guard.connection_limits();
    let router = router(guard, &catalogue, Some(&imports), images);
    // A change that the relay is enqueueing when it is aborted is still in the outbox.
    let relay = tokio::spawn(relay_forever(catalogue));
    let stop = CancellationToken::new();
    let importing = imports.run(stop.clone());
    let serving = async {
        server.serve(router, connections, stop_signal()).await;
        stop.cancel();
    };
    tokio::join!(importing, serving);
    relay.abort();
    Ok(())
}

/// Opens access store, store and queue at the same time, because on Lambda the first request waits for them.
async fn open(config: &Config, reach: Reach) -> Result<(Guard, OpenBackEnds), StartError> {
    let BackEnds { data_dir, create_tables, waiting, .. } = &config.back_ends;
    let access = api::access::open(&config.access, reach, StoreOptions { data_dir, create_tables, waiting });
    tokio::try_join!(access, open_back_ends(&config.back_ends))
}

/// Builds the router of the service. Without import jobs or images, their routes say so.
fn router(guard: Guard, catalogue: &Catalogue, imports: Option<&Imports>, images: Option<Images>) -> Router {
    let (mut parts, queue) = (catalogue.parts(), Some(catalogue.queue_probe()));
    parts.extend(api::access::part(&guard));
    let mut routes = documented_routes(catalogue.clone());
    if let Some(keyring) = guard.keyring() {
        let check_filter = search_parameters::filter_check(catalogue.currency());
        routes = routes.merge(api::access::key_routes(Arc::clone(keyring), Arc::new(check_filter)));
    }
    let uploads = import_routes(imports.cloned()).merge(image_routes(images));
    Service { guard, routes, uploads, is_documented: true, parts, queue, ..Service::default() }.into_router()
}

/// Returns the relay for a schedule: on Lambda nothing runs between requests.
#[cfg(feature = "aws")]
fn relay_on_schedule(catalogue: Catalogue) -> runtime::lambda::Scheduled {
    Arc::new(move || {
        let catalogue = catalogue.clone();
        Box::pin(async move { crate::relay_all(&catalogue).await.map_err(|error| error.chain()) })
    })
}
