//! `facets=*`: which facets matter for what a search finds.

use std::collections::BTreeMap;

use domain::Product;
use domain::search::{Field, Hit, MAX_FACETS, MAX_PAGE_SIZE, Page, PageStart, SearchRequest, Sort};

/// The most attributes that are picked, besides those that are filtered by.
const MAX_ATTRIBUTES: usize = 6;
/// The least share of the products that must have an attribute.
const LEAST_COVERAGE: f64 = 0.2;
/// Of so many values or more, most of which differ, the attribute is a name of the product rather than a property.
const MANY_VALUES: usize = 20;

/// The search for the products that are looked at: the best ones.
pub(crate) fn sample(request: &SearchRequest) -> SearchRequest {
    SearchRequest {
        facets: Vec::new(),
        sort: Sort::Relevance,
        page: Page { start: PageStart::Number(1), size: MAX_PAGE_SIZE },
        ..request.clone()
    }
}

/// The facets that a request names, then brand, category and price where a product of the sample has one, then the
/// attributes that are filtered by, then those that tell the products of the sample apart; [`MAX_FACETS`] at most.
pub(crate) fn picked(request: &SearchRequest, sample: &[Hit]) -> Vec<Field> {
    let products: Vec<&Product> = sample.iter().map(|hit| &*hit.product).collect();
    let any = |has: &dyn Fn(&Product) -> bool| products.iter().any(|product| has(product));
    let mut fields = request.facets.clone();
    let filters = &request.filters;
    let in_currency =
        |product: &Product| product.content.price.is_some_and(|price| price.currency() == request.currency);
    let plain = [
        (Field::Brand, !filters.brand.is_empty() || any(&|product| product.content.brand.is_some())),
        (Field::Category, !filters.category.is_empty() || any(&|product| product.content.category.is_some())),
        (Field::Price, !filters.price.is_empty() || any(&in_currency)),
    ];
    fields.extend(plain.into_iter().filter(|(_, is_there)| *is_there).map(|(field, _)| field));
    fields.extend(filters.attributes.keys().cloned().map(Field::Attribute));
    let mut telling: Vec<(f64, &str)> = tallies(&products)
        .into_iter()
        .filter_map(|(key, tally)| Some((tally.worth(products.len())?, key)))
        .collect();
    telling.sort_by(|(a_worth, a), (b_worth, b)| b_worth.total_cmp(a_worth).then(a.cmp(b)));
    let attributes = telling.into_iter().map(|(_, key)| Field::Attribute(key.to_owned()));
    fields.extend(attributes.take(MAX_ATTRIBUTES));
    let mut distinct = Vec::with_capacity(fields.len());
    for field in fields {
        if !distinct.contains(&field) {
            distinct.push(field);
        }
    }
    distinct.truncate(MAX_FACETS);
    distinct
}

/// What the products of a sample have of one attribute.
#[derive(Default)]
struct Tally {
    products: usize,
    /// Products with a number.
    numbers: usize,
    values: BTreeMap<String, usize>,
}

fn tallies<'a>(products: &[&'a Product]) -> BTreeMap<&'a str, Tally> {
    let mut tallies = BTreeMap::<&str, Tally>::new();
    for (key, value) in products.iter().flat_map(|product| &product.content.attributes) {
        let tally = tallies.entry(key).or_default();
        tally.products += 1;
        tally.numbers += usize::from(value.as_number().is_some());
        for value in value.facet_values() {
            *tally.values.entry(value.into_owned()).or_default() += 1;
        }
    }
    tallies
}

impl Tally {
    /// The share of the products that have the attribute, times how likely two of its values differ (the index of Gini
    /// and Simpson). None where it divides nothing, few products have it, or nearly every product has a value of its own;
    /// for numbers, which are chosen by ranges, that is no harm before all of them differ.
    fn worth(&self, products: usize) -> Option<f64> {
        let coverage = self.products as f64 / products as f64;
        let (distinct, total) = (self.values.len(), self.values.values().sum::<usize>());
        let is_number = self.numbers == self.products;
        let is_name = if is_number || total < MANY_VALUES { distinct == total } else { distinct * 2 > total };
        if distinct < 2 || is_name || coverage < LEAST_COVERAGE {
            return None;
        }
        let same: f64 = self.values.values().map(|count| (*count as f64 / total as f64).powi(2)).sum();
        Some(coverage * (1.0 - same))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::{Currency, ProductId, Version};
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn hit(number: usize, json: &Value) -> Hit {
        let product = Product {
            id: ProductId::parse(&format!("p{number}")).unwrap(),
            version: Version(1),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            content: read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content,
        };
        Hit { product: Arc::new(product), score: 1.0, highlights: BTreeMap::new() }
    }

    fn picks(request: &SearchRequest, products: impl Fn(usize) -> Value) -> Vec<String> {
        let sample: Vec<Hit> = (0..100).map(|number| hit(number, &products(number))).collect();
        picked(request, &sample).iter().map(ToString::to_string).collect()
    }

    fn everything() -> SearchRequest {
        SearchRequest::all(Currency::USD)
    }

    #[test]
    fn attributes_are_picked_that_most_products_have_and_that_divide_them() {
        let product = |number: usize| {
            let mut attributes = json!({
                "colour": (["black", "white", "red", "blue"][number % 4]),
                "wireless": (number.is_multiple_of(10)),
                "warranty": "2 years",
                "code": format!("code-{number}"),
                "ean": 4_000_000 + number,
                "weight": number % 50,
            });
            if number < 10 {
                attributes["rare"] = json!(number % 2);
            }
            json!({"name": "x", "brand": "HP", "attributes": attributes})
        };
        let picks = picks(&everything(), product);
        assert_eq!(picks, ["brand", "attributes.weight", "attributes.colour", "attributes.wireless"]);
    }

    #[test]
    fn named_and_filtered_ones_are_there_in_any_case_and_there_is_an_end() {
        let mut request = everything();
        request.facets = vec![Field::Tags, Field::Brand];
        request.filters.attributes.insert("size".to_owned(), Vec::new());
        request.filters.category.push(domain::CategoryPath::parse("Home").unwrap());
        let product = |number: usize| {
            let attributes: serde_json::Map<String, Value> =
                (0..30).map(|key| (format!("k{key:02}"), json!(number.is_multiple_of(2)))).collect();
            json!({"name": "x", "price": 5, "attributes": attributes})
        };
        let picks = picks(&request, product);
        let attributes = ["k00", "k01", "k02", "k03", "k04", "k05"].map(|key| format!("attributes.{key}"));
        let first = ["tags", "brand", "category", "price", "attributes.size"].map(str::to_owned);
        assert_eq!(picks, [&first[..], &attributes].concat());
        request.facets = (0..MAX_FACETS).map(|n| Field::Attribute(n.to_string())).collect();
        assert_eq!(picked(&request, &[]), request.facets);
    }

    #[test]
    fn where_nothing_is_found_nothing_matters() {
        assert_eq!(picked(&everything(), &[]), []);
        let few = [
            json!({"name": "x", "attributes": {"colour": "red", "mpn": "a"}}),
            json!({"name": "x", "attributes": {"colour": "blue", "mpn": "b"}}),
            json!({"name": "x", "attributes": {"colour": "red", "mpn": "c"}}),
        ];
        let sample: Vec<Hit> = few.iter().enumerate().map(|(number, json)| hit(number, json)).collect();
        assert_eq!(picked(&everything(), &sample), [Field::Attribute("colour".to_owned())]);
    }
}
