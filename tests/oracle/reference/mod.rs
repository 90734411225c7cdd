//! A brute-force search, written straight from the documentation of the port.

mod filters;
mod operators;
mod spelling;
mod words;

use std::sync::{Arc, LazyLock};

use domain::ports::{Indexed, IndexedState};
use domain::search::{
    Direction, Facet, FacetRequest, FacetValue, Field, MAX_BOOST, SearchRequest, Sort, is_searchable,
};
use domain::{Language, Product, Version};
use text::collation::Collation;

use filters::{INSIDE, counts, facet, failed_of, fit, passes, price};
use words::{QueryWord, class, has_every_word, read};

pub(crate) use filters::is_inside;
pub(crate) use words::folded;

/// The order of names in the language of the catalogue.
static NAMES: LazyLock<Collation> = LazyLock::new(|| Collation::new(Language::English));

/// The expected result.
pub(crate) struct Found<'a> {
    /// In order, except by relevance with words.
    pub(crate) products: Vec<FoundProduct<'a>>,
    pub(crate) facets: Vec<(Field, Facet)>,
    pub(crate) has_words: bool,
    /// Optional words, folded.
    pub(crate) relaxed: Vec<String>,
    /// The number of products that count.
    pub(crate) total: u64,
    /// The number of the others; `None` if all count.
    pub(crate) relaxed_total: Option<u64>,
}

#[derive(Clone)]
pub(crate) struct FoundProduct<'a> {
    pub(crate) product: &'a Arc<Product>,
    /// The rank among pinned products, higher is earlier; 0 if it is not pinned.
    pub(crate) pinned: usize,
    /// True if it has every word, optional ones included.
    pub(crate) is_complete: bool,
    pub(crate) class: Class,
}

/// The number of exact matches, of prefix matches, and the points of matches with typos; higher ranks first.
pub(crate) type Class = [usize; 3];

pub(crate) fn search<'a>(
    products: impl Iterator<Item = &'a Arc<Product>>,
    request: &SearchRequest,
) -> Found<'a> {
    let products = visible(products, request);
    let (query, relaxed) = read(request, &products);
    let matching = with_pinned(&products, &query, !relaxed.is_empty(), request);
    let counting = counting(matching.clone(), request);
    let facets =
        request.facets.iter().map(|field| (field.clone(), facet(&counting, field, request))).collect();
    let is_passing = |found: &FoundProduct<'_>| passes(found.product, request);
    let total = counting.iter().filter(|found| is_passing(found)).count() as u64;
    let has_complete = matching.iter().any(|found| found.is_complete && is_passing(found));
    let mut products: Vec<_> = matching.into_iter().filter(is_passing).collect();
    let relaxed_total = has_complete.then(|| products.len() as u64 - total);
    products.sort_by(|a, b| b.pinned.cmp(&a.pinned).then_with(|| compare(a.product, b.product, request)));
    Found { products, facets, has_words: !query.is_empty(), relaxed, total, relaxed_total }
}

/// Returns the products that count: if some words are optional and products with every word pass the filters, these and
/// pinned products, otherwise all.
fn counting<'a>(matching: Vec<FoundProduct<'a>>, request: &SearchRequest) -> Vec<FoundProduct<'a>> {
    let is_passing = |found: &FoundProduct<'_>| passes(found.product, request);
    let has_complete = matching.iter().any(|found| found.is_complete && is_passing(found));
    let counts = |found: &FoundProduct<'_>| !has_complete || found.is_complete || found.pinned > 0;
    matching.into_iter().filter(counts).collect()
}

/// Returns the products that the client may find.
fn visible<'a>(
    products: impl Iterator<Item = &'a Arc<Product>>,
    request: &SearchRequest,
) -> Vec<&'a Arc<Product>> {
    let is_visible = |product: &Product| is_searchable(product) && is_inside(product, &request.restriction);
    products.filter(|product| is_visible(product)).collect()
}

fn matching<'a>(products: &[&'a Arc<Product>], query: &[QueryWord]) -> Vec<FoundProduct<'a>> {
    let found = |product: &&'a Arc<Product>| {
        Some(FoundProduct { product, pinned: 0, is_complete: false, class: class(product, query)? })
    };
    products.iter().filter_map(found).collect()
}

/// Returns the matches of the words and the pinned products, without the hidden ones.
fn with_pinned<'a>(
    products: &[&'a Arc<Product>],
    query: &[QueryWord],
    is_relaxed: bool,
    request: &SearchRequest,
) -> Vec<FoundProduct<'a>> {
    let pinned = if request.sort == Sort::Relevance { request.tuning.pinned.as_slice() } else { &[] };
    let mut found = Vec::new();
    for product in shown(products, request) {
        let place = pinned.iter().position(|id| *id == product.id);
        let pinned = place.map_or(0, |place| pinned.len() - place);
        let is_complete = is_relaxed && has_every_word(product, query);
        match class(product, query) {
            Some(class) => found.push(FoundProduct { product, pinned, is_complete, class }),
            None if pinned > 0 => {
                found.push(FoundProduct { product, pinned, is_complete, class: Class::default() });
            }
            None => {}
        }
    }
    found
}

