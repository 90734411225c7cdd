//! All services in one process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use command::{Catalogue, FolderImages, Images, Imports, OpenBackEnds};
use domain::ports::{DeadLetter, ImageStore, IndexMaintenance, SearchIndex};
use domain::{Currency, HtmlPolicy};
use embedded_store::EmbeddedStore;
use query::{Locale, ReadSide, Settings, ShopRules};
use rules::FieldWeights;
use runtime::access::Guard;
use runtime::config::ImportLimits;
use runtime::{Routes, Service, StartError};
use sync::{Consumer, ConsumerOptions, DeadLetterService, StoreAndIndex, Upgrade, catch_up, upgrade};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use crate::configuration::Configuration;

/// Poll interval of [`App::sync_all`].
const IDLE_POLL: Duration = Duration::from_millis(5);

/// Options of a catalogue.
#[derive(Debug, Clone)]
pub struct Options {
    /// Settings of the searches. The field weights of the rules at the start also apply when products are indexed.
    pub search: Settings,
    /// Form in which HTML in names and descriptions is stored.
    pub html: HtmlPolicy,
    /// True to compare the index with the store at the start, and to repair it.
    pub repairs_at_start: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::of_search(Settings::default())
    }
}

impl Options {
    /// Reads the rules file that the configuration names, if there is one. Caching has the defaults.
    ///
    /// # Errors
    /// If the rules file cannot be read or has faults.
    pub(crate) fn of(catalogue: &api::config::Catalogue) -> Result<Self, StartError> {
        let (currency, language) = (catalogue.currency(), catalogue.language());
        let rules = ShopRules::open_configured(catalogue.rules.as_deref(), Locale { currency, language })?;
        Ok(Self::of_search(Settings { currency, language, rules, ..Settings::default() }))
    }

    /// Returns options with these settings of the searches.
    pub fn of_search(search: Settings) -> Self {
        Self { search, html: HtmlPolicy::Raw, repairs_at_start: true }
    }

    /// Returns the weights of the fields according to the current rules.
    pub fn weights(&self) -> FieldWeights {
        self.search.rules.as_ref().map(|rules| rules.current().weights()).unwrap_or_default()
    }
}

/// An index, open for writing and for searches.
pub struct Index {
    /// The writer.
    pub writer: Arc<dyn IndexMaintenance>,
    /// The searcher.
    pub search: Arc<dyn SearchIndex>,
}

/// A catalogue in this process, with its store, queue, index, sync consumer, import jobs and images.
pub struct App {
    catalogue: Catalogue,
    back_ends: OpenBackEnds,
    sides: StoreAndIndex,
    search: Arc<dyn SearchIndex>,
    consumer: Consumer,
    work: JoinHandle<()>,
    /// Compares the index with the store, then rebuilds it if it has an older format.
    maintaining: JoinHandle<()>,
    /// Cancelled when the index has every version that the store had at the start, or immediately if they are not compared.
    caught_up: CancellationToken,
    imports: Imports,
    importing: JoinHandle<()>,
    images: Option<Images>,
    /// Enqueues changes that a crash left in the outbox. A store that enqueues them itself needs none.
    relay: Option<JoinHandle<()>>,
    stop: CancellationToken,
    options: Options,
}

/// The parts that an [`App`] is started with.
struct Parts {
    back_ends: OpenBackEnds,
    index: Index,
    imports: PathBuf,
    import_limits: ImportLimits,
    images: Option<Arc<dyn ImageStore>>,
    /// The address of all images; `None` to use that of the request.
    images_url: Option<String>,
    /// True if the store and the queue are one file.
    is_one_file: bool,
    /// True to rebuild an index of an older format.
    upgrades_index: bool,
}

/// OpenAPI document of the services together.
#[derive(OpenApi)]
#[openapi(
    info(title = "Noren", description = "A product catalogue: an acknowledged write is never lost, and searches find it a moment later."),
    servers((url = "/", description = "The address that serves this document")),
    security(()),
    tags(
        (name = "products", description = "Products as the catalogue keeps them"),
        (name = "search", description = "Products as shoppers find them"),
        (name = "operation", description = "Maintenance of the catalogue; keep shoppers away from `/admin/`"),
        (name = "imports", description = "Files that are imported in the background")
    )
)]
struct Api;

impl App {
    /// Opens the data folder, creating it if it is missing, and starts to sync.
    ///
    /// # Errors
    /// Fails if a part cannot be opened; the error says what to do.
    pub async fn open(data_dir: &Path, options: Options) -> Result<Self, StartError> {
        let folder = data_dir.join("index");
        let (language, weights) = (options.search.language, options.weights());
        let writer = TantivyWriter::open(&folder, WriterOptions { language, weights, ..Default::default() })
            .map_err(|error| StartError::because("cannot open the index", error))?;
        let search = TantivySearcher::open(&folder, SearcherOptions { language, ..Default::default() })
            .map_err(|error| StartError::because("cannot open the index", error))?;
        let index = Index { writer: Arc::new(writer), search: Arc::new(search) };
        Self::open_with_index(data_dir, options, index).await
    }

