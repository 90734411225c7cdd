//! All three services in one process, on the embedded back ends.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use command::{Catalogue, Imports};
use domain::ports::IndexMaintenance;
use domain::ports::{DeadLetter, DeadLetters, SearchIndex};
use domain::{Currency, Language};
use embedded_store::EmbeddedStore;
use query::{Settings, ShopRules};
use rules::FieldWeights;
use runtime::{Service, StartError};
use sync::reconcile::Sides;
use sync::{DeadLetterOffice, Worker, WorkerOptions, catch_up};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

/// The longest that [`App::sync_all`] sleeps between two looks at the queue.
const IDLE_POLL: Duration = Duration::from_millis(5);

/// What holds for the whole process.
#[derive(Debug, Clone)]
pub struct Options {
    /// The currency of prices that name none.
    pub currency: Currency,
    /// What the texts of products are analysed as.
    pub language: Language,
    /// How long clients may keep the answer of a search.
    pub cache_seconds: u32,
    /// Megabytes of answers that the read side keeps, see [`Settings::answer_cache_mb`].
    pub answer_cache_mb: u32,
    /// What the shop decided about searches, and about the weights of what is indexed until the end of the process.
    pub rules: Option<Arc<ShopRules>>,
}

impl Default for Options {
    fn default() -> Self {
        let answer_cache_mb = runtime::config::DEFAULT_ANSWER_CACHE_MB;
        let language = Language::default();
        Self { currency: Currency::USD, language, cache_seconds: 0, answer_cache_mb, rules: None }
    }
}

impl Options {
    /// How much the parts of products count, as the rules say now.
    pub fn weights(&self) -> FieldWeights {
        self.rules.as_ref().map(|rules| rules.current().weights()).unwrap_or_default()
    }
}

/// Both sides of the index.
pub struct Index {
    /// The writing side.
    pub writer: Arc<dyn IndexMaintenance>,
    /// The reading side.
    pub search: Arc<dyn SearchIndex>,
}

/// A catalogue with its store, queue, index and sync worker, all in this process.
pub struct App {
    catalogue: Catalogue,
    store: Arc<EmbeddedStore>,
    writer: Arc<dyn IndexMaintenance>,
    search: Arc<dyn SearchIndex>,
    worker: Worker,
    work: JoinHandle<()>,
    /// Cancelled once the index was seen to hold every version of the store.
    caught_up: CancellationToken,
    imports: Imports,
    importing: JoinHandle<()>,
    stop: CancellationToken,
    options: Options,
}

/// What the document says of the services together.
#[derive(OpenApi)]
#[openapi(
    info(title = "Noren", description = "A product catalogue that never loses a write and answers a search in a millisecond."),
    tags(
        (name = "products", description = "Products as the catalogue keeps them"),
        (name = "search", description = "Products as shoppers find them"),
        (name = "operation", description = "Looking after the catalogue; keep shoppers away from `/admin/`"),
        (name = "imports", description = "Files that are imported in the background")
    )
)]
struct Api;

impl App {
    /// Opens the data folder, making it when it is missing, and begins to sync.
    ///
    /// # Errors
    /// When a part cannot be opened, with what to do about it.
    pub async fn open(data_dir: &Path, options: Options) -> Result<Self, StartError> {
        let folder = data_dir.join("index");
        let (language, weights) = (options.language, options.weights());
        let writer = TantivyWriter::open(&folder, WriterOptions { language, weights, ..Default::default() })
            .map_err(|error| StartError::because("cannot open the index", error))?;
        let search = TantivySearcher::open(&folder, SearcherOptions { language, ..Default::default() })
            .map_err(|error| StartError::because("cannot open the index", error))?;
        let index = Index { writer: Arc::new(writer), search: Arc::new(search) };
        Self::open_with_index(data_dir, options, index).await
    }

