//! Documents of the index, and fetching them by id.

use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use domain::{ProductId, Version};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::error::type_and_reason;

/// A document, with the fields that its request selects.
#[derive(Deserialize)]
pub(crate) struct Document {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(rename = "_version")]
    version: Option<u64>,
    /// False if there is no document with the id; absent in search hits.
    found: Option<bool>,
    #[serde(rename = "_source")]
    pub(crate) source: Option<Source>,
}

#[derive(Deserialize)]
pub(crate) struct Source {
    pub(crate) state: String,
    /// The product as JSON.
    pub(crate) product: Option<String>,
    #[serde(rename = "print")]
    pub(crate) fingerprint: Option<String>,
}

impl Document {
    /// Returns the version of the product, or `None` if the document does not exist.
    pub(crate) fn version(&self) -> Option<Version> {
        self.version.filter(|_| self.found != Some(false)).map(Version)
    }
}

/// A request for documents of one index by id.
pub(crate) struct DocumentsRequest<'a> {
    pub(crate) alias: &'a str,
    /// The query string, which selects the fields.
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) timeout: Duration,
    /// The operation, as the context of an error.
    pub(crate) operation: &'a str,
}

impl DocumentsRequest<'_> {
    /// Returns one document for each id, in request order.
    ///
    /// # Errors
    /// Fails if any document could not be read, because it would otherwise seem not to exist.
    pub(crate) async fn send(&self, client: &Client, ids: &[ProductId]) -> Result<Vec<Document>, PortError> {
        #[derive(Deserialize)]
        struct Response {
            docs: Vec<Entry>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Entry {
            Failed { error: Value },
            Document(Document),
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
