//! The table itself: opening, checking and creating it.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_setup::dynamodb_table::{create_table, enable_recovery};
use aws_setup::{Aws, FailedCall, failed_call, is_table_name, port_error};
use domain::ports::PortError;

use crate::items::{AT, PK, SK, number, probe_key};
use crate::store::DynamoStore;

/// The reason why a table cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name cannot be that of a table.
    #[error(
        "`{table}` is not the name of a DynamoDB table; set NOREN_DYNAMODB_TABLE to 3 to 255 letters, digits, `_`, `-` and \
         `.`, or to an ARN"
    )]
    InvalidName {
        /// The configured name.
        table: String,
    },
    /// There is no such table.
    #[error(
        "there is no DynamoDB table `{table}` in region {region}; set NOREN_DYNAMODB_TABLE and AWS_REGION to those of an \
         existing one, or create it with `noren-command --create-tables`"
    )]
    NoTable {
        /// The table's name.
        table: String,
        /// The region that was searched.
        region: String,
    },
    /// The table has another schema, so it was not created for Noren.
    #[error(
        "the DynamoDB table `{table}` does not have the keys `{PK}` and `{SK}`, both strings; set NOREN_DYNAMODB_TABLE to \
         a table created for Noren"
    )]
    OtherKeys {
        /// The table's name.
        table: String,
    },
    /// The server denies access.
    #[error(
        "access to the DynamoDB table `{table}` is denied; check the AWS credentials and their permissions"
    )]
    Refused {
        /// The table's name.
        table: String,
        /// The server's error.
        #[source]
        source: PortError,
    },
    /// The server does not respond; a later attempt may succeed.
    #[error(
        "DynamoDB does not respond for the table `{table}`; check the network, and AWS_ENDPOINT_URL_DYNAMODB if it is set"
    )]
    Unreachable {
        /// The table's name.
        table: String,
        /// The cause.
        #[source]
        source: PortError,
    },
    /// The table could not be created.
    #[error("cannot create the DynamoDB table `{table}`")]
    CannotCreate {
        /// The table's name.
        table: String,
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

/// Checks a name before DynamoDB does, which rejects an invalid name with the same error as a table with other keys.
fn check_name(table: &str) -> Result<(), OpenError> {
    match is_table_name(table) {
        true => Ok(()),
        false => Err(OpenError::InvalidName { table: table.to_owned() }),
    }
}

impl DynamoStore {
    /// Opens an existing table after one read, so that wrong configuration fails at the start.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, table: &str) -> Result<Self, OpenError> {
        check_name(table)?;
        let store = Self::new(aws, table);
        store.check(aws.region()).await?;
        Ok(store)
    }

    /// Opens a table without looking at it. Until the server responds,
    /// [`ProductStore::ready`](domain::ports::ProductStore::ready) and every other call fail.
    pub fn unchecked(aws: &Aws, table: &str) -> Self {
        Self::new(aws, table)
    }

    /// Creates the table unless it exists, enables time to live and point-in-time recovery if the server supports them, and
    /// opens the table.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn create(aws: &Aws, table: &str) -> Result<Self, OpenError> {
        check_name(table)?;
        let store = Self::new(aws, table);
        store.create_table().await?;
        store.check(aws.region()).await?;
        Ok(store)
    }

    /// Checks the table by one read.
    async fn check(&self, region: &str) -> Result<(), OpenError> {
        let table = self.table.to_string();
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(probe_key()));
        let Err(error) = get.consistent_read(true).send().await else { return Ok(()) };
        match error.code() {
            Some("ResourceNotFoundException") => Err(OpenError::NoTable { table, region: region.to_owned() }),
            Some("ValidationException") => Err(OpenError::OtherKeys { table }),
            _ => match failed_call("checking the table", error) {
                FailedCall { error: source, is_refusal: true } => Err(OpenError::Refused { table, source }),
                FailedCall { error: source, .. } => Err(OpenError::Unreachable { table, source }),
            },
        }
    }

    /// Reads and writes the probe item.
    pub(crate) async fn probe(&self) -> Result<(), PortError> {
        self.get_item(probe_key(), "reading the store").await?;
        let mut item = probe_key();
        item.insert(AT.to_owned(), number(self.now_seconds()));
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| port_error("writing to the store", error))
    }

    async fn create_table(&self) -> Result<(), OpenError> {
        let create = async {
            create_table(&self.client, &self.table).await?;
            enable_recovery(&self.client, &self.table).await
        };
        let table = self.table.to_string();
        create.await.map_err(|FailedCall { error: source, is_refusal }| match is_refusal {
            true => OpenError::CannotCreate { table, source },
            false => OpenError::Unreachable { table, source },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_name_that_dynamodb_accepts() {
        let long = "a".repeat(256);
        for (name, valid) in [
            ("noren-products", true),
            ("a.b_C", true),
            ("arn:aws:dynamodb:eu-west-1:1:table/noren", true),
            ("", false),
            ("ab", false),
            ("a b c", false),
            (&long, false),
        ] {
            assert_eq!(check_name(name).is_ok(), valid, "{name}");
        }
    }
}
