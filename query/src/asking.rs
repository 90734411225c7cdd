//! Asking the index, and measuring how long it takes.

use std::time::{Duration, Instant};

use domain::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest, Tuning};
use jiff::Timestamp;
use runtime::Problem;

use crate::cache::Made;
use crate::http::{index_failed, unwritable};
use crate::{SEARCH_SECONDS, Service, answer};

/// What names an answer among all answers: what was asked, and what the shop's rules make of it at this moment.
pub(crate) fn name(path: &str, parameters: &str, tuning: &Tuning) -> String {
    match tuning.is_empty() {
        true => format!("{path}?{parameters}"),
        // Everything that was decided shows in it.
        false => format!("{path}?{parameters}#{tuning:?}"),
    }
}

impl Service {
    /// The search with what the shop's rules say of it at this moment.
    pub(crate) fn tuned(&self, request: SearchRequest) -> SearchRequest {
        let Some(rules) = &self.settings.rules else { return request };
        let tuning = rules.current().tuning(&request.words, request.currency, Timestamp::now());
        SearchRequest { tuning, ..request }
    }

    /// Answers searches on one state of the index, each as its JSON.
    pub(crate) async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<Made>, Problem> {
        let kind = if requests.len() == 1 { "search" } else { "searches" };
        let (answers, took) = self.ask(kind, requests).await?;
        let made = |(request, answer): (&SearchRequest, SearchAnswer)| {
            let json = answer::search_json(request, &answer, took).map_err(|error| unwritable(&error))?;
            let is_empty = answer.total == 0 && !request.words.is_empty();
            if is_empty {
                tracing::debug!(search.words = request.words, "a search found nothing");
            }
            Ok(Made { json, is_empty, snapshot: Some(answer.snapshot) })
        };
        requests.iter().zip(answers).map(made).collect()
    }

    /// What the index answers, and how long it needed.
    pub(crate) async fn ask(
        &self,
        kind: &'static str,
        requests: &[SearchRequest],
    ) -> Result<(Vec<SearchAnswer>, Duration), Problem> {
        let start = Instant::now();
        let answers = self.index.search_all(requests).await.map_err(|error| index_failed(&error))?;
        Ok((answers, measured(kind, start)))
    }

    /// The same for one search.
    pub(crate) async fn ask_one(
        &self,
        kind: &'static str,
        request: &SearchRequest,
    ) -> Result<(SearchAnswer, Duration), Problem> {
        let (answers, took) = self.ask(kind, std::slice::from_ref(request)).await?;
        Ok((answers.into_iter().next().ok_or_else(Problem::internal)?, took))
    }

    /// The values of a facet, and the state of the index where it is known to be one.
    pub(crate) async fn facet_values(
        &self,
        request: &FacetRequest,
    ) -> Result<(Vec<FacetValue>, Option<String>), Problem> {
        let newest = async || self.index.snapshot().await.map_err(|error| index_failed(&error));
        let before = newest().await?;
        let start = Instant::now();
        let values = self.index.facet_values(request).await.map_err(|error| index_failed(&error))?;
        measured("facet_values", start);
        let is_same = before.is_some() && before == newest().await?;
        Ok((values, before.filter(|_| is_same)))
    }
}

fn measured(kind: &'static str, start: Instant) -> Duration {
    let took = start.elapsed();
    metrics::histogram!(SEARCH_SECONDS, "kind" => kind).record(took.as_secs_f64());
    took
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ProductId;

    #[test]
    fn what_rules_decide_is_part_of_a_name() {
        let pinning = |id| Tuning { pinned: vec![ProductId::parse(id).unwrap()], ..Tuning::default() };
        let nothing = name("search", "query=tea", &Tuning::default());
        assert_eq!(nothing, "search?query=tea");
        let (a, b) = (name("search", "query=tea", &pinning("a")), name("search", "query=tea", &pinning("b")));
        assert!(a != nothing && a != b);
        assert_eq!(a, name("search", "query=tea", &pinning("a")));
    }
}
