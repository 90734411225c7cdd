//! Counting the values of facets.
//!
//! All attributes are terms of one field, and the values of one key are a range of its terms. A composite
//! aggregation walks through terms in order and can begin anywhere, so it lists that range; no text of anybody
//! becomes an expression, and there is no field for each key.

use domain::ports::{PortError, PortErrorKind};
use domain::search::{
    Facet, FacetValue, Field, NumberFacet, PriceBucket, PriceFacet, bucket_width, number_facet, price_facet,
};
use serde::Deserialize;
use serde_json::{Value, json};
use text::attributes::{full_value, key_prefix, number_from_sort_key, truncated_part};
use text::facets::{TermCount, top_terms, top_values};

use crate::filters::{has_key, price_field, term};
use crate::schema::field;
use crate::state::State;

/// Terms that come with one answer, of texts and of numbers. With twenty facets that is just under the number of buckets
/// that OpenSearch allows an answer to have.
const TERMS_AT_ONCE: usize = 1500;
/// Prices that come with one answer; more of them are counted in a second one.
const PRICES_AT_ONCE: usize = 1000;
/// Answers that are read for one facet, at most: a million values.
const MAX_ANSWERS: usize = 700;
/// How often the histogram is asked for again because the ends of the prices moved meanwhile.
const HISTOGRAM_TRIES: usize = 3;

/// The part of a search that counts a facet over what passes `filter`.
pub(crate) fn aggregation(facet: &Field, currency: domain::Currency, filter: &Value) -> Value {
    let counts = match facet {
        Field::Price => {
            let name = price_field(currency);
            json!({
                "ends": { "stats": { "field": name } },
                "prices": { "terms": { "field": name, "size": PRICES_AT_ONCE } },
            })
        }
        Field::Attribute(key) => json!({
            "texts": of_key(field::ATTRIBUTES, key),
            "numbers": of_key(field::NUMBERS, key),
        }),
        plain => {
            let order = json!([{ "_count": "desc" }, { "_key": "asc" }]);
            let terms = json!({ "field": name_of(plain), "size": TERMS_AT_ONCE, "order": order });
            json!({ "terms": { "terms": terms } })
        }
    };
    json!({ "filter": filter, "aggs": counts })
}

/// One facet of one search.
pub(crate) struct Counting<'a> {
    pub(crate) state: &'a State<'a>,
    pub(crate) facet: &'a Field,
    pub(crate) currency: domain::Currency,
    /// What counts: the words, and every filter but the facet's own.
    pub(crate) query: Value,
}

