//! Looking up products and versions by id.

use domain::ports::{Indexed, IndexedState, PortError, PortErrorKind};
use domain::{ProductId, Version};

use crate::client::Client;
use crate::documents::{Document, DocumentsRequest};
use crate::layout::schema::state;
use crate::search::snapshot::SEARCH_TIMEOUT;

const READING: &str = "reading products from the index";
/// The fields that [`indexed`] reads.
const SOURCE_FIELDS: &str = "state,product";

fn indexed(document: Document) -> Result<Option<Indexed>, PortError> {
    let (Some(version), Some(source)) = (document.version(), document.source) else { return Ok(None) };
    let state = match (source.state.as_str(), &source.product) {
        (state::ACTIVE, Some(product)) => {
            let product = serde_json::from_str(product)
                .map_err(|error| PortError::new(PortErrorKind::Internal, READING, error))?;
            IndexedState::Active(product)
        }
        (state::DELETED, _) => IndexedState::Deleted,
        _ => IndexedState::Hidden,
    };
    Ok(Some(Indexed { version, state }))
}

/// Returns the indexed version and state for each id, in request order. Observes writes that are not refreshed yet.
pub(super) async fn get(client: &Client, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
    let documents = documents(client, ids, &[("_source_includes", SOURCE_FIELDS)]).await?;
    documents.into_iter().map(indexed).collect()
}

/// Returns the version that searches see for each id, in request order. Does not observe writes that are not refreshed
/// yet.
pub(super) async fn versions(client: &Client, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
    let documents = documents(client, ids, &[("realtime", "false"), ("_source", "false")]).await?;
    Ok(documents.iter().map(Document::version).collect())
}

async fn documents(
    client: &Client,
    ids: &[ProductId],
    query: &[(&str, &str)],
) -> Result<Vec<Document>, PortError> {
    let request =
        DocumentsRequest { alias: &client.alias, query, timeout: SEARCH_TIMEOUT, operation: READING };
    request.send(client, ids).await
}