    /// Opens the data folder with an index that is open already.
    ///
    /// # Errors
    /// Fails if the store cannot be opened; the error says what to do.
    pub async fn open_with_index(
        data_dir: &Path,
        options: Options,
        index: Index,
    ) -> Result<Self, StartError> {
        let store = EmbeddedStore::open(data_dir, embedded_store::Options::default())
            .map_err(|error| StartError::because("cannot open the store", error))?;
        let store = Arc::new(store);
        let back_ends = OpenBackEnds { store: store.clone(), queue: store.clone(), dead_letters: store };
        let imports = data_dir.join("imports");
        let images = FolderImages::open(data_dir.join("images"))
            .map_err(|error| StartError::because("cannot open the images", error))?;
        let parts = Parts {
            back_ends,
            index,
            imports,
            import_limits: ImportLimits::default(),
            images: Some(Arc::new(images)),
            images_url: None,
            is_one_file: true,
            upgrades_index: false,
        };
        Self::start(parts, options)
    }

    /// Opens the store, the queue and the index that the configuration names, as the three services do, and starts to sync. An
    /// index of an older format is rebuilt.
    ///
    /// # Errors
    /// Fails if a part cannot be opened; the error says what to do.
    pub(crate) async fn open_configured(configuration: &Configuration) -> Result<Self, StartError> {
        let Configuration { command, sync, query, caching, html, images, .. } = configuration;
        command::check_aws(command).await?;
        let writer = sync::open_index_to_upgrade(sync).await?;
        let (search, settings) = query::service::open(query).await?;
        let back_ends = command::open_back_ends(command).await?;
        let image_store = command::open_images(images, command, false).await?;
        // Whoever tries Noren in one process should see a change at once, so by default clients do not cache.
        let settings = Settings { cache_seconds: caching.cache_seconds.unwrap_or(0), ..settings };
        let options = Options { html: html.html, ..Options::of_search(settings) };
        let parts = Parts {
            back_ends,
            index: Index { writer, search },
            imports: command.data_dir.imports(),
            import_limits: command.imports,
            images: image_store,
            images_url: images.images_url.clone(),
            is_one_file: configuration.is_one_file(),
            upgrades_index: true,
        };
        Self::start(parts, options)
    }

    /// Starts to sync, to relay, to run import jobs, and to maintain the index.
    fn start(parts: Parts, options: Options) -> Result<Self, StartError> {
        let Parts {
            back_ends,
            index,
            imports,
            import_limits,
            images,
            images_url,
            is_one_file,
            upgrades_index,
        } = parts;
        let (store, queue) = (&back_ends.store, &back_ends.queue);
        let catalogue =
            Catalogue::new(store.clone(), queue.clone(), options.search.currency).with_html(options.html);
        let imports = Imports::open(imports, catalogue.clone(), options.search.language, import_limits)?;
        let images = images.map(|store| Images::new(catalogue.clone(), store, images_url));
        let consumer = Consumer::new(queue.clone(), index.writer.clone(), ConsumerOptions::default());
        let stop = CancellationToken::new();
        let (working, stopped) = (consumer.clone(), stop.clone());
        let work = tokio::spawn(async move { working.run(stopped).await });
        let (importer, stopped) = (imports.clone(), stop.clone());
        let importing = tokio::spawn(async move { importer.run(stopped).await });
        let Index { writer, search } = index;
        let caught_up = CancellationToken::new();
        let sides = StoreAndIndex::new(store.clone(), writer);
        let maintenance =
            Maintenance { compares: is_one_file && options.repairs_at_start, upgrades: upgrades_index };
        let maintaining = tokio::spawn(maintenance.run(sides.clone(), stop.clone(), caught_up.clone()));
        let relay = (!is_one_file).then(|| tokio::spawn(command::relay_forever(catalogue.clone())));
        Ok(Self {
            catalogue,
            back_ends,
            sides,
            search,
            consumer,
            work,
            imports,
            importing,
            images,
            maintaining,
            relay,
            caught_up,
            stop,
            options,
        })
    }

    /// Returns the write side.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Returns the index that searches read.
    pub fn search(&self) -> &Arc<dyn SearchIndex> {
        &self.search
    }

    /// Returns the store and the index that `noren verify` and `noren reindex` compare.
    pub fn store_and_index(&self) -> StoreAndIndex {
        self.sides.clone()
    }

