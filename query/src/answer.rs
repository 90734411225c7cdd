//! Renders answers as JSON, directly as bytes, without copying the products, which are most of a response.

use std::borrow::Cow;
use std::time::Duration;

use api::wire::explain::Explanation;
use api::wire::facets::{self, FacetValues, Facets, PriceBucket};
use api::wire::fields::Chosen;
use api::wire::search::{Hit, SearchAnswer};
use domain::money::MAX_MINOR_UNITS;
use domain::search::{
    Cursor, DateBucket, DateFacet, Facet, FacetValue, Field, NumberBucket, NumberFacet, PageStart,
    PriceFacet, SearchRequest, format_moment,
};
use domain::{Currency, Money};
use search_parameters::ParsedSearch;
use serde_json::value::RawValue;

use crate::category_tree::tree;

/// Renders the answer to `request`, which is the search of `parsed` with the facets that were counted. `took` is the time that the
/// index needed. `explanations` has one explanation for each product, in the order of the products, or is empty.
///
/// # Errors
/// Only for a defect: every product can be serialized.
pub fn search_json<'a>(
    parsed: &'a ParsedSearch,
    request: &SearchRequest,
    answer: &'a domain::search::SearchAnswer,
    explanations: impl IntoIterator<Item = Explanation<'a>>,
    took: Duration,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut explanations = explanations.into_iter();
    let hit = |hit: &'a domain::search::Hit| Hit {
        product: Cow::Borrowed(&*hit.product),
        score: hit.score,
        highlights: Cow::Borrowed(&hit.highlights),
        explanation: explanations.next(),
    };
    let facet =
        |(field, facet): &'a (Field, Facet)| (field.to_string().into(), render_facet(field, facet, request));
    serde_json::to_vec(&SearchAnswer {
        products: Chosen {
            hits: answer.hits.iter().map(hit).collect(),
            fields: Cow::Borrowed(&parsed.fields),
        },
        total: answer.total,
        relaxed_total: answer.relaxed_total,
        took: milliseconds(took),
        facets: Facets(answer.facets.iter().map(facet).collect()),
        page: match request.page.start {
            PageStart::Number(number) => Some(number),
            PageStart::After(_) => None,
        },
        page_size: request.page.size,
        next_cursor: answer.next.as_ref().map(Cursor::encode),
        corrected_query: answer.corrected_query.as_deref().map(Cow::Borrowed),
        relaxed: Cow::Borrowed(&answer.relaxed),
        truncated: parsed.is_truncated,
    })
}

/// Joins several rendered answers.
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

/// Renders the values of one facet.
///
/// # Errors
/// As [`search_json`].
pub fn facet_values_json(
    field: &Field,
    values: &[FacetValue],
    truncated: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&FacetValues { field: field.to_string(), values: Cow::Borrowed(values), truncated })
}

/// Returns milliseconds with at most 3 decimals.
pub(crate) fn milliseconds(took: Duration) -> f64 {
    took.as_micros() as f64 / 1000.0
}

/// Renders a facet. Lists the first values only; the tree of categories is built from all of them.
fn render_facet<'a>(field: &Field, facet: &'a Facet, request: &SearchRequest) -> facets::Facet<'a> {
    let limit = request.facet_values;
    match facet {
        Facet::Values { values, distinct, numbers, dates } => facets::Facet::Values(facets::ValuesFacet {
            values: Cow::Borrowed(&values[..values.len().min(limit)]),
            distinct: *distinct,
            tree: (*field == Field::Category).then(|| tree(values, &request.filters.category, limit)),
            numbers: numbers.as_ref().map(number_facet),
            dates: dates.as_ref().map(date_facet),
        }),
        Facet::Price(facet) => {
            facets::Facet::Price(facet.as_ref().map(|facet| price_facet(facet, request.currency)))
        }
    }
}

