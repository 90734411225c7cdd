//! Asking the index, and measuring how long it takes.

use std::time::{Duration, Instant};

use domain::search::{
    Facet, FacetRequest, FacetValue, Field, MAX_FACET_VALUES, SearchAnswer, SearchRequest, Tuning,
};
use jiff::Timestamp;
use runtime::Problem;
use text::explain::Explainer;

use crate::cache::Made;
use crate::http::{index_failed, unwritable};
use crate::params::Asked;
use crate::{SEARCH_SECONDS, Service, answer, picks};

/// The most categories that are counted for a tree.
const MAX_CATEGORIES: usize = 100_000;

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

    /// The same for a search as it was asked for.
    pub(crate) fn tuned_search(&self, asked: Asked) -> Asked {
        Asked { request: self.tuned(asked.request), ..asked }
    }

    /// Explains the products of a search as they are weighed by the shop's rules.
    pub(crate) fn explainer<'a>(&self, request: &'a SearchRequest) -> Explainer<'a> {
        let rules = self.settings.rules.as_ref();
        let weights = rules.map(|rules| rules.current().weights()).unwrap_or_default();
        Explainer::new(request, self.settings.language, weights)
    }

    /// Answers searches on one state of the index, each as its JSON.
    pub(crate) async fn search_all(&self, asked: &[Asked]) -> Result<Vec<Made>, Problem> {
        let (requests, sampled) = self.with_picked_facets(asked).await?;
        let wide: Vec<SearchRequest> = requests.iter().map(with_room_for_a_tree).collect();
        let kind = if asked.len() == 1 { "search" } else { "searches" };
        let (mut answers, took) = self.ask(kind, &wide).await?;
        let mut all = Vec::with_capacity(asked.len());
        for ((asked, request), answer) in asked.iter().zip(&requests).zip(&mut answers) {
            self.complete_categories(request, answer).await?;
            let mut explanations = Vec::new();
            if asked.explains {
                let mut explainer = self.explainer(request);
                let explained =
                    answer.hits.iter().map(|hit| explainer.explain(&hit.product, Some(hit.score)));
                explanations.extend(explained);
            }
            let json = answer::search_json(request, answer, &explanations, took);
            let json = json.map_err(|error| unwritable(&error))?;
            let is_empty = answer.total == 0 && !request.words.is_empty();
            if is_empty {
                tracing::debug!(search.words = request.words, "a search found nothing");
            }
            let is_one_state = sampled.as_ref().is_none_or(|sampled| *sampled == answer.snapshot);
            let snapshot = is_one_state.then(|| answer.snapshot.clone());
            all.push(Made { json, is_empty, snapshot });
        }
        Ok(all)
    }

    /// The requests with the facets to count, and the state of the index that those were picked on.
    async fn with_picked_facets(
        &self,
        asked: &[Asked],
    ) -> Result<(Vec<SearchRequest>, Option<String>), Problem> {
        let mut requests: Vec<SearchRequest> = asked.iter().map(|asked| asked.request.clone()).collect();
        let picking = || asked.iter().zip(0..).filter(|(asked, _)| asked.picks_facets).map(|(_, at)| at);
        let samples: Vec<SearchRequest> = picking().map(|at: usize| picks::sample(&requests[at])).collect();
        if samples.is_empty() {
            return Ok((requests, None));
        }
        let (answers, _) = self.ask("sample", &samples).await?;
        for (at, sample) in picking().zip(&answers) {
            requests[at].facets = picks::picked(&requests[at], &sample.hits);
        }
        Ok((requests, answers.into_iter().next().map(|sample| sample.snapshot)))
    }

    /// Counts categories once more where there are too many to be sure that the tree has all that it shows.
    async fn complete_categories(
        &self,
        request: &SearchRequest,
        answer: &mut SearchAnswer,
    ) -> Result<(), Problem> {
        for (field, facet) in &mut answer.facets {
            let Facet::Values { values, distinct, .. } = facet else { continue };
            if *field != Field::Category || *distinct <= values.len() {
                continue;
            }
            let all = FacetRequest {
                search: request.clone(),
                field: Field::Category,
                prefix: String::new(),
                limit: (*distinct).min(MAX_CATEGORIES),
            };
            (*values, _) = self.facet_values(&all).await?;
        }
        Ok(())
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

/// Where categories are counted, a tree of them is shown, which takes more of them than the list.
fn with_room_for_a_tree(request: &SearchRequest) -> SearchRequest {
    let mut request = request.clone();
    if request.facets.contains(&Field::Category) {
        request.facet_values = request.facet_values.max(MAX_FACET_VALUES);
    }
    request
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
