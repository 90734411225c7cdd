//! One search: what is asked of an index and what it answers, the same for every index.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, MoneyError, PriceRange};
use crate::product::{AttributeValue, CategoryPath, Product, ProductId, Status};

/// The most characters that the words of a search may have.
pub const MAX_QUERY_CHARS: usize = 256;
/// The most words a search may have.
pub const MAX_QUERY_WORDS: usize = 32;
/// The most values that all filters of a search may have together.
pub const MAX_FILTERS: usize = 20;
/// The most facets that one search may ask for.
pub const MAX_FACETS: usize = 20;
/// The most products on a page.
pub const MAX_PAGE_SIZE: usize = 100;
/// Products on a page, unless the caller says otherwise.
pub const DEFAULT_PAGE_SIZE: usize = 20;
/// How deep `page` reaches: further on, a cursor is needed.
pub const MAX_PAGED_PRODUCTS: usize = 10_000;
/// The most values that a facet answers with.
pub const MAX_FACET_VALUES: usize = 1000;
/// Values that a facet answers with, unless the caller says otherwise.
pub const DEFAULT_FACET_VALUES: usize = 50;

/// What is asked of an index. Only active products are ever found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// What the shopper typed, at most [`MAX_QUERY_CHARS`]; without any word in it, everything is found.
    pub words: String,
    /// Whether the shopper is still typing: then the last word is a beginning in any case.
    pub typing: bool,
    /// How many of the words a product must have.
    pub need: Need,
    /// What the shop decided about this search.
    pub tuning: Tuning,
    /// What a product must satisfy.
    pub filters: Filters,
    /// The one currency of price filters, price sorting and price facets. A product with another one is found
    /// by its words, but by no price filter; it is sorted behind all others and counted in no price facet.
    pub currency: Currency,
    /// The facets to count, each once.
    pub facets: Vec<FacetField>,
    /// The most values a facet answers with.
    pub facet_values: usize,
    /// The order.
    pub sort: Sort,
    /// Which part of the list.
    pub page: Page,
}

impl SearchRequest {
    /// The first page of everything.
    pub fn all(currency: Currency) -> Self {
        Self {
            words: String::new(),
            typing: false,
            need: Need::Most,
            tuning: Tuning::default(),
            filters: Filters::default(),
            currency,
            facets: Vec::new(),
            facet_values: DEFAULT_FACET_VALUES,
            sort: Sort::Relevance,
            page: Page::default(),
        }
    }
}

/// How many of the words of a search a product must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Need {
    /// Every one; where few products have them all, some need not be found, see [`SearchAnswer::relaxed`].
    #[default]
    Most,
    /// Every one, and nothing is found where no product has them all.
    All,
    /// At least one, as it stands: no typos are looked for, and no beginnings. More words found come first. To find
    /// what is like a text.
    Any,
}

/// What a shop decided about one search: the part of its rules that applies to the words and to this moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tuning {
    /// What may stand in a product instead of words of the search.
    pub synonyms: Vec<Synonym>,
    /// Words that need not be found, unless nothing else would be left.
    pub stop_words: Vec<String>,
    /// Products that come before all others, in this order, when they are active and pass the filters, whether or
    /// not the words find them. Only under [`Sort::Relevance`].
    pub pinned: Vec<ProductId>,
    /// Products that are neither found nor counted.
    pub hidden: Vec<ProductId>,
    /// Products that rank higher or lower among those that match as well.
    pub boosts: Vec<Boost>,
}

impl Tuning {
    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Words that mean the same to this shop, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    /// Words of the search that follow each other: `cell phone`.
    pub from: String,
    /// What is found for them as well, each of one or several words, all of which a product must have: `mobile`.
    pub to: Vec<String>,
}

/// Moves products that pass the filters up or down among those whose words match as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Boost {
    /// Which products.
    pub filters: Filters,
    /// How far, from -[`MAX_BOOST`] to [`MAX_BOOST`]; 1 is as much as the best and the worst place of a word in a
    /// product are apart. Boosts of one product add up, within the same bounds.
    pub by: f32,
}

/// The most that boosts move a product.
pub const MAX_BOOST: f32 = 1.0;

