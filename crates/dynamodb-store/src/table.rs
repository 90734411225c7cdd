//! The table itself: whether it is there, whether it answers, and making it.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};
use aws_setup::{is_refusal, port_error};
use domain::ports::{PortError, PortErrorKind};
use tokio::time::Instant;

use crate::DynamoStore;
use crate::items::{AT, EXPIRES, PK, SK, number, probe_key};

/// How long a table may take to be made.
const MAKING_TIMEOUT: Duration = Duration::from_secs(120);
/// How often it is asked whether it is.
const MAKING_PAUSE: Duration = Duration::from_millis(250);
const MAKING: &str = "making the table";

/// Why a table cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such table.
    #[error(
        "there is no DynamoDB table `{table}` in region {region}; set NOREN_DYNAMODB_TABLE and AWS_REGION to those of an \
         existing one, or make it with `noren-command --create-tables`"
    )]
    NoTable {
        /// Its name.
        table: String,
        /// Where it was looked for.
        region: String,
    },
    /// The table is another's.
    #[error(
        "the DynamoDB table `{table}` has other keys than `{PK}` and `{SK}`, both texts; set NOREN_DYNAMODB_TABLE to a \
         table made for Noren"
    )]
    OtherKeys {
        /// Its name.
        table: String,
    },
    /// The server does not let us.
    #[error("the DynamoDB table `{table}` may not be used; check the AWS credentials and what they may do")]
    Refused {
        /// Its name.
        table: String,
        /// What it said.
        #[source]
        source: PortError,
    },
    /// The table could not be made.
    #[error("cannot make the DynamoDB table `{table}`")]
    CannotMake {
        /// Its name.
        table: String,
        /// Why.
        #[source]
        source: PortError,
    },
}

impl DynamoStore {
    /// Looks at the table once. A server that does not answer is no error: it may come back.
    pub(crate) async fn check(&self, region: &str) -> Result<(), OpenError> {
        let table = self.table.to_string();
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(probe_key()));
        let Err(error) = get.consistent_read(true).send().await else { return Ok(()) };
        let refused = is_refusal(&error);
        match error.code() {
            Some("ResourceNotFoundException") => Err(OpenError::NoTable { table, region: region.to_owned() }),
            Some("ValidationException") => Err(OpenError::OtherKeys { table }),
            _ => {
                let source = port_error("looking at the table", error);
                if refused {
                    return Err(OpenError::Refused { table, source });
                }
                tracing::warn!(
                    error = source.chain(),
                    "DynamoDB cannot be reached yet; starting all the same"
                );
                Ok(())
            }
        }
    }

    /// Reads and writes a little.
    pub(crate) async fn probe(&self) -> Result<(), PortError> {
        self.get_item(probe_key(), "reading the store").await?;
        let mut item = probe_key();
        item.insert(AT.to_owned(), number(self.now_seconds()));
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| port_error("writing to the store", error))
    }

    pub(crate) async fn create_table(&self) -> Result<(), OpenError> {
        let made = async {
            self.create_unless_there().await?;
            self.wait_until_active().await?;
            self.turn_on_time_to_live().await?;
            self.turn_on_recovery().await
        };
        let cannot_make = |source| OpenError::CannotMake { table: self.table.to_string(), source };
        made.await.map_err(cannot_make)
    }

    async fn create_unless_there(&self) -> Result<(), PortError> {
        let mut create = self.client.create_table().table_name(&*self.table);
        create = create.billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build();
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
            let defect = |error| PortError::new(PortErrorKind::Internal, MAKING, error);
            create = create.attribute_definitions(attribute.map_err(defect)?);
            create = create.key_schema(key.map_err(defect)?);
        }
        match create.send().await {
            Ok(_) => {
                tracing::info!(table = &*self.table, "made the table");
                Ok(())
            }
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
            Err(error) => Err(port_error(MAKING, error)),
        }
    }

    async fn wait_until_active(&self) -> Result<(), PortError> {
        let until = Instant::now() + MAKING_TIMEOUT;
        loop {
            let described = self.client.describe_table().table_name(&*self.table).send().await;
            let table = described.map_err(|error| port_error(MAKING, error))?.table;
            let status = table.and_then(|table| table.table_status);
            if matches!(status, Some(TableStatus::Active | TableStatus::Updating)) {
                return Ok(());
            }
            if Instant::now() > until {
                let text = format!("{MAKING}: it is not ready after {} s", MAKING_TIMEOUT.as_secs());
                return Err(PortError::bare(PortErrorKind::Unavailable, text));
            }
            tokio::time::sleep(MAKING_PAUSE).await;
        }
    }

    async fn turn_on_time_to_live(&self) -> Result<(), PortError> {
        const CONTEXT: &str = "turning on the table's time to live";
        let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build();
        let wanted = wanted.map_err(|error| PortError::new(PortErrorKind::Internal, CONTEXT, error))?;
        let update = self.client.update_time_to_live().table_name(&*self.table);
        match update.time_to_live_specification(wanted).send().await {
            Ok(_) => Ok(()),
            // That it is on already is an error of validation.
            Err(error) if error.code() == Some("ValidationException") || is_unknown(error.code()) => Ok(()),
            Err(error) => Err(port_error(CONTEXT, error)),
        }
    }

    async fn turn_on_recovery(&self) -> Result<(), PortError> {
        const CONTEXT: &str = "turning on the table's point-in-time recovery";
        let wanted = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
        let wanted = wanted.map_err(|error| PortError::new(PortErrorKind::Internal, CONTEXT, error))?;
        let update = self.client.update_continuous_backups().table_name(&*self.table);
        match update.point_in_time_recovery_specification(wanted).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown(error.code()) => {
                tracing::info!("this server has no point-in-time recovery");
                Ok(())
            }
            Err(error) => Err(port_error(CONTEXT, error)),
        }
    }
}

/// What a local server says to what it does not have.
fn is_unknown(code: Option<&str>) -> bool {
    matches!(code, Some("UnknownOperationException" | "UnsupportedOperationException"))
}
