//! Counts the values of facets.
//!
//! All attributes are terms of one field, and the values of one key are a range of its terms. A composite aggregation
//! walks through terms in order from any start, so it lists that range exactly, without a field per key and without
//! turning a key into a regular expression.

use domain::Currency;
use domain::ports::{PortError, PortErrorKind};
use domain::search::{
    DateFacet, Facet, FacetValue, Field, NumberFacet, PriceFacet, bucket_width, date_facet, number_facet,
    price_facet,
};
use serde_json::{Value, json};
use text::attributes::{date_key, full_value, key_prefix, number_from_sort_key, truncated_part};
use text::facets::{TermCount, top_terms, top_values};

use crate::layout::schema::{field, keyword_field};
use crate::search::facet_counts::{
    AttributeCounts, PriceBuckets, PriceCounts, PriceRange, TermBucket, TermCounts, Terms, decode,
};
use crate::search::filters::{has_key, price_field};
use crate::search::query_dsl::term;
use crate::search::snapshot::Snapshot;

/// The most terms of one facet in a response, for texts, numbers and dates each. With 20 facets, the buckets of a response are just
/// below OpenSearch's limit.
const TERMS_PER_RESPONSE: usize = 1050;
/// The most prices in one response; if there are more, a second search counts a histogram.
const PRICES_PER_RESPONSE: usize = 1000;
/// The most responses for one facet: a million values.
const MAX_RESPONSES: usize = 1000;
/// The most searches for a histogram, which is repeated if the price range changes meanwhile.
const HISTOGRAM_ATTEMPTS: usize = 3;

/// Returns the aggregation that counts a facet over products that pass the filter.
///
/// # Errors
/// Fails for [`Field::Stock`], which has no facet.
pub(super) fn aggregation(facet: &Field, currency: Currency, filter: &Value) -> Result<Value, PortError> {
    let counts = match facet {
        Field::Price => {
            let name = price_field(currency);
            json!({
                "ends": { "stats": { "field": name } },
                "prices": { "terms": { "field": name, "size": PRICES_PER_RESPONSE } },
            })
        }
        Field::Attribute(key) => json!({
            "texts": terms_of_key(field::ATTRIBUTES, key),
            "numbers": terms_of_key(field::NUMBERS, key),
            "dates": terms_of_key(field::NUMBERS, &date_key(key)),
        }),
        Field::Category | Field::Brand | Field::Tags | Field::Stock => {
            let order = json!([{ "_count": "desc" }, { "_key": "asc" }]);
            let terms = json!({ "field": values_field(facet)?, "size": TERMS_PER_RESPONSE, "order": order });
            json!({ "terms": { "terms": terms } })
        }
    };
    Ok(json!({ "filter": filter, "aggs": counts }))
}

/// A counter of one facet of one search.
pub(super) struct FacetCounter<'a> {
    pub(super) snapshot: &'a Snapshot<'a>,
    pub(super) facet: &'a Field,
    pub(super) currency: Currency,
    /// The products that count: they match the words and pass every filter except the one on the facet's field.
    pub(super) query: Value,
}

