//! Reading index entries: id, version and fingerprint of documents.

use std::time::Duration;

use domain::ProductId;
use domain::ports::{CompareDepth, IndexEntry, PortError, PortErrorKind};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::json;
use text::projection::fingerprint;

use crate::client::{Call, Client};
use crate::documents::{Document, DocumentsRequest};
use crate::error::CallError;
use crate::layout::schema::{field, state};

const TIMEOUT: Duration = Duration::from_secs(30);
const READING: &str = "reading the entries of the index";

fn entry_of(document: Document, depth: CompareDepth) -> Result<Option<IndexEntry>, PortError> {
    let (Some(version), Some(source)) = (document.version(), document.source) else { return Ok(None) };
    let id = ProductId::parse(&document.id)
        .map_err(|reason| PortError::new(PortErrorKind::Internal, READING, reason))?;
    let fingerprint = match depth {
        CompareDepth::Versions => None,
        CompareDepth::Documents => {
            // Noren did not write a document without a fingerprint; such a document equals no other.
            let stored = source.fingerprint.and_then(|digits| u64::from_str_radix(&digits, 16).ok());
            let json = source.product.unwrap_or_default();
            Some(fingerprint(json.as_bytes(), stored.unwrap_or_default()))
        }
    };
    let is_live = source.state != state::DELETED;
    Ok(Some(IndexEntry { id, version, is_live, fingerprint }))
}

fn fields_of(depth: CompareDepth) -> &'static [&'static str] {
    match depth {
        CompareDepth::Versions => &[field::STATE],
        CompareDepth::Documents => &[field::STATE, field::FINGERPRINT, field::PRODUCT],
    }
}

/// Returns the entry for each id, in request order. Observes writes that are not refreshed yet.
pub(super) async fn entries(
    client: &Client,
    alias: &str,
    ids: &[ProductId],
    depth: CompareDepth,
) -> Result<Vec<Option<IndexEntry>>, PortError> {
    let fields = fields_of(depth).join(",");
    let query = &[("_source_includes", fields.as_str())];
    let request = DocumentsRequest { alias, query, timeout: TIMEOUT, operation: READING };
    let documents = request.send(client, ids).await?;
    documents.into_iter().map(|document| entry_of(document, depth)).collect()
}

/// Returns at most `limit` entries after an id, in the order of ids.
pub(super) async fn scan(
    client: &Client,
    alias: &str,
    after: Option<&ProductId>,
    limit: usize,
    depth: CompareDepth,
) -> Result<Vec<IndexEntry>, PortError> {
    #[derive(Deserialize)]
    struct Response {
        hits: Hits,
    }
    #[derive(Deserialize)]
    struct Hits {
        #[serde(default)]
        hits: Vec<Document>,
    }
    let query = match after {
        None => json!({ "match_all": {} }),
        Some(after) => json!({ "range": { field::ID: { "gt": after.as_str() } } }),
    };
    let body = json!({
        "size": limit, "track_total_hits": false, "query": query, "sort": [{ field::ID: "asc" }],
        "version": true, "_source": fields_of(depth),
    });
    let call = Call::new(Method::Post, format!("{alias}/_search"), TIMEOUT)
        .query(&[("allow_partial_search_results", "false")])
        .json(&body);
    let response: Response = client.call(call).await.map_err(|error: CallError| error.during(READING))?;
    let entries = response.hits.hits.into_iter().map(|document| entry_of(document, depth));
    entries.filter_map(Result::transpose).collect()
}

/// Returns the number of documents, including tombstones.
pub(super) async fn count(client: &Client, alias: &str) -> Result<u64, PortError> {
    #[derive(Deserialize)]
    struct Response {
        count: u64,
    }
    let call = Call::new(Method::Get, format!("{alias}/_count"), TIMEOUT);
    let response: Response = client.call(call).await.map_err(|error: CallError| error.during(READING))?;
    Ok(response.count)
}
