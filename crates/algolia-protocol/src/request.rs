//! Reads the bodies of requests.

use std::collections::HashSet;

use domain::Currency;
use domain::search::{
    FacetRequest, Field, MAX_FACET_VALUES, MAX_FACETS, MAX_PAGE_SIZE, MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS,
    Page, PageStart, SearchRequest, Sort,
};
use serde_json::{Map, Value};

use crate::attribute::Attribute;
use crate::combine::Conditions;
use crate::error::{INDEX, RequestError};
use crate::highlight::Marks;
use crate::params::Params;
use crate::{filter_language, filters};

/// The most searches in one body.
pub const MAX_SEARCHES: usize = 50;
/// The default number of hits on a page.
const DEFAULT_HITS: usize = 20;
/// The default number of values of a facet.
const DEFAULT_VALUES: usize = 100;
/// The largest `maxFacetHits`.
const MAX_FACET_HITS: usize = 100;
/// The facet values returned if the request has no `maxFacetHits`.
const DEFAULT_FACET_HITS: usize = 10;
/// The most names in `facets`. Several names, such as levels of categories, may count the same field.
const MAX_NAMES: usize = 50;
/// The longest mark around matching words, in bytes. A response contains many marks.
const MAX_MARK_BYTES: usize = 100;
/// The default marks around matching words.
const DEFAULT_MARKS: (&str, &str) = ("<em>", "</em>");

/// One search of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// For products.
    Products(Box<ProductQuery>),
    /// For values of a facet.
    FacetValues(Box<FacetQuery>),
}

/// A search for products.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductQuery {
    /// The search. The caller must add the restriction of the credentials.
    pub request: SearchRequest,
    /// True if facets are also selected automatically: `facets: ["*"]`.
    pub auto_facets: bool,
    /// The form of the answer.
    pub view: View,
}

/// The form of the answer to a search for products.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The name of the index, as in the request.
    pub index: String,
    /// The number of the page, from 0.
    pub page: usize,
    /// The number of hits on a page; 0 for a search that only counts.
    pub hits_per_page: usize,
    /// True if the page is beyond the last one that can be reached, so it is empty.
    pub is_out_of_reach: bool,
    /// The attributes to count, by the names in the request.
    pub facets: Vec<String>,
    /// The most values of a facet.
    pub max_values: usize,
    /// The members of hits; all if `None`.
    pub attributes: Option<Vec<String>>,
    /// The marks around matching words.
    pub marks: Marks,
    /// True if the answer has a `queryID`.
    pub has_query_id: bool,
}

/// A search for values of a facet.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetQuery {
    /// The search. The caller must add the restriction of the credentials.
    pub request: FacetRequest,
    /// The attribute whose values are wanted.
    pub attribute: Attribute,
    /// The most values in the answer.
    pub max_hits: usize,
    /// The marks around the matching part.
    pub marks: Marks,
}

/// Reads the body of `/1/indexes/*/queries`: `{"requests": […]}`.
///
/// # Errors
/// If the body has another form or a search is invalid. The message names the position of the search, from 0, unless the index is
/// unknown.
pub fn read_queries(body: &[u8], currency: Currency) -> Result<Vec<Query>, RequestError> {
    let requests = read_requests(body, MAX_SEARCHES)?;
    let read = |(at, members): (usize, Map<String, Value>)| {
        read_query(members, currency).map_err(|error| match error {
            RequestError::Invalid(message) => RequestError::Invalid(format!("requests[{at}].{message}")),
            unknown @ RequestError::UnknownIndex(_) => unknown,
        })
    };
    requests.into_iter().enumerate().map(read).collect()
}

/// Reads the list `requests` of a body.
///
/// # Errors
/// If it is not JSON of this form, or has more than `max` elements.
pub fn read_requests(body: &[u8], max: usize) -> Result<Vec<Map<String, Value>>, RequestError> {
    let mut members = read_object(body)?;
    let Some(Value::Array(requests)) = members.remove("requests") else {
        return Err(RequestError::invalid("requests", "must be a list"));
    };
    if requests.len() > max {
        return Err(RequestError::invalid("requests", format!("has more than {max} elements")));
    }
    let object = |(at, request)| match request {
        Value::Object(members) => Ok(members),
        _ => Err(RequestError::Invalid(format!("requests[{at}]: must be an object"))),
    };
    requests.into_iter().enumerate().map(object).collect()
}

