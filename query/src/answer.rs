//! Answers as JSON, written straight into bytes: the products of a page are most of a response.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::money::MAX_MINOR_UNITS;
use domain::search::{
    Facet, FacetValue, Field, Hit, NumberBucket, NumberFacet, PageStart, PriceFacet, SearchAnswer,
    SearchRequest,
};
use domain::{Currency, Money, Product};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use text::explain::Explanation;
use utoipa::ToSchema;

use crate::category_tree::{Category, tree};
use crate::explanation::ExplanationJson;

/// The JSON of a search's answer; `took` is how long the index needed. Explanations, where there are any, are those of
/// the products, in their order.
///
/// # Errors
/// None that a product can cause; what serde reports is a defect.
pub fn search_json(
    request: &SearchRequest,
    answer: &SearchAnswer,
    explanations: &[Explanation],
    took: Duration,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut explanations = explanations.iter();
    let hit = |hit| HitJson::new(hit, explanations.next());
    serde_json::to_vec(&SearchJson {
        products: answer.hits.iter().map(hit).collect(),
        total: answer.total,
        took: milliseconds(took),
        facets: FacetsJson { facets: &answer.facets, request },
        page: match request.page.start {
            PageStart::Number(number) => Some(number),
            PageStart::After(_) => None,
        },
        page_size: request.page.size,
        next_cursor: answer.next.as_ref().map(domain::search::Cursor::encode),
        corrected_query: answer.corrected_query.as_deref(),
        relaxed: &answer.relaxed,
    })
}

/// The JSON of several answers, each written already.
pub(crate) fn results_json<'a>(answers: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut json = br#"{"results":["#.to_vec();
    for (at, answer) in answers.enumerate() {
        if at > 0 {
            json.push(b',');
        }
        json.extend_from_slice(answer);
    }
    json.extend_from_slice(b"]}");
    json
}

/// The JSON of the values of one facet.
///
/// # Errors
/// As [`search_json`].
pub fn facet_values_json(field: &Field, values: &[FacetValue]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&FacetValuesJson { field: field.to_string(), values })
}

/// Whole microseconds as milliseconds, so that there are at most 3 decimals.
pub(crate) fn milliseconds(took: Duration) -> f64 {
    took.as_micros() as f64 / 1000.0
}

/// A page of the products found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchAnswer)]
pub(crate) struct SearchJson<'a> {
    /// The products of the page, in order.
    #[schema(value_type = Vec<HitJson<'static>>)]
    products: Vec<HitJson<'a>>,
    /// How many products were found in all, exactly.
    #[schema(examples(12))]
    total: u64,
    /// How long the search took in the index when the answer was made, in milliseconds; of several in one call, all
    /// of them together.
    #[schema(examples(0.84))]
    took: f64,
    /// Every facet that was asked for, by its name. A product counts in a facet when the words and all filters but
    /// those of the facet's own field let it pass.
    #[schema(value_type = BTreeMap<String, FacetJson<'static>>)]
    facets: FacetsJson<'a>,
    /// The number of the page; absent where a cursor said where to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples(1))]
    page: Option<usize>,
    /// The most products a page has.
    #[schema(examples(20))]
    page_size: usize,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The query with its misspelt words corrected, where the index is sure that they were misspelt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("processor intel"))]
    corrected_query: Option<&'a str>,
    /// Words of the query that were left out because no product has all of its words; absent when there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["purple"]))]
    relaxed: &'a [String],
}

/// The answers to several searches, all on one state of the catalogue.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchAnswers)]
pub(crate) struct SearchesJson<'a> {
    /// One answer for each search, in the order asked.
    #[schema(value_type = Vec<SearchJson<'static>>)]
    results: Vec<SearchJson<'a>>,
}

