//! Filters and facets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use domain::search::{
    Alternative, Clause, Facet, FacetValue, Field, Filters, Restriction, SearchRequest, date_facet,
    number_facet, price_facet,
};
use domain::{CategoryPath, Product};

use super::FoundProduct;
use super::spelling::near;
use super::words::split;

/// Returns the fields whose filters the product fails; `None` stands for the stock.
fn failed(product: &Product, request: &SearchRequest) -> BTreeSet<Option<Field>> {
    failed_of(product, &request.filters, request)
}

pub(super) fn failed_of(
    product: &Product,
    filters: &Filters,
    request: &SearchRequest,
) -> BTreeSet<Option<Field>> {
    let content = &product.content;
    let mut failed = BTreeSet::new();
    let mut check = |field, is_wanted: bool, passes: bool| {
        if is_wanted && !passes {
            failed.insert(field);
        }
    };
    let is_in = |wanted: &CategoryPath| content.categories.iter().any(|path| path.is_within(wanted));
    let in_category = filters.category.iter().any(is_in);
    check(Some(Field::Category), !filters.category.is_empty(), in_category);
    let of_brand = content.brand.as_ref().is_some_and(|brand| filters.brand.contains(brand));
    check(Some(Field::Brand), !filters.brand.is_empty(), of_brand);
    let tagged = content.tags.iter().any(|tag| filters.tags.contains(tag));
    check(Some(Field::Tags), !filters.tags.is_empty(), tagged);
    let price = price(product, request);
    let in_range = filters.price.iter().any(|range| price.is_some_and(|price| range.contains(price)));
    check(Some(Field::Price), !filters.price.is_empty(), in_range);
    let in_stock = content.stock.is_some_and(|pieces| pieces > 0);
    check(None, filters.in_stock.is_some(), filters.in_stock == Some(in_stock));
    for (key, wanted) in &filters.attributes {
        let value = content.attributes.get(key);
        let passes = wanted.iter().any(|filter| value.is_some_and(|value| filter.accepts(value)));
        check(Some(Field::Attribute(key.clone())), !wanted.is_empty(), passes);
    }
    failed
}

/// Returns true if the product passes the filters and meets the clauses of the request.
pub(super) fn passes(product: &Product, request: &SearchRequest) -> bool {
    failed(product, request).is_empty() && meets_clauses(product, request)
}

fn meets_clauses(product: &Product, request: &SearchRequest) -> bool {
    request.clauses.iter().all(|Clause(alternatives)| {
        let holds =
            |one: &Alternative| failed_of(product, &one.filters, request).is_empty() != one.is_negated;
        alternatives.iter().any(holds)
    })
}

/// Returns true if the client may find the product.
pub(crate) fn is_inside(product: &Product, restriction: &Restriction) -> bool {
    restriction.conditions().iter().all(|condition| {
        let request = SearchRequest::all(condition.currency);
        failed_of(product, &condition.filters, &request).is_empty()
    })
}

pub(super) fn price(product: &Product, request: &SearchRequest) -> Option<i64> {
    let price = product.content.price.filter(|price| price.currency() == request.currency);
    price.map(domain::Money::minor_units)
}

/// Returns the products that fail no filter of another field.
fn counting<'a>(
    matching: &'a [FoundProduct<'_>],
    field: &'a Field,
    request: &'a SearchRequest,
) -> impl Iterator<Item = &'a Product> {
    let counts = |product: &Product| {
        meets_clauses(product, request)
            && failed(product, request).iter().all(|failed| failed.as_ref() == Some(field))
    };
    matching.iter().map(|found| &**found.product).filter(move |product| counts(product))
}

