//! Opens the configured store and queue.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use domain::ports::{ChangeQueue, DeadLetters, ProductStore};
use runtime::config::{self, QueueKind, StoreKind};
use runtime::{StartError, Waiting};

/// The configuration of store and queue.
#[derive(Debug, Clone, Args)]
pub struct BackEnds {
    /// The folder of embedded back ends.
    #[command(flatten)]
    pub data_dir: config::DataDir,
    /// The store.
    #[command(flatten)]
    pub store: config::Store,
    /// The queue.
    #[command(flatten)]
    pub queue: config::Queue,
    /// The table of a DynamoDB store.
    #[command(flatten)]
    pub dynamodb: config::DynamoDb,
    /// Creation of a missing table and queue.
    #[command(flatten)]
    pub create_tables: config::CreateTables,
    /// The limits of import jobs.
    #[command(flatten)]
    pub imports: config::ImportLimits,
    /// The retries at start while a back end does not respond.
    #[arg(skip)]
    pub waiting: Waiting,
}

impl BackEnds {
    /// Replaces store and queue by the embedded ones in a folder.
    #[must_use]
    pub fn embedded_in(mut self, data_dir: PathBuf) -> Self {
        self.data_dir.data_dir = data_dir;
        self.store.store = StoreKind::Sqlite;
        self.queue.queue = QueueKind::Sqlite;
        self
    }
}

/// An open store and an open queue.
pub struct OpenBackEnds {
    /// The store.
    pub store: Arc<dyn ProductStore>,
    /// The queue.
    pub queue: Arc<dyn ChangeQueue>,
    /// The dead letters of the queue.
    pub dead_letters: Arc<dyn DeadLetters>,
}

impl OpenBackEnds {
    fn new(store: Arc<dyn ProductStore>, queue: Arc<impl ChangeQueue + DeadLetters + 'static>) -> Self {
        Self { store, queue: queue.clone(), dead_letters: queue }
    }
}

/// Checks that AWS can be used, if the store or the queue is on AWS. A program that opens other back ends calls this first, so that a
/// missing region ends it before it waits or creates a folder.
///
/// # Errors
/// Fails if the region or the credentials are missing; the error says what to set.
pub async fn check_aws(config: &BackEnds) -> Result<(), StartError> {
    #[cfg(feature = "aws")]
    if (config.store.store, config.queue.queue) != (StoreKind::Sqlite, QueueKind::Sqlite) {
        aws::Connections::new(config).aws().await?;
    }
    // Without the feature, `open_back_ends` reports that it is missing.
    #[cfg(not(feature = "aws"))]
    let _ = config;
    Ok(())
}

