//! The store and the queue that the configuration names.

use std::sync::Arc;

use domain::ports::{ChangeQueue, ProductStore};
use runtime::StartError;
use runtime::config::{QueueKind, StoreKind};

use crate::service::Config;

type BackEnds = (Arc<dyn ProductStore>, Arc<dyn ChangeQueue>);

/// Opens both. Any store goes with any queue; where both are the same file, a write enqueues its change itself.
pub(crate) async fn open(config: &Config) -> Result<BackEnds, StartError> {
    #[cfg(feature = "aws")]
    let aws = aws::Connections::new(config);
    match (config.store.store, config.queue.queue) {
        #[cfg(feature = "embedded")]
        (StoreKind::Sqlite, QueueKind::Sqlite) => {
            let both = Arc::new(embedded::open(config, embedded_store::Outbox::Enqueue)?);
            Ok((both.clone(), both))
        }
        #[cfg(all(feature = "embedded", feature = "aws"))]
        (StoreKind::Sqlite, QueueKind::Sqs) => {
            let store = embedded::open(config, embedded_store::Outbox::Mark)?;
            Ok((Arc::new(store), Arc::new(aws.queue().await?)))
        }
        #[cfg(all(feature = "embedded", feature = "aws"))]
        (StoreKind::Dynamodb, QueueKind::Sqlite) => {
            let queue = embedded::open(config, embedded_store::Outbox::Mark)?;
            Ok((Arc::new(aws.store().await?), Arc::new(queue)))
        }
        #[cfg(feature = "aws")]
        (StoreKind::Dynamodb, QueueKind::Sqs) => {
            // Both are looked at together: on Lambda the first caller waits for it.
            let (store, queue) = tokio::join!(aws.store(), aws.queue());
            Ok((Arc::new(store?), Arc::new(queue?)))
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

    use crate::service::Config;

    pub(super) fn open(config: &Config, outbox: Outbox) -> Result<EmbeddedStore, StartError> {
        EmbeddedStore::open(&config.data_dir.data_dir, Options { outbox, ..Options::default() })
            .map_err(|error| StartError::because("cannot open the store", error))
    }
}

#[cfg(feature = "aws")]
mod aws {
    use std::time::Duration;

    use aws_setup::Aws;
    use dynamodb_store::DynamoStore;
    use runtime::StartError;
    use sqs_queue::SqsQueue;
    use tokio::sync::OnceCell;

    use crate::service::Config;

    /// How long messages are hidden in a queue that is made here.
    const VISIBILITY: Duration = Duration::from_secs(30);

    /// What the store and the queue share when both are on AWS.
    pub(super) struct Connections<'a> {
        config: &'a Config,
        aws: OnceCell<Aws>,
    }

    impl<'a> Connections<'a> {
        pub(super) fn new(config: &'a Config) -> Self {
            Self { config, aws: OnceCell::new() }
        }

        async fn aws(&self) -> Result<&Aws, StartError> {
            let loaded = self.aws.get_or_try_init(Aws::load).await;
            loaded.map_err(|error| StartError::because("cannot use AWS", error))
        }

        pub(super) async fn store(&self) -> Result<DynamoStore, StartError> {
            let (aws, table) = (self.aws().await?, &self.config.dynamodb.dynamodb_table);
            let opened = match self.config.create_tables.create_tables {
                true => DynamoStore::create(aws, table).await,
                false => DynamoStore::open(aws, table).await,
            };
            opened.map_err(|error| StartError::because("cannot open the store", error))
        }

        pub(super) async fn queue(&self) -> Result<SqsQueue, StartError> {
            let (aws, queue) = (self.aws().await?, &self.config.sqs.sqs_queue);
            let opened = match self.config.create_tables.create_tables {
                true => SqsQueue::create(aws, queue, VISIBILITY).await,
                false => SqsQueue::open(aws, queue).await,
            };
            opened.map_err(|error| StartError::because("cannot open the queue", error))
        }
    }
}
