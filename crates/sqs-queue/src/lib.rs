//! The change queue on SQS: a standard queue with a dead-letter queue behind it.
//!
//! The body of a message is the change as JSON, and `traceparent` is a message attribute. A message that is given back on
//! its last receive is copied to the dead-letter queue with the reason as a message attribute, and then removed. What was
//! received too often and never given back, as by Lambda or by receivers that crashed, is moved by the queue's own redrive
//! policy, which keeps no reason.

#![warn(missing_docs)]

mod dead_letters;
mod message;
mod place;
mod receipts;
mod receive;
mod send;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_setup::{Aws, timeouts};
use domain::ports::{
    ChangeQueue, Delivery, Envelope, PortError, QueueStats, Receipt, ReleaseRequest, RetryRequest,
};
use tokio::sync::OnceCell;

pub use message::read_envelope;
pub use place::OpenError;
use place::Place;

/// The most entries that one call of SQS takes or answers.
const MAX_ENTRIES: usize = 10;
/// How many calls are under way at a time for one call of the port.
const CONCURRENT_CALLS: usize = 16;

/// How long one attempt of a call may take, beside the time that it waits for messages.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call may take with all its attempts. Writers wait for it while the queue is away, only to leave their
/// changes to the relay.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The queue. Clones share their connections.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    /// The name or the address that was configured.
    named: Arc<str>,
    place: Arc<OnceCell<Place>>,
}

impl SqsQueue {
    /// Opens a queue by its name or its URL. It is looked at once, so that what is configured wrongly is told at once; a
    /// server that cannot be reached is no error here, as it may come back: [`ChangeQueue::ready`] says so until then.
    ///
    /// Calls go to the configured endpoint in any case: the URL of a local server often names a host that cannot be
    /// reached from here.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, named: &str) -> Result<Self, OpenError> {
        let queue = Self { client: Client::new(aws.config()), named: named.into(), place: Arc::default() };
        queue.check(aws.region()).await?;
        Ok(queue)
    }

    /// Makes the queue and its dead-letter queue, which has `-dead` behind its name, unless they are there, and opens
    /// the queue. Messages received are hidden for `visibility`, in whole seconds.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn create(aws: &Aws, named: &str, visibility: Duration) -> Result<Self, OpenError> {
        place::create(&client(aws), named, visibility).await?;
        Self::open(aws, named).await
    }
}

fn client(aws: &Aws) -> Client {
    let config = aws_sdk_sqs::config::Builder::from(aws.config());
    Client::from_conf(config.timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT)).build())
}

#[async_trait]
impl ChangeQueue for SqsQueue {
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>> {
        self.send_all(&envelopes).await
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        self.receive_any(max, wait).await
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.delete_all(receipts).await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        let buried = self.bury(failed).await?;
        let (dead, coming): (Vec<_>, Vec<_>) =
            failed.iter().partition(|failed| buried.contains(&failed.receipt));
        let dead: Vec<Receipt> = dead.into_iter().map(|failed| failed.receipt.clone()).collect();
        self.delete_all(&dead).await?;
        let delays = coming.into_iter().map(|failed| (failed.receipt.clone(), failed.delay)).collect();
        self.hide_all(delays, "giving messages back").await
    }

    async fn release(&self, untouched: &[ReleaseRequest]) -> Result<(), PortError> {
        let renewed = self.renew(untouched).await?;
        let (again, shown): (Vec<_>, Vec<_>) = untouched
            .iter()
            .map(|message| message.receipt.clone())
            .partition(|receipt| renewed.contains(receipt));
        self.delete_all(&again).await?;
        let shown = shown.into_iter().map(|receipt| (receipt, Duration::ZERO)).collect();
        self.hide_all(shown, "releasing messages").await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let timeout = self.visibility_timeout();
        let delays = receipts.iter().map(|receipt| (receipt.clone(), timeout)).collect();
        self.hide_all(delays, "keeping messages hidden").await
    }

    fn visibility_timeout(&self) -> Duration {
        self.place.get().map_or(place::DEFAULT_VISIBILITY, |place| place.visibility)
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        self.count().await
    }

    fn back_end(&self) -> &'static str {
        "sqs"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.look().await
    }
}
