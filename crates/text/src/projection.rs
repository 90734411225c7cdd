//! The projection of a record of the store into an index document. Live sync, rebuilds, comparisons and repairs all use
//! [`Projector::project`], which depends on nothing but the record, the language and the weights. An index decides
//! only which of its fields holds each part.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use domain::ports::{Fingerprint, IndexEntry};
use domain::search::{facet_text, is_searchable};
use domain::{Content, Language, Money, Product, ProductId, Record, Version};
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_64_with_seed};

use crate::attributes::{attribute_term, date_key, number_sort_key};
use crate::collation::Collation;
use crate::dictionary::Dictionary;
use crate::field_weights::FieldWeights;
use crate::product::for_each_cjk_run;
use crate::weights::Weigher;

/// The version of the projection. Increase it when the projection changes, so that documents of the old projection have different
/// fingerprints.
const PROJECTION_VERSION: u64 = 1;

/// The words of most products, and the bytes of most words, for which memory is taken at once.
const USUAL_WORDS: usize = 160;
const USUAL_WORD_BYTES: usize = 8;

/// Projects records.
pub struct Projector {
    weigher: Weigher,
    collation: Collation,
}

/// The projection of a record: the document that an index holds for it.
#[derive(Debug, Clone)]
pub struct Projection<'a> {
    /// The product.
    pub id: &'a ProductId,
    /// The version of the product or of its tombstone.
    pub version: Version,
    /// The state: deleted, hidden, or active with the searchable content.
    pub state: DocumentState<'a>,
}

/// The state of a document.
#[derive(Debug, Clone)]
pub enum DocumentState<'a> {
    /// A tombstone.
    Deleted,
    /// A draft or archived product, which search does not find.
    Hidden,
    /// A product that search finds.
    Active(Box<ActiveDocument<'a>>),
}

/// The content of an active product that an index searches, filters, counts and sorts by.
#[derive(Debug, Clone)]
pub struct ActiveDocument<'a> {
    /// The product as JSON, as hits return it.
    pub json: String,
    /// The brand in the form of [`facet_text`].
    pub brand: Option<Cow<'a, str>>,
    /// The categories and all their ancestors, each once, in the form of [`facet_text`].
    pub categories: BTreeSet<String>,
    /// The tags, each once, in the form of [`facet_text`].
    pub tags: BTreeSet<Cow<'a, str>>,
    /// The term of each value of each attribute, see [`attribute_term`].
    pub attributes: BTreeSet<String>,
    /// The key and [`number_sort_key`] of each numeric attribute, and the [`date_key`] and the sort key of the milliseconds of each
    /// date.
    pub numbers: Vec<(Cow<'a, str>, u64)>,
    /// The price.
    pub price: Option<Money>,
    /// True if at least one piece is in stock.
    pub in_stock: bool,
    /// The time of creation, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// The key of the name, see [`Collation`].
    pub name_key: String,
    /// The words with their weights.
    pub words: WeightedWords,
    /// The runs of scripts without spaces, see [`for_each_cjk_run`].
    pub cjk_runs: Vec<String>,
}

/// The words of a product with their weights, see [`crate::weights`]. Each word occurs at most once per dictionary, in no
/// defined order.
#[derive(Debug, Clone, Default)]
pub struct WeightedWords {
    text: String,
    words: Vec<(Dictionary, Range<usize>, u8)>,
}

impl WeightedWords {
    /// Iterates over the words with their dictionaries and weights.
    pub fn iter(&self) -> impl Iterator<Item = (Dictionary, &str, u8)> {
        self.words.iter().map(|(dictionary, span, weight)| (*dictionary, &self.text[span.clone()], *weight))
    }

    fn with_capacity(words: usize) -> Self {
        Self { text: String::with_capacity(words * USUAL_WORD_BYTES), words: Vec::with_capacity(words) }
    }

    fn push(&mut self, dictionary: Dictionary, word: &str, weight: u8) {
        let start = self.text.len();
        self.text.push_str(word);
        self.words.push((dictionary, start..self.text.len(), weight));
    }
}

impl Projector {
    /// Creates a projector for products in a language, with the weights of a shop.
    pub fn new(language: Language, weights: FieldWeights) -> Self {
        Self { weigher: Weigher::new(language).with_weights(weights), collation: Collation::new(language) }
    }