    /// Returns the need to rebuild the index because it has the format of an older version.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn upgrade(&self) -> Result<Upgrade, StartError> {
        let generations = self.sides.index.generations().await;
        let generations =
            generations.map_err(|error| StartError::because("cannot read the state of the index", error))?;
        Ok(Upgrade::of(&generations))
    }

    /// Returns the default currency.
    pub fn currency(&self) -> Currency {
        self.options.search.currency
    }

    /// Returns the router of all services, with health, metrics and API documents, for requests of this process.
    pub fn router(&self) -> Router {
        self.router_with_answer_cache(self.options.search.answer_cache_mb)
    }

    /// Returns the router of all services with an answer cache of this size in megabytes.
    pub fn router_with_answer_cache(&self, answer_cache_mb: u32) -> Router {
        self.service(Guard::default(), answer_cache_mb).into_router()
    }

    /// Returns all services as one. `guard` decides who may use it.
    pub fn service(&self, guard: Guard, answer_cache_mb: u32) -> Service {
        let settings = Settings { answer_cache_mb, ..self.options.search.clone() };
        let currency = settings.currency;
        let mut gauges = vec![
            query::service::index_gauges(self.search.clone()),
            sync::generation_gauges(self.sides.index.clone()),
        ];
        gauges.extend(settings.rules.clone().map(query::shop_rules::gauges));
        let read_side = ReadSide::new(self.search.clone(), settings);
        let home = read_side.home_page();
        let mut routes = Routes::with_openapi(Api::openapi())
            .merge(command::routes(self.catalogue.clone()))
            .merge(read_side.routes())
            .merge(sync::admin::index_routes(self.store_and_index()))
            .merge(sync::admin::dead_letters::routes(self.dead_letter_service()));
        if let Some(keyring) = guard.keyring() {
            let check_filter = Arc::new(search_parameters::filter_check(currency));
            routes = routes.merge(api::access::key_routes(Arc::clone(keyring), check_filter));
        }
        let uploads = command::import_routes(Some(self.imports.clone()))
            .merge(command::image_routes(self.images.clone()));
        let mut parts = self.catalogue.parts();
        let rebuild = self.sides.rebuild().clone();
        parts.push(query::service::index_part(&self.search).with_note(move || rebuild.note()));
        parts.extend(api::access::part(&guard));
        let queue = Some(self.catalogue.queue_probe());
        let is_documented = true;
        Service { guard, routes, uploads, is_documented, home, parts, gauges, queue, ..Service::default() }
    }

    /// Waits until every earlier write is searchable or a dead letter.
    ///
    /// # Errors
    /// If the queue cannot be read, the sync consumer has ended, or changes still wait after `timeout`.
    pub async fn sync_all(&self, timeout: Duration) -> Result<(), StartError> {
        let begun = Instant::now();
        loop {
            let idle = self.consumer.is_idle().await;
            let idle =
                idle.map_err(|error| StartError::because("cannot read the state of the queue", error))?;
            if idle && self.caught_up.is_cancelled() {
                return Ok(());
            }
            if self.work.is_finished() {
                return Err(StartError::new("the sync consumer has ended; the log says why"));
            }
            if begun.elapsed() > timeout {
                return Err(StartError::new(format!("changes still wait after {} s", timeout.as_secs())));
            }
            tokio::time::sleep(IDLE_POLL).await;
        }
    }

    /// Merges the segments of the index, as it does by itself when nothing is written for a while.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub async fn optimize(&self) -> Result<(), StartError> {
        let optimized = self.sides.index.optimize().await;
        optimized.map_err(|error| StartError::because("cannot merge the segments of the index", error))
    }

    /// Returns up to `limit` of the newest dead letters: changes that could not be indexed.
    ///
    /// # Errors
    /// If the queue cannot be read.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, StartError> {
        let list = self.back_ends.dead_letters.newest(limit).await;
        list.map(|list| list.letters)
            .map_err(|error| StartError::because("cannot read the dead letters", error))
    }

    fn dead_letter_service(&self) -> DeadLetterService {
        let OpenBackEnds { store, queue, dead_letters } = &self.back_ends;
        DeadLetterService::new(store.clone(), queue.clone(), dead_letters.clone())
    }

    /// Stops the background work and waits for it: the relay ends immediately, the sync consumer and the import jobs after their
    /// current batches.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Some(relay) = &self.relay {
            // A change that it is enqueueing is still in the outbox.
            relay.abort();
        }
        for (part, work) in [
            ("the sync consumer", self.work),
            ("the import runner", self.importing),
            ("the maintenance of the index", self.maintaining),
        ] {
            if let Err(error) = work.await {
                tracing::error!(error = %error, part, "a part of the service failed");
            }
        }
    }
}

/// The work on the index that begins with the process.
struct Maintenance {
    /// Compares the index with the store. Reading a whole table costs money, so noren-sync and this process compare only with
    /// a store that is a file.
    compares: bool,
    /// Rebuilds an index of an older format.
    upgrades: bool,
}

impl Maintenance {
    /// Compares, then rebuilds. Cancels `caught_up` once searches find every version that the store had at the start, or immediately
    /// without a comparison.
    async fn run(self, sides: StoreAndIndex, stop: CancellationToken, caught_up: CancellationToken) {
        if self.compares {
            catch_up(sides.clone(), stop.clone()).await;
        }
        let generations = sides.index.generations().await;
        if !self.compares || generations.is_ok_and(|generations| generations.live.is_some()) {
            caught_up.cancel();
        }
        if self.upgrades {
            upgrade(sides, stop).await;
        }
        caught_up.cancel();
    }
}
