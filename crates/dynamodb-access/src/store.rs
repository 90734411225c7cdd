//! The store, its keys and its errors.

use std::sync::Arc;
use std::time::Duration;

use access::AccessStoreError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_setup::{Aws, port_error, timeouts};

/// The time limit of one attempt of a call. It is short, because every request waits for the check of its key.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit of a call with all its attempts.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The context of an error that DynamoDB returned.
pub(crate) const CALLING: &str = "calling DynamoDB";
/// The partition of all keys.
pub(crate) const KEYS: &str = "keys";

/// An access store in DynamoDB. Clones share their connections.
#[derive(Clone)]
pub struct DynamoDbAccess {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    /// The region, for errors.
    pub(crate) region: Arc<str>,
}

impl DynamoDbAccess {
    /// Opens a table without a request, so a missing table or server shows only when a call fails.
    pub fn unchecked(aws: &Aws, table: &str) -> Self {
        let timeouts = timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT);
        let config = Builder::from(aws.config()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), table: table.into(), region: aws.region().into() }
    }
}

impl std::fmt::Debug for DynamoDbAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoDbAccess").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Converts an error of the SDK; `context` describes the call.
pub(crate) fn call_failed<E>(context: &str, error: SdkError<E, HttpResponse>) -> AccessStoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    AccessStoreError::because(context, port_error(CALLING, error))
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