/// Reads a body as a JSON object. An empty body is an empty object.
///
/// # Errors
/// If it is anything else.
pub fn read_object(body: &[u8]) -> Result<Map<String, Value>, RequestError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body)
        .map_err(|error| RequestError::Invalid(format!("the body must be a JSON object: {error}")))
}

/// Reads a search for products in the index `name`.
///
/// # Errors
/// If a parameter is invalid.
pub fn read_product_query(
    name: &str,
    members: Map<String, Value>,
    currency: Currency,
) -> Result<ProductQuery, RequestError> {
    let mut params = Params::new(members)?;
    let query = product_query(name, &mut params, currency)?;
    params.finish()?;
    Ok(query)
}

/// Reads a search for values of the facet `facet` in the index `name`.
///
/// # Errors
/// If a parameter is invalid.
pub fn read_facet_query(
    name: &str,
    facet: &str,
    members: Map<String, Value>,
    currency: Currency,
) -> Result<FacetQuery, RequestError> {
    let mut params = Params::new(members)?;
    let query = facet_query(name, facet, &mut params, currency)?;
    params.finish()?;
    Ok(query)
}

fn read_query(members: Map<String, Value>, currency: Currency) -> Result<Query, RequestError> {
    let mut params = Params::new(members)?;
    let name = params.text("indexName")?.ok_or_else(|| RequestError::invalid("indexName", "is missing"))?;
    let kind = params.text("type")?;
    let facet = params.text("facet")?;
    let query = match (kind.as_deref(), facet) {
        (None | Some("default"), None) => {
            Query::Products(product_query(&name, &mut params, currency)?.into())
        }
        (Some("facet"), Some(facet)) => {
            Query::FacetValues(facet_query(&name, &facet, &mut params, currency)?.into())
        }
        (Some("facet"), None) => return Err(RequestError::invalid("facet", "is missing")),
        (None | Some("default"), Some(_)) => {
            return Err(RequestError::invalid("facet", "is only for searches of the type `facet`"));
        }
        (Some(_), _) => return Err(RequestError::invalid("type", "must be `default` or `facet`")),
    };
    params.finish()?;
    Ok(query)
}

/// Returns the sort order that an index name selects.
///
/// # Errors
/// If there is no such index.
pub fn sort_of(index: &str) -> Result<Sort, RequestError> {
    let unknown = || RequestError::UnknownIndex(index.to_owned());
    match index.strip_prefix(INDEX).ok_or_else(unknown)? {
        "" => Ok(Sort::Relevance),
        order => order.strip_prefix('_').and_then(Sort::parse).ok_or_else(unknown),
    }
}

fn product_query(name: &str, params: &mut Params, currency: Currency) -> Result<ProductQuery, RequestError> {
    let sort = sort_of(name)?;
    let mut request = read_conditions(params, currency)?;
    let hits_per_page = params.number("hitsPerPage", MAX_PAGE_SIZE)?.unwrap_or(DEFAULT_HITS);
    let page = params.number("page", MAX_PAGED_PRODUCTS)?.unwrap_or(0);
    let is_out_of_reach = (page + 1) * hits_per_page > MAX_PAGED_PRODUCTS;
    let start = if is_out_of_reach { 1 } else { page + 1 };
    request.page = Page { start: PageStart::Number(start), size: hits_per_page.max(1) };
    request.sort = sort;
    let mut facets = params.list("facets")?.unwrap_or_default();
    let auto_facets = facets.iter().any(|name| name == "*");
    let mut names = HashSet::new();
    facets.retain(|name| name != "*" && names.insert(name.clone()));
    if facets.len() > MAX_NAMES {
        return Err(RequestError::invalid("facets", format!("has more than {MAX_NAMES} names")));
    }
    request.facets = counted_fields(&facets)?;
    let max_values = params.number("maxValuesPerFacet", MAX_FACET_VALUES)?.unwrap_or(DEFAULT_VALUES);
    request.facet_values = max_values.max(1);
    let attributes = params.list("attributesToRetrieve")?;
    let view = View {
        index: name.to_owned(),
        page,
        hits_per_page,
        is_out_of_reach,
        facets,
        max_values,
        attributes: attributes.filter(|names| !names.iter().any(|name| name == "*")),
        marks: marks(params)?,
        has_query_id: params.flag("clickAnalytics"),
    };
    Ok(ProductQuery { request, auto_facets, view })
}