/// The answer to a body with one search, or to one with several.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AnswerToBody)]
#[expect(dead_code, reason = "it is only described")]
pub(crate) enum AnswerToBody<'a> {
    One(SearchJson<'a>),
    Several(SearchesJson<'a>),
}

/// A product that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = Hit)]
pub(crate) struct HitJson<'a> {
    #[serde(flatten)]
    #[schema(value_type = Product)]
    product: &'a Product,
    /// How well it matches the query; higher is better, 0 without words.
    #[schema(examples(7.31))]
    score: f32,
    /// The fields in which words of the query were found, as HTML: each word found between `<em>` and `</em>`,
    /// everything else escaped.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"name": "Desk <em>lamp</em>"}))]
    highlights: &'a BTreeMap<String, String>,
    /// Why it ranks where it does; only with `explain=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ExplanationJson<'static>>)]
    explanation: Option<ExplanationJson<'a>>,
}

impl<'a> HitJson<'a> {
    fn new(hit: &'a Hit, explanation: Option<&'a Explanation>) -> Self {
        Self {
            product: &hit.product,
            score: hit.score,
            highlights: &hit.highlights,
            explanation: explanation.map(ExplanationJson::from),
        }
    }
}

struct FacetsJson<'a> {
    facets: &'a [(Field, Facet)],
    request: &'a SearchRequest,
}

impl Serialize for FacetsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.facets.len()))?;
        for (field, facet) in self.facets {
            map.serialize_entry(&field.to_string(), &FacetJson::new(field, facet, self.request))?;
        }
        map.end()
    }
}

/// A facet: the values of a field, or, for `price`, the prices in one currency (null where no product found has a
/// price in it).
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Facet)]
pub(crate) enum FacetJson<'a> {
    /// Of `brand`, `category`, `tags` and `attributes.KEY`.
    Values {
        /// The most frequent values, by count descending, then by value.
        #[schema(value_type = Vec<FacetValue>)]
        values: &'a [FacetValue],
        /// How many different values there are, also beyond those listed.
        distinct: usize,
        /// Of `category`: the top categories, and those below each that is filtered by or lies above one. Each list has at
        /// most `facetSize`, besides those that lead to a filter.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Vec<Category<'static>>>)]
        tree: Option<Vec<Category<'a>>>,
        /// Those of an attribute that are numbers; absent without any.
        #[serde(skip_serializing_if = "Option::is_none")]
        numbers: Option<NumberFacetJson>,
    },
    /// Of `price`.
    Price(Option<PriceFacetJson>),
}

impl<'a> FacetJson<'a> {
    /// Of a facet that may have more values than are listed, from which the tree is made.
    fn new(field: &Field, facet: &'a Facet, request: &SearchRequest) -> Self {
        let limit = request.facet_values;
        match facet {
            Facet::Values { values, distinct, numbers } => Self::Values {
                values: &values[..values.len().min(limit)],
                distinct: *distinct,
                tree: (*field == Field::Category).then(|| tree(values, &request.filters.category, limit)),
                numbers: numbers.as_ref().map(NumberFacetJson::from),
            },
            Facet::Price(facet) => {
                Self::Price(facet.as_ref().map(|facet| PriceFacetJson::new(facet, request.currency)))
            }
        }
    }
}

/// The numbers that an attribute has in the products found.
#[derive(Serialize, ToSchema)]
#[schema(as = NumberFacet)]
pub(crate) struct NumberFacetJson {
    /// The lowest.
    #[schema(examples(10))]
    min: f64,
    /// The highest.
    #[schema(examples(27.5))]
    max: f64,
    /// Products with a number.
    #[schema(examples(40))]
    count: u64,
    /// At most 10 buckets of one width from the lowest to the highest number, without gaps.
    histogram: Vec<NumberBucketJson>,
}

/// Products with a number from `from` to below `to`; in the last bucket `to` is included.
#[derive(Serialize, ToSchema)]
#[schema(as = NumberBucket)]
struct NumberBucketJson {
    /// The lowest number of the bucket.
    #[schema(examples(10))]
    from: f64,
    /// Where the next bucket begins.
    #[schema(examples(15))]
    to: f64,
    /// Products in it.
    #[schema(examples(3))]
    count: u64,
}

