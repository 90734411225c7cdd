//! Creating a DynamoDB table.
//!
//! Every table of Noren has the partition key [`PK`] and the sort key [`SK`], both strings, no index, and [`EXPIRES`] as its
//! time-to-live attribute. It is billed by request.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};
use domain::ports::{PortError, PortErrorKind};
use tokio::time::Instant;

use crate::{FailedCall, failed_call};

/// The partition key.
pub const PK: &str = "pk";
/// The sort key.
pub const SK: &str = "sk";
/// The time-to-live attribute, in seconds since 1970.
pub const EXPIRES: &str = "expires";

/// The time limit of creating a table.
const CREATE_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause between two checks whether a new table is ready.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
const CREATING: &str = "creating the table";

/// Creates a table unless it exists, waits until it is active, and enables time to live if the server supports it.
///
/// # Errors
/// If the server rejects a call or does not respond, or if the table is not active after 120 s.
pub async fn create_table(client: &Client, table: &str) -> Result<(), FailedCall> {
    create_if_missing(client, table).await?;
    wait_until_active(client, table).await?;
    enable_time_to_live(client, table).await
}

async fn create_if_missing(client: &Client, table: &str) -> Result<(), FailedCall> {
    let mut create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build();
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let failed = |error: BuildError| defect(CREATING, error);
        create = create.attribute_definitions(attribute.map_err(failed)?);
        create = create.key_schema(key.map_err(failed)?);
    }
    match create.send().await {
        Ok(_) => {
            tracing::info!(table, "created the table");
            Ok(())
        }
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        Err(error) => Err(failed_call(CREATING, error)),
    }
}

async fn wait_until_active(client: &Client, table: &str) -> Result<(), FailedCall> {
    let deadline = Instant::now() + CREATE_TIMEOUT;
    loop {
        let described = client.describe_table().table_name(table).send().await;
        let described = described.map_err(|error| failed_call(CREATING, error))?;
        let status = described.table.and_then(|table| table.table_status);
        if matches!(status, Some(TableStatus::Active | TableStatus::Updating)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let text = format!("{CREATING}: it is not active after {} s", CREATE_TIMEOUT.as_secs());
            let error = PortError::bare(PortErrorKind::Unavailable, text);
            return Err(FailedCall { error, is_refusal: false });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn enable_time_to_live(client: &Client, table: &str) -> Result<(), FailedCall> {
    const CONTEXT: &str = "enabling the table's time to live";
    let specification = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build();
    let specification = specification.map_err(|error| defect(CONTEXT, error))?;
    let update = client.update_time_to_live().table_name(table);
    match update.time_to_live_specification(specification).send().await {
        Ok(_) => Ok(()),
        // A validation error means that it is already enabled.
        Err(error) if error.code() == Some("ValidationException") || is_unknown(error.code()) => Ok(()),
        Err(error) => Err(failed_call(CONTEXT, error)),
    }
}

/// Enables point-in-time recovery of a table if the server supports it.
///
/// # Errors
/// If the server rejects the call or does not respond.
pub async fn enable_recovery(client: &Client, table: &str) -> Result<(), FailedCall> {
    const CONTEXT: &str = "enabling the table's point-in-time recovery";
    let specification =
        PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let specification = specification.map_err(|error| defect(CONTEXT, error))?;
    let update = client.update_continuous_backups().table_name(table);
    match update.point_in_time_recovery_specification(specification).send().await {
        Ok(_) => Ok(()),
        Err(error) if is_unknown(error.code()) => {
            tracing::info!("this server does not support point-in-time recovery");
            Ok(())
        }
        Err(error) => Err(failed_call(CONTEXT, error)),
    }
}

/// Returns the error for a request that cannot be built: a defect, which waiting does not resolve.
fn defect(context: &str, error: impl Error + Send + Sync + 'static) -> FailedCall {
    FailedCall { error: PortError::new(PortErrorKind::Internal, context, error), is_refusal: true }
}

/// Returns true if the code means that a local server lacks the operation.
fn is_unknown(code: Option<&str>) -> bool {
    matches!(code, Some("UnknownOperationException" | "UnsupportedOperationException"))
}
