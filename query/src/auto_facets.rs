//! `facets=*`: selects the facets that matter for the products found.

use std::collections::BTreeMap;

use domain::Product;
use domain::search::{
    Facet, Field, Hit, MAX_FACETS, MAX_PAGE_SIZE, Page, PageStart, SearchAnswer, SearchRequest, Sort,
};

/// The most attributes to select, besides those that are filtered by.
const MAX_ATTRIBUTES: usize = 6;
/// The share of the products that must have an attribute for it to be selected.
const MIN_COVERAGE: f64 = 0.2;
/// The number of values from which an attribute whose values mostly differ counts as a name of the product, not as a description.
const MANY_VALUES: usize = 20;

/// Returns the search for the sample: the best matches.
pub(crate) fn sample(request: &SearchRequest) -> SearchRequest {
    SearchRequest {
        facets: Vec::new(),
        sort: Sort::Relevance,
        page: Page { start: PageStart::Number(1), size: MAX_PAGE_SIZE },
        ..request.clone()
    }
}

/// Returns the products of the sample that facets count. They come first, followed by products that lack words.
pub(crate) fn counted(sample: &SearchAnswer) -> &[Hit] {
    let total = usize::try_from(sample.total).unwrap_or(usize::MAX);
    let counted = if sample.relaxed_total.is_some() { total } else { usize::MAX };
    &sample.hits[..sample.hits.len().min(counted)]
}

/// Returns at most [`MAX_FACETS`] facets, in this order:
///
/// 1. those that the request names,
/// 2. brand, category and price, if filtered by or if a product of the sample has one,
/// 3. the attributes that are filtered by,
/// 4. the attributes that are most [useful](AttributeCounts::usefulness) for telling the products of the sample apart.
pub(crate) fn select_facets(request: &SearchRequest, sample: &[Hit]) -> Vec<Field> {
    let products: Vec<&Product> = sample.iter().map(|hit| &*hit.product).collect();
    let any = |has: &dyn Fn(&Product) -> bool| products.iter().any(|product| has(product));
    let mut fields = request.facets.clone();
    let filters = &request.filters;
    let in_currency =
        |product: &Product| product.content.price.is_some_and(|price| price.currency() == request.currency);
    let fixed = [
        (Field::Brand, !filters.brand.is_empty() || any(&|product| product.content.brand.is_some())),
        (
            Field::Category,
            !filters.category.is_empty() || any(&|product| product.content.category().is_some()),
        ),
        (Field::Price, !filters.price.is_empty() || any(&in_currency)),
    ];
    fields.extend(fixed.into_iter().filter(|(_, is_there)| *is_there).map(|(field, _)| field));
    fields.extend(filters.attributes.keys().cloned().map(Field::Attribute));
    let mut useful: Vec<(f64, &str)> = count_attributes(&products)
        .into_iter()
        .filter_map(|(key, counts)| Some((counts.usefulness(products.len())?, key)))
        .collect();
    useful
        .sort_by(|(a_usefulness, a), (b_usefulness, b)| b_usefulness.total_cmp(a_usefulness).then(a.cmp(b)));
    let attributes = useful.into_iter().map(|(_, key)| Field::Attribute(key.to_owned()));
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

/// Removes attributes that were selected by a sample, but that few of all products found have. The best matches of a search
/// without words are those with the smallest ids, which may be of one kind. `named` has the facets that the client named.
pub(crate) fn remove_rare(request: &mut SearchRequest, named: &[Field], answer: &mut SearchAnswer) {
    let needed = answer.total as f64 * MIN_COVERAGE;
    let is_rare = |field: &Field, facet: &Facet| {
        let Field::Attribute(key) = field else { return false };
        let is_wanted = named.contains(field) || request.filters.attributes.contains_key(key);
        !is_wanted && (products_with(facet) as f64) < needed
    };
    let rare = answer.facets.iter().filter(|(field, facet)| is_rare(field, facet));
    let rare: Vec<Field> = rare.map(|(field, _)| field.clone()).collect();
    request.facets.retain(|field| !rare.contains(field));
    answer.facets.retain(|(field, _)| !rare.contains(field));
}

/// Estimates the number of products with the attribute. A value that is not listed counts as one product.
fn products_with(facet: &Facet) -> u64 {
    let Facet::Values { values, distinct, numbers, .. } = facet else { return 0 };
    let listed: u64 = values.iter().map(|value| value.count).sum();
    let unlisted = distinct.saturating_sub(values.len()) as u64;
    numbers.as_ref().map_or(0, |numbers| numbers.count).max(listed + unlisted)
}

/// The counts of one attribute in a sample.
#[derive(Default)]
struct AttributeCounts {
    /// Products that have it.
    products: usize,
    /// Products whose value is a number or a date.
    numbers: usize,
    /// Products with each value.
    values: BTreeMap<String, usize>,
}

fn count_attributes<'a>(products: &[&'a Product]) -> BTreeMap<&'a str, AttributeCounts> {
    let mut attributes = BTreeMap::<&str, AttributeCounts>::new();
    for (key, value) in products.iter().flat_map(|product| &product.content.attributes) {
        let counts = attributes.entry(key).or_default();
        counts.products += 1;
        counts.numbers += usize::from(value.as_number().is_some() || value.as_date().is_some());
        for value in value.facet_values() {
            *counts.values.entry(value.into_owned()).or_default() += 1;
        }
    }
    attributes
}

