//! Runs searches on the index and measures their duration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::problems::{OrProblem as _, SEARCH_INDEX, serialization_failed};
use domain::ports::{Indexed, IndexedState};
use domain::search::{
    Facet, FacetRequest, FacetValue, Field, MAX_FACET_VALUES, Restriction, SearchAnswer, SearchRequest,
    Tuning,
};
use domain::{Product, ProductId};
use jiff::Timestamp;
use runtime::Problem;
use runtime::server_timing::{self, Phase};
use text::explain::Explainer;
use text::operators::Operators;

use crate::metrics::{Outcome, SEARCH_SECONDS};
use crate::respond::RenderedResponse;
use crate::search_service::SearchService;
use crate::{answer, auto_facets, explanation};
use search_parameters::{self as parameters, Endpoint, ParsedSearch};

/// The most categories to count for a tree.
const MAX_CATEGORIES: usize = 100_000;

/// Returns the cache key of a response: the restriction, the endpoint's path, the canonical request and the rules in effect.
pub(crate) fn cache_key(path: &str, endpoint: Endpoint, parsed: &ParsedSearch) -> String {
    let mut parameters = parameters::write(endpoint, parsed);
    if parsed.is_truncated {
        // No parameter has an empty name.
        parameters.push_str("&=truncated");
    }
    let mut key = with_tuning(path, &parameters, &parsed.request.tuning);
    if !parsed.request.clauses.is_empty() {
        // The debug form shows every field.
        key.push_str(&format!("#{:?}", parsed.request.clauses));
    }
    match parsed.request.restriction.name() {
        "" => key,
        // The restriction comes first: no path begins with `<`, but the path of a facet may contain any character.
        name => format!("<{name}>{key}"),
    }
}

fn with_tuning(path: &str, parameters: &str, tuning: &Tuning) -> String {
    match tuning.is_empty() {
        true => format!("{path}?{parameters}"),
        // The debug form shows every field.
        false => format!("{path}?{parameters}#{tuning:?}"),
    }
}

/// A search that ran.
pub(crate) struct Executed {
    /// The search, with the facets that were selected automatically.
    pub(crate) request: SearchRequest,
    /// The answer. A facet of categories has all categories, not only the most frequent ones.
    pub(crate) answer: SearchAnswer,
    /// True if the facets were selected on the snapshot of the answer.
    is_one_snapshot: bool,
}

impl SearchService {
    /// Adds the shop's rules that apply to the search now.
    pub(crate) fn apply_rules(&self, parsed: ParsedSearch) -> ParsedSearch {
        let Some(rules) = &self.settings.rules else { return parsed };
        let request = parsed.request;
        // Excluded words trigger no rule.
        let words = Operators::of(&request).plain;
        let tuning = rules.current().tuning(&words, request.currency, Timestamp::now());
        ParsedSearch { request: SearchRequest { tuning, ..request }, ..parsed }
    }