impl FacetCounter<'_> {
    /// Converts the result of the [`aggregation`] to the facet. Only facets with very many values need more searches.
    pub(super) async fn facet(&self, counted: Value, limit: usize) -> Result<Facet, PortError> {
        if *self.facet == Field::Price {
            return Ok(Facet::Price(self.prices(decode(counted)?).await?));
        }
        let (counted, distinct, numbers, dates) = match self.facet {
            Field::Attribute(_) => {
                let AttributeCounts { texts, numbers, dates } = decode(counted)?;
                let counted = self.all_terms_from(texts.terms).await?;
                let distinct = counted.len();
                (counted, distinct, self.numbers(numbers.terms).await?, self.dates(dates.terms).await?)
            }
            _ => {
                let terms = decode::<TermCounts>(counted)?.terms;
                let is_complete = terms.sum_other_doc_count == 0;
                // A cut list does not suffice: OpenSearch orders equally frequent values differently from facets.
                let counted =
                    if is_complete { self.own_terms(terms.buckets) } else { self.all_terms().await? };
                let distinct = counted.len();
                (counted, distinct, None, None)
            }
        };
        let values = self.top_values(counted, "", limit).await?;
        Ok(Facet::Values { values, distinct, numbers, dates })
    }

    /// Returns the values that have a prefix, as [`domain::search::FacetRequest`] defines.
    pub(super) async fn values(&self, prefix: &str, limit: usize) -> Result<Vec<FacetValue>, PortError> {
        let counted = self.all_terms().await?;
        self.top_values(counted, prefix, limit).await
    }

    /// Returns the facet of the numbers of an attribute.
    async fn numbers(&self, first: Terms) -> Result<Option<NumberFacet>, PortError> {
        Ok(number_facet(&self.counted_numbers(first, self.key_prefix().unwrap_or_default()).await?))
    }

    /// Returns the facet of the dates of an attribute.
    async fn dates(&self, first: Terms) -> Result<Option<DateFacet>, PortError> {
        let Field::Attribute(key) = self.facet else { return Ok(None) };
        let counted = self.counted_numbers(first, key_prefix(&date_key(key))).await?;
        let date = |(number, count): (f64, u64)| (number as i64, count);
        Ok(date_facet(&counted.into_iter().map(date).collect::<Vec<_>>()))
    }

    /// Returns the numbers whose terms have a prefix, with their counts.
    async fn counted_numbers(&self, first: Terms, prefix: String) -> Result<Vec<(f64, u64)>, PortError> {
        let counted = self.all_terms_of(field::NUMBERS, &prefix, first).await?;
        let number = |counted: &TermCount<()>| {
            let sort_key = u64::from_str_radix(&counted.term, 16).ok()?;
            Some((number_from_sort_key(sort_key), counted.count))
        };
        Ok(counted.iter().filter_map(number).collect())
    }

    async fn top_values(
        &self,
        counted: Vec<TermCount<()>>,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<FacetValue>, PortError> {
        let mut values = Vec::new();
        for TermCount { term, count, .. } in top_terms(counted, prefix, limit) {
            let value = match self.facet {
                Field::Attribute(key) if truncated_part(&term).is_some() => {
                    self.full_value(key, term).await?
                }
                _ => term,
            };
            values.push(FacetValue { value, count });
        }
        Ok(top_values(values, prefix, limit))
    }

    /// Returns the long value of a truncated term, read from a product that has it.
    async fn full_value(&self, key: &str, truncated: String) -> Result<String, PortError> {
        let query = term(field::ATTRIBUTES, key_prefix(key) + &truncated);
        let response = self.snapshot.search(json!({ "size": 1, "query": query })).await?;
        // The last product with the value may be gone since it was counted.
        let Some(hit) = response.hits.hits.first() else { return Ok(truncated) };
        let product = hit.product()?;
        Ok(full_value(key, &truncated, product.content.attributes.get(key)).unwrap_or(truncated))
    }

    /// Returns all values of the facet, in the order of their terms.
    async fn all_terms(&self) -> Result<Vec<TermCount<()>>, PortError> {
        let first = self.terms_after(values_field(self.facet)?, self.key_prefix()).await?;
        self.all_terms_from(first).await
    }

    /// Returns all values of the facet, in the order of their terms, given the first part of them.
    async fn all_terms_from(&self, first: Terms) -> Result<Vec<TermCount<()>>, PortError> {
        self.all_terms_of(values_field(self.facet)?, &self.key_prefix().unwrap_or_default(), first).await
    }

    async fn all_terms_of(
        &self,
        name: &str,
        prefix: &str,
        mut terms: Terms,
    ) -> Result<Vec<TermCount<()>>, PortError> {
        let mut counted = Vec::new();
        for _ in 0..MAX_RESPONSES {
            let received = terms.buckets.len();
            let own = with_prefix(terms.buckets, prefix);
            // The terms of the next key follow those of the facet's key.
            let is_last = own.len() < received || received < TERMS_PER_RESPONSE;
            counted.extend(own);
            match terms.after_key {
                Some(after) if !is_last => terms = self.terms_after(name, Some(after.term)).await?,
                _ => return Ok(counted),
            }
        }
        let context = "the facet has more values than can be counted";
        Err(PortError::bare(PortErrorKind::Internal, context))
    }

    /// Returns the terms of a field after this one.
    async fn terms_after(&self, name: &str, after: Option<String>) -> Result<Terms, PortError> {
        let body = json!({ "size": 0, "query": self.query, "aggs": { "terms": composite(name, after) } });
        let mut response = self.snapshot.search(body).await?;
        decode(response.aggregations.remove("terms").unwrap_or_default())
    }

    /// Returns the prefix of the facet's terms, in a field that has the terms of all keys.
    fn key_prefix(&self) -> Option<String> {
        match self.facet {
            Field::Attribute(key) => Some(key_prefix(key)),
            _ => None,
        }
    }

    /// Returns the terms that belong to the facet, without their key.
    fn own_terms(&self, buckets: Vec<TermBucket>) -> Vec<TermCount<()>> {
        with_prefix(buckets, &self.key_prefix().unwrap_or_default())
    }

    async fn prices(&self, counted: PriceCounts) -> Result<Option<PriceFacet>, PortError> {
        if counted.prices.sum_other_doc_count == 0 {
            return Ok(price_facet(&counted.prices.pairs()));
        }
        let (mut min, mut max) = counted.ends.min_max();
        for _ in 0..HISTOGRAM_ATTEMPTS {
            let width = bucket_width(min, max);
            let (ends, histogram) = self.histogram(width).await?;
            if ends.count == 0 {
                return Ok(None);
            }
            (min, max) = ends.min_max();
            if bucket_width(min, max) == width {
                return Ok(Some(histogram.histogram_facet((min, max), ends.count, width)));
            }
        }
        Err(PortError::bare(PortErrorKind::Unavailable, "prices change too fast to be counted"))
    }

    async fn histogram(&self, width: i64) -> Result<(PriceRange, PriceBuckets), PortError> {
        let name = price_field(self.currency);
        let body = json!({ "size": 0, "query": self.query, "aggs": {
            "ends": { "stats": { "field": name } },
            "histogram": { "histogram": { "field": name, "interval": width } },
        } });
        let mut response = self.snapshot.search(body).await?;
        let mut part = |name: &str| response.aggregations.remove(name).unwrap_or_default();
        Ok((decode(part("ends"))?, decode(part("histogram"))?))
    }
}

