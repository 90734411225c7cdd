//! The demo catalogue: 2,000 sample products that resemble those of a shop, identical on every run.

#![warn(missing_docs)]

mod product_line;
mod words;

use std::collections::{BTreeMap, HashSet};

use domain::input::ProductInput;
use domain::{AttributeValue, CategoryPath, Content, Currency, Money, ProductId, Status};
use fastrand::Rng;

use crate::product_line::{Attribute, ProductLine};

/// Number of products in the demo catalogue.
pub const DEMO_PRODUCTS: usize = 2_000;

/// Seed of every random choice. Another seed gives another catalogue.
const SEED: u64 = 0x006e_6f72_656e;

/// Number of products that follow each other before one is of the kind of an earlier one again.
pub fn kinds_in_demo() -> usize {
    words::product_lines().len()
}

/// Generates the demo catalogue. Each product has a unique id, a unique sku and a price in US dollars.
pub fn demo_catalogue() -> impl Iterator<Item = ProductInput> {
    let mut rng = Rng::with_seed(SEED);
    let mut names = HashSet::new();
    let lines = words::product_lines();
    (0..DEMO_PRODUCTS).map(move |at| {
        let line = lines[at % lines.len()];
        let number = at / lines.len() + 1;
        let draft = draft(line, &mut names, &mut rng);
        product(line, number, draft, &mut rng)
    })
}

/// The words chosen for one product.
struct Draft {
    name: String,
    brand: &'static str,
    noun: &'static str,
    style: &'static str,
    /// English word for a Japanese name; it becomes a tag.
    english: Option<&'static str>,
}

/// Draws words until they give a name that no earlier product has. Each line has enough combinations for that.
fn draft(line: &'static ProductLine, names: &mut HashSet<String>, rng: &mut Rng) -> Draft {
    loop {
        let brand = one_of(line.brands, rng);
        let (noun, style, series) =
            (one_of(line.nouns, rng), one_of(line.styles, rng), one_of(line.series, rng));
        let japanese = (!line.japanese.is_empty() && rng.u8(..100) < 12).then(|| one_of(line.japanese, rng));
        let name = match japanese {
            Some((name, _)) => format!("{name} {series}"),
            None => line
                .name
                .replace("{brand}", brand)
                .replace("{series}", series)
                .replace("{style}", style)
                .replace("{noun}", noun),
        };
        if names.insert(format!("{brand}/{name}")) {
            return Draft { name, brand, noun, style, english: japanese.map(|(_, english)| english) };
        }
    }
}

fn product(line: &'static ProductLine, number: usize, draft: Draft, rng: &mut Rng) -> ProductInput {
    let attributes: BTreeMap<String, AttributeValue> =
        line.attributes.iter().map(|(key, kind)| ((*key).to_owned(), attribute(kind, rng))).collect();
    let description = description(line, &draft, rng);
    let stock = if rng.u8(..100) < 8 { 0 } else { rng.u64(1..240) };
    let status = match rng.u8(..100) {
        0..2 => Status::Draft,
        2..4 => Status::Archived,
        _ => Status::Active,
    };
    let code = format!("{}-{number:04}", line.code);
    let content = Content {
        tags: tags(line, &draft, rng),
        name: draft.name,
        description: Some(description),
        sku: Some(code.clone()),
        brand: Some(draft.brand.to_owned()),
        categories: CategoryPath::from_levels(line.category.iter().copied()).into_iter().collect(),
        price: price(line, rng),
        attributes,
        images: Vec::new(),
        stock: Some(stock),
        status,
        source: None,
    };
    ProductInput { id: ProductId::parse(&code.to_lowercase()).ok(), content }
}

fn one_of<T: Copy>(list: &[T], rng: &mut Rng) -> T {
    list[rng.usize(..list.len())]
}

/// Returns two or three sentences.
fn description(line: &ProductLine, draft: &Draft, rng: &mut Rng) -> String {
    let mut sentences: Vec<&str> = line.sentences.to_vec();
    rng.shuffle(&mut sentences);
    let what = match draft.english {
        Some(english) => english.to_owned(),
        None => format!("{} {}", draft.style, draft.noun),
    };
    let opening = format!("{} from {}.", capitalised(&what), draft.brand);
    let chosen = sentences.iter().take(rng.usize(1..=2)).map(|sentence| (*sentence).to_owned());
    std::iter::once(opening).chain(chosen).collect::<Vec<_>>().join(" ")
}

fn capitalised(text: &str) -> String {
    let mut lower = text.to_lowercase();
    if let Some(first) = lower.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    lower
}

