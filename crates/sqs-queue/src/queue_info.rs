//! Looks up the queue: its URL, its settings, its counts.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_setup::{FailedCall, failed_call, port_error};
use domain::ports::{MAX_RECEIVES, PortError, PortErrorKind};
use serde_json::Value;

/// The visibility timeout of a queue that Noren creates, and the one that SQS gives a queue by default.
pub const VISIBILITY: Duration = Duration::from_secs(30);
/// The suffix of the name of a FIFO queue. Noren needs no order.
pub(crate) const FIFO: &str = ".fifo";
const LOOKING_UP: &str = "looking up the queue";

/// The reason why a queue cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such queue.
    #[error(
        "there is no SQS queue `{queue}` in region {region}; set NOREN_SQS_QUEUE and AWS_REGION to those of an existing \
         one, or create it with `noren-command --create-tables`"
    )]
    NoQueue {
        /// The configured name or URL.
        queue: String,
        /// The region that was searched.
        region: String,
    },
    /// The name cannot be that of a queue.
    #[error(
        "`{queue}` is not the name of an SQS queue; set NOREN_SQS_QUEUE to 1 to 80 letters, digits, `_` and `-`, or to a URL"
    )]
    InvalidName {
        /// The configured name.
        queue: String,
    },
    /// The queue is of the wrong kind.
    #[error("the SQS queue `{queue}` is a FIFO queue; set NOREN_SQS_QUEUE to a standard queue")]
    Fifo {
        /// The configured name or URL.
        queue: String,
    },
    /// The server denies access.
    #[error("access to the SQS queue `{queue}` is denied; check the AWS credentials and their permissions")]
    Refused {
        /// The configured name or URL.
        queue: String,
        /// The server's error.
        #[source]
        source: PortError,
    },
    /// The server does not respond; a later attempt may succeed.
    #[error(
        "SQS does not respond for the queue `{queue}`; check the network, and AWS_ENDPOINT_URL_SQS if it is set"
    )]
    Unreachable {
        /// The configured name or URL.
        queue: String,
        /// The cause.
        #[source]
        source: PortError,
    },
    /// The queue could not be created.
    #[error("cannot create the SQS queue `{queue}`")]
    CannotCreate {
        /// The configured name or URL.
        queue: String,
        /// The cause.
        #[source]
        source: PortError,
    },
}

impl OpenError {
    /// Returns true if the same call may succeed later, without a change of the configuration.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Returns true for a URL, and for a name that SQS accepts.
pub(crate) fn is_name_or_url(queue: &str) -> bool {
    let host = queue.strip_prefix("http://").or_else(|| queue.strip_prefix("https://"));
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    match host {
        Some(host) => !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace),
        None => (1..=80).contains(&queue.len()) && queue.bytes().all(is_allowed),
    }
}

/// The cause of an error of a call on a queue that does not exist.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no SQS queue `{queue}`; create it and its dead-letter queue, or set NOREN_CREATE_TABLES=true so that noren \
     does"
)]
pub(crate) struct MissingQueue {
    /// The configured name, or the URL.
    queue: String,
}

/// Returns true if a call failed because the queue does not exist.
pub(crate) fn is_missing_queue(error: &PortError) -> bool {
    error.source.as_ref().is_some_and(|source| source.is::<MissingQueue>())
}

/// Converts an error of a call on a queue; `context` names the operation.
pub(crate) fn call_error<E>(queue: &str, context: &str, error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match is_missing(error.code()) {
        true => missing_queue(queue, context),
        false => port_error(context, error),
    }
}

fn missing_queue(queue: &str, context: &str) -> PortError {
    PortError::new(PortErrorKind::Unavailable, context, MissingQueue { queue: queue.to_owned() })
}

/// The URLs and settings of a queue.
#[derive(Debug, Clone)]
pub(crate) struct QueueInfo {
    pub(crate) url: String,
    /// The URL of the dead-letter queue; `None` if there is none, or none that is accessible.
    pub(crate) dead_letter_url: Option<String>,
    /// The visibility timeout.
    pub(crate) visibility: Duration,
}

/// The reason why a queue was neither found nor created.
pub(crate) enum FindError {
    /// It does not exist.
    Missing,
    /// The server rejected the call.
    Refused(PortError),
    /// The server rejected creating it.
    NotCreated(PortError),
    /// The server did not respond.
    Unreachable(PortError),
}

