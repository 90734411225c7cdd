//! Opens the configured store, queue and index.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use domain::ports::{ChangeQueue, IndexMaintenance, ProductStore};
#[cfg(feature = "embedded")]
use embedded_store::Outbox;
use rules::{Faults, FieldWeights, Locale, Rules};
use runtime::config::{self, IndexKind, QueueKind, StoreKind};
use runtime::{StartError, Waiting};

use crate::dead_letters::DeadLetterService;

/// The configuration of the store, queue, index and catalogue.
#[derive(Debug, Clone, Args)]
pub struct BackEnds {
    /// The folder of embedded back ends.
    #[command(flatten)]
    pub data_dir: config::DataDir,
    /// The store. The consumer does not use it, but a comparison, a rebuild and a retry of dead letters do.
    #[command(flatten)]
    pub store: config::Store,
    /// The table of a DynamoDB store.
    #[command(flatten)]
    pub dynamodb: config::DynamoDb,
    /// The queue.
    #[command(flatten)]
    pub queue: config::Queue,
    /// The index.
    #[command(flatten)]
    pub index: config::Index,
    /// The properties of the catalogue.
    #[command(flatten)]
    pub catalogue: api::config::Catalogue,
    /// Creation of a missing queue and index.
    #[command(flatten)]
    pub create_tables: config::CreateTables,
    /// The retries at start while a back end does not respond.
    #[arg(skip)]
    pub waiting: Waiting,
}

impl BackEnds {
    /// Replaces all back ends with the embedded ones in a folder.
    #[must_use]
    pub fn embedded_in(mut self, data_dir: PathBuf) -> Self {
        self.data_dir.data_dir = data_dir;
        self.store.store = StoreKind::Sqlite;
        self.queue.queue = QueueKind::Sqlite;
        self.index.index = IndexKind::Tantivy;
        self
    }
}

/// An open queue.
pub struct OpenQueue {
    /// The queue.
    pub queue: Arc<dyn ChangeQueue>,
    /// The store, if it is in the same file. A store elsewhere is opened only to rebuild an index of an older format.
    pub colocated: Option<ColocatedStore>,
}

/// A store in the same file as the queue.
pub struct ColocatedStore {
    /// The store, for comparison with the index.
    pub store: Arc<dyn ProductStore>,
    /// The dead letters of the queue.
    pub dead_letters: DeadLetterService,
}

/// Opens the queue, waiting for it if it does not respond.
///
/// # Errors
/// Fails if it cannot be opened; the error says what to do.
pub async fn open_queue(config: &BackEnds) -> Result<OpenQueue, StartError> {
    match config.queue.queue {
        #[cfg(feature = "embedded")]
        QueueKind::Sqlite => {
            let options = embedded_store::Options::default();
            let queue = embedded_store::EmbeddedStore::open(&config.data_dir.data_dir, options)
                .map_err(|error| StartError::because("cannot open the queue", error))?;
            let queue = Arc::new(queue);
            let is_colocated = config.store.store == StoreKind::Sqlite;
            let colocated = || ColocatedStore {
                store: queue.clone(),
                dead_letters: DeadLetterService::new(queue.clone(), queue.clone(), queue.clone()),
            };
            Ok(OpenQueue { colocated: is_colocated.then(colocated), queue })
        }
        #[cfg(not(feature = "embedded"))]
        QueueKind::Sqlite => Err(config::compiled_out("NOREN_QUEUE", "sqlite", "embedded")),
        #[cfg(feature = "aws")]
        QueueKind::Sqs => Ok(OpenQueue { queue: Arc::new(aws::open_queue(config).await?), colocated: None }),
        #[cfg(not(feature = "aws"))]
        QueueKind::Sqs => Err(config::compiled_out("NOREN_QUEUE", "sqs", "aws")),
    }
}

/// Opens the index for writing, waiting for it if it does not respond. An embedded index has one writer at a time.
///
/// # Errors
/// Fails if it cannot be opened; the error says what to do.
pub async fn open_index(config: &BackEnds) -> Result<Arc<dyn IndexMaintenance>, StartError> {
    open_index_for(config, Purpose::Sync).await
}

/// Opens the index for a rebuild, even if this program cannot use the existing one.
///
/// # Errors
/// Fails if it cannot be opened; the error says what to do.
pub async fn open_index_to_rebuild(config: &BackEnds) -> Result<Arc<dyn IndexMaintenance>, StartError> {
    open_index_for(config, Purpose::Rebuild).await
}

/// Opens the index for a service that rebuilds older formats itself, even if the format is too old to be read.
///
/// # Errors
/// Fails if it cannot be opened; the error says what to do.
pub async fn open_index_to_upgrade(config: &BackEnds) -> Result<Arc<dyn IndexMaintenance>, StartError> {
    open_index_for(config, Purpose::Upgrade).await
}

/// Returns true if the configured store is a file that exists, or a DynamoDB table, which is not looked up. The default is a file;
/// a service on SQS may lack it.
pub(crate) fn names_store(config: &BackEnds) -> bool {
    match config.store.store {
        #[cfg(feature = "embedded")]
        StoreKind::Sqlite => embedded_store::exists(&config.data_dir.data_dir),
        #[cfg(not(feature = "embedded"))]
        StoreKind::Sqlite => false,
        StoreKind::Dynamodb => cfg!(feature = "aws"),
    }
}