fn tags(line: &ProductLine, draft: &Draft, rng: &mut Rng) -> Vec<String> {
    let mut tags = vec![line.tags[0].to_owned()];
    tags.extend(draft.english.map(str::to_owned));
    for tag in &line.tags[1..] {
        if rng.u8(..100) < 40 {
            tags.push((*tag).to_owned());
        }
    }
    let mut seen = HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

/// Draws a price with typical cents, more often from the lower part of the line's range.
fn price(line: &ProductLine, rng: &mut Rng) -> Option<Money> {
    let (lowest, highest) = line.price_usd;
    let share = rng.f64() * rng.f64();
    let dollars = lowest + ((highest - lowest) as f64 * share) as i64;
    let cents = one_of(&[0, 49, 50, 90, 95, 99, 99, 99], rng);
    Money::from_minor_units(dollars * 100 + cents, Currency::USD).ok()
}

fn attribute(kind: &Attribute, rng: &mut Rng) -> AttributeValue {
    match kind {
        Attribute::Whole { from, to, step } => {
            let steps = (to - from) / step;
            AttributeValue::Number((from + step * rng.i64(0..=steps)).into())
        }
        Attribute::Tenths { from, to } => {
            let number = serde_json::Number::from_f64(rng.i64(*from..=*to) as f64 / 10.0);
            AttributeValue::Number(number.unwrap_or_else(|| (*from).into()))
        }
        Attribute::OneOf(values) => AttributeValue::Text(one_of(values, rng).to_owned()),
        Attribute::Flag { percent } => AttributeValue::Flag(rng.u8(..100) < *percent),
        Attribute::Several(values) => {
            let mut values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            rng.shuffle(&mut values);
            values.truncate(rng.usize(1..=3.min(values.len())));
            AttributeValue::List(values)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::{Product, Version};
    use sha2::{Digest as _, Sha256};

    fn as_json(input: &ProductInput) -> Vec<u8> {
        let product = Product {
            id: input.id.clone().unwrap(),
            version: Version::FIRST,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            content: input.content.clone(),
        };
        serde_json::to_vec(&product).unwrap()
    }

    #[test]
    fn it_is_the_same_every_time() {
        let mut hash = Sha256::new();
        demo_catalogue().for_each(|input| hash.update(as_json(&input)));
        let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        // It changes with the words, the seed and the random number generator. The tour in the README must change with it.
        assert_eq!(hash, "8f9e469c248f7dc6");
    }

    #[test]
    fn the_catalogue_accepts_every_product() {
        let products: Vec<ProductInput> = demo_catalogue().collect();
        assert_eq!(products.len(), DEMO_PRODUCTS);
        for input in &products {
            assert_eq!(&read_product(&as_json(input), Currency::USD).unwrap(), input);
            let content = &input.content;
            assert!(content.category().is_some() && content.price.is_some() && content.stock.is_some());
            assert!(!content.tags.is_empty() && !content.attributes.is_empty());
            let sentences = content.description.as_ref().unwrap().matches(". ").count() + 1;
            assert!((2..=3).contains(&sentences), "{content:?}");
        }
    }

    #[test]
    fn ids_skus_and_names_are_unique() {
        let products: Vec<ProductInput> = demo_catalogue().collect();
        let distinct =
            |key: fn(&ProductInput) -> String| products.iter().map(key).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|input| input.id.clone().unwrap().to_string()), DEMO_PRODUCTS);
        assert_eq!(distinct(|input| input.content.sku.clone().unwrap()), DEMO_PRODUCTS);
        let name = |input: &ProductInput| format!("{:?}{}", input.content.brand, input.content.name);
        assert_eq!(distinct(name), DEMO_PRODUCTS);
    }

    #[test]
    fn it_has_what_a_shop_has() {
        let products: Vec<ProductInput> = demo_catalogue().collect();
        let tops: HashSet<&str> =
            products.iter().map(|input| input.content.category().unwrap().levels()[0].as_str()).collect();
        assert!(tops.len() >= 12, "{tops:?}");
        let count = |test: fn(&Content) -> bool| products.iter().filter(|input| test(&input.content)).count();
        let is_japanese =
            |content: &Content| content.name.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c));
        assert!((40..300).contains(&count(is_japanese)), "{}", count(is_japanese));
        assert!((10..100).contains(&count(|content| content.status == Status::Draft)));
        assert!((10..100).contains(&count(|content| content.status == Status::Archived)));
        assert!((50..400).contains(&count(|content| content.stock == Some(0))));
        let lists =
            |content: &Content| content.attributes.values().any(|it| matches!(it, AttributeValue::List(_)));
        let flags =
            |content: &Content| content.attributes.values().any(|it| matches!(it, AttributeValue::Flag(_)));
        assert!(count(lists) > 200 && count(flags) > 200);
    }
}
