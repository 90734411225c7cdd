//! The mapping and settings of the index, and the names of its fields.

use domain::search::Field;
use serde_json::{Value, json};

/// The schema of the indexes that this version creates, which is part of their names. Increase it with every change of the
/// fields; a change of the analysis of text increases [`text::ANALYSIS`] instead. An index of an older schema is rebuilt.
pub(crate) const SCHEMA: u64 = 6;

/// The oldest schema that this version can search and write until a rebuild has replaced the index: its fields equal those
/// of [`SCHEMA`]. If a change breaks that, set this to the new [`SCHEMA`]; then searches are unavailable until the rebuild
/// is complete.
pub(crate) const READABLE_FROM: u64 = 4;

/// Key in the mapping's `_meta`: the schema.
pub(crate) const META_SCHEMA: &str = "norenSchema";
/// Key in the mapping's `_meta`: the version of the analysis of text, see [`text::ANALYSIS`].
pub(crate) const META_ANALYSIS: &str = "norenAnalysis";
/// Key in the mapping's `_meta`: the process that fills the index, and the number of its claim.
pub(crate) const META_CLAIM: &str = "norenClaim";
/// Key in the mapping's `_meta`: when the index was created, in milliseconds since 1970.
pub(crate) const META_CREATED_AT: &str = "norenMade";
/// Key in the mapping's `_meta`: the code of the language that texts are analysed in.
pub(crate) const META_LANGUAGE: &str = "norenLanguage";
/// Key in the mapping's `_meta`: the field weights of the last complete build.
pub(crate) const META_WEIGHTS: &str = "norenWeights";

/// Values of [`field::STATE`].
pub(crate) mod state {
    /// Searches can find the product.
    pub(crate) const ACTIVE: &str = "active";
    /// The product exists, and searches do not find it.
    pub(crate) const HIDDEN: &str = "hidden";
    /// A tombstone.
    pub(crate) const DELETED: &str = "deleted";
}

/// Names of fields.
pub(crate) mod field {
    /// The id; the order of products that are otherwise equal.
    pub(crate) const ID: &str = "id";
    /// See [`super::state`].
    pub(crate) const STATE: &str = "state";
    /// The time of the index's creation. Distinguishes the index from an earlier one of the same name.
    pub(crate) const INDEX_CREATED_AT: &str = "made";
    /// The stored half of the fingerprint in hexadecimal, see [`text::projection::Projection::fields_hash`].
    pub(crate) const FINGERPRINT: &str = "print";
    /// The time of the deletion, in milliseconds since 1970.
    pub(crate) const DELETED_AT: &str = "deletedAt";
    /// The product's JSON as one text, so that its numbers keep their digits.
    pub(crate) const PRODUCT: &str = "product";
    /// All words, including joined neighbours, see [`crate::layout::terms::word_term`]. The term frequency is the
    /// weight of the word, not its number of occurrences, see [`text::weights`].
    pub(crate) const WORDS: &str = "words";
    /// Words for prefix queries, see [`crate::layout::terms::prefix_term`].
    pub(crate) const PREFIXES: &str = "beginnings";
    /// Runs of CJK text, each as its pairs of adjacent characters (bigrams), with positions.
    pub(crate) const CJK_BIGRAMS: &str = "runs";
    pub(crate) const BRAND: &str = "brand";
    /// The categories and each of their ancestors, each once.
    pub(crate) const CATEGORY: &str = "category";
    pub(crate) const TAGS: &str = "tags";
    /// Every value of every attribute, prefixed with its key: one field for all keys.
    pub(crate) const ATTRIBUTES: &str = "attributes";
    /// Every number of an attribute, prefixed with its key, in a form that sorts as the numbers do.
    pub(crate) const NUMBERS: &str = "numbers";
    /// An object with one number per currency, in minor units.
    pub(crate) const PRICE: &str = "price";
    pub(crate) const IN_STOCK: &str = "inStock";
    /// Milliseconds since 1970.
    pub(crate) const CREATED_AT: &str = "createdAt";
    /// The key of the name, see [`text::collation`].
    pub(crate) const NAME: &str = "name";
}

/// Returns the keyword field that holds the values of a product field; `None` if they are not keywords.
pub(crate) fn keyword_field(field: &Field) -> Option<&'static str> {
    match field {
        Field::Brand => Some(field::BRAND),
        Field::Category => Some(field::CATEGORY),
        Field::Tags => Some(field::TAGS),
        Field::Attribute(_) => Some(field::ATTRIBUTES),
        Field::Price | Field::Stock => None,
    }
}

