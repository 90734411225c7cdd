//! Random catalogues and requests over a vocabulary so small that words, prices and names often coincide.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use domain::ports::{Applied, Indexed};
use domain::search::{
    Alternative, AttributeFilter, Boost, Clause, Condition, Direction, Field, Filters, MatchMode, Page,
    PageStart, Restriction, SearchRequest, Sort, Synonym, Tuning,
};
use domain::{
    AttributeValue, CategoryPath, Change, Content, Currency, Money, PriceRange, Product, ProductId, Status,
    Tombstone, Version,
};
use fastrand::Rng;

use super::reference;

/// Words that are prefixes or typos of each other, and codes.
const WORDS: [&str; 32] = [
    "red", "Red", "read", "ready", "reading", "lamp", "lamps", "clamp", "camp", "table", "tables", "cable",
    "wood", "wooden", "woollen", "silver", "sliver", "slivers", "gold", "golden", "go", "to", "x1", "x10",
    "AB-12", "ab12", "Café", "cafe", "usb-c", "12.5", "knife", "knives",
];
const BRANDS: [&str; 4] = ["Red", "red", "Woods & Co", "ab12"];
const CATEGORIES: [&str; 8] = [
    "Home",
    "Home > Lamps",
    "Home > Lamps > Desk",
    "Home > Tables",
    "Home & Co",
    "Wood",
    "Wood > Lamps",
    "Red lamps",
];
const KEYS: [&str; 4] = ["colour", "colours", "size", "a.b"];
const CURRENCIES: [&str; 3] = ["USD", "EUR", "JPY"];
/// The number of ids.
pub(crate) const IDS: usize = 60;

/// The records that a store would hold.
#[derive(Default)]
pub(crate) struct Catalogue {
    records: BTreeMap<ProductId, (Version, Option<Arc<Product>>)>,
}

impl Catalogue {
    /// Returns the products that are not deleted.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Arc<Product>> {
        self.records.values().filter_map(|(_, product)| product.as_ref())
    }

    /// Returns what the index must hold for every possible id.
    pub(crate) fn indexed(&self) -> Vec<(ProductId, Option<Indexed>)> {
        let id = |number| ProductId::parse(&format!("p{number}")).unwrap();
        let indexed = |id: &ProductId| {
            self.records.get(id).map(|(version, product)| reference::indexed(*version, product.as_ref()))
        };
        (0..IDS + 3).map(id).map(|id| (id.clone(), indexed(&id))).collect()
    }

    /// Creates, updates and deletes products; some changes are stale. Returns them with their expected outcomes.
    pub(crate) fn random_changes(&mut self, random: &mut Rng) -> (Vec<Change>, Vec<Applied>) {
        let (mut changes, mut expected) = (Vec::new(), Vec::new());
        let mut numbers: Vec<usize> = (0..IDS).collect();
        random.shuffle(&mut numbers);
        for number in numbers.into_iter().take(random.usize(1..30)) {
            let id = ProductId::parse(&format!("p{number}")).unwrap();
            let current = self.records.get(&id).map(|(version, _)| *version);
            let is_stale = current.is_some() && random.u8(..10) == 0;
            let version = match current {
                Some(current) if is_stale => Version(random.u64(1..=current.0)),
                current => Version(Version::after(current).0 + random.u64(..3)),
            };
            let change = if random.u8(..5) == 0 {
                Change::Delete(Tombstone { id: id.clone(), version, deleted_at: domain::now() })
            } else {
                let product = Arc::new(random_product(id.clone(), version, random));
                if current.is_none() { Change::Create(product) } else { Change::Update(product) }
            };
            expected.push(if is_stale { Applied::Stale } else { Applied::Done });
            if !is_stale {
                self.records.insert(id, (version, change.product().cloned()));
            }
            changes.push(change);
        }
        (changes, expected)
    }
}

/// Returns this many active products at their first version.
pub(crate) fn random_products(count: usize, random: &mut Rng) -> Vec<Arc<Product>> {
    let product = |number: usize| {
        let id = ProductId::parse(&format!("p{number}")).unwrap();
        Arc::new(random_product(id, Version::FIRST, random))
    };
    (0..count).map(product).collect()
}

