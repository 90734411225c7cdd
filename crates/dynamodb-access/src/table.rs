//! The table itself: opening, checking and creating it.

use access::AccessStoreError;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_setup::dynamodb_table::{PK, SK, create_table};
use aws_setup::{Aws, FailedCall, SetupError, failed_call, is_table_name};

use crate::store::{CALLING, DynamoDbAccess, KEYS, text};

/// The reason why the table of keys cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name cannot be that of a table.
    #[error(
        "`{table}` is not the name of a DynamoDB table; set NOREN_ACCESS_TABLE to 3 to 255 letters, digits, `_`, `-` and \
         `.`, or to an ARN"
    )]
    InvalidName {
        /// The configured name.
        table: String,
    },
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
    /// Opens a table with the region and credentials of the environment. Sends no request, so a missing table or server shows only
    /// when a call fails.
    ///
    /// # Errors
    /// [`SetupError`], if there is no region or there are no credentials.
    pub async fn load(table: &str) -> Result<Self, SetupError> {
        Ok(Self::unchecked(&Aws::load().await?, table))
    }

    /// Opens a table. If it is missing and `create_if_missing` is true, creates it first.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, table: &str, create_if_missing: bool) -> Result<Self, OpenError> {
        let store = Self::unchecked(aws, table);
        store.check(create_if_missing).await?;
        Ok(store)
    }

    /// Checks the table by one read. If it is missing and `create_if_missing` is true, creates it first.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn check(&self, create_if_missing: bool) -> Result<(), OpenError> {
        if !is_table_name(&self.table) {
            return Err(OpenError::InvalidName { table: self.table.to_string() });
        }
        match self.read_probe().await {
            Err(OpenError::NoTable { .. }) if create_if_missing => {}
            read => return read,
        }
        create_table(&self.client, &self.table).await.map_err(|failed| self.failed(failed))?;
        self.read_probe().await
    }

    /// Returns a read of an item that does not exist.
    pub(crate) fn probe(&self) -> GetItemFluentBuilder {
        let get = self.client.get_item().table_name(&*self.table).consistent_read(true);
        get.key(PK, text(KEYS)).key(SK, text("probe"))
    }

    /// Checks the table by one read.
    async fn read_probe(&self) -> Result<(), OpenError> {
        let (table, region) = (self.table.to_string(), self.region.to_string());
        let Err(error) = self.probe().send().await else { return Ok(()) };
        match error.code() {
            Some("ResourceNotFoundException") => Err(OpenError::NoTable { table, region }),
            Some("ValidationException") => Err(OpenError::OtherKeys { table }),
            _ => Err(self.failed(failed_call("checking the table", error))),
        }
    }

    fn failed(&self, FailedCall { error, is_refusal }: FailedCall) -> OpenError {
        let (table, source) = (self.table.to_string(), AccessStoreError::because(CALLING, error));
        match is_refusal {
            true => OpenError::Refused { table, source },
            false => OpenError::Unreachable { table, source },
        }
    }
}