/// What a product must satisfy: one value of each field that is named.
///
/// Values are compared as they stand, with upper and lower case, except that numbers are compared as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filters {
    /// The category, or any under it.
    pub category: Vec<CategoryPath>,
    /// The brand.
    pub brand: Vec<String>,
    /// A tag.
    pub tags: Vec<String>,
    /// The price, in the currency of the request.
    pub price: Vec<PriceRange>,
    /// True: at least one piece in stock. False: none, or unknown.
    pub in_stock: Option<bool>,
    /// Attributes by key.
    pub attributes: BTreeMap<String, Vec<AttributeFilter>>,
}

impl Filters {
    /// How many values there are to check.
    pub fn count(&self) -> usize {
        self.category.len()
            + self.brand.len()
            + self.tags.len()
            + self.price.len()
            + usize::from(self.in_stock.is_some())
            + self.attributes.values().map(Vec::len).sum::<usize>()
    }
}

/// What the value of an attribute must satisfy.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeFilter {
    /// The value written as text, see [`AttributeValue::facet_values`]; one of them for a list.
    Equals(String),
    /// A number within both ends, included.
    Range {
        /// The lowest.
        min: Option<f64>,
        /// The highest.
        max: Option<f64>,
    },
}

impl AttributeFilter {
    /// Reads a filter: `min..max`, `min..` and `..max` are ranges when their ends are numbers; every other text is a
    /// value. The error ends a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ends = text.split_once("..").and_then(|(min, max)| Some((read_end(min)?, read_end(max)?)));
        match ends {
            None | Some((None, None)) => Ok(Self::Equals(text.to_owned())),
            Some((Some(min), Some(max))) if min > max => Err(MoneyError::EmptyRange.to_string()),
            Some((min, max)) => Ok(Self::Range { min, max }),
        }
    }

    /// Whether the value passes.
    pub fn accepts(&self, value: &AttributeValue) -> bool {
        match self {
            Self::Equals(text) => value.facet_values().any(|value| value == *text),
            Self::Range { min, max } => value.as_number().is_some_and(|number| {
                min.is_none_or(|min| min <= number) && max.is_none_or(|max| number <= max)
            }),
        }
    }
}

/// One end of a range: `Some(None)` when it is open, `None` when it is no number as JSON writes them.
fn read_end(text: &str) -> Option<Option<f64>> {
    if text.is_empty() {
        return Some(None);
    }
    let bare = !text.contains(|c: char| c.is_ascii_whitespace());
    serde_json::from_str::<f64>(text).ok().filter(|number| bare && number.is_finite()).map(Some)
}

impl AttributeValue {
    /// The value as facets count it and filters compare it: a text as it is, a number in its shortest form
    /// (`13`, `13.3`), a flag as `true` or `false`, each element of a list.
    pub fn facet_values(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        use std::borrow::Cow;
        let (one, many): (Option<Cow<'_, str>>, &[String]) = match self {
            Self::Text(text) => (Some(Cow::Borrowed(text)), &[]),
            Self::Flag(flag) => (Some(Cow::Borrowed(if *flag { "true" } else { "false" })), &[]),
            Self::Number(number) => (Some(Cow::Owned(shortest_number(number))), &[]),
            Self::List(list) => (None, list),
        };
        one.into_iter().chain(many.iter().map(|text| Cow::Borrowed(text.as_str())))
    }

    /// The value as a number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }
}

/// `13.0` and `13` are one value of a facet.
fn shortest_number(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_i64() && !number.is_u64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// A field whose values are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FacetField {
    /// By brand.
    Brand,
    /// By category path, each product once for its category and once for every category above it.
    Category,
    /// By tag.
    Tags,
    /// Lowest, highest and a histogram of prices in the currency of the request.
    Price,
    /// By the value of the attribute with this key.
    Attribute(String),
}

impl FacetField {
    /// Reads `brand`, `category`, `tags`, `price` or `attributes.KEY`. The error ends a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "brand" => Ok(Self::Brand),
            "category" => Ok(Self::Category),
            "tags" => Ok(Self::Tags),
            "price" => Ok(Self::Price),
            _ => match text.strip_prefix("attributes.") {
                Some(key) if !key.is_empty() => Ok(Self::Attribute(key.to_owned())),
                _ => Err("must be `brand`, `category`, `tags`, `price` or `attributes.KEY`".to_owned()),
            },
        }
    }
}

