//! The parts of what OpenSearch answers, and documents by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::ports::{Indexed, IndexedState, PortError, PortErrorKind};
use domain::{Product, ProductId, Version};
use opensearch::http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{Call, Client, answer_for_each, described};
use crate::layout::schema::state;

/// How long one search may take, with its way there and back.
pub(crate) const SEARCH_PATIENCE: Duration = Duration::from_secs(5);
/// What is read of a document that is read by its id.
const SOURCE_OF_HELD: &str = "state,product";

/// What a search was answered with.
#[derive(Deserialize)]
pub(crate) struct Response {
    pub(crate) timed_out: bool,
    pub(crate) hits: Hits,
    #[serde(default)]
    pub(crate) aggregations: BTreeMap<String, Value>,
    /// By the names of the suggesters.
    #[serde(default)]
    pub(crate) suggest: BTreeMap<String, Vec<Suggested>>,
}

#[derive(Deserialize)]
pub(crate) struct Hits {
    total: Option<Total>,
    #[serde(default)]
    pub(crate) hits: Vec<Found>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

/// A document that was found.
#[derive(Deserialize)]
pub(crate) struct Found {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_score")]
    score: Option<f32>,
    #[serde(rename = "_source")]
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    /// The JSON of the product, as text.
    product: String,
}

/// What stands near one word.
#[derive(Deserialize)]
pub(crate) struct Suggested {
    pub(crate) options: Vec<Suggestion>,
}

#[derive(Deserialize)]
pub(crate) struct Suggestion {
    pub(crate) text: String,
    /// Documents with it, deleted ones included.
    pub(crate) freq: u64,
}

impl Response {
    /// Documents found, exactly.
    pub(crate) fn total(&self) -> u64 {
        self.hits.total.as_ref().map_or(0, |total| total.value)
    }
}

impl Found {
    /// The product of the document.
    pub(crate) fn product(&self) -> Result<Arc<Product>, PortError> {
        serde_json::from_str(&self.source.product).map(Arc::new).map_err(|error| {
            PortError::new(
                PortErrorKind::Internal,
                format!("reading product {} from the index", self.id),
                error,
            )
        })
    }

    pub(crate) fn score(&self) -> f32 {
        self.score.unwrap_or(0.0)
    }
}

/// A document that was read by its id.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_version")]
    version: Option<u64>,
    #[serde(default)]
    found: bool,
    #[serde(rename = "_source")]
    source: Option<Held>,
}

#[derive(Deserialize)]
struct Held {
    state: String,
    product: Option<String>,
}

impl Document {
    fn version(&self) -> Option<Version> {
        self.version.filter(|_| self.found).map(Version)
    }
}

/// What was being done when reading by ids fails.
const READING: &str = "reading products from the index";

/// Documents by their ids, one for each id, in their order. Where one could not be read, that is an error: it would look as
/// if it were not there.
pub(crate) async fn documents<T: DeserializeOwned>(
    client: &Client,
    alias: &str,
    ids: &[ProductId],
    query: &[(&str, &str)],
    (patience, reading): (Duration, &str),
) -> Result<Vec<T>, PortError> {
    #[derive(Deserialize)]
    struct Answer<T> {
        docs: Vec<Entry<T>>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry<T> {
        Failed { error: Value },
        Read(T),
    }
    let ids: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let call = Call {
        method: Method::Post,
        path: format!("{alias}/_mget"),
        query,
        body: Some(Bytes::from(json!({ "ids": ids }).to_string())),
        patience,
    };
    let answered = client.call(call).await;
    let entries = answered
        .and_then(|Answer { docs }| answer_for_each(&client.address, ids.len(), docs))
        .map_err(|error| error.during(reading))?;
    let read = |entry| match entry {
        Entry::Read(document) => Ok(document),
        Entry::Failed { error } => {
            let (_, reason) = described(&error);
            Err(PortError::bare(PortErrorKind::Unavailable, format!("{reading}: {reason}")))
        }
    };
    entries.into_iter().map(read).collect()
}

/// What the index holds under each id. It is read by id, so what was written just now is seen.
pub(crate) async fn get(client: &Client, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
    let indexed = |document: Document| -> Result<Option<Indexed>, PortError> {
        let (Some(version), Some(held)) = (document.version(), document.source) else { return Ok(None) };
        let state = match (held.state.as_str(), &held.product) {
            (state::ACTIVE, Some(product)) => {
                let product = serde_json::from_str(product)
                    .map_err(|error| PortError::new(PortErrorKind::Internal, READING, error))?;
                IndexedState::Active(product)
            }
            (state::DELETED, _) => IndexedState::Deleted,
            _ => IndexedState::Hidden,
        };
        Ok(Some(Indexed { version, state }))
    };
    let query = [("_source_includes", SOURCE_OF_HELD)];
    let documents = documents(client, &client.alias, ids, &query, (SEARCH_PATIENCE, READING)).await?;
    documents.into_iter().map(indexed).collect()
}

/// The versions that searches see. What was written and not refreshed yet is none of them.
pub(crate) async fn versions(client: &Client, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
    let query = [("realtime", "false"), ("_source", "false")];
    let documents: Vec<Document> =
        documents(client, &client.alias, ids, &query, (SEARCH_PATIENCE, READING)).await?;
    Ok(documents.iter().map(Document::version).collect())
}
