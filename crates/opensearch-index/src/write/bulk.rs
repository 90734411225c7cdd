//! Bulk requests: batching, per-item outcomes and retries.

use std::time::Duration;

use backon::{ExponentialBuilder, RetryableWithContext};
use bytes::{BufMut, Bytes, BytesMut};
use domain::ports::{Applied, PortError, PortErrorKind};
use domain::{ProductId, Record, Version};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use text::projection::Projector;

use crate::client::{Call, Client};
use crate::error::{CallError, kind_of, type_and_reason};
use crate::layout::document::document;

/// The most bytes in one request, unless a single product is larger.
const MAX_BYTES: usize = 5 * 1024 * 1024;
const BULK_TIMEOUT: Duration = Duration::from_secs(30);
const REFRESH_TIMEOUT: Duration = Duration::from_secs(30);
/// The most attempts for one item.
const ATTEMPTS: usize = 5;
/// The shortest pause before the second attempt. It doubles with each attempt, and jitter adds up to its length.
const MIN_PAUSE: Duration = Duration::from_millis(50);

const WRITING: &str = "writing the index";

/// A writer of documents through an alias, in requests of bounded size. It collects the outcomes by position.
pub(super) struct BulkWriter<'a> {
    client: &'a Client,
    alias: &'a str,
    items: Vec<BulkItem>,
    /// The size of `items` in bytes.
    bytes: usize,
    outcomes: Vec<Applied>,
}

/// An operation on one document.
struct BulkItem {
    /// The position of its outcome.
    position: usize,
    lines: BulkLines,
}

/// The lines of a bulk request that describe one operation, each ending with a line feed.
pub(super) struct BulkLines(Bytes);

impl BulkLines {
    /// Returns the lines that index the document of a record.
    ///
    /// # Errors
    /// Returns the reason if the index cannot hold the record.
    pub(super) fn index(
        record: &Record,
        version_check: VersionCheck,
        index_created_at: i64,
        projector: &mut Projector,
    ) -> Result<Self, String> {
        let projection = projector.project(record).map_err(|error| error.to_string())?;
        let action = json!({ "index": {
            "_id": projection.id.as_str(),
            "version": version_number(projection.version)?,
            "version_type": version_check.version_type(),
        } });
        let document = document(record, &projection, index_created_at);
        Ok(Self(Bytes::from(format!("{action}\n{document}\n"))))
    }

    /// Returns the line that removes a document, unless the index holds a later version than `version`.
    ///
    /// # Errors
    /// Returns the reason if the index cannot hold the version.
    pub(super) fn delete(id: &ProductId, version: Version) -> Result<Self, String> {
        let action = json!({ "delete": {
            "_id": id.as_str(),
            "version": version_number(version)?,
            "version_type": VersionCheck::NotOlder.version_type(),
        } });
        Ok(Self(Bytes::from(format!("{action}\n"))))
    }
}

/// The condition on the version of a write, compared with the version that the index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VersionCheck {
    /// It must be newer.
    Newer,
    /// It must be equal or newer.
    NotOlder,
}

impl VersionCheck {
    fn version_type(self) -> &'static str {
        match self {
            Self::Newer => "external",
            Self::NotOlder => "external_gte",
        }
    }
}

/// Converts a version to the range that OpenSearch supports.
fn version_number(version: Version) -> Result<i64, String> {
    i64::try_from(version.0).map_err(|_| format!("version {version} exceeds the highest one of OpenSearch"))
}

impl<'a> BulkWriter<'a> {
    /// Creates a writer for `positions` outcomes.
    pub(super) fn new(client: &'a Client, alias: &'a str, positions: usize) -> Self {
        let outcomes = vec![Applied::Stale; positions];
        Self { client, alias, items: Vec::new(), bytes: 0, outcomes }
    }

