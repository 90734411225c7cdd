//! The state of the index that searches are answered on: the newest one, or one that is kept for several searches.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::Language;
use domain::ports::{PortError, PortErrorKind};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Call, CallError, Client};
use crate::documents::{Response, SEARCH_PATIENCE, Suggested, Suggestion};
use crate::search::filters::{any_of, is_active};

/// How long OpenSearch may work on one search: longer than the caller waits would be for nobody.
const TIME_OF_WORK: &str = "5s";
/// How long OpenSearch keeps a state after the last search on it, when nobody says that it is over.
const KEPT_FOR: &str = "30s";
/// How long keeping a state, and giving it up, may take.
const KEEPING_PATIENCE: Duration = Duration::from_secs(5);
/// Where states are kept.
const POINTS: &str = "_search/point_in_time";

/// A state of the index.
pub(crate) struct State<'a> {
    client: &'a Client,
    /// The name under which OpenSearch keeps it; none for whatever is the newest.
    point: Option<String>,
}

/// What was counted.
pub(crate) struct Counted {
    /// Active products that pass each of the filters, in their order.
    pub(crate) counts: Vec<u64>,
    /// What each suggester says, in their order.
    pub(crate) suggested: Vec<Vec<Suggestion>>,
}

impl<'a> State<'a> {
    /// The newest one: each call may see a later one.
    pub(crate) fn newest(client: &'a Client) -> Self {
        Self { client, point: None }
    }

    /// The newest one, kept until it is given up.
    pub(crate) async fn kept(client: &'a Client) -> Result<Self, PortError> {
        #[derive(Deserialize)]
        struct Point {
            pit_id: String,
        }
        let call = Call {
            method: Method::Post,
            path: format!("{}/{POINTS}", client.alias),
            query: &[("keep_alive", KEPT_FOR), ("allow_partial_pit_creation", "false")],
            body: None,
            patience: KEEPING_PATIENCE,
        };
        let failed = |error: CallError| error.during("keeping a state of the index");
        let point: Point = client.call(call).await.map_err(failed)?;
        Ok(Self { client, point: Some(point.pit_id) })
    }

    /// Lets OpenSearch forget the state. Where that fails, it does so by itself a little later.
    pub(crate) async fn give_up(self) {
        let Some(point) = self.point else { return };
        let call = Call {
            method: Method::Delete,
            path: POINTS.to_owned(),
            query: &[],
            body: Some(Bytes::from(json!({ "pit_id": [point] }).to_string())),
            patience: KEEPING_PATIENCE,
        };
        if let Err(error) = self.client.call::<Value>(call).await {
            let error = error.during("giving up a state of the index").chain();
            tracing::debug!(error, "OpenSearch keeps a state of the index that nobody needs");
        }
    }

    /// What texts are analysed as.
    pub(crate) fn language(&self) -> Language {
        self.client.language
    }

    /// Asks one search. An answer of a part of the index only is none.
    pub(crate) async fn search(&self, mut body: Value) -> Result<Response, PortError> {
        let path = match &self.point {
            None => format!("{}/_search", self.client.alias),
            Some(point) => {
                body["pit"] = json!({ "id": point, "keep_alive": KEPT_FOR });
                "_search".to_owned()
            }
        };
        let call = Call {
            method: Method::Post,
            path,
            query: &[("allow_partial_search_results", "false"), ("cancel_after_time_interval", TIME_OF_WORK)],
            body: Some(Bytes::from(body.to_string())),
            patience: SEARCH_PATIENCE,
        };
        let failed = |error: CallError| error.during("searching the index");
        let response: Response = self.client.call(call).await.map_err(failed)?;
        if response.timed_out {
            let context = "the search took too long and was given up";
            return Err(PortError::bare(PortErrorKind::Unavailable, context));
        }
        Ok(response)
    }

    /// Counts active products by filters, and asks suggesters, in one search; in none when there is nothing to ask.
    pub(crate) async fn count(
        &self,
        filters: &[Value],
        suggesters: Vec<Value>,
    ) -> Result<Counted, PortError> {
        #[derive(Deserialize)]
        struct Buckets {
            buckets: Vec<Bucket>,
        }
        #[derive(Deserialize)]
        struct Bucket {
            doc_count: u64,
        }
        let mut counted = Counted { counts: vec![0; filters.len()], suggested: Vec::new() };
        counted.suggested.resize_with(suggesters.len(), Vec::new);
        if filters.is_empty() && suggesters.is_empty() {
            return Ok(counted);
        }
        // What passes none of the filters need not be looked at with each.
        let query = json!({ "bool": { "filter": [is_active(), any_of(filters.to_vec())] } });
        let names = (0..suggesters.len()).map(|at| at.to_string());
        let body = json!({
            "size": 0, "track_total_hits": false, "query": query,
            "suggest": names.zip(suggesters).collect::<Map<_, _>>(),
            "aggs": { "counts": { "filters": { "filters": filters } } },
        });
        let mut response = self.search(body).await?;
        let buckets = response.aggregations.remove("counts").unwrap_or_default();
        let Buckets { buckets } = serde_json::from_value(buckets)
            .map_err(|error| PortError::new(PortErrorKind::Internal, "reading counts of the index", error))?;
        for (count, bucket) in counted.counts.iter_mut().zip(buckets) {
            *count = bucket.doc_count;
        }
        counted.take_suggestions(response.suggest);
        Ok(counted)
    }
}

impl Counted {
    fn take_suggestions(&mut self, mut suggest: BTreeMap<String, Vec<Suggested>>) {
        for (at, suggested) in self.suggested.iter_mut().enumerate() {
            let parts = suggest.remove(&at.to_string()).into_iter().flatten();
            suggested.extend(parts.flat_map(|part| part.options));
        }
    }
}
