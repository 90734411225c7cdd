//! A brute-force search, written straight from the documentation of the port.

mod filters;
mod spelling;
mod words;

use std::sync::Arc;

use domain::ports::{Indexed, IndexedState};
use domain::search::{
    Facet, FacetRequest, FacetValue, Field, MAX_BOOST, SearchRequest, Sort, is_searchable, name_sort_key,
};
use domain::{Product, Version};

use filters::{INSIDE, counts, facet, failed, failed_of, fit, price};
use words::{QueryWord, class, read};

pub(crate) use filters::is_inside;
pub(crate) use words::folded;

/// The expected result.
pub(crate) struct Found<'a> {
    /// In order, except by relevance with words.
    pub(crate) products: Vec<FoundProduct<'a>>,
    pub(crate) facets: Vec<(Field, Facet)>,
    pub(crate) has_words: bool,
    /// Optional words, folded.
    pub(crate) relaxed: Vec<String>,
}

pub(crate) struct FoundProduct<'a> {
    pub(crate) product: &'a Arc<Product>,
    /// The rank among pinned products, higher is earlier; 0 if it is not pinned.
    pub(crate) pinned: usize,
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
    let matching = with_pinned(&products, &query, request);
    let facets =
        request.facets.iter().map(|field| (field.clone(), facet(&matching, field, request))).collect();
    let mut products: Vec<_> =
        matching.into_iter().filter(|found| failed(found.product, request).is_empty()).collect();
    products.sort_by(|a, b| b.pinned.cmp(&a.pinned).then_with(|| compare(a.product, b.product, request)));
    Found { products, facets, has_words: !query.is_empty(), relaxed }
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
    let found =
        |product: &&'a Arc<Product>| Some(FoundProduct { product, pinned: 0, class: class(product, query)? });
    products.iter().filter_map(found).collect()
}

/// Returns the matches of the words and the pinned products, without the hidden ones.
fn with_pinned<'a>(
    products: &[&'a Arc<Product>],
    query: &[QueryWord],
    request: &SearchRequest,
) -> Vec<FoundProduct<'a>> {
    let pinned = if request.sort == Sort::Relevance { request.tuning.pinned.as_slice() } else { &[] };
    let mut found = Vec::new();
    for product in shown(products, request) {
        let place = pinned.iter().position(|id| *id == product.id);
        let pinned = place.map_or(0, |place| pinned.len() - place);
        match class(product, query) {
            Some(class) => found.push(FoundProduct { product, pinned, class }),
            None if pinned > 0 => found.push(FoundProduct { product, pinned, class: Class::default() }),
            None => {}
        }
    }
    found
}

/// Returns the products that the shop does not hide.
fn shown<'a>(products: &[&'a Arc<Product>], request: &SearchRequest) -> Vec<&'a Arc<Product>> {
    products.iter().filter(|product| !request.tuning.hidden.contains(&product.id)).copied().collect()
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
    let (query, _) = read(&request.search, &products);
    let matching = with_pinned(&products, &query, &request.search);
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
    let by_key = match request.sort {
        Sort::Relevance => boost(b, request).total_cmp(&boost(a, request)),
        Sort::PriceAsc => ascending(a).cmp(&ascending(b)),
        Sort::PriceDesc => descending(a).cmp(&descending(b)),
        Sort::Newest => b.created_at.cmp(&a.created_at),
        Sort::Name => name_sort_key(&a.content.name).cmp(&name_sort_key(&b.content.name)),
    };
    by_key.then_with(|| a.id.cmp(&b.id))
}

/// Returns the boost of a product.
fn boost(product: &Product, request: &SearchRequest) -> f32 {
    let boosts = request.tuning.boosts.iter();
    let own = boosts.filter(|boost| failed_of(product, &boost.filters, request).is_empty());
    own.map(|boost| boost.by).sum::<f32>().clamp(-MAX_BOOST, MAX_BOOST)
}