    /// Adds the operation for a position, or refuses it with a reason. If the request is full, sends it first.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub(super) async fn add(
        &mut self,
        position: usize,
        lines: Result<BulkLines, String>,
    ) -> Result<(), PortError> {
        let lines = match lines {
            Ok(lines) => lines,
            Err(reason) => {
                self.outcomes[position] = Applied::Refused(reason);
                return Ok(());
            }
        };
        let bytes = lines.0.len();
        if self.bytes + bytes > MAX_BYTES {
            self.send().await?;
        }
        self.bytes += bytes;
        self.items.push(BulkItem { position, lines });
        Ok(())
    }

    /// Sends the remaining operations, makes all writes visible to searches, and returns the outcomes by position.
    ///
    /// # Errors
    /// Fails if a request fails, or if an item is still rejected at the last attempt. The outcome of all operations is then
    /// unknown.
    pub(super) async fn finish(mut self) -> Result<Vec<Applied>, PortError> {
        self.send().await?;
        // Even if nothing was written: another writer may have crashed between its write and its refresh.
        refresh(self.client, self.alias).await?;
        Ok(self.outcomes)
    }

    async fn send(&mut self) -> Result<(), PortError> {
        self.bytes = 0;
        if self.items.is_empty() {
            return Ok(());
        }
        let pending = PendingItems {
            client: self.client,
            alias: self.alias,
            items: std::mem::take(&mut self.items),
            outcomes: &mut self.outcomes,
        };
        // Jitter, so that many writers do not retry at the same moments.
        let backoff = ExponentialBuilder::default()
            .with_min_delay(MIN_PAUSE)
            .with_max_times(ATTEMPTS - 1)
            .with_jitter();
        let (_, result) = PendingItems::attempt
            .retry(backoff)
            .context(pending)
            .when(|failure: &AttemptError| failure.is_retryable)
            .notify(|AttemptError { error, .. }, pause| {
                tracing::debug!(error = error.chain(), ?pause, "changes are sent again after a pause");
            })
            .await;
        result.map_err(|failure| failure.error)
    }
}

/// The items of one request that have no outcome yet.
struct PendingItems<'a> {
    client: &'a Client,
    alias: &'a str,
    items: Vec<BulkItem>,
    outcomes: &'a mut [Applied],
}

/// An attempt after which some items are still pending.
#[derive(Debug)]
struct AttemptError {
    error: PortError,
    is_retryable: bool,
}

impl PendingItems<'_> {
    /// Sends the pending items once and keeps those that must be sent again.
    async fn attempt(mut self) -> (Self, Result<(), AttemptError>) {
        let result = self.send().await;
        (self, result)
    }

    async fn send(&mut self) -> Result<(), AttemptError> {
        let outcomes = self.request().await.map_err(|error| AttemptError {
            is_retryable: error.status().is_some_and(|status| is_overload(status, error.kind())),
            error: error.during(WRITING),
        })?;
        let mut pending = Vec::new();
        let mut failure: Option<AttemptError> = None;
        for (item, outcome) in std::mem::take(&mut self.items).into_iter().zip(outcomes) {
            match outcome {
                ItemOutcome::Final(applied) => self.outcomes[item.position] = applied,
                ItemOutcome::Failed(own) => {
                    // One item that no retry helps makes the whole request fail.
                    if failure.as_ref().is_none_or(|known| known.is_retryable && !own.is_retryable) {
                        failure = Some(own);
                    }
                    pending.push(item);
                }
            }
        }
        self.items = pending;
        failure.map_or(Ok(()), Err)
    }

    /// Sends one request and returns the outcomes in the order of the items.
    async fn request(&self) -> Result<Vec<ItemOutcome>, CallError> {
        let mut body = BytesMut::with_capacity(self.items.iter().map(|item| item.lines.0.len()).sum());
        self.items.iter().for_each(|item| body.put_slice(&item.lines.0));
        let call = Call::new(Method::Post, format!("{}/_bulk", self.alias), BULK_TIMEOUT)
            // Without require_alias, OpenSearch would create an index with a mapping guessed from the first document.
            .query(&[("require_alias", "true"), ("filter_path", "items.*.status,items.*.error")])
            .body(body.freeze());
        let response: BulkResponse = self.client.call(call).await?;
        let items = self.client.expect_items(self.items.len(), response.items)?;
        Ok(items.into_iter().map(|item| item.result().outcome()).collect())
    }
}

/// Makes all writes visible to searches.
async fn refresh(client: &Client, alias: &str) -> Result<(), PortError> {
    let call = Call::new(Method::Post, format!("{alias}/_refresh"), REFRESH_TIMEOUT);
    let failed = |error: CallError| error.during("making changes visible to searches");
    let response: Value = client.call(call).await.map_err(failed)?;
    match response["_shards"]["failed"].as_u64() {
        Some(0) => Ok(()),
        _ => Err(PortError::bare(PortErrorKind::Unavailable, "a shard of the index failed to refresh")),
    }
}

