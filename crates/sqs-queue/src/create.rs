//! Creating the queue and its dead-letter queue.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_setup::port_error;
use domain::ports::{MAX_RECEIVES, PortError, PortErrorKind};

use crate::queue_info::{Attributes, OpenError, attributes, is_missing, url_of};

/// The retention of messages: 14 days, the maximum of SQS.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;
const CREATING: &str = "creating the queue";

/// Creates a queue, given by its name or URL, and its dead-letter queue unless they exist.
pub(crate) async fn create_queues(
    client: &Client,
    name_or_url: &str,
    visibility: Duration,
) -> Result<(), OpenError> {
    // A URL ends with the name.
    let name = name_or_url.trim_end_matches('/').rsplit('/').next().unwrap_or(name_or_url);
    let cannot_create = |source| OpenError::CannotCreate { queue: name_or_url.to_owned(), source };
    match url_of(client, name).await {
        Ok(_) => return Ok(()),
        Err(error) if is_missing(error.code()) => {}
        Err(error) => return Err(cannot_create(port_error(CREATING, error))),
    }
    let url = create_both(client, name, visibility).await.map_err(cannot_create)?;
    tracing::info!(queue = name, url, "created the queue and its dead-letter queue");
    Ok(())
}

/// Creates both queues and returns the URL of the queue.
async fn create_both(client: &Client, name: &str, visibility: Duration) -> Result<String, PortError> {
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
}

async fn create_one(client: &Client, name: &str, attributes: Attributes) -> Result<String, PortError> {
    let call = client.create_queue().queue_name(name).set_attributes(Some(attributes));
    let response = call.send().await.map_err(|error| port_error(CREATING, error))?;
    response.queue_url.ok_or_else(|| PortError::bare(PortErrorKind::Internal, "the new queue has no URL"))
}