fn facet_query(
    name: &str,
    facet: &str,
    params: &mut Params,
    currency: Currency,
) -> Result<FacetQuery, RequestError> {
    sort_of(name)?;
    let prefix = params.text("facetQuery")?.unwrap_or_default();
    let max_hits = params.number("maxFacetHits", MAX_FACET_HITS)?.unwrap_or(DEFAULT_FACET_HITS);
    let attribute = Attribute::parse(facet);
    let field = match attribute.counted_field() {
        Some(field) if field != Field::Price => field,
        _ => return Err(RequestError::invalid("facet", format!("`{facet}` has no list of values"))),
    };
    let search = read_conditions(params, currency)?;
    let marks = marks(params)?;
    // Clients also send the parameters of a product search; they have no effect here.
    for name in ["facets", "page", "hitsPerPage", "maxValuesPerFacet", "attributesToRetrieve"] {
        params.json(name)?;
    }
    // Values of other levels are removed after counting.
    let limit = if matches!(attribute, Attribute::Level(_)) { MAX_FACET_VALUES } else { max_hits.max(1) };
    let prefix = prefix.chars().take(MAX_QUERY_CHARS).collect();
    Ok(FacetQuery { request: FacetRequest { search, field, prefix, limit }, attribute, max_hits, marks })
}

/// Reads the words and the conditions of a search.
fn read_conditions(params: &mut Params, currency: Currency) -> Result<SearchRequest, RequestError> {
    let words = params.text("query")?.unwrap_or_default();
    let mut conditions = Conditions::default();
    let mut count = 0;
    let mut add = |name: &str, groups: Result<Vec<filters::Group>, String>, source: FilterParameter| {
        let groups = groups.map_err(|error| RequestError::invalid(name, error))?;
        count += groups.iter().map(|group| group.conditions.len()).sum::<usize>();
        if count > filters::MAX_CONDITIONS {
            let message = format!("a search has at most {} conditions", filters::MAX_CONDITIONS);
            return Err(RequestError::invalid(name, message));
        }
        let added = match source {
            FilterParameter::Facets => conditions.add_facet_filters(&groups, currency),
            FilterParameter::Numbers => conditions.add_numeric_filters(&groups, currency),
            FilterParameter::Language => conditions.add_clauses(&groups, currency),
        };
        added.map_err(|error| RequestError::invalid(name, error))
    };
    add("facetFilters", filters::facet_filters(&params.json("facetFilters")?), FilterParameter::Facets)?;
    add(
        "numericFilters",
        filters::numeric_filters(&params.json("numericFilters")?),
        FilterParameter::Numbers,
    )?;
    let language = params.text("filters")?.unwrap_or_default();
    add("filters", filter_language::parse(&language), FilterParameter::Language)?;
    let Conditions { filters, clauses, .. } = conditions;
    Ok(SearchRequest {
        words: words.chars().take(MAX_QUERY_CHARS).collect(),
        filters,
        clauses,
        ..SearchRequest::all(currency)
    })
}

/// The parameter that conditions come from.
enum FilterParameter {
    Facets,
    Numbers,
    Language,
}

/// Returns the fields to count for attributes, each once.
fn counted_fields(names: &[String]) -> Result<Vec<Field>, RequestError> {
    let mut fields = Vec::new();
    for field in names.iter().filter_map(|name| Attribute::parse(name).counted_field()) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    match fields.len() <= MAX_FACETS {
        true => Ok(fields),
        false => Err(RequestError::invalid("facets", format!("a search counts at most {MAX_FACETS} facets"))),
    }
}

fn marks(params: &mut Params) -> Result<Marks, RequestError> {
    let start = params.text("highlightPreTag")?.unwrap_or_else(|| DEFAULT_MARKS.0.to_owned());
    let end = params.text("highlightPostTag")?.unwrap_or_else(|| DEFAULT_MARKS.1.to_owned());
    for (name, tag) in [("highlightPreTag", &start), ("highlightPostTag", &end)] {
        if tag.len() > MAX_MARK_BYTES {
            return Err(RequestError::invalid(name, format!("must have at most {MAX_MARK_BYTES} bytes")));
        }
    }
    Ok(Marks { start, end })
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