/// Opens the store that the configuration names, to rebuild the index from it.
///
/// # Errors
/// Fails if it cannot be opened; the error says what to do.
pub(crate) async fn open_store(config: &BackEnds) -> Result<Arc<dyn ProductStore>, StartError> {
    match config.store.store {
        #[cfg(feature = "embedded")]
        StoreKind::Sqlite => {
            let options = embedded_store::Options { outbox: Outbox::AddEntry, ..Default::default() };
            let store = embedded_store::EmbeddedStore::open(&config.data_dir.data_dir, options);
            Ok(Arc::new(store.map_err(|error| StartError::because("cannot open the store", error))?))
        }
        #[cfg(not(feature = "embedded"))]
        StoreKind::Sqlite => Err(config::compiled_out("NOREN_STORE", "sqlite", "embedded")),
        #[cfg(feature = "aws")]
        StoreKind::Dynamodb => {
            let aws = aws_setup::Aws::load().await;
            let aws = aws.map_err(|error| StartError::because("cannot use AWS", error))?;
            let store = dynamodb_store::DynamoStore::open(&aws, &config.dynamodb.dynamodb_table).await;
            Ok(Arc::new(store.map_err(|error| StartError::because("cannot open the store", error))?))
        }
        #[cfg(not(feature = "aws"))]
        StoreKind::Dynamodb => Err(config::compiled_out("NOREN_STORE", "dynamodb", "aws")),
    }
}

/// The purpose of opening an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Sync,
    Upgrade,
    Rebuild,
}

async fn open_index_for(
    config: &BackEnds,
    purpose: Purpose,
) -> Result<Arc<dyn IndexMaintenance>, StartError> {
    let language = config.catalogue.language();
    let weights = weights(&config.catalogue)?;
    match config.index.index {
        #[cfg(feature = "embedded")]
        IndexKind::Tantivy => {
            let folder = config.data_dir.index();
            let options = tantivy_index::WriterOptions { language, weights, ..Default::default() };
            let opened = match purpose {
                Purpose::Sync => tantivy_index::TantivyWriter::open(&folder, options),
                Purpose::Upgrade => tantivy_index::TantivyWriter::open_to_upgrade(&folder, options),
                Purpose::Rebuild => tantivy_index::TantivyWriter::open_to_rebuild(&folder, options),
            };
            Ok(Arc::new(opened.map_err(|error| StartError::because("cannot open the index", error))?))
        }
        #[cfg(not(feature = "embedded"))]
        IndexKind::Tantivy => Err(config::compiled_out("NOREN_INDEX", "tantivy", "embedded")),
        #[cfg(feature = "aws")]
        IndexKind::Opensearch => Ok(Arc::new(aws::open_index(config, weights, purpose).await?)),
        #[cfg(not(feature = "aws"))]
        IndexKind::Opensearch => Err(config::compiled_out("NOREN_INDEX", "opensearch", "aws")),
    }
}

#[cfg(feature = "aws")]
mod aws {
    use aws_setup::Aws;
    use opensearch_index::{OpenError, OpenSearchWriter, Options};
    use rules::FieldWeights;
    use runtime::StartError;
    use runtime::config::Index;
    use sqs_queue::{SqsQueue, VISIBILITY};

    use super::{BackEnds, Purpose};

    pub(super) async fn open_queue(config: &BackEnds) -> Result<SqsQueue, StartError> {
        let aws = Aws::load().await.map_err(|error| StartError::because("cannot use AWS", error))?;
        let (aws, queue) = (&aws, &config.queue.sqs_queue);
        let visibility_if_missing = config.create_tables.create_tables.then_some(VISIBILITY);
        let unchecked = || SqsQueue::unchecked(aws, queue, visibility_if_missing);
        let attempt = async || {
            unchecked()
                .checked()
                .await
                .map_err(|error| StartError::opening("queue", error, sqs_queue::OpenError::is_transient))
        };
        config.waiting.open("queue", attempt, || Ok(unchecked())).await
    }

    pub(super) async fn open_index(
        config: &BackEnds,
        weights: FieldWeights,
        purpose: Purpose,
    ) -> Result<OpenSearchWriter, StartError> {
        let Index { opensearch_url, opensearch_index, .. } = &config.index;
        let options = Options::load(opensearch_url, opensearch_index, config.catalogue.language()).await;
        let options = options.map_err(|error| StartError::because("cannot use AWS", error))?;
        let options = &Options { weights, ..options };
        let creates_missing = config.create_tables.create_tables;
        if purpose == Purpose::Rebuild {
            return OpenSearchWriter::open_to_rebuild(options).map_err(cannot_open);
        }
        let attempt = async || {
            let opened = match (purpose, creates_missing) {
                (Purpose::Upgrade, _) => OpenSearchWriter::open_to_upgrade(options, creates_missing).await,
                (_, true) => OpenSearchWriter::create(options).await,
                (_, false) => OpenSearchWriter::open(options).await,
            };
            opened.map_err(cannot_open)
        };
        let unchecked = || OpenSearchWriter::unchecked(options, creates_missing).map_err(cannot_open);
        config.waiting.open("index", attempt, unchecked).await
    }

    fn cannot_open(error: OpenError) -> StartError {
        StartError::opening("index", error, OpenError::is_transient)
    }
}

/// Returns the field weights of the shop's rules, or the default weights.
fn weights(config: &api::config::Catalogue) -> Result<FieldWeights, StartError> {
    let Some(path) = &config.rules else { return Ok(FieldWeights::default()) };
    let locale = Locale { currency: config.currency(), language: config.language() };
    let shown = path.display();
    let bytes = rules::read_file(path).map_err(|error| {
        StartError::because(
            format!("cannot read the rules file {shown}; set NOREN_RULES (--rules) to a readable TOML file"),
            error,
        )
    })?;
    let rules = Rules::parse(&bytes, locale).map_err(|Faults(faults)| {
        let details = faults.iter().map(|fault| format!("{shown}:{fault}")).collect();
        StartError::new(format!("the rules file {shown} (NOREN_RULES) has faults; correct them"))
            .with_details(details)
    })?;
    Ok(rules.weights())
}
