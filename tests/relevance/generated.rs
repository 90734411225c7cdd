//! Queries about the demo catalogue: its own names, categories and brands, in plural, with a typo, or with a word too
//! many. The first page has the thing.

use std::sync::Arc;

use domain::ports::{IndexWriter, SearchIndex};
use domain::search::SearchRequest;
use domain::{Currency, Language, Product};
use fastrand::Rng;

use super::{creations, demo_products};
use crate::support::indexes;

const QUERIES: usize = 5000;
/// The most queries in a hundred without their thing on the first page.
const MAX_FAILED_PERCENT: usize = 1;
/// The fewest letters of a word that gets a typo.
const MIN_LETTERS: usize = 5;
/// Words that shoppers add and no product needs to have.
const EXTRA: [&str; 12] = [
    "cheap",
    "best",
    "for kids",
    "with mic",
    "2026",
    "sale",
    "for adults",
    "set of 6",
    "quality",
    "near me",
    "online",
    "xl",
];

/// A query and the thing that it asks for.
struct Asked {
    query: String,
    thing: Thing,
}

/// The category or brand that makes a product the thing.
#[derive(Debug, Clone)]
enum Thing {
    Category(String),
    Brand(String),
}

impl Thing {
    fn is(&self, product: &Product) -> bool {
        match self {
            Self::Category(category) => narrowest(product) == Some(category.as_str()),
            Self::Brand(brand) => product.content.brand.as_ref() == Some(brand),
        }
    }
}

fn narrowest(product: &Product) -> Option<&str> {
    product.content.categories.first()?.levels().last().map(String::as_str)
}

/// Returns a query about a random product with an English name.
fn ask(products: &[Arc<Product>], random: &mut Rng) -> Asked {
    let english = |product: &&Arc<Product>| product.content.name.is_ascii() && narrowest(product).is_some();
    let product = loop {
        if let Some(product) = random.choice(products).filter(english) {
            break product;
        }
    };
    let category = narrowest(product).unwrap().to_owned();
    let brand = product.content.brand.clone().unwrap_or_default();
    let name = product.content.name.clone();
    let noun = noun(&name);
    let (text, thing) = match random.u8(..5) {
        0 => (name, Thing::Category(category)),
        1 => (noun, Thing::Category(category)),
        2 => (format!("{brand} {noun}"), Thing::Category(category)),
        3 => (category.clone(), Thing::Category(category)),
        _ => (brand.clone(), Thing::Brand(brand)),
    };
    let query = match random.u8(..4) {
        0 => text,
        1 => format!("{text}s"),
        2 => with_typo(&text, random),
        _ => with_extra_word(&text, random),
    };
    Asked { query, thing }
}

/// Returns the last two words of a name before its size or number, which alone names nothing: of `Linen Napkin Set of 4`, `Napkin Set`.
fn noun(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let number = words.iter().position(|word| word.contains(|c: char| c.is_ascii_digit()));
    let end = number.filter(|at| *at > 1).unwrap_or(words.len());
    let words = words[..end].strip_suffix(&["of"]).unwrap_or(&words[..end]);
    words[words.len().saturating_sub(2)..].join(" ")
}

/// Returns the text with one typo inside a word of five letters or more, or as it is without such a word.
fn with_typo(text: &str, random: &mut Rng) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let is_long =
        |word: &&mut String| word.len() >= MIN_LETTERS && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut long: Vec<&mut String> = words.iter_mut().filter(is_long).collect();
    if !long.is_empty() {
        let word = long.swap_remove(random.usize(..long.len()));
        let at = random.usize(1..word.len() - 1);
        let letter = word.remove(at);
        match random.u8(..3) {
            0 => word.insert(at + 1, letter),
            1 => word.insert_str(at, &letter.to_string().repeat(2)),
            _ => {}
        }
    }
    words.join(" ")
}

fn with_extra_word(text: &str, random: &mut Rng) -> String {
    let extra = *random.choice(&EXTRA).unwrap();
    if random.bool() || extra.starts_with("for ") || extra.starts_with("with ") {
        format!("{text} {extra}")
    } else {
        format!("{extra} {text}")
    }
}

#[tokio::test]
async fn the_first_page_has_the_thing_that_a_shopper_types() {
    let products = demo_products();
    let (_folder, writer, searcher) = indexes::tantivy(Language::English);
    writer.apply(&creations(&products)).await.unwrap();
    let mut random = Rng::with_seed(2026);
    let mut failed = Vec::new();
    for _ in 0..QUERIES {
        let Asked { query, thing } = ask(&products, &mut random);
        let request = SearchRequest { words: query.clone(), ..SearchRequest::all(Currency::USD) };
        let answer = searcher.search(&request).await.unwrap();
        if !answer.hits.iter().any(|hit| thing.is(&hit.product)) {
            failed.push(format!("{query} ({thing:?}), left out: {:?}", answer.relaxed));
        }
    }
    println!("{} of {QUERIES} queries without their thing:", failed.len());
    failed.iter().for_each(|failed| println!("  {failed}"));
    assert!(failed.len() * 100 <= QUERIES * MAX_FAILED_PERCENT, "{} of {QUERIES}: {failed:#?}", failed.len());
}
