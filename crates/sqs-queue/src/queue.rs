//! The queue: its client, its name, and its URLs and settings as long as the server has it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_setup::Aws;
use domain::ports::{PortError, PortErrorKind, QueueStats};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::client::{OPERATION_TIMEOUT, client};
use crate::create::create_queues;
use crate::queue_info::{
    FIFO, FindError, OpenError, QueueInfo, attributes, counts, find, is_missing_queue, is_name_or_url,
};

/// A change queue on SQS. Clones share their connections.
#[derive(Clone)]
pub struct SqsQueue {
    pub(crate) client: Client,
    /// The configured name or URL.
    pub(crate) name: Arc<str>,
    region: Arc<str>,
    /// The visibility timeout with which a missing queue is created; `None` if it is not created.
    creates_with: Option<Duration>,
    lookup: Arc<Lookup>,
}

/// The queue as it was found.
#[derive(Default)]
struct Lookup {
    /// `None` until it was found, and after it went missing.
    found: RwLock<Option<Arc<QueueInfo>>>,
    /// Held while the queue is looked up or created, so that one caller does it for all.
    turn: Mutex<()>,
}

impl SqsQueue {
    /// Opens a queue by its name or URL. Looks it up once, so that wrong configuration fails at the start.
    ///
    /// Calls always go to the configured endpoint: the URL of a local server often names a host that cannot be reached from
    /// here.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, name: &str) -> Result<Self, OpenError> {
        Self::unchecked(aws, name, None).checked().await
    }

    /// Opens a queue, and creates it and its dead-letter queue, which has the suffix `-dead`, whenever they do not exist: now,
    /// and when a later call finds that the server has lost them. `visibility` is the visibility timeout of a new queue, in
    /// whole seconds.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn create(aws: &Aws, name: &str, visibility: Duration) -> Result<Self, OpenError> {
        Self::unchecked(aws, name, Some(visibility)).checked().await
    }

    /// Opens a queue without looking it up; with a visibility timeout, a missing queue is created as by
    /// [`create`](Self::create). Until the server responds, [`ChangeQueue::ready`](domain::ports::ChangeQueue::ready) and every
    /// other call fail.
    pub fn unchecked(aws: &Aws, name: &str, creates_with: Option<Duration>) -> Self {
        let (client, region) = (client(aws), aws.region().into());
        Self { client, name: name.into(), region, creates_with, lookup: Arc::default() }
    }

    /// Looks up the queue. Creates it if it is missing and a visibility timeout for it was given.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub async fn checked(self) -> Result<Self, OpenError> {
        let queue = self.name.to_string();
        if queue.ends_with(FIFO) {
            return Err(OpenError::Fifo { queue });
        }
        if !is_name_or_url(&queue) {
            return Err(OpenError::InvalidName { queue });
        }
        match self.look_up().await {
            Ok(_) => Ok(self),
            Err(FindError::Missing) => Err(OpenError::NoQueue { queue, region: self.region.to_string() }),
            Err(FindError::Refused(source)) => Err(OpenError::Refused { queue, source }),
            Err(FindError::NotCreated(source)) => Err(OpenError::CannotCreate { queue, source }),
            Err(FindError::Unreachable(source)) => Err(OpenError::Unreachable { queue, source }),
        }
    }

    /// Returns true if a missing queue is created.
    pub(crate) fn is_created_when_missing(&self) -> bool {
        self.creates_with.is_some()
    }

    /// Returns the queue's URLs and settings. Looks them up if they are unknown, within the time limit of a call.
    pub(crate) async fn info(&self) -> Result<Arc<QueueInfo>, PortError> {
        match timeout(OPERATION_TIMEOUT, self.look_up()).await {
            Ok(info) => info.map_err(|error| error.into_port_error(&self.name)),
            Err(elapsed) => Err(PortError::new(PortErrorKind::Unavailable, "looking up the queue", elapsed)),
        }
    }

    async fn look_up(&self) -> Result<Arc<QueueInfo>, FindError> {
        if let Some(info) = self.known_info() {
            return Ok(info);
        }
        let _turn = self.lookup.turn.lock().await;
        if let Some(info) = self.known_info() {
            return Ok(info);
        }
        let info = Arc::new(self.find_or_create().await?);
        self.set_known(Some(Arc::clone(&info)));
        Ok(info)
    }

    async fn find_or_create(&self) -> Result<QueueInfo, FindError> {
        let found = find(&self.client, &self.name).await;
        let (Err(FindError::Missing), Some(visibility)) = (&found, self.creates_with) else { return found };
        create_queues(&self.client, &self.name, visibility).await?;
        let found = find(&self.client, &self.name).await;
        found.map_err(|error| match error {
            // A new queue becomes visible in SQS after up to a second.
            FindError::Missing => FindError::Unreachable(FindError::Missing.into_port_error(&self.name)),
            error => error,
        })
    }

    /// Returns the queue's URLs and settings if they were looked up before.
    pub(crate) fn known_info(&self) -> Option<Arc<QueueInfo>> {
        // The value is replaced as a whole, so a panic cannot leave it inconsistent.
        self.lookup.found.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_known(&self, info: Option<Arc<QueueInfo>>) {
        *self.lookup.found.write().unwrap_or_else(PoisonError::into_inner) = info;
    }

    /// Makes the next call look up the queue, because a call on `info` found that it does not exist.
    pub(crate) fn forget(&self, info: &Arc<QueueInfo>) {
        if self.known_info().is_some_and(|known| Arc::ptr_eq(&known, info)) {
            self.set_known(None);
        }
    }

    /// Makes a call on the queue. If the queue does not exist, looks it up again, which creates it if that is configured, and
    /// repeats the call.
    pub(crate) async fn on_queue<T, F>(&self, call: impl Fn(Arc<QueueInfo>) -> F) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, PortError>>,
    {
        let info = self.info().await?;
        match call(Arc::clone(&info)).await {
            Err(error) if is_missing_queue(&error) => {
                self.forget(&info);
                call(self.info().await?).await
            }
            result => result,
        }
    }

    /// Counts the messages of the queue and of its dead-letter queue.
    pub(crate) async fn count(&self, info: &QueueInfo) -> Result<QueueStats, PortError> {
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
    pub(crate) async fn probe(&self, info: &QueueInfo) -> Result<(), PortError> {
        attributes(&self.client, &info.url, &[QueueAttributeName::QueueArn])
            .await
            .map(drop)
            .map_err(|error| error.into_port_error(&self.name))
    }
}