/// Returns a fixed order, or one by an attribute.
fn random_sort(random: &mut Rng) -> Sort {
    if random.u8(..4) != 0 {
        return random.choice(Sort::FIXED).unwrap().1;
    }
    let direction = *random.choice(&[Direction::Ascending, Direction::Descending]).unwrap();
    Sort::Attribute { key: (*random.choice(&KEYS).unwrap()).to_owned(), direction }
}

fn random_product(id: ProductId, version: Version, random: &mut Rng) -> Product {
    let maybe = |random: &mut Rng| random.u8(..4) != 0;
    let mut attributes = BTreeMap::new();
    for key in KEYS {
        if maybe(random) {
            attributes.insert(key.to_owned(), random_attribute(random));
        }
    }
    let currency = Currency::parse(CURRENCIES[random.usize(..8).saturating_sub(5)]).unwrap();
    let price = maybe(random).then(|| Money::from_minor_units(random.i64(0..40) * 50, currency).unwrap());
    let content = Content {
        name: text(1..4, random),
        description: maybe(random).then(|| text(0..6, random)),
        sku: maybe(random).then(|| format!("{}/{}", word(random), id)),
        brand: maybe(random).then(|| random.choice(BRANDS).unwrap().to_owned()),
        categories: random_categories(random),
        tags: (0..random.usize(..3)).map(|at| format!("{}{}", word(random), ["", " s", "x"][at])).collect(),
        price,
        attributes,
        images: Vec::new(),
        stock: maybe(random).then(|| random.u64(..2)),
        status: if random.u8(..8) == 0 {
            *random.choice(&[Status::Draft, Status::Archived]).unwrap()
        } else {
            Status::Active
        },
        source: None,
    };
    let created_at = jiff::Timestamp::from_millisecond(1_700_000_000_000 + random.i64(-5..5)).unwrap();
    Product { id, version, created_at, updated_at: created_at, content }
}

fn random_attribute(random: &mut Rng) -> AttributeValue {
    match random.u8(..8) {
        6 => AttributeValue::Text(random_date(random)),
        // Spaces around a value mean nothing.
        7 => AttributeValue::Text(format!(" {} ", word(random))),
        0 => AttributeValue::Flag(random.bool()),
        1 => AttributeValue::Number(serde_json::Number::from(random.i64(-2..4))),
        2 => {
            AttributeValue::Number(serde_json::Number::from_f64(f64::from(random.i32(-4..8)) / 2.0).unwrap())
        }
        3 => AttributeValue::List((0..random.usize(..4)).map(|_| word(random).to_owned()).collect()),
        // Longer than the longest term, and equal except for the end.
        4 => AttributeValue::Text(format!("{}{}", "long ".repeat(60), random.u8(..3))),
        _ => AttributeValue::Text(word(random).to_owned()),
    }
}

fn random_date(random: &mut Rng) -> String {
    let day = format!("2026-0{}-1{}", random.u8(1..9), random.u8(..9));
    if random.bool() { day } else { format!("{day}T0{}:30:00Z", random.u8(..9)) }
}

fn word(random: &mut Rng) -> &'static str {
    random.choice(WORDS).unwrap()
}

fn text(words: std::ops::Range<usize>, random: &mut Rng) -> String {
    let separator = random.choice([" ", ", ", " / "]).unwrap();
    (0..random.usize(words)).map(|_| word(random)).collect::<Vec<_>>().join(separator)
}

/// Returns up to four distinct categories, of which some are above others or share an ancestor.
fn random_categories(random: &mut Rng) -> Vec<CategoryPath> {
    let mut categories = Vec::new();
    for _ in 0..[0, 1, 1, 2, 2, 3, 4][random.usize(..7)] {
        let category = random_category(random);
        if !categories.contains(&category) {
            categories.push(category);
        }
    }
    categories
}

fn random_category(random: &mut Rng) -> CategoryPath {
    CategoryPath::parse(random.choice(CATEGORIES).unwrap()).unwrap()
}