/// Returns true if the server is overloaded or did not answer in time, so that it may accept the same write a moment later. Missing
/// rights, a missing index and full disks last until an operator removes their cause.
fn is_overload(status: u16, kind: PortErrorKind) -> bool {
    matches!(status, 408 | 429 | 502 | 503 | 504) && kind != PortErrorKind::Full
}

#[derive(Deserialize)]
struct BulkResponse {
    #[serde(default)]
    items: Vec<BulkResponseItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum BulkResponseItem {
    Index(ItemResult),
    Delete(ItemResult),
}

impl BulkResponseItem {
    fn result(self) -> ItemResult {
        match self {
            Self::Index(result) | Self::Delete(result) => result,
        }
    }
}

#[derive(Deserialize)]
struct ItemResult {
    status: u16,
    #[serde(default)]
    error: Value,
}

/// The outcome of one item in one attempt.
enum ItemOutcome {
    Final(Applied),
    /// The index did not take it, for a reason that is not in the document.
    Failed(AttemptError),
}

impl ItemResult {
    fn outcome(self) -> ItemOutcome {
        let (error_type, reason) = type_and_reason(&self.error);
        match self.status {
            200..300 => ItemOutcome::Final(Applied::Done),
            409 => ItemOutcome::Final(Applied::Stale),
            // The document to remove does not exist. A missing index is a 404 with an error type.
            404 if error_type.is_empty() => ItemOutcome::Final(Applied::Done),
            // The document itself is at fault.
            400 | 413 => ItemOutcome::Final(Applied::Refused(format!("OpenSearch refuses it: {reason}"))),
            status => {
                let kind = kind_of(status, &error_type);
                ItemOutcome::Failed(AttemptError {
                    error: PortError::bare(kind, format!("{WRITING}: {reason}")),
                    is_retryable: is_overload(status, kind),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::client;

    #[test]
    fn a_response_with_another_number_of_items_counts_for_none_of_them() {
        let client = client("http://localhost", "any").unwrap_or_else(|error| panic!("{error}"));
        let read = |items: &str, expected| {
            let response: BulkResponse = serde_json::from_str(items).unwrap();
            client.expect_items(expected, response.items).map(|items| items.len())
        };
        let two = r#"{"items":[{"index":{"status":201}},{"delete":{"status":200}}]}"#;
        assert_eq!(read(two, 2).unwrap(), 2);
        for (answer, expected) in [(two, 1), (two, 3), ("{}", 1)] {
            let error = read(answer, expected).unwrap_err();
            assert_eq!(error.status(), None, "it is not sent again unchanged");
            assert!(error.during(WRITING).is_transient(), "{answer}");
        }
    }

    #[test]
    fn only_items_that_an_overloaded_server_rejects_are_sent_again() {
        let outcome = |status: u16, error_type: &str| {
            let json = json!({ "status": status, "error": { "type": error_type, "reason": "the reason" } });
            serde_json::from_value::<ItemResult>(json).unwrap().outcome()
        };
        use PortErrorKind::{Full, Internal, Throttled, Unavailable};
        for (status, error_type, kind, is_retryable) in [
            (429, "rejected_execution_exception", Throttled, true),
            (503, "unavailable_shards_exception", Unavailable, true),
            (504, "process_cluster_event_timeout_exception", Unavailable, true),
            (408, "", Unavailable, true),
            (401, "security_exception", Unavailable, false),
            (403, "security_exception", Unavailable, false),
            (404, "index_not_found_exception", Unavailable, false),
            (403, "cluster_block_exception", Full, false),
            (429, "cluster_block_exception", Full, false),
            (403, "index_create_block_exception", Full, false),
            (500, "illegal_state_exception", Unavailable, false),
            (418, "", Internal, false),
        ] {
            let ItemOutcome::Failed(failure) = outcome(status, error_type) else {
                panic!("{status} {error_type}");
            };
            assert_eq!(
                (failure.error.kind, failure.is_retryable),
                (kind, is_retryable),
                "{status} {error_type}"
            );
            assert!(failure.error.chain().contains("the reason"), "{status} {error_type}");
        }
        for status in [400, 413] {
            assert!(matches!(outcome(status, "t"), ItemOutcome::Final(Applied::Refused(_))), "{status}");
        }
        assert!(matches!(outcome(409, "t"), ItemOutcome::Final(Applied::Stale)));
        let missing: ItemResult = serde_json::from_str(r#"{"status":404}"#).unwrap();
        assert!(matches!(missing.outcome(), ItemOutcome::Final(Applied::Done)));
    }
}
