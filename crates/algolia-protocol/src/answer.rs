//! Renders answers as JSON.

use std::time::Duration;

use domain::search::{Facet, FacetValue, Field, Hit, MAX_PAGED_PRODUCTS, SearchAnswer, SearchRequest};
use domain::{Currency, Money};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::attribute::Attribute;
use crate::highlight::mark_prefix;
use crate::hit::HitObject;
use crate::request::{FacetQuery, View};

/// The answer to a search for products.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductsAnswer<'a> {
    hits: Vec<HitObject<'a>>,
    nb_hits: u64,
    page: usize,
    nb_pages: u64,
    hits_per_page: usize,
    facets: Map<String, Value>,
    #[serde(rename = "facets_stats")]
    facets_stats: Map<String, Value>,
    exhaustive_facets_count: bool,
    exhaustive_nb_hits: bool,
    exhaustive_typo: bool,
    query: &'a str,
    params: &'a str,
    index: &'a str,
    #[serde(rename = "processingTimeMS")]
    processing_time: u64,
    rendering_content: Value,
    #[serde(rename = "queryID", skip_serializing_if = "Option::is_none")]
    query_id: Option<&'a str>,
    /// The number of products found that lack words. This member and the next two are Noren's own, as in `GET /products/search`.
    #[serde(skip_serializing_if = "Option::is_none")]
    relaxed_total: Option<u64>,
    /// The words that products may lack.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    relaxed: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_query: Option<&'a str>,
}

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
) -> Result<Box<RawValue>, serde_json::Error> {
    // Excluded words do not count, because no hit has them.
    let words = request.words.split_whitespace().filter(|word| !word.starts_with('-')).count();
    let is_shown = view.hits_per_page > 0 && !view.is_out_of_reach;
    let shown: &[Hit] = if is_shown { &answer.hits } else { &[] };
    let count = answer.total + answer.relaxed_total.unwrap_or_default();
    let names = facet_names(request, view, answer);
    let (mut facets, mut facets_stats) = (Map::new(), Map::new());
    for name in &names {
        let attribute = Attribute::parse(name);
        let Some(field) = attribute.counted_field() else { continue };
        if let Some((_, facet)) = answer.facets.iter().find(|(counted, _)| *counted == field) {
            facets.insert(name.clone(), counts(facet, &attribute, view.max_values));
            facets_stats.extend(stats(facet, request.currency).map(|numbers| (name.clone(), numbers)));
        }
    }
    to_raw_value(&ProductsAnswer {
        hits: shown.iter().map(|hit| HitObject { hit, view, words }).collect(),
        nb_hits: count,
        page: view.page,
        nb_pages: pages(count, view.hits_per_page),
        hits_per_page: view.hits_per_page,
        facets,
        facets_stats,
        exhaustive_facets_count: true,
        exhaustive_nb_hits: true,
        exhaustive_typo: true,
        query: &request.words,
        params: "",
        index: &view.index,
        processing_time: took.as_millis() as u64,
        rendering_content: rendering_content(&names),
        query_id,
        relaxed_total: answer.relaxed_total,
        relaxed: &answer.relaxed,
        corrected_query: answer.corrected_query.as_deref(),
    })
}

/// Returns the answer to a search for values of a facet.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn facet_values(
    query: &FacetQuery,
    values: &[FacetValue],
    took: Duration,
) -> Result<Box<RawValue>, serde_json::Error> {
    let values = values.iter().filter(|value| has_level(&query.attribute, &value.value));
    let hits: Vec<Value> = values
        .take(query.max_hits)
        .map(|FacetValue { value, count }| {
            let highlighted = mark_prefix(value, &query.request.prefix, &query.marks);
            json!({"value": value, "highlighted": highlighted, "count": count})
        })
        .collect();
    let took = took.as_millis() as u64;
    to_raw_value(&json!({"facetHits": hits, "exhaustiveFacetsCount": true, "processingTimeMS": took}))
}

/// Returns the number of pages that can be reached.
fn pages(count: u64, hits_per_page: usize) -> u64 {
    match hits_per_page as u64 {
        0 => 0,
        size => count.div_ceil(size).min(MAX_PAGED_PRODUCTS as u64 / size),
    }
}

/// Returns the names of the facets: those of the request first, then those that were selected automatically.
fn facet_names(request: &SearchRequest, view: &View, answer: &SearchAnswer) -> Vec<String> {
    let is_counted = |name: &&String| Attribute::parse(name).counted_field().is_some();
    let mut names: Vec<String> = view.facets.iter().filter(is_counted).cloned().collect();
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
    depths.max().unwrap_or_default()
}

/// Returns the level of a category, from 0.
fn level_of(path: &str) -> usize {
    path.matches(" > ").count()
}

fn has_level(attribute: &Attribute, value: &str) -> bool {
    match attribute {
        Attribute::Level(level) => level_of(value) == *level,
        Attribute::Field(_) | Attribute::InStock => true,
    }
}

/// Returns the values of an attribute with their counts. A price has no values, only numbers.
fn counts(facet: &Facet, attribute: &Attribute, max: usize) -> Value {
    let Facet::Values { values, .. } = facet else { return json!({}) };
    let own = values.iter().filter(|value| has_level(attribute, &value.value)).take(max);
    own.map(|FacetValue { value, count }| (value.clone(), Value::from(*count))).collect::<Map<_, _>>().into()
}

/// Returns the lowest and the highest number of a facet.
fn stats(facet: &Facet, currency: Currency) -> Option<Value> {
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
fn rendering_content(names: &[String]) -> Value {
    let values: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({"sortRemainingBy": "count"}))).collect();
    json!({"facetOrdering": {"facets": {"order": names}, "values": values}})
}