/// The analyser for words that were separated before indexing.
const PLAIN_ANALYZER: &str = "ready_words";
/// The analyser for words with weights, which become term frequencies.
const WEIGHTED_ANALYZER: &str = "weighed_words";
/// The token filter that separates a word from its weight.
const WEIGHT_FILTER: &str = "levels";
/// Separates a word from its weight; no word contains it.
pub(crate) const WEIGHT_DELIMITER: char = '|';
/// The similarity of weighted words: a match scores the integral part of the boost, plus its fraction times the weight.
const SIMILARITY: &str = "by_level";
const SIMILARITY_SCRIPT: &str =
    "double found = Math.floor(query.boost); return found + (query.boost - found) * doc.freq;";

/// Returns the pattern of the names of all indexes of this schema.
fn index_pattern(alias: &str) -> String {
    format!("{alias}-v{SCHEMA}-*")
}

/// Returns the name of the first index of this schema. The name is fixed, so that concurrent processes create only one
/// index.
pub(crate) fn first_index(alias: &str) -> String {
    numbered_index(alias, 1)
}

/// Returns the name of the index of this schema with this number.
pub(crate) fn numbered_index(alias: &str, number: u64) -> String {
    format!("{alias}-v{SCHEMA}-{number:06}")
}

/// Returns the number in the name of an index of any schema that belongs to the alias.
pub(crate) fn index_number(alias: &str, name: &str) -> Option<u64> {
    name.strip_prefix(alias)?.strip_prefix("-v")?.split_once('-')?.1.parse().ok()
}

/// Returns the template of all indexes of this schema.
pub(crate) fn template(alias: &str) -> Value {
    json!({
        "index_patterns": [index_pattern(alias)],
        "priority": 500,
        "template": { "settings": settings(), "mappings": mappings() },
    })
}

fn settings() -> Value {
    json!({
        "index": {
            // Counts and order are exact on one shard, which holds some tens of millions of products.
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            // Tombstones are documents, so OpenSearch need not remember deletes. With a short time, a removed document can soon
            // be written again with a lower version.
            "gc_deletes": "1s",
            // The writer refreshes explicitly. This interval covers writes whose writer crashed before its refresh.
            "refresh_interval": "10s",
            "mapping.total_fields.limit": 300,
            "analysis": {
                "filter": {
                    WEIGHT_FILTER: { "type": "delimited_term_freq", "delimiter": WEIGHT_DELIMITER.to_string() },
                },
                "analyzer": {
                    PLAIN_ANALYZER: { "type": "custom", "tokenizer": "whitespace" },
                    WEIGHTED_ANALYZER: { "type": "custom", "tokenizer": "whitespace", "filter": [WEIGHT_FILTER] },
                },
            },
            "similarity": {
                SIMILARITY: { "type": "scripted", "script": { "source": SIMILARITY_SCRIPT } },
            },
        },
    })
}

fn mappings() -> Value {
    let plain = |options| json!({ "type": "text", "analyzer": PLAIN_ANALYZER, "norms": false, "index_options": options });
    let weighted = json!({
        "type": "text", "analyzer": WEIGHTED_ANALYZER, "norms": false, "index_options": "freqs",
        "similarity": SIMILARITY,
    });
    let keyword = json!({ "type": "keyword" });
    let column = json!({ "type": "long", "index": false });
    json!({
        // An unknown field is an error, not a new field.
        "dynamic": "strict",
        "_source": { "includes": [field::PRODUCT, field::STATE, field::FINGERPRINT] },
        // There are fewer than 200 currencies, so prices stay within the limit of fields.
        "dynamic_templates": [{ "prices": { "path_match": "price.*", "mapping": { "type": "long" } } }],
        "properties": {
            field::ID: keyword,
            field::STATE: keyword,
            field::INDEX_CREATED_AT: column,
            field::FINGERPRINT: { "type": "keyword", "index": false, "doc_values": false },
            field::DELETED_AT: { "type": "long" },
            field::PRODUCT: { "type": "object", "enabled": false },
            field::WORDS: weighted,
            field::PREFIXES: plain("docs"),
            // OpenSearch leaves a gap of 100 positions between two values, so that no phrase spans two runs.
            field::CJK_BIGRAMS: plain("positions"),
            field::BRAND: keyword,
            field::CATEGORY: keyword,
            field::TAGS: keyword,
            field::ATTRIBUTES: keyword,
            field::NUMBERS: keyword,
            field::PRICE: { "type": "object", "dynamic": true },
            field::IN_STOCK: { "type": "boolean" },
            field::CREATED_AT: column,
            field::NAME: { "type": "keyword", "index": false },
        },
    })
}