impl Counting<'_> {
    /// The facet from what its [`aggregation`] counted. Only facets with very many values need to ask more.
    pub(crate) async fn facet(&self, counted: Value, limit: usize) -> Result<Facet, PortError> {
        if *self.facet == Field::Price {
            return Ok(Facet::Price(self.prices(read(counted)?).await?));
        }
        let (counted, distinct, numbers) = match self.facet {
            Field::Attribute(_) => {
                let KeyCounts { texts, numbers } = read(counted)?;
                let counted = self.all_terms(Some(texts.terms)).await?;
                let distinct = counted.len();
                (counted, distinct, self.numbers(numbers.terms).await?)
            }
            // The most frequent ones are here in any case; the rest only has to be counted.
            _ => {
                let terms = read::<TermsOf>(counted)?.terms;
                let is_whole = terms.sum_other_doc_count == 0;
                let counted = self.counted(terms.buckets);
                let distinct = if is_whole { counted.len() } else { self.all_terms(None).await?.len() };
                (counted, distinct, None)
            }
        };
        let values = self.most_frequent(counted, "", limit).await?;
        Ok(Facet::Values { values, distinct, numbers })
    }

    /// The numbers of an attribute, from the answer that holds the first of them.
    async fn numbers(&self, first: Terms) -> Result<Option<NumberFacet>, PortError> {
        let counted = self.all_terms_of(field::NUMBERS, first).await?;
        let number = |counted: &TermCount<()>| {
            let order = u64::from_str_radix(&counted.term, 16).ok()?;
            Some((number_from_sort_key(order), counted.count))
        };
        Ok(number_facet(&counted.iter().filter_map(number).collect::<Vec<_>>()))
    }

    /// The values that fit a prefix, as [`domain::search::FacetRequest`] says.
    pub(crate) async fn values(&self, prefix: &str, limit: usize) -> Result<Vec<FacetValue>, PortError> {
        let counted = self.all_terms(None).await?;
        self.most_frequent(counted, prefix, limit).await
    }

    async fn most_frequent(
        &self,
        counted: Vec<TermCount<()>>,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<FacetValue>, PortError> {
        let mut values = Vec::new();
        for TermCount { term, count, .. } in top_terms(counted, prefix, limit) {
            let value = match self.facet {
                Field::Attribute(key) if truncated_part(&term).is_some() => self.whole(key, term).await?,
                _ => term,
            };
            values.push(FacetValue { value, count });
        }
        Ok(top_values(values, prefix, limit))
    }

    /// The long value that a cut one stands for, from a product that has it.
    async fn whole(&self, key: &str, cut: String) -> Result<String, PortError> {
        let query = term(field::ATTRIBUTES, key_prefix(key) + &cut);
        let found = self.state.search(json!({ "size": 1, "query": query })).await?;
        // A product that went away meanwhile took its value along.
        let Some(found) = found.hits.hits.first() else { return Ok(cut) };
        let product = found.product()?;
        Ok(full_value(key, &cut, product.content.attributes.get(key)).unwrap_or(cut))
    }

    /// All values of the facet, in the order of their terms, from the answer that holds the first of them.
    async fn all_terms(&self, first: Option<Terms>) -> Result<Vec<TermCount<()>>, PortError> {
        let name = name_of(self.facet);
        let first = match first {
            Some(first) => first,
            None => self.terms_behind(name, self.prefix()).await?,
        };
        self.all_terms_of(name, first).await
    }

    async fn all_terms_of(&self, name: &str, mut terms: Terms) -> Result<Vec<TermCount<()>>, PortError> {
        let mut counted = Vec::new();
        for _ in 0..MAX_ANSWERS {
            let listed = terms.buckets.len();
            let part = self.counted(terms.buckets);
            // Behind the terms of a key come those of the next one.
            let is_last = part.len() < listed || listed < TERMS_AT_ONCE;
            counted.extend(part);
            match terms.after_key {
                Some(after) if !is_last => terms = self.terms_behind(name, Some(after.term)).await?,
                _ => return Ok(counted),
            }
        }
        let context = "a facet has more values than can be counted";
        Err(PortError::bare(PortErrorKind::Internal, context))
    }

    async fn terms_behind(&self, name: &str, after: Option<String>) -> Result<Terms, PortError> {
        let body = json!({ "size": 0, "query": self.query, "aggs": { "terms": composite(name, after) } });
        let mut answer = self.state.search(body).await?;
        read(answer.aggregations.remove("terms").unwrap_or_default())
    }

    fn prefix(&self) -> Option<String> {
        match self.facet {
            Field::Attribute(key) => Some(key_prefix(key)),
            _ => None,
        }
    }

    /// The terms that belong to the facet, without their key.
    fn counted(&self, buckets: Vec<Bucket>) -> Vec<TermCount<()>> {
        let prefix = self.prefix().unwrap_or_default();
        let own = buckets.into_iter().filter_map(|Bucket { key, doc_count }| {
            let term = key.into_term();
            Some(TermCount { term: term.strip_prefix(&prefix)?.to_owned(), count: doc_count, payload: () })
        });
        own.collect()
    }

    async fn prices(&self, prices: Prices) -> Result<Option<PriceFacet>, PortError> {
        if prices.prices.sum_other_doc_count == 0 {
            let counted: Vec<(i64, u64)> =
                prices.prices.buckets.iter().map(|bucket| (bucket.key as i64, bucket.doc_count)).collect();
            return Ok(price_facet(&counted));
        }
        let (mut min, mut max) = prices.ends.range();
        for _ in 0..HISTOGRAM_TRIES {
            let width = bucket_width(min, max);
            let name = price_field(self.currency);
            let body = json!({ "size": 0, "query": self.query, "aggs": {
                "ends": { "stats": { "field": name } },
                "histogram": { "histogram": { "field": name, "interval": width } },
            } });
            let mut answer = self.state.search(body).await?;
            let mut part = |name: &str| answer.aggregations.remove(name).unwrap_or_default();
            let (ends, histogram): (Ends, NumberBuckets) = (read(part("ends"))?, read(part("histogram"))?);
            if ends.count == 0 {
                return Ok(None);
            }
            (min, max) = ends.range();
            if bucket_width(min, max) == width {
                return Ok(Some(histogram.facet(min, max, ends.count, width)));
            }
        }
        Err(PortError::bare(PortErrorKind::Unavailable, "prices change too fast to be counted"))
    }
}