    /// Projects a record.
    ///
    /// # Errors
    /// Fails if the product cannot be serialized as JSON.
    pub fn project<'a>(&mut self, record: &'a Record) -> Result<Projection<'a>, serde_json::Error> {
        let state = match record {
            Record::Deleted(_) => DocumentState::Deleted,
            Record::Live(product) if !is_searchable(product) => DocumentState::Hidden,
            Record::Live(product) => DocumentState::Active(Box::new(self.active(product)?)),
        };
        Ok(Projection { id: record.id(), version: record.version(), state })
    }

    /// Returns, in order, the entry that applying each record would produce, or the reason why an index cannot hold it.
    pub fn expected_entries(&mut self, records: &[Record]) -> Vec<Result<IndexEntry, String>> {
        let mut entry = |record| self.project(record).map(|projection| projection.entry());
        records.iter().map(|record| entry(record).map_err(|error| error.to_string())).collect()
    }

    fn active<'a>(&mut self, product: &'a Product) -> Result<ActiveDocument<'a>, serde_json::Error> {
        let content = &product.content;
        let (mut attributes, mut numbers) = (BTreeSet::new(), Vec::new());
        for (key, value) in &content.attributes {
            attributes.extend(value.facet_values().map(|text| attribute_term(key, &text)));
            numbers.extend(value.as_number().map(|number| (Cow::from(key), number_sort_key(number))));
            // Milliseconds are exact in a float for 285,000 years.
            let date = value.as_date().map(|date| (date_key(key).into(), number_sort_key(date as f64)));
            numbers.extend(date);
        }
        let (words, has_runs) = self.words(content);
        Ok(ActiveDocument {
            json: product.to_public_json()?,
            brand: content.brand.as_deref().map(facet_text),
            categories: content
                .categories
                .iter()
                .flat_map(|category| category.with_ancestors())
                .map(|path| facet_text(&path).into_owned())
                .collect(),
            tags: content.tags.iter().map(|tag| facet_text(tag)).collect(),
            attributes,
            numbers,
            price: content.price,
            in_stock: content.stock.is_some_and(|pieces| pieces > 0),
            created_at_ms: product.created_at.as_millisecond(),
            name_key: self.collation.key(&content.name),
            words,
            cjk_runs: if has_runs { cjk_runs(content) } else { Vec::new() },
        })
    }

    /// Returns the words, and true if there are [runs](cjk_runs).
    fn words(&mut self, content: &Content) -> (WeightedWords, bool) {
        let mut words = WeightedWords::with_capacity(USUAL_WORDS);
        let has_runs =
            self.weigher.weigh(content, |dictionary, word, weight| words.push(dictionary, word, weight));
        (words, has_runs)
    }
}

fn cjk_runs(content: &Content) -> Vec<String> {
    let mut runs = Vec::new();
    for_each_cjk_run(content, |run| runs.push(run.to_owned()));
    runs
}

impl Projection<'_> {
    /// Returns true for a product, including hidden ones.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, DocumentState::Deleted)
    }

    /// Returns the hash of everything except the product's JSON. An index stores this hash with the document.
    pub fn fields_hash(&self) -> u64 {
        let mut hash = Hash::default();
        hash.number(PROJECTION_VERSION);
        hash.text(self.id.as_str());
        hash.number(self.version.0);
        match &self.state {
            DocumentState::Deleted => hash.number(0),
            DocumentState::Hidden => hash.number(1),
            DocumentState::Active(active) => {
                hash.number(2);
                active.hash(&mut hash);
            }
        }
        hash.0.digest()
    }

    /// Returns the index entry of this document.
    pub fn entry(&self) -> IndexEntry {
        let json = match &self.state {
            DocumentState::Active(active) => active.json.as_bytes(),
            DocumentState::Deleted | DocumentState::Hidden => &[],
        };
        IndexEntry {
            id: self.id.clone(),
            version: self.version,
            is_live: self.is_live(),
            fingerprint: Some(fingerprint(json, self.fields_hash())),
        }
    }
}

/// Returns the fingerprint of a document from the product's JSON as the index holds it (empty if there is none) and
/// [`Projection::fields_hash`].
pub fn fingerprint(json: &[u8], fields_hash: u64) -> Fingerprint {
    Fingerprint(u128::from(xxh3_64(json)) << 64 | u128::from(fields_hash))
}

impl ActiveDocument<'_> {
    fn hash(&self, hash: &mut Hash) {
        hash.texts(self.brand.as_deref());
        hash.texts(&self.categories);
        hash.texts(&self.tags);
        hash.texts(&self.attributes);
        for (key, number) in &self.numbers {
            hash.text(key);
            hash.number(*number);
        }
        hash.texts(self.price.map(|price| format!("{} {}", price.currency().code(), price.minor_units())));
        hash.number(self.in_stock.into());
        hash.number(self.created_at_ms.cast_unsigned());
        hash.text(&self.name_key);
        // The sum does not depend on the order, which is not defined.
        let word_hash = |(dictionary, word, weight): (Dictionary, &str, u8)| {
            xxh3_64_with_seed(word.as_bytes(), (dictionary as u64) << 8 | u64::from(weight))
        };
        hash.number(self.words.iter().map(word_hash).fold(0, u64::wrapping_add));
        hash.texts(&self.cjk_runs);
    }
}

/// Hashes values in sequence, each with its length, so that moving a value between two lists changes the hash.
#[derive(Default)]
struct Hash(Xxh3);