impl fmt::Display for FacetField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brand => f.write_str("brand"),
            Self::Category => f.write_str("category"),
            Self::Tags => f.write_str("tags"),
            Self::Price => f.write_str("price"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
        }
    }
}

/// The order of the products found. Products that are equal in it, or have no value for it, follow each other
/// by `id`, ascending; those without a value come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Sort {
    /// The best match first. Without words all products match equally well.
    #[default]
    Relevance,
    /// The cheapest first.
    PriceAsc,
    /// The dearest first.
    PriceDesc,
    /// The last created first.
    Newest,
    /// By name, in the order of Unicode code points of the lower-case name.
    Name,
}

impl Sort {
    /// All of them, with the name that the wire has.
    pub const ALL: [(&'static str, Self); 5] = [
        ("relevance", Self::Relevance),
        ("price_asc", Self::PriceAsc),
        ("price_desc", Self::PriceDesc),
        ("newest", Self::Newest),
        ("name", Self::Name),
    ];
}

/// The name as [`Sort::Name`] compares it.
pub fn name_sort_key(name: &str) -> String {
    name.to_lowercase()
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Where it begins.
    pub start: PageStart,
    /// The most products it has, from 1 to [`MAX_PAGE_SIZE`].
    pub size: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self { start: PageStart::Number(1), size: DEFAULT_PAGE_SIZE }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq)]
pub enum PageStart {
    /// At this page, counted from 1; `number * size` is at most [`MAX_PAGED_PRODUCTS`].
    Number(usize),
    /// Behind the product that the cursor names.
    After(Cursor),
}

/// The place of one product in a sorted list: the next page begins behind it, whatever comes and goes before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order that the cursor belongs to.
    #[serde(rename = "s")]
    pub sort: Sort,
    /// The product's key in that order; none when it has no value there.
    #[serde(rename = "k")]
    pub key: Option<SortKey>,
    /// The product.
    #[serde(rename = "i")]
    pub id: ProductId,
    /// How the words were read for the pages before: so they are read for the pages behind.
    #[serde(rename = "r", default, skip_serializing_if = "Reading::is_as_typed")]
    pub reading: Reading,
}

/// How an index read the words of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// The words in which typos were looked for, by their places among the words of the search, from 0.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub typos: Vec<u8>,
    /// The words that need not be found.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<u8>,
}

impl Reading {
    /// Whether every word was looked for just as it was typed.
    pub fn is_as_typed(&self) -> bool {
        *self == Self::default()
    }
}

/// A product's key in an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SortKey {
    /// The bits of the score, [`f32::to_bits`].
    #[serde(rename = "s")]
    Score(u32),
    /// Minor units, or milliseconds since 1970.
    #[serde(rename = "n")]
    Number(i64),
    /// See [`name_sort_key`].
    #[serde(rename = "t")]
    Text(String),
}

impl Cursor {
    /// The opaque text that clients hand back.
    pub fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads what [`Cursor::encode`] wrote; none for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

/// What an index answers.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchAnswer {
    /// The products of the page, in order.
    pub hits: Vec<Hit>,
    /// How many products were found in all, exactly.
    pub total: u64,
    /// Every facet that was asked for, in the order asked.
    pub facets: Vec<(FacetField, Facet)>,
    /// The query with its misspelt words corrected, when the index is confident that they were.
    pub corrected_query: Option<String>,
    /// Words of the query that the products listed need not have, as they stand in it, because few products have all
    /// words. Those that have more of them come first.
    pub relaxed: Vec<String>,
    /// Where the next page begins; none on the last one.
    pub next: Option<Cursor>,
    /// Names the state of the index that answered: equal when nothing was committed between two searches.
    pub snapshot: String,
}

/// A product that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The product as it was indexed.
    pub product: Arc<Product>,
    /// How well it matches; higher is better, 0 without words.
    pub score: f32,
    /// The fields in which words were found (`name`, `description`, …), with each word between
    /// [`HIGHLIGHT_START`] and [`HIGHLIGHT_END`] and everything else escaped for HTML.
    pub highlights: BTreeMap<String, String>,
}