/// Counts the terms of a key, and of those behind it, in products that have the key: in the others there is nothing to
/// count.
fn of_key(name: &str, key: &str) -> Value {
    json!({ "filter": has_key(name, key), "aggs": { "terms": composite(name, Some(key_prefix(key))) } })
}

fn composite(name: &str, after: Option<String>) -> Value {
    let mut composite = json!({
        "size": TERMS_AT_ONCE,
        "sources": [{ "term": { "terms": { "field": name } } }],
    });
    if let Some(after) = after {
        composite["after"] = json!({ "term": after });
    }
    json!({ "composite": composite })
}

fn name_of(facet: &Field) -> &'static str {
    match facet {
        Field::Brand => field::BRAND,
        Field::Category => field::CATEGORY,
        Field::Tags => field::TAGS,
        Field::Price => field::PRICE,
        Field::Stock => field::IN_STOCK,
        Field::Attribute(_) => field::ATTRIBUTES,
    }
}

fn read<T: serde::de::DeserializeOwned>(part: Value) -> Result<T, PortError> {
    serde_json::from_value(part)
        .map_err(|error| PortError::new(PortErrorKind::Internal, "reading the counts of a facet", error))
}

#[derive(Deserialize)]
struct TermsOf {
    terms: Terms,
}

/// Of an attribute.
#[derive(Deserialize)]
struct KeyCounts {
    texts: TermsOf,
    numbers: TermsOf,
}

#[derive(Deserialize)]
struct Terms {
    buckets: Vec<Bucket>,
    #[serde(default)]
    sum_other_doc_count: u64,
    after_key: Option<CompositeKey>,
}

#[derive(Deserialize)]
struct Bucket {
    key: Key,
    doc_count: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Plain(String),
    Composite(CompositeKey),
}

#[derive(Deserialize)]
struct CompositeKey {
    term: String,
}

impl Key {
    fn into_term(self) -> String {
        match self {
            Self::Plain(term) | Self::Composite(CompositeKey { term }) => term,
        }
    }
}

#[derive(Deserialize)]
struct Prices {
    ends: Ends,
    prices: NumberBuckets,
}

/// Prices are below 2^53, so that floats hold them exactly.
#[derive(Deserialize)]
struct Ends {
    count: u64,
    min: Option<f64>,
    max: Option<f64>,
}

impl Ends {
    fn range(&self) -> (i64, i64) {
        (self.min.unwrap_or(0.0) as i64, self.max.unwrap_or(0.0) as i64)
    }
}

#[derive(Deserialize)]
struct NumberBuckets {
    buckets: Vec<NumberBucket>,
    #[serde(default)]
    sum_other_doc_count: u64,
}

#[derive(Deserialize)]
struct NumberBucket {
    key: f64,
    doc_count: u64,
}

impl NumberBuckets {
    /// The facet from counts in steps of `width`; steps without prices may be missing.
    fn facet(&self, min: i64, max: i64, count: u64, width: i64) -> PriceFacet {
        let steps = min / width..=max / width;
        let bucket = |step: i64| {
            let from = step * width;
            let counted = self.buckets.iter().find(|bucket| bucket.key as i64 == from);
            PriceBucket { from, to: from + width - 1, count: counted.map_or(0, |bucket| bucket.doc_count) }
        };
        PriceFacet { min, max, count, histogram: steps.map(bucket).collect() }
    }
}