/// Returns a random request over all filters, facets, orders and page sizes.
pub(crate) fn random_request(random: &mut Rng) -> SearchRequest {
    let mut words: Vec<String> = match random.u8(..3) {
        0 => Vec::new(),
        _ => (0..random.usize(1..4)).map(|_| mistyped(word(random), random)).collect(),
    };
    for _ in 0..[0, 0, 0, 0, 1, 2][random.usize(..6)] {
        words.insert(random.usize(..=words.len()), random_operator(random));
    }
    let mut facets: Vec<Field> = (0..random.usize(..5)).map(|_| random_facet(random)).collect();
    facets.sort();
    facets.dedup();
    random.shuffle(&mut facets);
    SearchRequest {
        words: words.join(" "),
        operators: random.u8(..8) > 0,
        is_prefix_query: random.bool(),
        match_mode: MatchMode::Most,
        tuning: Tuning::default(),
        filters: random_filters(random),
        clauses: random_clauses(random),
        restriction: Restriction::default(),
        currency: random_currency(random),
        facets,
        facet_values: random.usize(1..8),
        sort: random_sort(random),
        page: Page { start: PageStart::Number(1), size: random.usize(1..9) },
    }
}

/// Returns random clauses, most often none.
fn random_clauses(random: &mut Rng) -> Vec<Clause> {
    let alternative =
        |random: &mut Rng| Alternative { filters: random_condition(random), is_negated: random.u8(..3) > 0 };
    let clause = |random: &mut Rng| Clause((0..random.usize(..3)).map(|_| alternative(random)).collect());
    (0..[0, 0, 0, 1, 2][random.usize(..5)]).map(|_| clause(random)).collect()
}

/// Returns a word or phrase that products must have or must not have.
fn random_operator(random: &mut Rng) -> String {
    // Words that are not codes.
    let word = |random: &mut Rng| *random.choice(&WORDS[..22]).unwrap();
    let minus = if random.bool() { "-" } else { "" };
    let words: Vec<&str> = (0..random.usize(1..4)).map(|_| word(random)).collect();
    match words.as_slice() {
        [word] if !minus.is_empty() => format!("-{word}"),
        words => format!("{minus}\"{}\"", words.join(" ")),
    }
}

/// Returns a random restriction: often none, and often one that leaves many products.
pub(crate) fn random_restriction(random: &mut Rng) -> Restriction {
    let condition =
        |random: &mut Rng| Condition { filters: random_condition(random), currency: random_currency(random) };
    let conditions = [0, 0, 1, 1, 2][random.usize(..5)];
    Restriction::to((0..conditions).map(|_| condition(random)).collect())
}

/// Returns filters that often leave many products.
fn random_condition(random: &mut Rng) -> Filters {
    let mut filters = Filters::default();
    match random.u8(..7) {
        0 => filters.brand = (0..2).map(|_| random.choice(BRANDS).unwrap().to_owned()).collect(),
        1 => filters.category = (0..2).map(|_| random_category(random)).collect(),
        2 => filters.tags = (0..4).map(|_| word(random).to_owned()).collect(),
        3 => filters.price = vec![PriceRange { min: Some(random.i64(0..20) * 50), max: None }],
        4 => filters.in_stock = Some(random.bool()),
        5 => filters.attributes.extend(
            random
                .choice(KEYS)
                .map(|key| (key.to_owned(), (0..3).map(|_| random_attribute_filter(random)).collect())),
        ),
        _ => filters = random_filters(random),
    }
    filters
}

fn random_currency(random: &mut Rng) -> Currency {
    Currency::parse(CURRENCIES[random.usize(..8).saturating_sub(5)]).unwrap()
}

/// Returns random rules of a shop with this many products.
pub(crate) fn random_tuning(products: usize, random: &mut Rng) -> Tuning {
    let some = |random: &mut Rng| if random.u8(..3) == 0 { random.usize(1..4) } else { 0 };
    let ids = |random: &mut Rng| -> Vec<ProductId> {
        let id = |random: &mut Rng| ProductId::parse(&format!("p{}", random.usize(..products + 1))).unwrap();
        (0..some(random)).map(|_| id(random)).collect()
    };
    let synonym = |random: &mut Rng| Synonym {
        from: text(1..3, random),
        to: (0..random.usize(1..3)).map(|_| text(1..3, random)).collect(),
    };
    // Sums of eighths do not depend on their order.
    let by = |random: &mut Rng| f32::from(random.i8(-8..=8)) / 8.0;
    let boost = |random: &mut Rng| Boost { filters: random_filters(random), by: by(random) };
    Tuning {
        synonyms: (0..some(random)).map(|_| synonym(random)).collect(),
        stop_words: (0..some(random)).map(|_| word(random).to_owned()).collect(),
        pinned: ids(random),
        hidden: ids(random),
        boosts: (0..some(random)).map(|_| boost(random)).collect(),
    }
}