impl From<&NumberFacet> for NumberFacetJson {
    fn from(facet: &NumberFacet) -> Self {
        let bucket = |bucket: &NumberBucket| NumberBucketJson {
            from: bucket.from,
            to: bucket.to,
            count: bucket.count,
        };
        Self {
            min: facet.min,
            max: facet.max,
            count: facet.count,
            histogram: facet.histogram.iter().map(bucket).collect(),
        }
    }
}

/// Prices of the products found.
#[derive(Serialize, ToSchema)]
#[schema(as = PriceFacet)]
pub(crate) struct PriceFacetJson {
    /// The lowest, an exact decimal number.
    #[schema(value_type = f64, examples(12.5))]
    min: Box<RawValue>,
    /// The highest.
    #[schema(value_type = f64, examples(900))]
    max: Box<RawValue>,
    /// Products with a price in the currency.
    #[schema(examples(40))]
    count: u64,
    /// The currency of all these prices, ISO 4217.
    #[schema(value_type = String, examples("USD"))]
    currency: Currency,
    /// At most 10 buckets of one width from the lowest to the highest price, without gaps.
    histogram: Vec<PriceBucketJson>,
}

/// Products with a price from `from` to `to`, both included.
#[derive(Serialize, ToSchema)]
#[schema(as = PriceBucket)]
struct PriceBucketJson {
    /// The lowest price of the bucket.
    #[schema(value_type = f64, examples(0))]
    from: Box<RawValue>,
    /// The highest price of the bucket.
    #[schema(value_type = f64, examples(99.99))]
    to: Box<RawValue>,
    /// Products in it.
    #[schema(examples(3))]
    count: u64,
}

impl PriceFacetJson {
    fn new(facet: &PriceFacet, currency: Currency) -> Self {
        let bucket = |bucket: &domain::search::PriceBucket| PriceBucketJson {
            from: amount(bucket.from, currency),
            to: amount(bucket.to, currency),
            count: bucket.count,
        };
        Self {
            min: amount(facet.min, currency),
            max: amount(facet.max, currency),
            count: facet.count,
            currency,
            histogram: facet.histogram.iter().map(bucket).collect(),
        }
    }
}

/// The end of the last bucket may lie above the highest price that there can be; nothing is lost by cutting it.
fn amount(minor_units: i64, currency: Currency) -> Box<RawValue> {
    Money::from_minor_units(minor_units.clamp(0, MAX_MINOR_UNITS), currency)
        .map_or_else(|_| RawValue::NULL.to_owned(), Money::to_json_number)
}