    /// Returns an explainer for the products of a search, with the field weights of the shop's rules.
    pub(crate) fn explainer<'a>(&self, request: &'a SearchRequest) -> Explainer<'a> {
        let rules = self.settings.rules.as_ref();
        let weights = rules.map(|rules| rules.current().weights()).unwrap_or_default();
        Explainer::new(request, self.settings.language, weights)
    }

    /// Runs searches on one snapshot of the index. Returns each with its answer, and the duration.
    ///
    /// # Errors
    /// If the index fails.
    pub(crate) async fn execute_all(
        &self,
        searches: &[ParsedSearch],
    ) -> Result<(Vec<Executed>, Duration), Problem> {
        let (requests, sampled) = self.with_auto_facets(searches).await?;
        let wide: Vec<SearchRequest> = requests.iter().map(with_room_for_a_tree).collect();
        let kind = if searches.len() == 1 { "search" } else { "searches" };
        let (answers, took) = self.query_index(kind, &wide).await?;
        let mut all = Vec::with_capacity(searches.len());
        for (parsed, (mut request, mut answer)) in searches.iter().zip(requests.into_iter().zip(answers)) {
            if parsed.auto_facets {
                auto_facets::remove_rare(&mut request, &parsed.request.facets, &mut answer);
            }
            self.complete_categories(&request, &mut answer).await?;
            let is_one_snapshot = sampled.as_ref().is_none_or(|sampled| *sampled == answer.snapshot);
            all.push(Executed { request, answer, is_one_snapshot });
        }
        Ok((all, took))
    }

    /// Runs searches on one snapshot of the index, and renders each answer.
    ///
    /// # Errors
    /// If the index fails.
    pub(crate) async fn search_all(
        &self,
        searches: &[ParsedSearch],
    ) -> Result<Vec<RenderedResponse>, Problem> {
        let (executed, took) = self.execute_all(searches).await?;
        let mut all = Vec::with_capacity(searches.len());
        for (parsed, Executed { request, answer, is_one_snapshot }) in searches.iter().zip(&executed) {
            let mut explanations = Vec::new();
            if parsed.explain {
                let mut explainer = self.explainer(request);
                let explained =
                    answer.hits.iter().map(|hit| explainer.explain(&hit.product, Some(hit.score)));
                explanations.extend(explained);
            }
            let explanations = explanations.iter().map(explanation::to_wire);
            let json = server_timing::measure(Phase::Json, || {
                answer::search_json(parsed, request, answer, explanations, took)
            });
            let json = json.map_err(|error| serialization_failed(&error))?;
            let outcome = Outcome::of(request, answer);
            if outcome == Outcome::Nothing {
                tracing::debug!(search.words = request.words, "a search found nothing");
            }
            let snapshot = is_one_snapshot.then(|| answer.snapshot.clone());
            all.push(RenderedResponse { json, outcome, snapshot, may_be_kept: true });
        }
        Ok(all)
    }

    /// Returns the requests with the facets to count, and the snapshot on which automatic facets were selected.
    async fn with_auto_facets(
        &self,
        searches: &[ParsedSearch],
    ) -> Result<(Vec<SearchRequest>, Option<String>), Problem> {
        let mut requests: Vec<SearchRequest> = searches.iter().map(|parsed| parsed.request.clone()).collect();
        let selecting =
            || searches.iter().zip(0..).filter(|(parsed, _)| parsed.auto_facets).map(|(_, at)| at);
        let samples: Vec<SearchRequest> =
            selecting().map(|at: usize| auto_facets::sample(&requests[at])).collect();
        if samples.is_empty() {
            return Ok((requests, None));
        }
        let (answers, _) = self.query_index("sample", &samples).await?;
        for (at, sample) in selecting().zip(&answers) {
            requests[at].facets = auto_facets::select_facets(&requests[at], auto_facets::counted(sample));
        }
        Ok((requests, answers.into_iter().next().map(|sample| sample.snapshot)))
    }

    /// Counts all categories if the answer has only the most frequent ones, because the tree may show others.
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

    /// Runs searches on one snapshot of the index. Returns the answers and the duration.
    pub(crate) async fn query_index(
        &self,
        kind: &'static str,
        requests: &[SearchRequest],
    ) -> Result<(Vec<SearchAnswer>, Duration), Problem> {
        let start = Instant::now();
        let answers = self.index.search_all(requests).await.or_problem(SEARCH_INDEX)?;
        Ok((answers, record_duration(kind, start)))
    }

    /// Runs one search.
    pub(crate) async fn query_index_once(
        &self,
        kind: &'static str,
        request: &SearchRequest,
    ) -> Result<(SearchAnswer, Duration), Problem> {
        let (answers, took) = self.query_index(kind, std::slice::from_ref(request)).await?;
        Ok((answers.into_iter().next().ok_or_else(Problem::internal)?, took))
    }

    /// Returns the product for each id, in order; `None` if it is not active or outside the restriction.
    pub(crate) async fn active_products(
        &self,
        ids: &[ProductId],
        restriction: &Restriction,
    ) -> Result<Vec<Option<Arc<Product>>>, Problem> {
        let indexed = self.index.get(ids).await.or_problem(SEARCH_INDEX)?;
        let active = indexed.into_iter().map(|indexed| match indexed {
            Some(Indexed { state: IndexedState::Active(product), .. }) => {
                Some(product).filter(|product| restriction.accepts(&product.content))
            }
            _ => None,
        });
        Ok(active.collect())
    }

    /// Returns the values of a facet and their snapshot. The snapshot is `None` if the index may have changed meanwhile.
    pub(crate) async fn facet_values(
        &self,
        request: &FacetRequest,
    ) -> Result<(Vec<FacetValue>, Option<String>), Problem> {
        let before = self.newest_snapshot().await?;
        let start = Instant::now();
        let values = self.index.facet_values(request).await.or_problem(SEARCH_INDEX)?;
        record_duration("facet_values", start);
        let is_same = before.is_some() && before == self.newest_snapshot().await?;
        Ok((values, before.filter(|_| is_same)))
    }
}

/// Returns the request. If it counts categories, raises the number of facet values, because their tree needs more than the list.
fn with_room_for_a_tree(request: &SearchRequest) -> SearchRequest {
    let mut request = request.clone();
    if request.facets.contains(&Field::Category) {
        request.facet_values = request.facet_values.max(MAX_FACET_VALUES);
    }
    request
}

fn record_duration(kind: &'static str, start: Instant) -> Duration {
    let took = start.elapsed();
    metrics::histogram!(SEARCH_SECONDS, "kind" => kind).record(took.as_secs_f64());
    took
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::Restriction;
    use domain::{Currency, ProductId};

    #[test]
    fn a_restriction_is_part_of_a_cache_key() {
        let key = |filter: &str| {
            let restriction = match filter {
                "" => Restriction::default(),
                filter => parameters::read_filter(filter, Currency::USD).unwrap(),
            };
            let parsed = parameters::read(Endpoint::Search, "brand=Acme", Currency::USD).unwrap();
            cache_key("search", Endpoint::Search, &parsed.restricted_to(&restriction).unwrap())
        };
        assert_eq!(key(""), "search?brand=Acme&currency=USD");
        let keys = [key(""), key("brand=Acme"), key("brand=Acme&currency=EUR"), key("brand=Acme&brand=B")];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other != one), "{one}");
        }
        assert_eq!(key("brand=Acme"), key("brand=Acme&brand=Acme"));
    }

    #[test]
    fn what_rules_decide_is_part_of_a_cache_key() {
        let pinning = |id| Tuning { pinned: vec![ProductId::parse(id).unwrap()], ..Tuning::default() };
        let nothing = with_tuning("search", "query=tea", &Tuning::default());
        assert_eq!(nothing, "search?query=tea");
        let (a, b) = (
            with_tuning("search", "query=tea", &pinning("a")),
            with_tuning("search", "query=tea", &pinning("b")),
        );
        assert!(a != nothing && a != b);
        assert_eq!(a, with_tuning("search", "query=tea", &pinning("a")));
    }
}
