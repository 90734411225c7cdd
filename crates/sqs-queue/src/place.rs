//! Where the queue is, what it is like, and making it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_setup::{is_refusal, port_error};
use domain::ports::{MAX_RECEIVES, PortError, PortErrorKind, QueueStats};
use serde_json::Value;

use crate::SqsQueue;

/// What SQS hides messages for unless told otherwise.
pub(crate) const DEFAULT_VISIBILITY: Duration = Duration::from_secs(30);
/// How long messages are kept: the longest that SQS can.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;
/// What a queue's name ends with when it keeps an order, which ours does not need.
const FIFO: &str = ".fifo";
const LOOKING: &str = "looking at the queue";
const MAKING: &str = "making the queue";

/// Why a queue cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such queue.
    #[error(
        "there is no SQS queue `{queue}` in region {region}; set NOREN_SQS_QUEUE and AWS_REGION to those of an existing \
         one, or make it with `noren-command --create-tables`"
    )]
    NoQueue {
        /// What was configured.
        queue: String,
        /// Where it was looked for.
        region: String,
    },
    /// The queue is of the wrong kind.
    #[error("the SQS queue `{queue}` is a FIFO queue; set NOREN_SQS_QUEUE to a standard queue")]
    Fifo {
        /// What was configured.
        queue: String,
    },
    /// The server does not let us.
    #[error("the SQS queue `{queue}` may not be used; check the AWS credentials and what they may do")]
    Refused {
        /// What was configured.
        queue: String,
        /// What it said.
        #[source]
        source: PortError,
    },
    /// The queue could not be made.
    #[error("cannot make the SQS queue `{queue}`")]
    CannotMake {
        /// What was configured.
        queue: String,
        /// Why.
        #[source]
        source: PortError,
    },
}

/// What is known of the queue once it was found.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    /// The dead-letter queue, where there is one that we may see.
    pub(crate) dead: Option<String>,
    pub(crate) visibility: Duration,
}

/// Why the queue was not found.
enum NotFound {
    Missing,
    Refused(PortError),
    Away(PortError),
}

impl NotFound {
    fn from_sdk<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let refused = is_refusal(&error);
        if is_missing(error.code()) {
            return Self::Missing;
        }
        let error = port_error(LOOKING, error);
        if refused { Self::Refused(error) } else { Self::Away(error) }
    }

    fn into_port_error(self, queue: &str) -> PortError {
        match self {
            Self::Missing => {
                PortError::bare(PortErrorKind::Unavailable, format!("there is no SQS queue `{queue}`"))
            }
            Self::Refused(error) | Self::Away(error) => error,
        }
    }
}

fn is_missing(code: Option<&str>) -> bool {
    let code = code.and_then(|code| code.rsplit(['.', '#']).next());
    matches!(code, Some("QueueDoesNotExist" | "NonExistentQueue"))
}

impl SqsQueue {
    /// Looks at the queue once. A server that does not answer is no error: it may come back.
    pub(crate) async fn check(&self, region: &str) -> Result<(), OpenError> {
        let queue = self.named.to_string();
        if queue.ends_with(FIFO) {
            return Err(OpenError::Fifo { queue });
        }
        match self.place.get_or_try_init(|| find(&self.client, &self.named)).await {
            Ok(_) => Ok(()),
            Err(NotFound::Missing) => Err(OpenError::NoQueue { queue, region: region.to_owned() }),
            Err(NotFound::Refused(source)) => Err(OpenError::Refused { queue, source }),
            Err(NotFound::Away(error)) => {
                tracing::warn!(error = error.chain(), "SQS cannot be reached yet; starting all the same");
                Ok(())
            }
        }
    }

    /// Where the queue is. It is looked for until it was found once.
    pub(crate) async fn place(&self) -> Result<&Place, PortError> {
        let found = self.place.get_or_try_init(|| find(&self.client, &self.named)).await;
        found.map_err(|error| error.into_port_error(&self.named))
    }

    pub(crate) async fn count(&self) -> Result<QueueStats, PortError> {
        let place = self.place().await?;
        let counted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let [visible, delayed, hidden] = counts(&self.client, &place.url, counted).await?;
        let dead = match &place.dead {
            Some(url) => {
                counts(&self.client, url, [QueueAttributeName::ApproximateNumberOfMessages]).await?[0]
            }
            None => 0,
        };
        // SQS tells the age of the oldest message to CloudWatch only.
        Ok(QueueStats { waiting: visible + delayed, in_flight: hidden, dead, oldest_age: None })
    }

    pub(crate) async fn look(&self) -> Result<(), PortError> {
        let place = self.place().await?;
        attributes(&self.client, &place.url, &[QueueAttributeName::QueueArn])
            .await
            .map(drop)
            .map_err(|error| error.into_port_error(&self.named))
    }
}

// ------------------------------------------------------------------------------------------------ looking