/// The values of one facet.
#[derive(Serialize, ToSchema)]
#[schema(as = FacetValues)]
pub(crate) struct FacetValuesJson<'a> {
    /// The facet.
    #[schema(examples("brand"))]
    field: String,
    /// Its values: those that fit `prefix` best first, of those the most frequent, then by value.
    #[schema(value_type = Vec<FacetValue>)]
    values: &'a [FacetValue],
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::search::{Cursor, Page, QueryInterpretation, Sort, SortKey, price_facet};
    use domain::{ProductId, Version};
    use serde_json::Value;
    use std::sync::Arc;

    fn product() -> Arc<Product> {
        let json =
            r#"{"name":"Lampe \"名\"","price":4503599627370.49,"currency":"EUR","attributes":{"w":1.0}}"#;
        Arc::new(Product {
            id: ProductId::parse("lamp-1").unwrap(),
            version: Version(3),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            content: read_product(json.as_bytes(), Currency::USD).unwrap().content,
        })
    }

    fn answer() -> SearchAnswer {
        SearchAnswer {
            hits: vec![Hit {
                product: product(),
                score: 1.5,
                highlights: BTreeMap::from([("name".to_owned(), "<em>Lampe</em>".to_owned())]),
            }],
            total: 1234,
            facets: Vec::new(),
            corrected_query: None,
            relaxed: Vec::new(),
            next: None,
            snapshot: "1".to_owned(),
        }
    }

    fn text(request: &SearchRequest, answer: &SearchAnswer) -> String {
        String::from_utf8(search_json(request, answer, &[], Duration::from_nanos(1_234_567)).unwrap())
            .unwrap()
    }

    #[test]
    fn a_hit_is_the_product_with_its_score() {
        let mut product = serde_json::to_string(&product()).unwrap();
        assert!(product.contains(r#""price":4503599627370.49,"#), "{product}");
        product.pop();
        let expected = format!(
            r#"{{"products":[{product},"score":1.5,"highlights":{{"name":"<em>Lampe</em>"}}}}],"total":1234,"took":1.234,"facets":{{}},"page":1,"pageSize":20}}"#
        );
        assert_eq!(text(&SearchRequest::all(Currency::USD), &answer()), expected);
    }

    #[test]
    fn facets_keep_their_order_and_amounts_their_digits() {
        let value = |value: &str, count| FacetValue { value: value.to_owned(), count };
        let values = |values, distinct| Facet::Values { values, distinct, numbers: None };
        let prices = price_facet(&[(1250, 1), (90_000, 39)]);
        let facets = vec![
            (Field::Price, Facet::Price(prices)),
            (Field::Brand, values(vec![value("HP", 12)], 88)),
            (Field::Attribute("a\"b".to_owned()), values(Vec::new(), 0)),
        ];
        let json = text(&SearchRequest::all(Currency::USD), &SearchAnswer { facets, ..answer() });
        let buckets = r#"{"from":0.00,"to":99.99,"count":1},{"from":100.00,"to":199.99,"count":0}"#;
        assert!(
            json.contains(&format!(
                r#""facets":{{"price":{{"min":12.50,"max":900.00,"count":40,"currency":"USD","histogram":[{buckets}"#
            )),
            "{json}"
        );
        let rest = r#","brand":{"values":[{"value":"HP","count":12}],"distinct":88},"attributes.a\"b":{"values":[],"distinct":0}}"#;
        assert!(json.contains(rest), "{json}");
    }

    #[test]
    fn a_price_facet_may_be_empty_and_may_reach_the_largest_price() {
        let request = SearchRequest::all(Currency::USD);
        let facet = |facet| {
            let facets = vec![(Field::Price, Facet::Price(facet))];
            let json: Value =
                serde_json::from_str(&text(&request, &SearchAnswer { facets, ..answer() })).unwrap();
            json["facets"]["price"].clone()
        };
        assert_eq!(facet(None), Value::Null);
        let largest = facet(price_facet(&[(MAX_MINOR_UNITS, 1)]));
        assert_eq!(largest["max"].to_string(), "9999999999999.99");
        assert_eq!(largest["histogram"][0]["to"].to_string(), "9999999999999.99");
    }

    #[test]
    fn a_page_behind_a_cursor_has_no_number() {
        let cursor = Cursor {
            sort: Sort::Name,
            key: Some(SortKey::Text("a".to_owned())),
            id: product().id.clone(),
            interpretation: QueryInterpretation::default(),
        };
        let request = SearchRequest {
            page: Page { start: PageStart::After(cursor.clone()), size: 5 },
            ..SearchRequest::all(Currency::USD)
        };
        let corrected_query = Some("processor intel".to_owned());
        let relaxed = vec!["purple".to_owned()];
        let answer = SearchAnswer { next: Some(cursor.clone()), corrected_query, relaxed, ..answer() };
        let json: Value = serde_json::from_str(&text(&request, &answer)).unwrap();
        assert_eq!(json.get("page"), None);
        assert_eq!(json["pageSize"], 5);
        assert_eq!(Cursor::decode(json["nextCursor"].as_str().unwrap()), Some(cursor));
        assert_eq!(json["correctedQuery"], "processor intel");
        assert_eq!(json["relaxed"], serde_json::json!(["purple"]));
    }

    #[test]
    fn the_values_of_a_facet_have_its_name() {
        let values = [FacetValue { value: "HP".to_owned(), count: 2 }];
        let json = facet_values_json(&Field::Attribute("x".to_owned()), &values).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            r#"{"field":"attributes.x","values":[{"value":"HP","count":2}]}"#
        );
    }
}
