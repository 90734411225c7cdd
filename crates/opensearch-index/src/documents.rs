//! Fetching documents by id.

use std::time::Duration;

use domain::ProductId;
use domain::ports::{PortError, PortErrorKind};
use opensearch::http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::error::type_and_reason;

/// Fetches documents of one index by id.
pub(crate) struct DocumentsRequest<'a> {
    pub(crate) alias: &'a str,
    /// The query string, which selects the fields.
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) timeout: Duration,
    /// The operation, as the context of an error.
    pub(crate) operation: &'a str,
}

impl DocumentsRequest<'_> {
    /// Returns one document for each id, in request order. `T` must also decode from a document that was not found.
    ///
    /// # Errors
    /// Fails if any document could not be read; it would otherwise look as if it did not exist.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        client: &Client,
        ids: &[ProductId],
    ) -> Result<Vec<T>, PortError> {
        #[derive(Deserialize)]
        struct Response<T> {
            docs: Vec<Entry<T>>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Entry<T> {
            Failed { error: Value },
            Document(T),
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let body = json!({ "ids": ids.iter().map(ProductId::as_str).collect::<Vec<_>>() });
        let path = format!("{}/_mget", self.alias);
        let call = Call::new(Method::Post, path, self.timeout).query(self.query).json(&body);
        let entries = client
            .call(call)
            .await
            .and_then(|Response { docs }| client.expect_items(ids.len(), docs))
            .map_err(|error| error.during(self.operation))?;
        let document = |entry| match entry {
            Entry::Document(document) => Ok(document),
            Entry::Failed { error } => {
                let (_, reason) = type_and_reason(&error);
                let context = format!("{}: {reason}", self.operation);
                Err(PortError::bare(PortErrorKind::Unavailable, context))
            }
        };
        entries.into_iter().map(document).collect()
    }
}
