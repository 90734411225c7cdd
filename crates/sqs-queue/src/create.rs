//! Creates the queue and its dead-letter queue.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_setup::{FailedCall, failed_call};
use domain::ports::{MAX_RECEIVES, PortError, PortErrorKind};

use crate::queue_info::{Attributes, FindError, attributes, url_of};
use crate::tags::{Tags, tags_of_a_new_queue};

/// The retention of messages: 14 days, the maximum of SQS.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;
const CREATING: &str = "creating the queue";

/// Creates a queue, given by its name or URL, and its dead-letter queue unless they exist.
pub(crate) async fn create_queues(
    client: &Client,
    name_or_url: &str,
    visibility: Duration,
) -> Result<(), FindError> {
    // A URL ends with the name.
    let name = name_or_url.trim_end_matches('/').rsplit('/').next().unwrap_or(name_or_url);
    match url_of(client, name).await.map_err(FindError::from_sdk) {
        Err(FindError::Missing) => {}
        found => return found.map(drop),
    }
    let url = create_both(client, name, visibility).await?;
    tracing::info!(queue = name, url, "created the queue and its dead-letter queue");
    Ok(())
}

/// Creates both queues and returns the URL of the queue.
async fn create_both(client: &Client, name: &str, visibility: Duration) -> Result<String, FindError> {
    let retention = (QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS.to_string());
    let dead = format!("{name}-dead");
    let dead = create_one(client, &dead, HashMap::from([retention.clone()]), None).await?;
    let arn = attributes(client, &dead, &[QueueAttributeName::QueueArn]).await?;
    let arn = arn.get(&QueueAttributeName::QueueArn);
    let policy = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES });
    let attributes = HashMap::from([
        retention,
        (QueueAttributeName::VisibilityTimeout, visibility.as_secs().to_string()),
        (QueueAttributeName::RedrivePolicy, policy.to_string()),
    ]);
    create_one(client, name, attributes, Some(tags_of_a_new_queue())).await
}

async fn create_one(
    client: &Client,
    name: &str,
    attributes: Attributes,
    tags: Option<Tags>,
) -> Result<String, FindError> {
    let call = client.create_queue().queue_name(name).set_attributes(Some(attributes)).set_tags(tags);
    let error = match call.send().await {
        Ok(response) => return response.queue_url.ok_or_else(without_url),
        Err(error) => error,
    };
    let code = error.code().and_then(|code| code.rsplit(['.', '#']).next());
    // Another process has created it meanwhile, with another visibility timeout.
    if matches!(code, Some("QueueNameExists" | "QueueAlreadyExists")) {
        return url_of(client, name).await.map_err(FindError::from_sdk);
    }
    // SQS accepts the name of a deleted queue after a minute.
    let is_early = code == Some("QueueDeletedRecently");
    Err(match failed_call(CREATING, error) {
        FailedCall { error, is_refusal: true } if !is_early => FindError::NotCreated(error),
        FailedCall { error, .. } => FindError::Unreachable(error),
    })
}

fn without_url() -> FindError {
    FindError::NotCreated(PortError::bare(PortErrorKind::Internal, "the new queue has no URL"))
}