/// Returns the word unchanged, cut off, or with letters removed, doubled, replaced or swapped.
fn mistyped(word: &str, random: &mut Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    for _ in 0..[0, 0, 0, 1, 1, 2, 3][random.usize(..7)] {
        if letters.len() < 2 {
            break;
        }
        let at = random.usize(..letters.len() - 1);
        match random.u8(..5) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letters[at]),
            2 => letters[at] = 'e',
            3 => letters.swap(at, at + 1),
            _ => letters.truncate(at + 1),
        }
    }
    letters.into_iter().collect()
}

pub(crate) fn random_facet(random: &mut Rng) -> Field {
    match random.u8(..5) {
        0 => Field::Brand,
        1 => Field::Category,
        2 => Field::Tags,
        3 => Field::Price,
        _ => Field::Attribute(random.choice(KEYS).unwrap().to_owned()),
    }
}

fn random_filters(random: &mut Rng) -> Filters {
    let mut filters = Filters::default();
    let sometimes = |random: &mut Rng| if random.u8(..4) == 0 { random.usize(1..3) } else { 0 };
    filters.category = (0..sometimes(random)).map(|_| random_category(random)).collect();
    filters.brand = (0..sometimes(random)).map(|_| random.choice(BRANDS).unwrap().to_owned()).collect();
    filters.tags = (0..sometimes(random)).map(|_| word(random).to_owned()).collect();
    for _ in 0..sometimes(random) {
        let (low, high) = (random.i64(0..40) * 50, random.i64(0..40) * 50);
        let (min, max) = (Some(low.min(high)), Some(low.max(high)));
        filters.price.push(match random.u8(..3) {
            0 => PriceRange { min, max: None },
            1 => PriceRange { min: None, max },
            _ => PriceRange { min, max },
        });
    }
    if sometimes(random) > 0 {
        filters.in_stock = Some(random.bool());
    }
    for key in KEYS {
        let wanted: Vec<_> = (0..sometimes(random)).map(|_| random_attribute_filter(random)).collect();
        if !wanted.is_empty() {
            filters.attributes.insert(key.to_owned(), wanted);
        }
    }
    filters
}

fn random_attribute_filter(random: &mut Rng) -> AttributeFilter {
    if random.bool() {
        let mut end = || random.bool().then(|| f64::from(random.i32(-4..8)) / 2.0);
        AttributeFilter::Range { min: end(), max: end() }
    } else if random.u8(..4) == 0 {
        AttributeFilter::parse(&format!("{}..{}", random_date(random), random_date(random)))
            .unwrap_or(AttributeFilter::Dates { min: None, max: Some(0) })
    } else {
        let values: Vec<String> =
            random_attribute(random).facet_values().map(std::borrow::Cow::into_owned).collect();
        AttributeFilter::Equals(values.into_iter().next().unwrap_or_default())
    }
}

/// Returns the first products of the real catalogue, if it is beside the checkout.
pub(crate) fn real_products(count: usize) -> Option<Vec<Arc<Product>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/icecat.ndjson.gz");
    let file = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?));
    let mut products = Vec::new();
    for (number, line) in file.lines().take(count).enumerate() {
        let json: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        products.push(Arc::new(real_product(number, &json)));
    }
    Some(products)
}

/// Converts a product of that catalogue as far as the fields correspond.
fn real_product(number: usize, json: &serde_json::Value) -> Product {
    let text = |field: &str| json[field].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let currency = text("currency").and_then(|code| Currency::parse(&code).ok()).unwrap_or(Currency::USD);
    let price = json["price"].as_number().and_then(|price| Money::parse(&price.to_string(), currency).ok());
    let attributes = json["attributes"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), serde_json::from_value(value.clone()).ok()?)));
    let now = domain::now();
    Product {
        id: ProductId::parse(&format!("real-{number}")).unwrap(),
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
        content: Content {
            name: text("name").unwrap_or_else(|| number.to_string()),
            description: text("description"),
            sku: text("sku"),
            brand: text("brand"),
            categories: text("category")
                .and_then(|path| CategoryPath::parse(&path).ok())
                .into_iter()
                .collect(),
            tags: json["tags"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|tag| tag.as_str().map(str::to_owned))
                .collect(),
            price,
            attributes: attributes.collect(),
            images: Vec::new(),
            stock: json["stock"].as_u64(),
            status: Status::Active,
            source: None,
        },
    }
}
