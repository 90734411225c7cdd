//! Writes the answers.

use std::time::Duration;

use domain::search::{Facet, FacetValue, Field, Hit, MAX_PAGED_PRODUCTS, SearchAnswer, SearchRequest};
use domain::{Currency, Money};
use serde_json::{Map, Value, json};

use crate::attribute::{Attribute, MAX_LEVELS};
use crate::highlight::mark_prefix;
use crate::hit::hit;
use crate::request::{FacetQuery, View};

/// Returns the answer to a search for products. `request` is the search as it ran, with the facets that were counted.
///
/// # Errors
/// If a product cannot be written as JSON.
pub fn products(
    request: &SearchRequest,
    view: &View,
    answer: &SearchAnswer,
    took: Duration,
    query_id: Option<&str>,
) -> Result<Value, serde_json::Error> {
    let words = request.words.split_whitespace().count();
    let is_shown = view.hits_per_page > 0 && !view.is_out_of_reach;
    let shown: &[Hit] = if is_shown { &answer.hits } else { &[] };
    let hits = shown.iter().map(|found| hit(found, view, words)).collect::<Result<Vec<_>, _>>()?;
    let count = answer.total + answer.relaxed_total.unwrap_or_default();
    let names = facet_names(request, view, answer);
    let (mut facets, mut stats) = (Map::new(), Map::new());
    for name in &names {
        let attribute = Attribute::parse(name);
        let Some(field) = attribute.counted_field() else { continue };
        let counted = answer.facets.iter().find(|(counted, _)| *counted == field);
        if let Some((_, facet)) = counted {
            facets.insert(name.clone(), counts(facet, &attribute, view.max_values));
            stats.extend(numbers(facet, request.currency).map(|numbers| (name.clone(), numbers)));
        }
    }
    let mut json = json!({
        "hits": hits,
        "nbHits": count,
        "page": view.page,
        "nbPages": pages(count, view.hits_per_page),
        "hitsPerPage": view.hits_per_page,
        "facets": facets,
        "facets_stats": stats,
        "exhaustiveFacetsCount": true,
        "exhaustiveNbHits": true,
        "exhaustiveTypo": true,
        "exhaustive": {"facetsCount": true, "nbHits": true, "typo": true},
        "query": request.words,
        "params": "",
        "index": view.index,
        "processingTimeMS": took.as_millis() as u64,
        "renderingContent": rendering(&names),
    });
    if let Some(id) = query_id {
        json["queryID"] = id.into();
    }
    Ok(json)
}

/// Returns the answer to a search for values of a facet.
pub fn facet_values(query: &FacetQuery, values: &[FacetValue], took: Duration) -> Value {
    let values = values.iter().filter(|value| is_of(&query.attribute, &value.value));
    let hits: Vec<Value> = values
        .map(|FacetValue { value, count }| {
            let highlighted = mark_prefix(value, &query.request.prefix, &query.tags);
            json!({"value": value, "highlighted": highlighted, "count": count})
        })
        .collect();
    json!({"facetHits": hits, "exhaustiveFacetsCount": true, "processingTimeMS": took.as_millis() as u64})
}

/// Returns the number of pages that can be reached.
fn pages(count: u64, hits_per_page: usize) -> u64 {
    match hits_per_page as u64 {
        0 => 0,
        size => count.div_ceil(size).min(MAX_PAGED_PRODUCTS as u64 / size),
    }
}

/// Returns the names of the attributes to answer: those of the request, then those that were selected automatically.
fn facet_names(request: &SearchRequest, view: &View, answer: &SearchAnswer) -> Vec<String> {
    let mut names = view.facets.clone();
    let is_named = |names: &[String], field: &Field| {
        names.iter().any(|name| Attribute::parse(name).counted_field().as_ref() == Some(field))
    };
    for field in &request.facets {
        if is_named(&view.facets, field) {
            continue;
        }
        match field {
            Field::Category => {
                let depth =
                    answer.facets.iter().find(|(counted, _)| counted == field).map(|(_, facet)| depth(facet));
                names.extend((0..depth.unwrap_or_default()).map(Attribute::level_name));
            }
            field => names.push(field.to_string()),
        }
    }
    names
}

/// Returns the number of levels of the categories of a facet.
fn depth(facet: &Facet) -> usize {
    let Facet::Values { values, .. } = facet else { return 0 };
    let depths = values.iter().map(|value| level_of(&value.value) + 1);
    depths.max().unwrap_or_default().min(MAX_LEVELS)
}

/// Returns the level of a category, from 0.
fn level_of(path: &str) -> usize {
    path.matches(" > ").count()
}

fn is_of(attribute: &Attribute, value: &str) -> bool {
    match attribute {
        Attribute::Level(level) => level_of(value) == *level,
        Attribute::Field(_) | Attribute::InStock => true,
    }
}

/// Returns the values of an attribute with their counts. A price has no values, only numbers.
fn counts(facet: &Facet, attribute: &Attribute, max: usize) -> Value {
    let Facet::Values { values, .. } = facet else { return json!({}) };
    let own = values.iter().filter(|value| is_of(attribute, &value.value)).take(max);
    own.map(|FacetValue { value, count }| (value.clone(), Value::from(*count))).collect::<Map<_, _>>().into()
}

/// Returns the lowest and the highest number of a facet.
fn numbers(facet: &Facet, currency: Currency) -> Option<Value> {
    match facet {
        Facet::Price(prices) => {
            let prices = prices.as_ref()?;
            let amount = |minor_units| {
                let money = Money::from_minor_units(minor_units, currency).ok()?;
                serde_json::from_str::<Value>(money.to_json_number().get()).ok()
            };
            Some(json!({"min": amount(prices.min)?, "max": amount(prices.max)?}))
        }
        Facet::Values { numbers, .. } => {
            numbers.as_ref().map(|numbers| json!({"min": numbers.min, "max": numbers.max}))
        }
    }
}

/// Returns the order in which dynamic widgets show facets.
fn rendering(names: &[String]) -> Value {
    let values: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({"sortRemainingBy": "count"}))).collect();
    json!({"facetOrdering": {"facets": {"order": names}, "values": values}})
}
