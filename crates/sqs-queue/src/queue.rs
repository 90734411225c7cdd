//! The queue: its client, its name and what is known about it.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_setup::Aws;
use domain::ports::{PortError, QueueStats};
use tokio::sync::OnceCell;

use crate::client::client;
use crate::create::create_queues;
use crate::queue_info::{FIFO, FindError, OpenError, QueueInfo, attributes, counts, find};

/// A change queue on SQS. Clones share their connections.
#[derive(Clone)]
pub struct SqsQueue {
    pub(crate) client: Client,
    /// The configured name or URL.
    pub(crate) name: Arc<str>,
    info: Arc<OnceCell<QueueInfo>>,
}

impl SqsQueue {
    /// Opens a queue by its name or URL.
    ///
    /// Looks it up once, so that wrong configuration fails at the start. An unreachable server is not an error, because it may
    /// come back; until then [`ChangeQueue::ready`](domain::ports::ChangeQueue::ready) fails.
    ///
    /// Calls always go to the configured endpoint: the URL of a local server often names a host that cannot be reached from
    /// here.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, name: &str) -> Result<Self, OpenError> {
        let queue = Self { client: client(aws), name: name.into(), info: Arc::default() };
        queue.check(aws.region()).await?;
        Ok(queue)
    }

    /// Creates the queue, and its dead-letter queue with the suffix `-dead`, unless they exist; then opens the queue.
    /// `visibility` is the visibility timeout of a new queue, in whole seconds.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn create(aws: &Aws, name: &str, visibility: Duration) -> Result<Self, OpenError> {
        create_queues(&client(aws), name, visibility).await?;
        Self::open(aws, name).await
    }

    /// Looks the queue up. Only logs if the server does not respond.
    async fn check(&self, region: &str) -> Result<(), OpenError> {
        let queue = self.name.to_string();
        if queue.ends_with(FIFO) {
            return Err(OpenError::Fifo { queue });
        }
        match self.info.get_or_try_init(|| find(&self.client, &self.name)).await {
            Ok(_) => Ok(()),
            Err(FindError::Missing) => Err(OpenError::NoQueue { queue, region: region.to_owned() }),
            Err(FindError::Refused(source)) => Err(OpenError::Refused { queue, source }),
            Err(FindError::Unreachable(error)) => {
                tracing::warn!(error = error.chain(), "SQS cannot be reached yet; starting anyway");
                Ok(())
            }
        }
    }

    /// Returns the queue's URLs and settings. Looks them up until that has succeeded once.
    pub(crate) async fn info(&self) -> Result<&QueueInfo, PortError> {
        let info = self.info.get_or_try_init(|| find(&self.client, &self.name)).await;
        info.map_err(|error| error.into_port_error(&self.name))
    }

    /// Returns the queue's URLs and settings if they were looked up before.
    pub(crate) fn known_info(&self) -> Option<&QueueInfo> {
        self.info.get()
    }

    /// Counts the messages of the queue and of its dead-letter queue.
    pub(crate) async fn count(&self) -> Result<QueueStats, PortError> {
        let info = self.info().await?;
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let [visible, delayed, in_flight] = counts(&self.client, &info.url, names).await?;
        let dead = match &info.dead_letter_url {
            Some(url) => {
                counts(&self.client, url, [QueueAttributeName::ApproximateNumberOfMessages]).await?[0]
            }
            None => 0,
        };
        // SQS reports the age of the oldest message to CloudWatch only.
        Ok(QueueStats { waiting: visible + delayed, in_flight, dead, oldest_age: None })
    }

    /// Reads an attribute of the queue.
    pub(crate) async fn probe(&self) -> Result<(), PortError> {
        let info = self.info().await?;
        attributes(&self.client, &info.url, &[QueueAttributeName::QueueArn])
            .await
            .map(drop)
            .map_err(|error| error.into_port_error(&self.name))
    }
}
