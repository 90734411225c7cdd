//! All three services in one process, on the embedded back ends.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use command::Catalogue;
use domain::ports::{
    ChangeQueue, DeadLetter, DeadLetters, Envelope, IndexWriter, PortError, ProductStore, SearchIndex,
};
use domain::{Change, Currency, Language};
use embedded_store::EmbeddedStore;
use query::{Settings, ShopRules};
use rules::FieldWeights;
use runtime::{Service, StartError};
use sync::{DeadLetterOffice, Worker, WorkerOptions};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

/// Products that are read together to fill an empty index.
const PRODUCTS_AT_ONCE: usize = 500;
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
    pub writer: Arc<dyn IndexWriter>,
    /// The reading side.
    pub search: Arc<dyn SearchIndex>,
}

/// A catalogue with its store, queue, index and sync worker, all in this process.
pub struct App {
    catalogue: Catalogue,
    store: Arc<EmbeddedStore>,
    writer: Arc<dyn IndexWriter>,
    search: Arc<dyn SearchIndex>,
    worker: Worker,
    work: JoinHandle<()>,
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
        (name = "operation", description = "For those who keep the catalogue running")
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
        fill_empty_index(&store, &*index.search).await?;
        let catalogue = Catalogue::new(store.clone(), store.clone(), options.currency);
        let worker = Worker::new(store.clone(), index.writer.clone(), WorkerOptions::default());
        let stop = CancellationToken::new();
        let (working, stopped) = (worker.clone(), stop.clone());
        let work = tokio::spawn(async move { working.run(stopped).await });
        let Index { writer, search } = index;
        Ok(Self { catalogue, store, writer, search, worker, work, stop, options })
    }

    /// The write side.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The read side.
    pub fn search(&self) -> &Arc<dyn SearchIndex> {
        &self.search
    }

    /// Both APIs in one router, with health, metrics and documents.
    pub fn router(&self) -> Router {
        self.router_with_answers(self.options.answer_cache_mb)
    }

    /// The same with room for another number of megabytes of answers.
    pub fn router_with_answers(&self, answer_cache_mb: u32) -> Router {
        let Options { currency, language, cache_seconds, rules, .. } = self.options.clone();
        let mut gauges = vec![query::service::index_gauges(self.search.clone())];
        gauges.extend(rules.clone().map(query::shop_rules::gauges));
        let settings = Settings { currency, language, cache_seconds, answer_cache_mb, rules };
        let (routes, openapi) = utoipa_axum::router::OpenApiRouter::with_openapi(Api::openapi())
            .merge(command::routes(self.catalogue.clone()))
            .merge(query::routes(self.search.clone(), settings))
            .merge(sync::admin::dead_letters::routes(self.dead_letter_office()))
            .split_for_parts();
        let mut parts = self.catalogue.parts();
        parts.push(query::service::index_part(self.search.clone()));
        Service { routes, openapi: Some(openapi), parts, gauges, queue: Some(self.catalogue.queue_probe()) }
            .into_router()
    }

    /// Waits until every change that was written before is found by search, or is a dead letter.
    ///
    /// # Errors
    /// When the queue does not answer, or has not run empty within `patience`.
    pub async fn sync_all(&self, patience: Duration) -> Result<(), StartError> {
        let begun = Instant::now();
        loop {
            let idle = self.worker.is_idle().await;
            if idle.map_err(|error| StartError::because("cannot ask the queue what waits in it", error))? {
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
    pub async fn settle(&self) -> Result<(), StartError> {
        let settled = self.writer.settle().await;
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

    /// Ends the sync worker after the batch that it has in hand.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.work.await {
            tracing::error!(error = %error, "the sync worker failed");
        }
    }
}

/// Enqueues every product when the index has none: it is new, or somebody deleted its folder. Nothing is indexed before
/// all are enqueued, so an end in between leaves the index empty, and the next start does it again.
async fn fill_empty_index(store: &EmbeddedStore, search: &dyn SearchIndex) -> Result<(), StartError> {
    let failed = |error: PortError| StartError::because("cannot rebuild the empty index", error);
    if search.stats().await.map_err(failed)?.products > 0 {
        return Ok(());
    }
    let (mut cursor, mut count) = (None::<String>, 0);
    loop {
        let page = match store.list(cursor.as_deref(), PRODUCTS_AT_ONCE).await {
            Ok(page) => page,
            Err(error) => return Err(StartError::because("cannot rebuild the empty index", error)),
        };
        count += page.products.len();
        let envelope = |product| Envelope { change: Change::Update(Arc::new(product)), traceparent: None };
        for sent in store.send(page.products.into_iter().map(envelope).collect()).await {
            sent.map_err(failed)?;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if count > 0 {
        tracing::warn!(products = count, "the index is empty; rebuilding it from the store");
    }
    Ok(())
}