/// Before a highlighted word.
pub const HIGHLIGHT_START: &str = "<em>";
/// After a highlighted word.
pub const HIGHLIGHT_END: &str = "</em>";

/// The counts of one facet. A product counts when it is found by the words and by every filter except those
/// of the facet's own field.
#[derive(Debug, Clone, PartialEq)]
pub enum Facet {
    /// Of a field with named values.
    Values {
        /// The most frequent values, by count descending, then by value ascending.
        values: Vec<FacetValue>,
        /// How many different values there are, also beyond those listed.
        distinct: usize,
        /// Those of an attribute that are numbers; none without any.
        numbers: Option<NumberFacet>,
    },
    /// Of the price; none when no product found has a price in the currency.
    Price(Option<PriceFacet>),
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// Products with it.
    pub count: u64,
}

/// The numbers that an attribute has in the products found.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberFacet {
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// Products with a number.
    pub count: u64,
    /// Buckets from the lowest to the highest number without gaps, see [`number_facet`].
    pub histogram: Vec<NumberBucket>,
}

/// Products with a number from `from` to below `to`; in the last bucket `to` is included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberBucket {
    /// The lowest number of the bucket.
    pub from: f64,
    /// Where the next bucket begins.
    pub to: f64,
    /// Products in it.
    pub count: u64,
}

/// The most buckets a histogram of numbers has.
pub const MAX_NUMBER_BUCKETS: usize = 10;

/// Prices of the products found, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFacet {
    /// The lowest.
    pub min: i64,
    /// The highest.
    pub max: i64,
    /// Products with a price in the currency.
    pub count: u64,
    /// Buckets from the lowest to the highest price without gaps, see [`price_histogram`].
    pub histogram: Vec<PriceBucket>,
}

/// Products with a price from `from` to `to`, both included, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBucket {
    /// The lowest price of the bucket.
    pub from: i64,
    /// The highest price of the bucket.
    pub to: i64,
    /// Products in it.
    pub count: u64,
}

/// The most buckets a price histogram has.
pub const MAX_PRICE_BUCKETS: i64 = 10;

/// The histogram of prices given with how often each occurs: at most [`MAX_PRICE_BUCKETS`] buckets of one width,
/// which is 1, 2 or 5 times a power of ten minor units and no smaller than it must be; each begins at a multiple
/// of it. The first holds the lowest price, the last the highest. None without prices.
pub fn price_facet(prices: &[(i64, u64)]) -> Option<PriceFacet> {
    let counted = || prices.iter().copied().filter(|(_, count)| *count > 0);
    let min = counted().map(|(price, _)| price).min()?;
    let max = counted().map(|(price, _)| price).max()?;
    let width = bucket_width(min, max);
    let first = min / width;
    let mut histogram: Vec<PriceBucket> = (first..=max / width)
        .map(|at| PriceBucket { from: at * width, to: (at + 1) * width - 1, count: 0 })
        .collect();
    let mut total = 0;
    for (price, count) in counted() {
        total += count;
        // The bucket exists: every price lies between the lowest and the highest.
        if let Some(bucket) = usize::try_from(price / width - first).ok().and_then(|at| histogram.get_mut(at))
        {
            bucket.count += count;
        }
    }
    Some(PriceFacet { min, max, count: total, histogram })
}

/// The width of the buckets of [`price_facet`], in minor units.
pub fn bucket_width(min: i64, max: i64) -> i64 {
    let steps = (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)));
    let fits = |width: &i64| max / width - min / width < MAX_PRICE_BUCKETS;
    steps.into_iter().find(fits).unwrap_or(i64::MAX)
}