/// Returns the terms that have a prefix, without it.
fn with_prefix(buckets: Vec<TermBucket>, prefix: &str) -> Vec<TermCount<()>> {
    let own = buckets.into_iter().filter_map(|bucket| {
        let (term, count) = bucket.into_pair();
        Some(TermCount { term: term.strip_prefix(prefix)?.to_owned(), count, payload: () })
    });
    own.collect()
}

/// Returns the aggregation of the terms of a key and those after it, in products that have the key; other products have
/// nothing to count.
fn terms_of_key(name: &str, key: &str) -> Value {
    json!({ "filter": has_key(name, key), "aggs": { "terms": composite(name, Some(key_prefix(key))) } })
}

fn composite(name: &str, after: Option<String>) -> Value {
    let mut composite = json!({
        "size": TERMS_PER_RESPONSE,
        "sources": [{ "term": { "terms": { "field": name } } }],
    });
    if let Some(after) = after {
        composite["after"] = json!({ "term": after });
    }
    json!({ "composite": composite })
}

/// Returns the field of the values of a facet.
///
/// # Errors
/// Fails for a facet without named values.
fn values_field(facet: &Field) -> Result<&'static str, PortError> {
    keyword_field(facet).ok_or_else(|| {
        PortError::bare(PortErrorKind::Internal, format!("the field {facet} has no facet of named values"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_has_no_facet() {
        let everything = json!({ "match_all": {} });
        let error = aggregation(&Field::Stock, Currency::USD, &everything).unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Internal);
        for facet in Field::FACETS {
            assert!(aggregation(&facet, Currency::USD, &everything).is_ok(), "{facet}");
        }
    }
}
