//! The table itself: opening, checking and creating it.

use std::time::Duration;

use access::AccessStoreError;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};
use aws_setup::{Aws, FailedCall, SetupError, failed_call};
use tokio::time::Instant;

use crate::store::{DynamoDbAccess, EXPIRES, KEYS, PK, SK, text};

/// The time limit of creating a table.
const CREATE_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause between two checks whether a new table is ready.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
const CALLING: &str = "calling DynamoDB";

/// Why the table of keys cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such table.
    #[error(
        "there is no DynamoDB table `{table}` for keys in region {region}; set NOREN_ACCESS_TABLE and AWS_REGION to those of an \
         existing one, or set NOREN_CREATE_TABLES=true to create it"
    )]
    NoTable {
        /// The table's name.
        table: String,
        /// The region that was searched.
        region: String,
    },
    /// The table has another schema, so it was not created for keys.
    #[error(
        "the DynamoDB table `{table}` does not have the keys `{PK}` and `{SK}`, both strings; set NOREN_ACCESS_TABLE \
         to a table created for the keys of Noren"
    )]
    OtherKeys {
        /// The table's name.
        table: String,
    },
    /// The server denies access, or refuses to create the table.
    #[error(
        "the DynamoDB table `{table}` for keys cannot be used; check the AWS credentials and their permissions"
    )]
    Refused {
        /// The table's name.
        table: String,
        /// The server's error.
        #[source]
        source: AccessStoreError,
    },
    /// The server does not respond; a later attempt may succeed.
    #[error(
        "DynamoDB does not respond for the table `{table}` of keys; check the network, and AWS_ENDPOINT_URL_DYNAMODB if it \
         is set"
    )]
    Unreachable {
        /// The table's name.
        table: String,
        /// The cause.
        #[source]
        source: AccessStoreError,
    },
}

impl OpenError {
    /// Returns true if the same call may succeed later, without a change of the configuration.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl DynamoDbAccess {
    /// Opens a table with the region and credentials of the environment, without looking at it. Until the server responds, every
    /// call fails.
    ///
    /// # Errors
    /// [`SetupError`], if there is no region or there are no credentials.
    pub async fn load(table: &str) -> Result<Self, SetupError> {
        Ok(Self::unchecked(&Aws::load().await?, table))
    }

    /// Opens a table, and creates it before if `create_if_missing` is true and there is none.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, table: &str, create_if_missing: bool) -> Result<Self, OpenError> {
        let store = Self::unchecked(aws, table);
        store.check(create_if_missing).await?;
        Ok(store)
    }

    /// Checks the table by one read, and creates it before if `create_if_missing` is true and there is none.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn check(&self, create_if_missing: bool) -> Result<(), OpenError> {
        match self.read_probe().await {
            Err(OpenError::NoTable { .. }) if create_if_missing => {}
            read => return read,
        }
        self.create_table().await?;
        self.read_probe().await
    }

    /// Returns a read of an item that does not exist.
    pub(crate) fn probe(&self) -> GetItemFluentBuilder {
        let get = self.client.get_item().table_name(&*self.table).consistent_read(true);
        get.key(PK, text(KEYS)).key(SK, text("probe"))
    }

    /// Checks the table by one read.
    pub(crate) async fn read_probe(&self) -> Result<(), OpenError> {
        let (table, region) = (self.table.to_string(), self.region.to_string());
        let Err(error) = self.probe().send().await else { return Ok(()) };
        match error.code() {
            Some("ResourceNotFoundException") => Err(OpenError::NoTable { table, region }),
            Some("ValidationException") => Err(OpenError::OtherKeys { table }),
            _ => Err(self.failed("checking the table", failed_call(CALLING, error))),
        }
    }

    /// Creates the table unless it exists, and lets the server remove old counters.
    pub(crate) async fn create_table(&self) -> Result<(), OpenError> {
        self.create_if_missing().await?;
        self.wait_until_active().await?;
        self.enable_time_to_live().await
    }

    async fn create_if_missing(&self) -> Result<(), OpenError> {
        const CREATING: &str = "creating the table";
        let mut create = self.client.create_table().table_name(&*self.table);
        create = create.billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build();
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
            create = create.attribute_definitions(attribute.map_err(|error| self.defect(CREATING, error))?);
            create = create.key_schema(key.map_err(|error| self.defect(CREATING, error))?);
        }
        match create.send().await {
            Ok(_) => {
                tracing::info!(table = &*self.table, "created the table of keys");
                Ok(())
            }
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
            Err(error) => Err(self.failed(CREATING, failed_call(CALLING, error))),
        }
    }

    async fn wait_until_active(&self) -> Result<(), OpenError> {
        const WAITING: &str = "waiting for the new table";
        let deadline = Instant::now() + CREATE_TIMEOUT;
        loop {
            let described = self.client.describe_table().table_name(&*self.table).send().await;
            let described = described.map_err(|error| self.failed(WAITING, failed_call(CALLING, error)))?;
            let status = described.table.and_then(|table| table.table_status);
            if matches!(status, Some(TableStatus::Active | TableStatus::Updating)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let fault = format!("{WAITING}: it is not active after {} s", CREATE_TIMEOUT.as_secs());
                let source = AccessStoreError::new(fault);
                return Err(OpenError::Unreachable { table: self.table.to_string(), source });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn enable_time_to_live(&self) -> Result<(), OpenError> {
        const ENABLING: &str = "enabling the table's time to live";
        let specification = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build();
        let specification = specification.map_err(|error| self.defect(ENABLING, error))?;
        let update = self.client.update_time_to_live().table_name(&*self.table);
        match update.time_to_live_specification(specification).send().await {
            Ok(_) => Ok(()),
            // The first means that it is enabled already, the others that a local server does not have it.
            Err(error)
                if matches!(
                    error.code(),
                    Some(
                        "ValidationException" | "UnknownOperationException" | "UnsupportedOperationException"
                    )
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(self.failed(ENABLING, failed_call(CALLING, error))),
        }
    }

    fn failed(&self, what: &str, FailedCall { error, is_refusal }: FailedCall) -> OpenError {
        let (table, source) = (self.table.to_string(), AccessStoreError::because(what, error));
        match is_refusal {
            true => OpenError::Refused { table, source },
            false => OpenError::Unreachable { table, source },
        }
    }

    /// Returns the error for a request that cannot be built: a defect, which waiting does not resolve.
    fn defect(&self, what: &str, error: impl std::error::Error + Send + Sync + 'static) -> OpenError {
        OpenError::Refused { table: self.table.to_string(), source: AccessStoreError::because(what, error) }
    }
}