impl Hash {
    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn texts(&mut self, texts: impl IntoIterator<Item: AsRef<str>>) {
        let mut count = 0;
        for text in texts {
            self.text(text.as_ref());
            count += 1;
        }
        self.number(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::{Currency, Tombstone};
    use proptest::prelude::*;
    use serde_json::json;
    use std::sync::Arc;

    fn projector() -> Projector {
        Projector::new(Language::English, FieldWeights::default())
    }

    fn record(id: &str, version: u64, json: &serde_json::Value) -> Record {
        let content = read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content;
        let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let id = ProductId::parse(id).unwrap();
        let (created_at, updated_at, version) = (at, at, Version(version));
        Record::Live(Arc::new(Product { id, version, created_at, updated_at, content }))
    }

    fn entry(record: &Record) -> IndexEntry {
        projector().project(record).unwrap().entry()
    }

    fn lamp() -> serde_json::Value {
        json!({
            "name": "Desk lamp 東京都", "brand": "Hikari", "category": "Home > Lamps", "price": 39.9, "stock": 2,
            "tags": ["oak"], "attributes": {"colour": "black", "watts": 8}
        })
    }

    #[test]
    fn the_hash_of_fields_is_stable() {
        // An index may have been written by another version of this program.
        let hash = projector().project(&record("lamp-1", 3, &lamp())).unwrap().fields_hash();
        assert_eq!(format!("{hash:016x}"), "6fa796b3fb283b15");
    }

    #[test]
    fn an_ancestor_of_several_categories_is_in_a_document_once() {
        let json =
            json!({"name": "A", "categories": ["Home > Lamps", "Home > Lamps > Desk", "Home", "Sale"]});
        let record = record("lamp-1", 3, &json);
        let DocumentState::Active(active) = projector().project(&record).unwrap().state else {
            panic!("the document is not active")
        };
        let categories: Vec<&str> = active.categories.iter().map(String::as_str).collect();
        assert_eq!(categories, ["Home", "Home > Lamps", "Home > Lamps > Desk", "Sale"]);
    }

    #[test]
    fn drafts_and_tombstones_have_nothing_to_find() {
        let mut draft = lamp();
        draft["status"] = "draft".into();
        let draft = record("lamp-1", 3, &draft);
        assert!(matches!(projector().project(&draft).unwrap().state, DocumentState::Hidden));
        let deleted_at = jiff::Timestamp::UNIX_EPOCH;
        let id = ProductId::parse("lamp-1").unwrap();
        let tombstone = Record::Deleted(Tombstone { id, version: Version(3), deleted_at });
        assert!(matches!(projector().project(&tombstone).unwrap().state, DocumentState::Deleted));
        let (draft, tombstone) = (entry(&draft), entry(&tombstone));
        assert!(draft.is_live && !tombstone.is_live);
        assert_ne!(draft.fingerprint, tombstone.fingerprint);
    }

    #[test]
    fn other_weights_and_languages_make_other_documents() {
        let record = record("lamp-1", 3, &lamp());
        let hash =
            |language, weights| Projector::new(language, weights).project(&record).unwrap().fields_hash();
        let plain = hash(Language::English, FieldWeights::default());
        let heavy = FieldWeights::default().with(crate::product::Part::Brand, 5.0).unwrap();
        assert_ne!(plain, hash(Language::English, heavy));
        assert_ne!(plain, hash(Language::German, FieldWeights::default()));
    }

    /// Generates products that differ in small ways.
    fn product() -> impl Strategy<Value = serde_json::Value> {
        let word = "[a-zäö東京 ]{1,12}x";
        (
            word,
            prop::option::of(word),
            prop::option::of(0..100_000_u64),
            prop::option::of(0..3_u64),
            prop::collection::btree_set("[a-z]{1,4}", 0..3),
            prop::collection::btree_map("[a-c]", "[a-z]{1,5}|[0-9]{1,3}", 0..3),
            prop::collection::vec("[ab]( > [ab])?", 0..4),
        )
            .prop_map(|(name, brand, cents, stock, tags, attributes, categories)| {
                let price = cents.map(|cents| cents as f64 / 100.0);
                json!({
                    "name": name, "brand": brand, "price": price, "stock": stock, "tags": tags,
                    "attributes": attributes, "categories": categories
                })
            })
    }

    proptest! {
        #[test]
        fn a_record_has_one_projection(json in product(), version in 1..u64::MAX) {
            let record = record("p", version, &json);
            let mut reused = projector();
            // A projector that was used before gives the same result.
            reused.project(&super::tests::record("q", 1, &lamp())).unwrap();
            prop_assert_eq!(reused.project(&record).unwrap().entry(), entry(&record));
            // So does a product that was serialized as JSON, as in messages and stores.
            let Record::Live(product) = &record else { unreachable!("it is live") };
            let again: Product = serde_json::from_slice(&serde_json::to_vec(&**product).unwrap()).unwrap();
            prop_assert_eq!(entry(&Record::Live(Arc::new(again))), entry(&record));
        }

        #[test]
        fn other_products_have_other_fingerprints(one in product(), other in product()) {
            let (one, other) = (record("p", 1, &one), record("p", 1, &other));
            prop_assert_eq!(entry(&one) == entry(&other), one == other);
            prop_assert_ne!(entry(&one), entry(&match &one {
                Record::Live(product) => Record::Live(Arc::new(Product { version: Version(2), ..(**product).clone() })),
                Record::Deleted(_) => unreachable!("it is live"),
            }));
        }
    }
}