async fn find(client: &Client, named: &str) -> Result<Place, NotFound> {
    let url = match is_url(named) {
        true => named.to_owned(),
        false => url_of(client, named).await.map_err(NotFound::from_sdk)?,
    };
    let wanted = [QueueAttributeName::VisibilityTimeout, QueueAttributeName::RedrivePolicy];
    let attributes = attributes(client, &url, &wanted).await?;
    let seconds = attributes.get(&QueueAttributeName::VisibilityTimeout).and_then(|text| text.parse().ok());
    let dead = match attributes.get(&QueueAttributeName::RedrivePolicy) {
        Some(policy) => dead_letters(client, named, policy).await,
        None => {
            tracing::warn!(
                queue = named,
                "the queue has no dead-letter queue: what cannot be indexed comes again for days"
            );
            None
        }
    };
    Ok(Place { url, dead, visibility: seconds.map_or(DEFAULT_VISIBILITY, Duration::from_secs) })
}

fn is_url(named: &str) -> bool {
    named.starts_with("http://") || named.starts_with("https://")
}

async fn url_of(client: &Client, name: &str) -> Result<String, SdkError<GetQueueUrlError>> {
    let answer = client.get_queue_url().queue_name(name).send().await?;
    Ok(answer.queue_url.unwrap_or_default())
}

/// The dead-letter queue of a redrive policy. Not to see it costs a number in the statistics, and no more.
async fn dead_letters(client: &Client, named: &str, policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    // Servers write the number as a number or as a text.
    let receives = &policy["maxReceiveCount"];
    let receives = receives.as_u64().or_else(|| receives.as_str()?.parse().ok());
    if receives != Some(MAX_RECEIVES.into()) {
        tracing::warn!(
            queue = named,
            receives,
            wanted = MAX_RECEIVES,
            "the queue makes dead letters after another number of receives"
        );
    }
    let name = policy["deadLetterTargetArn"].as_str()?.rsplit(':').next()?;
    match url_of(client, name).await {
        Ok(url) => Some(url),
        Err(error) => {
            let error = port_error(LOOKING, error);
            tracing::warn!(
                error = error.chain(),
                "cannot see the dead-letter queue; its messages are not counted"
            );
            None
        }
    }
}

type Attributes = HashMap<QueueAttributeName, String>;

async fn attributes(
    client: &Client,
    url: &str,
    wanted: &[QueueAttributeName],
) -> Result<Attributes, NotFound> {
    let call = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(wanted.to_vec()));
    Ok(call.send().await.map_err(NotFound::from_sdk)?.attributes.unwrap_or_default())
}

/// Some attributes that are numbers; one that the server does not know is zero.
async fn counts<const N: usize>(
    client: &Client,
    url: &str,
    wanted: [QueueAttributeName; N],
) -> Result<[u64; N], PortError> {
    let found = attributes(client, url, &wanted).await.map_err(|error| error.into_port_error(url))?;
    Ok(wanted.map(|name| found.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0)))
}

// ------------------------------------------------------------------------------------------------- making

/// Makes the queue and its dead-letter queue unless they are there.
pub(crate) async fn create(client: &Client, named: &str, visibility: Duration) -> Result<(), OpenError> {
    // The name is the end of a URL.
    let name = named.trim_end_matches('/').rsplit('/').next().unwrap_or(named);
    let cannot_make = |source| OpenError::CannotMake { queue: named.to_owned(), source };
    match url_of(client, name).await {
        Ok(_) => return Ok(()),
        Err(error) if is_missing(error.code()) => {}
        Err(error) => return Err(cannot_make(port_error(MAKING, error))),
    }
    let made = async {
        let retention = (QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS.to_string());
        let dead = create_one(client, &format!("{name}-dead"), HashMap::from([retention.clone()])).await?;
        let arn = attributes(client, &dead, &[QueueAttributeName::QueueArn]).await;
        let arn = arn.map_err(|error| error.into_port_error(name))?.remove(&QueueAttributeName::QueueArn);
        let policy = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES });
        let attributes = HashMap::from([
            retention,
            (QueueAttributeName::VisibilityTimeout, visibility.as_secs().to_string()),
            (QueueAttributeName::RedrivePolicy, policy.to_string()),
        ]);
        create_one(client, name, attributes).await
    };
    let url = made.await.map_err(cannot_make)?;
    tracing::info!(queue = name, url, "made the queue and its dead-letter queue");
    Ok(())
}

async fn create_one(client: &Client, name: &str, attributes: Attributes) -> Result<String, PortError> {
    let call = client.create_queue().queue_name(name).set_attributes(Some(attributes));
    let answer = call.send().await.map_err(|error| port_error(MAKING, error))?;
    answer.queue_url.ok_or_else(|| PortError::bare(PortErrorKind::Internal, "the new queue has no URL"))
}