fn number_facet(facet: &NumberFacet) -> facets::NumberFacet {
    let bucket = |NumberBucket { from, to, count }: &NumberBucket| facets::NumberBucket {
        from: *from,
        to: *to,
        count: *count,
    };
    facets::NumberFacet {
        min: facet.min,
        max: facet.max,
        count: facet.count,
        histogram: facet.histogram.iter().map(bucket).collect(),
    }
}

fn date_facet(facet: &DateFacet) -> facets::DateFacet {
    let bucket = |DateBucket { from, to, count }: &DateBucket| facets::DateBucket {
        from: format_moment(*from),
        to: format_moment(*to),
        count: *count,
    };
    facets::DateFacet {
        min: format_moment(facet.min),
        max: format_moment(facet.max),
        count: facet.count,
        histogram: facet.histogram.iter().map(bucket).collect(),
    }
}

fn price_facet(facet: &PriceFacet, currency: Currency) -> facets::PriceFacet {
    let bucket = |bucket: &domain::search::PriceBucket| PriceBucket {
        from: amount(bucket.from, currency),
        to: amount(bucket.to, currency),
        count: bucket.count,
    };
    facets::PriceFacet {
        min: amount(facet.min, currency),
        max: amount(facet.max, currency),
        count: facet.count,
        currency,
        histogram: facet.histogram.iter().map(bucket).collect(),
    }
}

/// Returns an amount as an exact decimal number. Clamps it, because the last bucket may end above the highest possible price.
fn amount(minor_units: i64, currency: Currency) -> Box<RawValue> {
    Money::from_minor_units(minor_units.clamp(0, MAX_MINOR_UNITS), currency)
        .map_or_else(|_| RawValue::NULL.to_owned(), Money::to_json_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::wire::fields::ChosenField;
    use domain::input::read_product;
    use domain::search::{Hit, Page, QueryInterpretation, SearchAnswer, Sort, SortKey, price_facet};
    use domain::{Product, ProductId, Version};
    use serde_json::Value;
    use std::collections::BTreeMap;
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
            relaxed_total: None,
            facets: Vec::new(),
            corrected_query: None,
            relaxed: Vec::new(),
            next: None,
            snapshot: "1".to_owned(),
        }
    }

    fn text(request: &SearchRequest, answer: &SearchAnswer) -> String {
        let parsed = ParsedSearch::of(request.clone());
        String::from_utf8(search_json(&parsed, request, answer, [], Duration::from_nanos(1_234_567)).unwrap())
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
    fn a_hit_has_the_chosen_fields_and_its_id() {
        let fields = ["price", "highlights"].map(|name| ChosenField::parse(name).unwrap());
        let request = SearchRequest::all(Currency::USD);
        let parsed = ParsedSearch { fields: fields.to_vec(), ..ParsedSearch::of(request.clone()) };
        let json = search_json(&parsed, &request, &answer(), [], Duration::ZERO).unwrap();
        let expected = r#"{"products":[{"id":"lamp-1","price":4503599627370.49,"highlights":{"name":"<em>Lampe</em>"}}],"total":1234,"#;
        let json = String::from_utf8(json).unwrap();
        assert!(json.starts_with(expected), "{json}");
    }

    #[test]
    fn products_that_lack_words_are_counted_apart() {
        let answer = SearchAnswer { relaxed_total: Some(0), ..answer() };
        let json = text(&SearchRequest::all(Currency::USD), &answer);
        assert!(json.contains(r#""total":1234,"relaxedTotal":0,"took""#), "{json}");
    }

    #[test]
    fn facets_keep_their_order_and_amounts_their_digits() {
        let value = |value: &str, count| FacetValue { value: value.to_owned(), count };
        let values = |values, distinct| Facet::Values { values, distinct, numbers: None, dates: None };
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
            restriction: None,
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
        let json = facet_values_json(&Field::Attribute("x".to_owned()), &values, false).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            r#"{"field":"attributes.x","values":[{"value":"HP","count":2}]}"#
        );
    }
}
