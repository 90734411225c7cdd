//! The queries of one search: words, filters, pinned and hidden products.

use domain::ports::PortError;
use domain::search::{Field, SearchRequest};
use serde_json::{Map, Value, json};

use crate::search::facets::FacetCounter;
use crate::search::filters::{Filter, clause, filters, inside};
use crate::search::interpretation::Interpreter;
use crate::search::matching::{has_every_word, words_query};
use crate::search::query_dsl::{any_of, best_of};
use crate::search::snapshot::{Snapshot, is_active};
use crate::search::tuning::{boosted, hidden, pinned};
use crate::search::words::QueryWords;

/// A request converted to parts of a query.
pub(super) struct SearchPlan<'a> {
    pub(super) request: &'a SearchRequest,
    pub(super) query: QueryWords,
    filters: Vec<Filter>,
    clauses: Vec<Value>,
    inside: Vec<Value>,
    pub(super) pinned: Vec<Value>,
    hidden: Option<Value>,
    /// The filter for the products that the total and the facets count; `None` if they count all matches.
    counting: Option<Value>,
}

impl<'a> SearchPlan<'a> {
    /// Converts a request. `left_out` has the queries for products that the operators exclude.
    pub(super) fn new(request: &'a SearchRequest, snapshot: &Snapshot<'_>, left_out: &[Value]) -> Self {
        Self {
            request,
            query: QueryWords::as_typed(request, snapshot.language()),
            filters: filters(&request.filters, request.currency),
            clauses: request.clauses.iter().map(|each| clause(each, request.currency)).collect(),
            inside: inside(&request.restriction),
            pinned: pinned(request),
            hidden: hidden(request, left_out),
            counting: None,
        }
    }

    /// Decides which matches the total and the facets count. Requires that the optional words are known. If any product with every
    /// word passes the filters, only products with every word and pinned ones count, otherwise all matches.
    pub(super) async fn decide_counting(&mut self, interpreter: &Interpreter<'_>) -> Result<(), PortError> {
        if self.query.interpretation.optional.is_empty() {
            return Ok(());
        }
        let every_word = has_every_word(&self.query);
        let passing: Vec<Value> = std::iter::once(every_word.clone())
            .chain(self.filters_on(|_| true))
            .chain(self.clauses.clone())
            .collect();
        if interpreter.count_visible(passing).await? > 0 {
            let counting = std::iter::once(every_word).chain(self.pinned.iter().cloned());
            self.counting = Some(any_of(counting.collect()));
        }
        Ok(())
    }

    /// Returns the filter for the products that the total and the facets count; `None` if they count all matches.
    pub(super) fn counting(&self) -> Option<&Value> {
        self.counting.as_ref()
    }

    /// Returns the query for matching products inside the restriction that meet the clauses and pass the filters.
    pub(super) fn query(&self, filters: impl Iterator<Item = Value>) -> Value {
        let always = self.inside.iter().chain(&self.clauses).cloned();
        let filters: Vec<Value> = std::iter::once(is_active()).chain(always).chain(filters).collect();
        let mut query = Map::new();
        query.insert("filter".to_owned(), filters.into());
        query.insert("must_not".to_owned(), self.hidden.iter().cloned().collect());
        if self.has_scores() || !self.pinned.is_empty() {
            query.insert("must".to_owned(), self.scored());
        }
        json!({ "bool": query })
    }

    fn scored(&self) -> Value {
        let matching = if !self.query.words.is_empty() {
            words_query(&self.query, boosted(self.request))
        } else if self.has_scores() {
            boosted(self.request)
        } else {
            json!({ "match_all": { "boost": 0.0 } })
        };
        match self.pinned.as_slice() {
            [] => matching,
            // The score of a pinned product is above all others.
            pinned => best_of(&std::iter::once(matching).chain(pinned.iter().cloned()).collect::<Vec<_>>()),
        }
    }

    /// Returns true if scores may differ: the query has words, or there are boosts.
    pub(super) fn has_scores(&self) -> bool {
        !self.query.words.is_empty() || !self.request.tuning.boosts.is_empty()
    }

    /// Returns the filters on the fields that `selects` selects.
    pub(super) fn filters_on(&self, selects: impl Fn(&Field) -> bool) -> impl Iterator<Item = Value> {
        self.filters.iter().filter(move |filter| selects(&filter.field)).map(|filter| filter.query.clone())
    }

    /// Returns true if the request counts a facet of this field.
    pub(super) fn counts(&self, field: &Field) -> bool {
        self.request.facets.contains(field)
    }

    /// Returns the counter of a facet, which ignores the filter on its own field.
    pub(super) fn facet_counter<'b>(
        &'b self,
        snapshot: &'b Snapshot<'b>,
        facet: &'b Field,
    ) -> FacetCounter<'b> {
        let filters = self.filters_on(|field| field != facet);
        let query = self.query(filters.chain(self.counting.clone()));
        FacetCounter { snapshot, facet, currency: self.request.currency, query }
    }
}
