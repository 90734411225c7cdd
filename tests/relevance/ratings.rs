//! Queries with what a person who knows the catalogue expects of their first page. `shops/*.toml` has the queries of each kind of
//! shop, and says what an expectation is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;

use domain::input::read_product;
use domain::ports::{IndexWriter as _, SearchIndex as _};
use domain::search::{Page, PageStart, SearchRequest};
use domain::{Content, Currency, Language, Product};
use serde::Deserialize;

use super::{creations, demo_products, product};
use crate::support::indexes;

/// The number of products on the first page.
const PAGE_SIZE: usize = 20;

/// A file of queries.
#[derive(Deserialize)]
struct Shop {
    query: Vec<RatedQuery>,
}

/// A query and the expectations of its first page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatedQuery {
    text: String,
    first: Option<Condition>,
    top: Option<Top>,
    #[serde(default)]
    found: Vec<Condition>,
    #[serde(default)]
    never: Vec<Condition>,
    #[serde(default)]
    nothing: bool,
    /// The expectations that do not hold, with the reasons.
    #[serde(default)]
    missed: BTreeMap<String, String>,
}

/// The first `count` products meet the condition.
#[derive(Deserialize)]
struct Top {
    count: usize,
    #[serde(flatten)]
    condition: Condition,
}

/// The texts of which a product must have one, by key.
#[derive(Deserialize)]
struct Condition(BTreeMap<String, OneOrMore>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

impl Condition {
    fn is_met_by(&self, product: &Product) -> bool {
        self.0.iter().all(|(key, wanted)| {
            wanted.as_slice().iter().any(|wanted| match key.as_str() {
                "id" => product.id.as_str() == wanted,
                key => values(&product.content, key).iter().any(|value| contains(value, wanted)),
            })
        })
    }
}

/// Returns the texts of a product that a key of a condition is about.
fn values(content: &Content, key: &str) -> Vec<String> {
    match key {
        "name" => std::iter::once(&content.name).chain(&content.tags).cloned().collect(),
        "brand" => content.brand.iter().cloned().collect(),
        "category" => content.categories.iter().map(ToString::to_string).collect(),
        key => {
            let values = content.attributes.get(key).into_iter().flat_map(|value| value.facet_values());
            values.map(std::borrow::Cow::into_owned).collect()
        }
    }
}

/// Returns true if the parts of a pattern between its asterisks are in a text, in this order.
fn contains(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut rest = text.as_str();
    let has_parts = pattern.contains('*');
    let mut parts = pattern.split('*').map(|part| if has_parts { part.trim() } else { part });
    parts.all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

impl RatedQuery {
    /// Returns the expectations that the first page does not meet.
    fn missed_by(&self, page: &[&Product]) -> BTreeSet<&'static str> {
        let is_on_page = |condition: &Condition| page.iter().any(|product| condition.is_met_by(product));
        let is_first =
            self.first.as_ref().is_none_or(|first| page.first().is_some_and(|own| first.is_met_by(own)));
        let is_top = self.top.as_ref().is_none_or(|Top { count, condition }| {
            page.get(..*count).is_some_and(|top| top.iter().all(|product| condition.is_met_by(product)))
        });
        let expectations = [
            ("first", is_first),
            ("top", is_top),
            ("found", self.found.iter().all(is_on_page)),
            ("never", !self.never.iter().any(is_on_page)),
            ("nothing", !self.nothing || page.is_empty()),
        ];
        expectations.into_iter().filter(|(_, is_met)| !is_met).map(|(name, _)| name).collect()
    }
}

/// Asks the queries of shops that have these products, and fails if an expectation is missed that is not listed as missed, or the
/// other way round.
async fn check(products: &[Arc<Product>], shops: &[&str]) {
    let (_folder, writer, searcher) = indexes::tantivy(Language::English);
    writer.apply(&creations(products)).await.unwrap();
    let shops: Vec<Shop> = shops.iter().map(|shop| toml::from_str(shop).unwrap()).collect();
    let mut wrong = Vec::new();
    for query in shops.iter().flat_map(|shop| &shop.query) {
        let page = Page { start: PageStart::Number(1), size: PAGE_SIZE };
        let request = SearchRequest { words: query.text.clone(), page, ..SearchRequest::all(Currency::USD) };
        let answer = searcher.search(&request).await.unwrap();
        let page: Vec<&Product> = answer.hits.iter().map(|hit| &*hit.product).collect();
        let missed = query.missed_by(&page);
        let listed: BTreeSet<&str> = query.missed.keys().map(String::as_str).collect();
        if missed != listed {
            let names: Vec<&str> = page.iter().take(5).map(|product| product.content.name.as_str()).collect();
            wrong.push(format!(
                "{}: misses {missed:?}, listed {listed:?}; left out {:?}, finds {names:#?}",
                query.text, answer.relaxed
            ));
        }
    }
    assert!(wrong.is_empty(), "{} queries:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn shops_of_four_kinds_answer_what_shoppers_type() {
    let shops = [
        include_str!("shops/kitchen.toml"),
        include_str!("shops/home_and_garden.toml"),
        include_str!("shops/books_toys_and_music.toml"),
        include_str!("shops/sports_pets_and_beauty.toml"),
    ];
    check(&demo_products(), &shops).await;
}

#[tokio::test]
async fn a_shop_of_phones_answers_what_shoppers_type() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/bestbuy.ndjson.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        assert!(std::env::var_os("CI").is_none(), "CI needs {}", path.display());
        eprintln!("skipped: {} does not exist", path.display());
        return;
    };
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let products: Vec<_> = lines.enumerate().map(|(number, line)| phone(number, &line.unwrap())).collect();
    check(&products, &[include_str!("shops/phones.toml")]).await;
}

/// Converts a product of that catalogue, whose categories are the levels of one path.
fn phone(number: usize, line: &str) -> Arc<Product> {
    let mut json: serde_json::Value = serde_json::from_str(line).unwrap();
    let levels = json["categories"].take();
    let levels: Vec<&str> = levels.as_array().unwrap().iter().filter_map(|level| level.as_str()).collect();
    json["category"] = levels.join(" > ").into();
    json["id"] = number.to_string().into();
    let fields = json.as_object_mut().unwrap();
    fields.remove("categories");
    fields.remove("popularity");
    for field in ["name", "brand"] {
        // Some have line breaks.
        if let Some(text) = fields.get(field).and_then(|value| value.as_str()) {
            let text = text.split(char::is_control).collect::<Vec<_>>().join(" ");
            fields.insert(field.to_owned(), text.into());
        }
    }
    product(read_product(json.to_string().as_bytes(), Currency::USD).unwrap())
}