/// The histogram of numbers given with how often each occurs: at most [`MAX_NUMBER_BUCKETS`] buckets of one width,
/// which is 1, 2 or 5 times a power of ten and no smaller than it must be; each begins at a multiple of it. Numbers
/// that are all the same have one bucket. None without numbers.
pub fn number_facet(numbers: &[(f64, u64)]) -> Option<NumberFacet> {
    let counted = || numbers.iter().copied().filter(|(number, count)| *count > 0 && number.is_finite());
    let min = counted().map(|(number, _)| number).min_by(f64::total_cmp)?;
    let max = counted().map(|(number, _)| number).max_by(f64::total_cmp)?;
    let count = counted().map(|(_, count)| count).sum();
    let ends = number_ends(min, max);
    let mut histogram: Vec<NumberBucket> =
        ends.windows(2).map(|ends| NumberBucket { from: ends[0], to: ends[1], count: 0 }).collect();
    for (number, count) in counted() {
        // The first bucket begins at or below the lowest number, the last one takes its end too.
        let at = histogram.partition_point(|bucket| bucket.from <= number).saturating_sub(1);
        if let Some(bucket) = histogram.get_mut(at) {
            bucket.count += count;
        }
    }
    Some(NumberFacet { min, max, count, histogram })
}

/// Where the buckets of [`number_facet`] begin, and where the last one ends.
fn number_ends(min: f64, max: f64) -> Vec<f64> {
    let ends = |digit: f64, power: i32| {
        // A negative power of ten is no exact number, dividing by the positive one is as near as can be.
        let scaled = |steps: f64| match power {
            0.. => steps * digit * 10_f64.powi(power),
            _ => steps * digit / 10_f64.powi(-power),
        };
        let width = scaled(1.0);
        let (mut first, mut last) = ((min / width).floor(), (max / width).ceil());
        // 0.6 / 0.2 is a little less than 3.
        if scaled(first + 1.0) <= min {
            first += 1.0;
        }
        last = last.max(first + 1.0);
        let is_fitting =
            last - first <= MAX_NUMBER_BUCKETS as f64 && scaled(first) <= min && max <= scaled(last);
        (is_fitting && width.is_normal() && scaled(first).is_finite() && scaled(last).is_finite())
            .then(|| (0..=(last - first) as usize).map(|step| scaled(first + step as f64)).collect())
    };
    // Buckets of less than a tenth of the whole range would be too many.
    let power = ((max - min) / MAX_NUMBER_BUCKETS as f64).log10().floor().clamp(-300.0, 300.0) as i32;
    let widths = (0..3).flat_map(|more| [1.0, 2.0, 5.0].map(|digit| (digit, power + more)));
    let fitting = widths.into_iter().find_map(|(digit, power)| ends(digit, power));
    fitting.filter(|_| min < max).unwrap_or_else(|| vec![min, max])
}

/// Whether search finds the product at all, whatever the words and filters.
pub fn is_searchable(product: &Product) -> bool {
    product.content.status == Status::Active
}