impl AttributeCounts {
    /// Returns the share of the products that have the attribute, times the probability that two of its values differ (the
    /// Gini–Simpson index).
    ///
    /// Returns `None` if all values are equal, few products have it, or more than half of the values are distinct, so that they name
    /// products. Numbers, which are selected by ranges, and fewer than [`MANY_VALUES`] values are excluded only if all are distinct.
    fn usefulness(&self, products: usize) -> Option<f64> {
        let coverage = self.products as f64 / products as f64;
        let (distinct, total) = (self.values.len(), self.values.values().sum::<usize>());
        let is_number = self.numbers == self.products;
        let is_name = if is_number || total < MANY_VALUES { distinct == total } else { distinct * 2 > total };
        if distinct < 2 || is_name || coverage < MIN_COVERAGE {
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
    use domain::search::FacetValue;
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

    fn selected(request: &SearchRequest, products: impl Fn(usize) -> Value) -> Vec<String> {
        let sample: Vec<Hit> = (0..100).map(|number| hit(number, &products(number))).collect();
        select_facets(request, &sample).iter().map(ToString::to_string).collect()
    }

    fn everything() -> SearchRequest {
        SearchRequest::all(Currency::USD)
    }

    #[test]
    fn attributes_are_selected_that_most_products_have_and_that_divide_them() {
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
        let selected = selected(&everything(), product);
        assert_eq!(selected, ["brand", "attributes.weight", "attributes.colour", "attributes.wireless"]);
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
        let selected = selected(&request, product);
        let attributes = ["k00", "k01", "k02", "k03", "k04", "k05"].map(|key| format!("attributes.{key}"));
        let first = ["tags", "brand", "category", "price", "attributes.size"].map(str::to_owned);
        assert_eq!(selected, [&first[..], &attributes].concat());
        request.facets = (0..MAX_FACETS).map(|n| Field::Attribute(n.to_string())).collect();
        assert_eq!(select_facets(&request, &[]), request.facets);
    }

    #[test]
    fn attributes_of_few_products_are_removed_unless_somebody_wants_them() {
        let field = |key: &str| Field::Attribute(key.to_owned());
        let facet = |counts: &[u64]| {
            let values = counts.iter().map(|count| FacetValue { value: count.to_string(), count: *count });
            Facet::Values { values: values.collect(), distinct: counts.len(), numbers: None, dates: None }
        };
        let mut request = everything();
        request.filters.attributes.insert("filtered".to_owned(), Vec::new());
        request.facets = ["common", "rare", "filtered", "named"].map(field).to_vec();
        request.facets.push(Field::Brand);
        let counted = [
            (field("common"), facet(&[15, 5])),
            (field("rare"), facet(&[10, 9])),
            (field("filtered"), facet(&[1])),
            (field("named"), facet(&[1])),
            (Field::Brand, facet(&[1])),
        ];
        let mut answer = SearchAnswer { total: 100, facets: counted.to_vec(), ..SearchAnswer::default() };
        remove_rare(&mut request, &[field("named")], &mut answer);
        let kept = [field("common"), field("filtered"), field("named"), Field::Brand];
        assert_eq!(request.facets, kept);
        assert_eq!(answer.facets.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>(), kept);
    }

    #[test]
    fn where_nothing_is_found_nothing_matters() {
        assert_eq!(select_facets(&everything(), &[]), []);
        let few = [
            json!({"name": "x", "attributes": {"colour": "red", "mpn": "a"}}),
            json!({"name": "x", "attributes": {"colour": "blue", "mpn": "b"}}),
            json!({"name": "x", "attributes": {"colour": "red", "mpn": "c"}}),
        ];
        let sample: Vec<Hit> = few.iter().enumerate().map(|(number, json)| hit(number, json)).collect();
        assert_eq!(select_facets(&everything(), &sample), [Field::Attribute("colour".to_owned())]);
    }
}
