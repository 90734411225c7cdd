//! Asking the index, and counting what it was asked.

use std::time::{Duration, Instant};

use domain::search::{SearchAnswer, SearchRequest};
use runtime::Problem;

use crate::http::index_failed;
use crate::{EMPTY_SEARCHES, SEARCH_SECONDS, Service};

impl Service {
    /// Answers one search; with it comes how long the index needed.
    pub(crate) async fn search(&self, request: &SearchRequest) -> Result<(SearchAnswer, Duration), Problem> {
        let start = Instant::now();
        let answer = self.index.search(request).await.map_err(|error| index_failed(&error))?;
        let took = start.elapsed();
        metrics::histogram!(SEARCH_SECONDS, "kind" => "search").record(took.as_secs_f64());
        count_if_empty(request, &answer);
        Ok((answer, took))
    }

    /// Answers several searches on one state of the index.
    pub(crate) async fn search_all(
        &self,
        requests: &[SearchRequest],
    ) -> Result<(Vec<SearchAnswer>, Duration), Problem> {
        let start = Instant::now();
        let answers = self.index.search_all(requests).await.map_err(|error| index_failed(&error))?;
        let took = start.elapsed();
        metrics::histogram!(SEARCH_SECONDS, "kind" => "searches").record(took.as_secs_f64());
        requests.iter().zip(&answers).for_each(|(request, answer)| count_if_empty(request, answer));
        Ok((answers, took))
    }
}

fn count_if_empty(request: &SearchRequest, answer: &SearchAnswer) {
    if answer.total == 0 && !request.words.is_empty() {
        metrics::counter!(EMPTY_SEARCHES).increment(1);
    }
}
