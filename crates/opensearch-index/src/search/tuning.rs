//! Converts a shop's decisions about a search to queries: pinned, hidden and boosted products.

use domain::search::{Boost, SearchRequest, Sort};
use serde_json::{Value, json};
use text::score::{PINNED_SCORE, STEP, UNBOOSTED_STEPS, boost_steps};

use crate::layout::schema::field;
use crate::search::filters::filters;
use crate::search::query_dsl::{all_of, any_of, constant_score, none_of, term};

/// Adds `_score`, which is never negative, to the lowest possible sum of boosts, and keeps the result within its
/// bounds.
const BOOST_SCRIPT: &str = "Math.max(0.0, Math.min(params.most, params.least + _score))";

/// Returns the query for products that neither match nor count: those that the shop hides, and those that the operators of the
/// query exclude. Returns `None` if there are none.
pub(super) fn hidden(request: &SearchRequest, left_out: &[Value]) -> Option<Value> {
    let hidden = &request.tuning.hidden;
    let ids: Vec<&str> = hidden.iter().map(domain::ProductId::as_str).collect();
    let by_id = (!ids.is_empty()).then(|| json!({ "terms": { field::ID: ids } }));
    let all: Vec<Value> = by_id.into_iter().chain(left_out.iter().cloned()).collect();
    (!all.is_empty()).then(|| any_of(all))
}

/// Returns a query for each pinned product, with its score. Products are pinned only in a list by relevance.
pub(super) fn pinned(request: &SearchRequest) -> Vec<Value> {
    if request.sort != Sort::Relevance {
        return Vec::new();
    }
    let pinned = request.tuning.pinned.iter().enumerate();
    pinned.map(|(at, id)| constant_score(&term(field::ID, id.as_str()), PINNED_SCORE - at as f32)).collect()
}

/// Returns the query that matches all products and scores each by its boosts, never below zero.
pub(super) fn boosted(request: &SearchRequest) -> Value {
    let unboosted = UNBOOSTED_STEPS as f32 * STEP;
    if request.tuning.boosts.is_empty() {
        return json!({ "match_all": { "boost": unboosted } });
    }
    let (mut boosts, mut least) = (Vec::new(), unboosted);
    for Boost { filters: wanted, by } in &request.tuning.boosts {
        let passing =
            all_of(filters(wanted, request.currency).into_iter().map(|filter| filter.query).collect());
        let by = boost_steps(*by) as f32 * STEP;
        if by > 0.0 {
            boosts.push(constant_score(&passing, by));
        } else if by < 0.0 {
            // OpenSearch allows no negative score. Instead of lowering the products that pass, this raises all others
            // and lowers the base of all.
            boosts.push(constant_score(&none_of(&passing), -by));
            least += by;
        }
    }
    let sum = json!({ "bool": { "filter": [{ "match_all": {} }], "should": boosts } });
    let params = json!({ "least": least, "most": 2.0 * unboosted });
    json!({ "script_score": { "query": sum, "script": { "source": BOOST_SCRIPT, "params": params } } })
}
