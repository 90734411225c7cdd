//! The read side as a process.

use std::sync::Arc;

use api::access::StoreOptions;
use axum::Router;
use clap::Parser;
use domain::Language;
use domain::ports::SearchIndex;
#[cfg(feature = "aws")]
use opensearch_index::OpenSearchSearcher;
use runtime::access::Guard;
use runtime::config::{self, IndexKind, Reach};
use runtime::server::{Server, stop_signal};
use runtime::{Gauges, Part, Routes, Service, StartError, Waiting};
use storefront::Storefront;
use utoipa::OpenApi;

use crate::{Locale, ReadSide, Settings, ShopRules, shop_rules};

/// The default number of seconds that caches may serve a response.
const DEFAULT_CACHE_SECONDS: u32 = 300;

/// Noren's read service: answers searches over HTTP.
#[derive(Debug, Parser)]
#[command(
    name = "noren-query",
    version = build_info::VERSION,
    max_term_width = 80,
    after_help = "Examples:\n  noren-query --listen 127.0.0.1:8083\n  noren-query --listen 127.0.0.1:8083 --data-dir /var/lib/noren --cache-seconds 60\n\nSeveral noren-query may read one data folder."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    data_dir: config::DataDir,
    #[command(flatten)]
    index: config::Index,
    #[command(flatten)]
    catalogue: api::config::Catalogue,
    #[command(flatten)]
    caching: config::Caching,
    /// The storefront.
    #[command(flatten)]
    pub storefront: config::Storefront,
    #[command(flatten)]
    access: config::Access,
    /// The log of requests.
    #[command(flatten)]
    pub logging: config::Logging,
    #[command(flatten)]
    create_tables: config::CreateTables,
    /// The retries at start while the index does not respond.
    #[arg(skip)]
    pub waiting: Waiting,
}

/// The head of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Noren query", description = "The read side of the product catalogue."),
    servers((url = "/", description = "The address that serves this document")),
    security(()),
    tags((name = "search", description = "Products as shoppers find them"))
)]
struct Api;

/// Opens the index and the settings that the configuration names, waiting for an index that does not respond.
///
/// # Errors
/// Fails if the rules file has faults or the index cannot be opened; the error says what to do.
pub async fn open(config: &Config) -> Result<(Arc<dyn SearchIndex>, Settings), StartError> {
    let (currency, language) = (config.catalogue.currency(), config.catalogue.language());
    let settings = Settings {
        currency,
        language,
        cache_seconds: config.caching.cache_seconds.unwrap_or(DEFAULT_CACHE_SECONDS),
        answer_cache_mb: config.caching.answer_cache_mb,
        answer_cache_seconds: config.caching.answer_cache_seconds,
        stale_seconds: config.caching.stale_seconds,
        rules: ShopRules::open_configured(config.catalogue.rules.as_deref(), Locale { currency, language })?,
        storefront: storefront(&config.storefront),
    };
    Ok((open_index(config, language).await?, settings))
}

/// Returns the storefront, if it is on.
fn storefront(config: &config::Storefront) -> Option<Storefront> {
    (config.storefront == Some(true)).then(|| Storefront {
        url: config.storefront_url.clone(),
        image_origins: config.storefront_images.clone(),
    })
}

/// Runs the service until a stop signal.
///
/// # Errors
/// If it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    config.storefront.check(&config.access)?;
    #[cfg(feature = "aws")]
    if runtime::lambda::is_lambda() {
        let (guard, (index, settings)) = open_guarded(&config, Reach::Lambda).await?;
        return runtime::lambda::serve_http(router(guard, index, settings), None).await;
    }
    let reach = Reach::Address(config.listen.listen);
    config.access.check(reach)?;
    let server = Server::listen(config.listen.listen).await?;
    let parts = api::access::parts_to_open(&config.access, &["index"]);
    let opened = config
        .waiting
        .serve_while(server, config.access.guard_of_start(), &parts, open_guarded(&config, reach))
        .await?;
    let Some((server, (guard, (index, settings)))) = opened else { return Ok(()) };
    let connections = guard.connection_limits();
    let router = router(guard, index, settings);
    server.serve(router, connections, stop_signal()).await;
    Ok(())
}

/// Opens access store and index at the same time, because on Lambda the first request waits for them.
async fn open_guarded(
    config: &Config,
    reach: Reach,
) -> Result<(Guard, (Arc<dyn SearchIndex>, Settings)), StartError> {
    let Config { data_dir, create_tables, waiting, .. } = config;
    let access = api::access::open(&config.access, reach, StoreOptions { data_dir, create_tables, waiting });
    tokio::try_join!(access, open(config))
}

/// Builds the router of the service.
fn router(guard: Guard, index: Arc<dyn SearchIndex>, settings: Settings) -> Router {
    let (mut parts, mut gauges) = (vec![index_part(&index)], vec![index_gauges(index.clone())]);
    parts.extend(api::access::part(&guard));
    gauges.extend(settings.rules.clone().map(shop_rules::gauges));
    let read_side = ReadSide::new(index, settings);
    let home = read_side.home_page();
    let routes = Routes::with_openapi(Api::openapi()).merge(read_side.routes());
    Service { guard, routes, home, is_documented: true, parts, gauges, ..Service::default() }.into_router()
}

/// Returns the readiness part of the index.
pub fn index_part(index: &Arc<dyn SearchIndex>) -> Part {
    api::probes::part("index", index, |index| async move { index.ready().await })
}

/// Returns gauges of the size of the index.
pub fn index_gauges(index: Arc<dyn SearchIndex>) -> Gauges {
    Gauges::new(move || {
        let index = index.clone();
        async move {
            let Ok(stats) = index.stats().await else { return };
            metrics::gauge!("noren_index_products").set(stats.products as f64);
            if let Some(bytes) = stats.bytes {
                metrics::gauge!("noren_index_bytes").set(bytes as f64);
            }
        }
    })
}

async fn open_index(config: &Config, language: Language) -> Result<Arc<dyn SearchIndex>, StartError> {
    match config.index.index {
        #[cfg(feature = "embedded")]
        IndexKind::Tantivy => {
            let options = tantivy_index::SearcherOptions { language, ..Default::default() };
            let index = tantivy_index::TantivySearcher::open(&config.data_dir.index(), options)
                .map_err(|error| StartError::because("cannot open the index", error))?;
            Ok(Arc::new(index))
        }
        #[cfg(not(feature = "embedded"))]
        IndexKind::Tantivy => Err(config::compiled_out("NOREN_INDEX", "tantivy", "embedded")),
        #[cfg(feature = "aws")]
        IndexKind::Opensearch => {
            let config::Index { opensearch_url, opensearch_index, .. } = &config.index;
            let options = opensearch_index::Options::load(opensearch_url, opensearch_index, language)
                .await
                .map_err(|error| StartError::because("cannot use AWS", error))?;
            let attempt = async || OpenSearchSearcher::open(&options).await.map_err(cannot_open);
            let unchecked = || OpenSearchSearcher::unchecked(&options).map_err(cannot_open);
            Ok(Arc::new(config.waiting.open("index", attempt, unchecked).await?))
        }
        #[cfg(not(feature = "aws"))]
        IndexKind::Opensearch => Err(config::compiled_out("NOREN_INDEX", "opensearch", "aws")),
    }
}

#[cfg(feature = "aws")]
fn cannot_open(error: opensearch_index::OpenError) -> StartError {
    // noren-sync creates a missing index.
    let is_transient = error.is_transient() || matches!(error, opensearch_index::OpenError::Missing { .. });
    StartError::because("cannot open the index", error).transient(is_transient)
}