/// Opens store and queue, waiting for those that do not respond. Any store works with any queue. If both are one file, the
/// store enqueues the change of each write.
///
/// # Errors
/// Fails if one of them cannot be opened; the error says what to do.
pub async fn open_back_ends(config: &BackEnds) -> Result<OpenBackEnds, StartError> {
    #[cfg(feature = "aws")]
    let aws = aws::Connections::new(config);
    match (config.store.store, config.queue.queue) {
        #[cfg(feature = "embedded")]
        (StoreKind::Sqlite, QueueKind::Sqlite) => {
            let both = Arc::new(embedded::open(config, embedded_store::Outbox::Enqueue)?);
            Ok(OpenBackEnds::new(both.clone(), both))
        }
        #[cfg(all(feature = "embedded", feature = "aws"))]
        (StoreKind::Sqlite, QueueKind::Sqs) => {
            // Fails before a folder is created.
            aws.aws().await?;
            let store = embedded::open(config, embedded_store::Outbox::AddEntry)?;
            Ok(OpenBackEnds::new(Arc::new(store), Arc::new(aws.queue().await?)))
        }
        #[cfg(all(feature = "embedded", feature = "aws"))]
        (StoreKind::Dynamodb, QueueKind::Sqlite) => {
            aws.aws().await?;
            let queue = embedded::open(config, embedded_store::Outbox::AddEntry)?;
            Ok(OpenBackEnds::new(Arc::new(aws.store().await?), Arc::new(queue)))
        }
        #[cfg(feature = "aws")]
        (StoreKind::Dynamodb, QueueKind::Sqs) => {
            // Both are opened concurrently, because on Lambda the first request waits for them.
            let (store, queue) = tokio::try_join!(aws.store(), aws.queue())?;
            Ok(OpenBackEnds::new(Arc::new(store), Arc::new(queue)))
        }
        #[cfg(not(feature = "embedded"))]
        (StoreKind::Sqlite, _) => Err(runtime::config::compiled_out("NOREN_STORE", "sqlite", "embedded")),
        #[cfg(not(feature = "embedded"))]
        (_, QueueKind::Sqlite) => Err(runtime::config::compiled_out("NOREN_QUEUE", "sqlite", "embedded")),
        #[cfg(not(feature = "aws"))]
        (StoreKind::Dynamodb, _) => Err(runtime::config::compiled_out("NOREN_STORE", "dynamodb", "aws")),
        #[cfg(all(feature = "embedded", not(feature = "aws")))]
        (_, QueueKind::Sqs) => Err(runtime::config::compiled_out("NOREN_QUEUE", "sqs", "aws")),
    }
}

#[cfg(feature = "embedded")]
mod embedded {
    use embedded_store::{EmbeddedStore, Options, Outbox};
    use runtime::StartError;

    use crate::back_ends::BackEnds;

    pub(super) fn open(config: &BackEnds, outbox: Outbox) -> Result<EmbeddedStore, StartError> {
        EmbeddedStore::open(&config.data_dir.data_dir, Options { outbox, ..Options::default() })
            .map_err(|error| StartError::because("cannot open the store", error))
    }
}

#[cfg(feature = "aws")]
mod aws {
    use aws_setup::Aws;
    use dynamodb_store::DynamoStore;
    use runtime::StartError;
    use sqs_queue::{SqsQueue, VISIBILITY};
    use tokio::sync::OnceCell;

    use crate::back_ends::BackEnds;

    /// The connection to AWS that store and queue share.
    pub(super) struct Connections<'a> {
        config: &'a BackEnds,
        aws: OnceCell<Aws>,
    }

    impl<'a> Connections<'a> {
        pub(super) fn new(config: &'a BackEnds) -> Self {
            Self { config, aws: OnceCell::new() }
        }

        pub(super) async fn aws(&self) -> Result<&Aws, StartError> {
            let loaded = self.aws.get_or_try_init(Aws::load).await;
            loaded.map_err(|error| StartError::because("cannot use AWS", error))
        }

        pub(super) async fn store(&self) -> Result<DynamoStore, StartError> {
            let (aws, table) = (self.aws().await?, &self.config.dynamodb.dynamodb_table);
            let attempt = async || {
                let opened = match self.config.create_tables.create_tables {
                    true => DynamoStore::create(aws, table).await,
                    false => DynamoStore::open(aws, table).await,
                };
                opened.map_err(|error| {
                    StartError::opening("store", error, dynamodb_store::OpenError::is_transient)
                })
            };
            let unchecked = || Ok(DynamoStore::unchecked(aws, table));
            self.config.waiting.open("store", attempt, unchecked).await
        }

        pub(super) async fn queue(&self) -> Result<SqsQueue, StartError> {
            let (aws, queue) = (self.aws().await?, &self.config.queue.sqs_queue);
            let creates_with = self.config.create_tables.create_tables.then_some(VISIBILITY);
            let unchecked = || SqsQueue::unchecked(aws, queue, creates_with);
            let attempt = async || {
                unchecked()
                    .checked()
                    .await
                    .map_err(|error| StartError::opening("queue", error, sqs_queue::OpenError::is_transient))
            };
            self.config.waiting.open("queue", attempt, || Ok(unchecked())).await
        }
    }
}