    /// The same, with an index that is open already.
    ///
    /// # Errors
    /// When the store cannot be opened, or an empty index not be filled, with what to do about it.
    pub async fn open_with_index(
        data_dir: &Path,
        options: Options,
        index: Index,
    ) -> Result<Self, StartError> {
        let store = EmbeddedStore::open(data_dir, embedded_store::Options::default())
            .map_err(|error| StartError::because("cannot open the store", error))?;
        let store = Arc::new(store);
        let catalogue = Catalogue::new(store.clone(), store.clone(), options.currency);
        let imports = Imports::open(data_dir.join("imports"), catalogue.clone())?;
        let worker = Worker::new(store.clone(), index.writer.clone(), WorkerOptions::default());
        let stop = CancellationToken::new();
        let (working, stopped) = (worker.clone(), stop.clone());
        let work = tokio::spawn(async move { working.run(stopped).await });
        let (importer, stopped) = (imports.clone(), stop.clone());
        let importing = tokio::spawn(async move { importer.run(stopped).await });
        let Index { writer, search } = index;
        let caught_up = CancellationToken::new();
        let (looking, done) = (catch_up(sides(&store, &writer), stop.clone()), caught_up.clone());
        tokio::spawn(async move {
            looking.await;
            done.cancel();
        });
        Ok(Self {
            catalogue,
            store,
            writer,
            search,
            worker,
            work,
            imports,
            importing,
            caught_up,
            stop,
            options,
        })
    }

    /// The write side.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The read side.
    pub fn search(&self) -> &Arc<dyn SearchIndex> {
        &self.search
    }

    /// What `noren verify` and `noren reindex` compare.
    pub fn sides(&self) -> Sides {
        sides(&self.store, &self.writer)
    }

    /// Both APIs in one router, with health, metrics and documents.
    pub fn router(&self) -> Router {
        self.router_with_answers(self.options.answer_cache_mb)
    }

    /// The same with room for another number of megabytes of answers.
    pub fn router_with_answers(&self, answer_cache_mb: u32) -> Router {
        let Options { currency, language, cache_seconds, rules, .. } = self.options.clone();
        let mut gauges = vec![
            query::service::index_gauges(self.search.clone()),
            sync::generation_gauges(self.writer.clone()),
        ];
        gauges.extend(rules.clone().map(query::shop_rules::gauges));
        let settings = Settings { currency, language, cache_seconds, answer_cache_mb, rules };
        let (routes, mut openapi) = utoipa_axum::router::OpenApiRouter::with_openapi(Api::openapi())
            .merge(command::routes(self.catalogue.clone()))
            .merge(query::routes(self.search.clone(), settings))
            .merge(sync::admin::index_routes(self.sides()))
            .merge(sync::admin::dead_letters::routes(self.dead_letter_office()))
            .split_for_parts();
        let (uploads, described) = command::import_routes(Some(self.imports.clone())).split_for_parts();
        openapi.merge(described);
        let mut parts = self.catalogue.parts();
        parts.push(query::service::index_part(&self.search));
        let queue = Some(self.catalogue.queue_probe());
        Service { routes, uploads, openapi: Some(openapi), parts, gauges, queue }.into_router()
    }

    /// Waits until every change that was written before is found by search, or is a dead letter.
    ///
    /// # Errors
    /// When the queue does not answer, or has not run empty within `patience`.
    pub async fn sync_all(&self, patience: Duration) -> Result<(), StartError> {
        let begun = Instant::now();
        loop {
            let idle = self.worker.is_idle().await;
            let idle =
                idle.map_err(|error| StartError::because("cannot ask the queue what waits in it", error))?;
            if idle && self.caught_up.is_cancelled() {
                return Ok(());
            }
            if self.work.is_finished() {
                return Err(StartError::new("the sync worker has ended; the log says why"));
            }
            if begun.elapsed() > patience {
                return Err(StartError::new(format!("changes still wait after {} s", patience.as_secs())));
            }
            tokio::time::sleep(IDLE_POLL).await;
        }
    }

    /// Waits until the index has put in order what was written, as it does by itself when nothing is for a while.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub async fn optimize(&self) -> Result<(), StartError> {
        let settled = self.writer.optimize().await;
        settled.map_err(|error| StartError::because("the index cannot put itself in order", error))
    }

    /// Changes that could not be indexed, at most `limit`.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, StartError> {
        let list = self.store.newest(limit).await;
        list.map(|list| list.letters)
            .map_err(|error| StartError::because("cannot read the dead letters", error))
    }

    fn dead_letter_office(&self) -> DeadLetterOffice {
        DeadLetterOffice::new(self.store.clone(), self.store.clone(), self.store.clone())
    }

    /// Ends the sync worker and the import jobs after the batches that they have in hand.
    pub async fn stop(self) {
        self.stop.cancel();
        for (part, work) in [("the sync worker", self.work), ("the import runner", self.importing)] {
            if let Err(error) = work.await {
                tracing::error!(error = %error, part, "a part of the service failed");
            }
        }
    }
}

/// The store with the index that is derived from it.
fn sides(store: &Arc<EmbeddedStore>, index: &Arc<dyn IndexMaintenance>) -> Sides {
    Sides { store: store.clone(), index: index.clone() }
}