/// The values of one facet, for a list to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetRequest {
    /// Which products count; its own facets, sort and page play no part.
    pub search: SearchRequest,
    /// The field; not [`FacetField::Price`].
    pub field: FacetField,
    /// Only values with words that begin so, whatever their case and accents: first the values that begin so themselves,
    /// then those in which later words do. Where both together are fewer than the limit, those follow that would with one
    /// typo less, then with two; each word may have as many as in a search. Of long values the first 200 bytes count.
    pub prefix: String,
    /// The most values to answer with, at most [`MAX_FACET_VALUES`].
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_histogram_holds_every_price_once(prices in prop::collection::vec((0..=crate::money::MAX_MINOR_UNITS, 1..5_u64), 1..40)) {
            let facet = price_facet(&prices).unwrap();
            prop_assert!(facet.histogram.len() as i64 <= MAX_PRICE_BUCKETS);
            prop_assert_eq!(facet.histogram.iter().map(|bucket| bucket.count).sum::<u64>(), facet.count);
            for bucket in &facet.histogram {
                let inside = prices.iter().filter(|(price, _)| (bucket.from..=bucket.to).contains(price));
                prop_assert_eq!(bucket.count, inside.map(|(_, count)| count).sum::<u64>());
            }
            for pair in facet.histogram.windows(2) {
                prop_assert_eq!(pair[0].to + 1, pair[1].from);
            }
        }

        #[test]
        fn a_histogram_of_numbers_holds_every_number_once(numbers in prop::collection::vec((-1e9..1e9_f64, 1..5_u64), 1..40)) {
            let facet = number_facet(&numbers).unwrap();
            prop_assert!(facet.histogram.len() <= MAX_NUMBER_BUCKETS);
            prop_assert_eq!(facet.histogram.iter().map(|bucket| bucket.count).sum::<u64>(), facet.count);
            let last = facet.histogram.len() - 1;
            for (at, bucket) in facet.histogram.iter().enumerate() {
                let inside = numbers.iter().filter(|(number, _)| {
                    bucket.from <= *number && (*number < bucket.to || at == last)
                });
                prop_assert_eq!(bucket.count, inside.map(|(_, count)| count).sum::<u64>());
            }
            prop_assert!(facet.histogram[0].from <= facet.min && facet.max <= facet.histogram[last].to);
        }

        #[test]
        fn a_cursor_survives_the_wire(text in ".{0,20}", bits in any::<u32>(), number in any::<i64>()) {
            for key in [None, Some(SortKey::Score(bits)), Some(SortKey::Number(number)), Some(SortKey::Text(text))] {
                let places = |count: u32| vec![bits as u8; (count % 3) as usize];
                let reading = Reading { typos: places(bits), optional: places(bits / 3) };
                let cursor = Cursor { sort: Sort::Name, key, id: ProductId::generate(), reading };
                prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
            }
        }

        #[test]
        fn no_text_makes_decoding_a_cursor_panic(text in "[A-Za-z0-9_-]{0,60}") {
            let _ = Cursor::decode(&text);
        }
    }

    #[test]
    fn histograms_of_numbers_have_round_ends() {
        let ends = |numbers: &[f64]| {
            let numbers: Vec<(f64, u64)> = numbers.iter().map(|number| (*number, 1)).collect();
            let facet = number_facet(&numbers).unwrap();
            facet.histogram.iter().map(|bucket| (bucket.from, bucket.to, bucket.count)).collect::<Vec<_>>()
        };
        assert_eq!(ends(&[13.3, 13.3]), [(13.3, 13.3, 2)]);
        assert_eq!(
            ends(&[1.0, 2.0, 3.0]).iter().map(|bucket| bucket.1).collect::<Vec<_>>(),
            [1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0]
        );
        assert_eq!(ends(&[0.6, 2.0]).first(), Some(&(0.6, 0.8, 1)));
        assert_eq!(ends(&[-1.0, 0.0]).last(), Some(&(-0.1, 0.0, 1)));
        assert_eq!(ends(&[-5.0, 95.0]).len(), 6);
        assert_eq!(ends(&[f64::MIN, f64::MAX]), [(f64::MIN, f64::MAX, 2)]);
        assert_eq!(number_facet(&[(f64::NAN, 1), (2.0, 0)]), None);
    }

    #[test]
    fn numbers_have_one_form_in_facets() {
        let value = |json: &str| serde_json::from_str::<AttributeValue>(json).unwrap();
        let facets = |json: &str| value(json).facet_values().map(String::from).collect::<Vec<_>>();
        assert_eq!(facets("13.0"), ["13"]);
        assert_eq!(facets("13"), ["13"]);
        assert_eq!(facets("13.3"), ["13.3"]);
        assert_eq!(facets("true"), ["true"]);
        assert_eq!(facets(r#"["a","b"]"#), ["a", "b"]);
        assert!(AttributeFilter::Range { min: Some(13.0), max: None }.accepts(&value("13.3")));
        assert!(!AttributeFilter::Range { min: Some(13.0), max: None }.accepts(&value("\"14\"")));
    }

    #[test]
    fn an_attribute_is_a_range_only_when_it_looks_like_one() {
        let filter = AttributeFilter::parse;
        let range = |min, max| Ok(AttributeFilter::Range { min, max });
        assert_eq!(filter("1..2"), range(Some(1.0), Some(2.0)));
        assert_eq!(filter("-1.5..1e3"), range(Some(-1.5), Some(1000.0)));
        assert_eq!(filter("..2"), range(None, Some(2.0)));
        assert_eq!(filter("2.."), range(Some(2.0), None));
        assert!(filter("2..1").is_err());
        for text in [
            "", "..", "...", "1...5", "1. .2", "a..b", "1..b", "inf..", "nan..2", "1..2..3", " 1..2",
            "1e999..", "+1..2",
        ] {
            assert_eq!(filter(text), Ok(AttributeFilter::Equals(text.to_owned())), "{text}");
        }
    }
}
