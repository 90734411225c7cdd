//! The snapshot of the index that searches run on: the latest one of each call, or a point in time that several
//! searches share.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Language;
use domain::ports::{PortError, PortErrorKind};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Call, Client};
use crate::error::CallError;
use crate::layout::schema::{field, state};
use crate::search::query_dsl::{any_of, term};
use crate::search::response::{SearchResponse, SuggestEntry, SuggestOption};

/// The time limit of one search, including the network.
pub const SEARCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The time after which OpenSearch cancels a search, because its client has given up by then.
const CANCEL_AFTER: &str = "5s";
/// The time after its last search at which OpenSearch closes a point in time that was not closed.
const KEEP_ALIVE: &str = "30s";
const POINT_IN_TIME_TIMEOUT: Duration = Duration::from_secs(5);
const POINT_IN_TIME_PATH: &str = "_search/point_in_time";

/// A snapshot of the index.
pub(super) struct Snapshot<'a> {
    client: &'a Client,
    /// The id of the point in time; `None` for the latest snapshot.
    point_in_time: Option<String>,
}

/// Document counts and suggestions.
pub(super) struct Counts {
    /// The number of active products that pass each filter, in request order.
    pub(super) counts: Vec<u64>,
    /// The options of each suggester, in request order.
    pub(super) suggested: Vec<Vec<SuggestOption>>,
}

/// Matches products that searches may find.
pub(super) fn is_active() -> Value {
    term(field::STATE, state::ACTIVE)
}

impl<'a> Snapshot<'a> {
    /// Uses the latest snapshot: each call may see a later one.
    pub(super) fn latest(client: &'a Client) -> Self {
        Self { client, point_in_time: None }
    }

    /// Opens a point in time, on which all calls see the same snapshot until [`Self::close`].
    pub(super) async fn open_point_in_time(client: &'a Client) -> Result<Self, PortError> {
        #[derive(Deserialize)]
        struct PointInTime {
            pit_id: String,
        }
        let path = format!("{}/{POINT_IN_TIME_PATH}", client.alias);
        let call = Call::new(Method::Post, path, POINT_IN_TIME_TIMEOUT)
            .query(&[("keep_alive", KEEP_ALIVE), ("allow_partial_pit_creation", "false")]);
        let failed = |error: CallError| error.during("opening a point in time of the index");
        let PointInTime { pit_id } = client.call(call).await.map_err(failed)?;
        Ok(Self { client, point_in_time: Some(pit_id) })
    }

    /// Closes the point in time. If that fails, OpenSearch closes it after its keep-alive time.
    pub(super) async fn close(self) {
        let Some(point_in_time) = self.point_in_time else { return };
        let call = Call::new(Method::Delete, POINT_IN_TIME_PATH, POINT_IN_TIME_TIMEOUT)
            .json(&json!({ "pit_id": [point_in_time] }));
        if let Err(error) = self.client.call::<Value>(call).await {
            let error = error.during("closing a point in time of the index").chain();
            tracing::debug!(error, "OpenSearch keeps an unused point in time until it expires");
        }
    }

    /// Returns the language that texts are analysed in.
    pub(super) fn language(&self) -> Language {
        self.client.language
    }

    /// Runs one search.
    ///
    /// # Errors
    /// Fails if any part of the index did not answer, or if the search was cancelled by the time limit.
    pub(super) async fn search(&self, mut body: Value) -> Result<SearchResponse, PortError> {
        let path = match &self.point_in_time {
            None => format!("{}/_search", self.client.alias),
            Some(id) => {
                body["pit"] = json!({ "id": id, "keep_alive": KEEP_ALIVE });
                "_search".to_owned()
            }
        };
        let query = [("allow_partial_search_results", "false"), ("cancel_after_time_interval", CANCEL_AFTER)];
        let call = Call::new(Method::Post, path, SEARCH_TIMEOUT).query(&query).json(&body);
        let failed = |error: CallError| error.during("searching the index");
        let response: SearchResponse = self.client.call(call).await.map_err(failed)?;
        if response.timed_out {
            return Err(PortError::bare(PortErrorKind::Unavailable, "the search timed out"));
        }
        Ok(response)
    }

    /// Counts the active products that pass each filter and all of `inside`, and runs suggesters, all in one search.
    pub(super) async fn count(
        &self,
        inside: &[Value],
        filters: &[Value],
        suggesters: Vec<Value>,
    ) -> Result<Counts, PortError> {
        #[derive(Deserialize)]
        struct Buckets {
            buckets: Vec<Bucket>,
        }
        #[derive(Deserialize)]
        struct Bucket {
            doc_count: u64,
        }
        let mut counted = Counts { counts: vec![0; filters.len()], suggested: Vec::new() };
        counted.suggested.resize_with(suggesters.len(), Vec::new);
        if filters.is_empty() && suggesters.is_empty() {
            return Ok(counted);
        }
        // Restricts the aggregation to products that pass at least one filter.
        let mut restriction = vec![is_active(), any_of(filters.to_vec())];
        restriction.extend_from_slice(inside);
        let query = json!({ "bool": { "filter": restriction } });
        let names = (0..suggesters.len()).map(|at| at.to_string());
        let body = json!({
            "size": 0, "track_total_hits": false, "query": query,
            "suggest": names.zip(suggesters).collect::<Map<_, _>>(),
            "aggs": { "counts": { "filters": { "filters": filters } } },
        });
        let mut response = self.search(body).await?;
        let buckets = response.aggregations.remove("counts").unwrap_or_default();
        let Buckets { buckets } = serde_json::from_value(buckets).map_err(|error| {
            PortError::new(PortErrorKind::Internal, "decoding document counts of the index", error)
        })?;
        for (count, bucket) in counted.counts.iter_mut().zip(buckets) {
            *count = bucket.doc_count;
        }
        counted.take_suggestions(response.suggest);
        Ok(counted)
    }
}

impl Counts {
    fn take_suggestions(&mut self, mut suggest: BTreeMap<String, Vec<SuggestEntry>>) {
        for (at, suggested) in self.suggested.iter_mut().enumerate() {
            let entries = suggest.remove(&at.to_string()).into_iter().flatten();
            suggested.extend(entries.flat_map(|entry| entry.options));
        }
    }
}
