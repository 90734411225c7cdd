//! What a shop decided about a search: products that come first, that are not shown, and that rank higher or lower.

use domain::search::{Boost, SearchRequest, Sort};
use serde_json::{Value, json};
use text::score::{PINNED_SCORE, STEP, UNBOOSTED_STEPS, boost_steps};

use crate::filters::{all_of, constant, filters, none_of, term};
use crate::schema::field;

/// What the boosts of a product add up to, from `_score`, which is never below zero.
const SUM_OF_BOOSTS: &str = "Math.max(0.0, Math.min(params.most, params.least + _score))";

/// Products that are neither found nor counted; none where all are.
pub(crate) fn hidden(request: &SearchRequest) -> Option<Value> {
    let hidden = &request.tuning.hidden;
    let ids: Vec<&str> = hidden.iter().map(domain::ProductId::as_str).collect();
    (!ids.is_empty()).then(|| json!({ "terms": { field::ID: ids } }))
}

/// Each product that comes first, with its score.
pub(crate) fn pinned(request: &SearchRequest) -> Vec<Value> {
    if request.sort != Sort::Relevance {
        return Vec::new();
    }
    let pinned = request.tuning.pinned.iter().enumerate();
    pinned.map(|(at, id)| constant(&term(field::ID, id.as_str()), PINNED_SCORE - at as f32)).collect()
}

/// All products, with what boosts leave of the room that is kept for them.
pub(crate) fn boosted(request: &SearchRequest) -> Value {
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
            boosts.push(constant(&passing, by));
        } else if by < 0.0 {
            // No score is negative: what is taken from those that pass is given to all others.
            boosts.push(constant(&none_of(&passing), -by));
            least += by;
        }
    }
    let sum = json!({ "bool": { "filter": [{ "match_all": {} }], "should": boosts } });
    let params = json!({ "least": least, "most": 2.0 * unboosted });
    json!({ "script_score": { "query": sum, "script": { "source": SUM_OF_BOOSTS, "params": params } } })
}