pub(super) fn facet(matching: &[FoundProduct<'_>], field: &Field, request: &SearchRequest) -> Facet {
    if *field == Field::Price {
        let prices: Vec<(i64, u64)> = counting(matching, field, request)
            .filter_map(|product| Some((price(product, request)?, 1)))
            .collect();
        return Facet::Price(price_facet(&prices));
    }
    let numbers: Vec<(f64, u64)> = counting(matching, field, request)
        .filter_map(|product| match field {
            Field::Attribute(key) => Some((product.content.attributes.get(key)?.as_number()?, 1)),
            _ => None,
        })
        .collect();
    let mut values = counts(matching, field, request);
    let distinct = values.len();
    values.truncate(request.facet_values);
    let dates: Vec<(i64, u64)> = counting(matching, field, request)
        .filter_map(|product| match field {
            Field::Attribute(key) => Some((product.content.attributes.get(key)?.as_date()?, 1)),
            _ => None,
        })
        .collect();
    Facet::Values { values, distinct, numbers: number_facet(&numbers), dates: date_facet(&dates) }
}

pub(super) fn counts(
    matching: &[FoundProduct<'_>],
    field: &Field,
    request: &SearchRequest,
) -> Vec<FacetValue> {
    let mut counts = BTreeMap::<String, u64>::new();
    for product in counting(matching, field, request) {
        for value in values(product, field) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    counts.sort_by(|a, b| {
        let number = |counted: &FacetValue| leading_number(&counted.value).unwrap_or(f64::INFINITY);
        let key = |counted: &FacetValue| (Reverse(counted.count), counted.value.clone());
        b.count.cmp(&a.count).then(number(a).total_cmp(&number(b))).then_with(|| key(a).cmp(&key(b)))
    });
    counts
}

/// Returns the number that a value begins with.
fn leading_number(value: &str) -> Option<f64> {
    (1..=value.len()).rev().filter(|end| value.is_char_boundary(*end)).find_map(|end| {
        let is_plain = value[..end].ends_with(|c: char| c.is_ascii_digit())
            && value[..end].starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && value[..end].chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.'));
        is_plain.then(|| value[..end].parse().ok()).flatten()
    })
}

fn values(product: &Product, field: &Field) -> BTreeSet<String> {
    let content = &product.content;
    match field {
        Field::Brand => content.brand.iter().map(|brand| brand.trim().to_owned()).collect(),
        Field::Category => content.categories.iter().flat_map(|path| path.with_ancestors()).collect(),
        Field::Tags => content.tags.iter().map(|tag| tag.trim().to_owned()).collect(),
        Field::Price | Field::Stock => BTreeSet::new(),
        Field::Attribute(key) => {
            let value = content.attributes.get(key);
            value
                .into_iter()
                .flat_map(|value| value.facet_values())
                .map(std::borrow::Cow::into_owned)
                .collect()
        }
    }
}

/// Returns the rank of a value for a prefix. Values that begin with it come first, then values with a later word that does,
/// then values with typos.
pub(super) fn fit(prefix: &str, value: &str) -> Option<usize> {
    if value.to_lowercase().starts_with(&prefix.to_lowercase()) {
        return Some(BEGINS);
    }
    let (prefix, value) = (split(prefix), split(&value[..value.floor_char_boundary(COMPARED_BYTES)]));
    let (last, others) = prefix.split_last()?;
    let fits = value.windows(prefix.len()).enumerate().filter_map(|(at, part)| {
        let beginnings = part[others.len()].char_indices().map(|(end, _)| end).skip(1);
        let beginnings = beginnings.chain([part[others.len()].len()]).map(|end| &part[others.len()][..end]);
        let mut all = beginnings.filter_map(|word| near(last, word)).min()?;
        for (own, word) in others.iter().zip(part) {
            all += near(own, word)?;
        }
        match all {
            0 if at == 0 => Some(BEGINS),
            0 => Some(INSIDE),
            1 | 2 => Some(INSIDE + all),
            _ => None,
        }
    });
    fits.min()
}

/// The number of bytes of a long value that are compared.
const COMPARED_BYTES: usize = 200;

const BEGINS: usize = 0;

pub(super) const INSIDE: usize = 1;