/// Returns the products that neither the shop nor the operators of the query exclude.
fn shown<'a>(products: &[&'a Arc<Product>], request: &SearchRequest) -> Vec<&'a Arc<Product>> {
    let operators = operators::parse(request);
    let is_shown = |product: &&&Arc<Product>| {
        !request.tuning.hidden.contains(&product.id) && operators::passes(product, &operators)
    };
    products.iter().filter(is_shown).copied().collect()
}

/// Returns what an index holds of a product or its tombstone.
pub(crate) fn indexed(version: Version, product: Option<&Arc<Product>>) -> Indexed {
    let state = match product {
        None => IndexedState::Deleted,
        Some(product) if is_searchable(product) => IndexedState::Active(Arc::clone(product)),
        Some(_) => IndexedState::Hidden,
    };
    Indexed { version, state }
}

pub(crate) fn facet_values<'a>(
    products: impl Iterator<Item = &'a Arc<Product>>,
    request: &FacetRequest,
) -> Vec<FacetValue> {
    let products = visible(products, &request.search);
    let (query, relaxed) = read(&request.search, &products);
    let matching = with_pinned(&products, &query, !relaxed.is_empty(), &request.search);
    let matching = counting(matching, &request.search);
    let mut counted = counts(&matching, &request.field, &request.search);
    let fit = |value: &FacetValue| fit(&request.prefix, &value.value);
    let exact = counted.iter().filter(|value| fit(value).is_some_and(|fit| fit <= INSIDE)).count();
    counted.retain(|value| fit(value).is_some_and(|fit| fit <= INSIDE || exact < request.limit));
    counted.sort_by_key(fit);
    counted.truncate(request.limit);
    counted
}

fn compare(a: &Product, b: &Product, request: &SearchRequest) -> std::cmp::Ordering {
    // Products without a value come last.
    let ascending = |product| price(product, request).map_or((true, 0), |price| (false, price));
    let descending = |product| price(product, request).map_or((true, 0), |price| (false, -price));
    let by_key = match &request.sort {
        Sort::Relevance => boost(b, request).total_cmp(&boost(a, request)),
        Sort::PriceAsc => ascending(a).cmp(&ascending(b)),
        Sort::PriceDesc => descending(a).cmp(&descending(b)),
        Sort::Newest => b.created_at.cmp(&a.created_at),
        Sort::Name => NAMES.key(&a.content.name).cmp(&NAMES.key(&b.content.name)),
        Sort::Attribute { key, direction } => compare_attributes(a, b, key, *direction),
    };
    by_key.then_with(|| a.id.cmp(&b.id))
}

/// Compares the values of an attribute: numbers, then texts; in descending order the other way round. Products without any
/// come last.
fn compare_attributes(a: &Product, b: &Product, key: &str, direction: Direction) -> std::cmp::Ordering {
    let values = |product: &Product| -> Vec<(f64, String)> {
        let value = product.content.attributes.get(key);
        match value.map(|value| (value, value.as_number())) {
            None => Vec::new(),
            Some((_, Some(number))) => vec![(number, String::new())],
            Some((value, None)) => {
                // Of a long text, the beginning counts, then a hash.
                let term = |text: std::borrow::Cow<'_, str>| text::attributes::attribute_term(key, &text);
                value.facet_values().map(|text| (f64::INFINITY, term(text))).collect()
            }
        }
    };
    let compare = |a: &(f64, String), b: &(f64, String)| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1));
    let first = |product: &Product| match direction {
        Direction::Ascending => values(product).into_iter().min_by(compare),
        Direction::Descending => values(product).into_iter().max_by(compare),
    };
    match (first(a), first(b), direction) {
        (None, None, _) => std::cmp::Ordering::Equal,
        (a, None, _) if a.is_some() => std::cmp::Ordering::Less,
        (Some(a), Some(b), Direction::Ascending) => compare(&a, &b),
        (Some(a), Some(b), Direction::Descending) => compare(&b, &a),
        _ => std::cmp::Ordering::Greater,
    }
}

/// Returns the boost of a product.
fn boost(product: &Product, request: &SearchRequest) -> f32 {
    let boosts = request.tuning.boosts.iter();
    let own = boosts.filter(|boost| failed_of(product, &boost.filters, request).is_empty());
    own.map(|boost| boost.by).sum::<f32>().clamp(-MAX_BOOST, MAX_BOOST)
}