impl FindError {
    pub(crate) fn from_sdk<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        if is_missing(error.code()) {
            return Self::Missing;
        }
        match failed_call(LOOKING_UP, error) {
            FailedCall { error, is_refusal: true } => Self::Refused(error),
            FailedCall { error, .. } => Self::Unreachable(error),
        }
    }

    pub(crate) fn into_port_error(self, queue: &str) -> PortError {
        match self {
            Self::Missing => missing_queue(queue, LOOKING_UP),
            Self::Refused(error) | Self::NotCreated(error) | Self::Unreachable(error) => error,
        }
    }
}

/// Returns true if the error code means that the queue does not exist.
pub(crate) fn is_missing(code: Option<&str>) -> bool {
    let code = code.and_then(|code| code.rsplit(['.', '#']).next());
    matches!(code, Some("QueueDoesNotExist" | "NonExistentQueue"))
}

/// Looks up a queue by its name or URL.
pub(crate) async fn find(client: &Client, name_or_url: &str) -> Result<QueueInfo, FindError> {
    let url = match is_url(name_or_url) {
        true => name_or_url.to_owned(),
        false => url_of(client, name_or_url).await.map_err(FindError::from_sdk)?,
    };
    let names = [QueueAttributeName::VisibilityTimeout, QueueAttributeName::RedrivePolicy];
    let attributes = attributes(client, &url, &names).await?;
    let seconds = attributes.get(&QueueAttributeName::VisibilityTimeout).and_then(|text| text.parse().ok());
    let dead_letter_url = match attributes.get(&QueueAttributeName::RedrivePolicy) {
        Some(policy) => dead_letter_url(client, name_or_url, policy).await,
        None => {
            tracing::warn!(
                queue = name_or_url,
                "the queue has no dead-letter queue: a change that cannot be indexed is retried for days"
            );
            None
        }
    };
    let visibility = seconds.map_or(VISIBILITY, Duration::from_secs);
    Ok(QueueInfo { url, dead_letter_url, visibility })
}

fn is_url(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}

/// Returns the URL of the queue with a name.
pub(crate) async fn url_of(client: &Client, name: &str) -> Result<String, SdkError<GetQueueUrlError>> {
    let response = client.get_queue_url().queue_name(name).send().await?;
    Ok(response.queue_url.unwrap_or_default())
}

/// Returns the URL of the dead-letter queue in a redrive policy. If that queue is not accessible, letters cannot be counted or read,
/// and SQS moves them without a reason.
async fn dead_letter_url(client: &Client, queue: &str, policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    // Some servers write the number as a string.
    let receives = &policy["maxReceiveCount"];
    let receives = receives.as_u64().or_else(|| receives.as_str()?.parse().ok());
    if receives != Some(MAX_RECEIVES.into()) {
        tracing::warn!(
            queue,
            receives,
            wanted = MAX_RECEIVES,
            "the queue makes dead letters after an unexpected number of receives"
        );
    }
    let name = policy["deadLetterTargetArn"].as_str()?.rsplit(':').next()?;
    match url_of(client, name).await {
        Ok(url) => Some(url),
        Err(error) => {
            let error = port_error(LOOKING_UP, error);
            tracing::warn!(
                error = error.chain(),
                "cannot access the dead-letter queue; its messages are not counted"
            );
            None
        }
    }
}

/// Attributes of a queue.
pub(crate) type Attributes = HashMap<QueueAttributeName, String>;

/// Returns the named attributes that the queue has.
pub(crate) async fn attributes(
    client: &Client,
    url: &str,
    names: &[QueueAttributeName],
) -> Result<Attributes, FindError> {
    let call = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    Ok(call.send().await.map_err(FindError::from_sdk)?.attributes.unwrap_or_default())
}

/// Returns numeric attributes, in request order. An attribute that the server does not know is zero.
pub(crate) async fn counts<const N: usize>(
    client: &Client,
    url: &str,
    names: [QueueAttributeName; N],
) -> Result<[u64; N], PortError> {
    let attributes = attributes(client, url, &names).await.map_err(|error| error.into_port_error(url))?;
    Ok(names.map(|name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0)))
}
