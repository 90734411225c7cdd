//! The fields of the index, and the settings it is made with.

use serde_json::{Value, json};

/// The schema that this version reads and writes. It changes with the fields and with the analysis of text, and is
/// part of the name of the index.
pub(crate) const SCHEMA: u64 = 4;

/// Where in the mapping's `_meta` the schema stands.
pub(crate) const META_SCHEMA: &str = "norenSchema";
/// Where in the mapping's `_meta` it stands when the index was made, in milliseconds since 1970.
pub(crate) const META_MADE: &str = "norenMade";
/// Where in the mapping's `_meta` the code of the language stands that texts are analysed as.
pub(crate) const META_LANGUAGE: &str = "norenLanguage";

/// Where in the mapping's `_meta` it stands what the parts of products counted when all documents were made.
pub(crate) const META_WEIGHTS: &str = "norenWeights";

/// What becomes of products in the index.
pub(crate) mod state {
    /// Search may find it.
    pub(crate) const ACTIVE: &str = "active";
    /// It exists but is not shown.
    pub(crate) const HIDDEN: &str = "hidden";
    /// A tombstone.
    pub(crate) const DELETED: &str = "deleted";
}

/// Names of fields.
pub(crate) mod field {
    /// The id, to order products that are equal otherwise.
    pub(crate) const ID: &str = "id";
    /// See [`super::state`].
    pub(crate) const STATE: &str = "state";
    /// When the index was made: it tells this index from one made anew under the same name.
    pub(crate) const MADE: &str = "made";
    /// What of the fingerprint is kept, in hexadecimal digits, see [`text::projection::Projection::fields_hash`].
    pub(crate) const PRINT: &str = "print";
    /// When the product was deleted, in milliseconds since 1970.
    pub(crate) const DELETED_AT: &str = "deletedAt";
    /// The product's JSON as one text, so that its numbers keep their digits.
    pub(crate) const PRODUCT: &str = "product";
    /// Words of the whole product and neighbours written as one, see [`crate::document::word_term`]. The frequency of a
    /// word is not how often it occurs but what it is worth there, see [`text::weights`].
    pub(crate) const WORDS: &str = "words";
    /// What words may begin with, see [`crate::document::beginning_term`].
    pub(crate) const BEGINNINGS: &str = "beginnings";
    /// Runs of scripts without spaces, each as its pairs of characters with their places.
    pub(crate) const RUNS: &str = "runs";
    pub(crate) const BRAND: &str = "brand";
    /// The category and every category above it.
    pub(crate) const CATEGORY: &str = "category";
    pub(crate) const TAGS: &str = "tags";
    /// Every value of every attribute behind its key: one field for all keys.
    pub(crate) const ATTRIBUTES: &str = "attributes";
    /// Every numeric attribute behind its key, in a form that compares as the numbers do.
    pub(crate) const NUMBERS: &str = "numbers";
    /// One number a currency under it, in minor units.
    pub(crate) const PRICE: &str = "price";
    pub(crate) const IN_STOCK: &str = "inStock";
    /// Milliseconds since 1970.
    pub(crate) const CREATED_AT: &str = "createdAt";
    /// The name as sorting compares it.
    pub(crate) const NAME: &str = "name";
}

/// The analyser of fields whose words were told apart before they came here.
const READY_WORDS: &str = "ready_words";
/// The same where each word comes with its level, which becomes its frequency.
const WEIGHED_WORDS: &str = "weighed_words";
/// Between a word and its level; no word has it.
pub(crate) const BEFORE_WEIGHT: char = '|';
/// How a word is scored: the whole part of the boost for being there, its fraction for each level.
const BY_WEIGHT: &str = "by_level";
const BY_WEIGHT_SCRIPT: &str =
    "double found = Math.floor(query.boost); return found + (query.boost - found) * doc.freq;";

/// Names of the indexes that the template is for.
pub(crate) fn index_pattern(alias: &str) -> String {
    format!("{alias}-v{SCHEMA}-*")
}

/// The name of the first index of this schema. It is always the same, so that two processes that make it at once
/// make one.
pub(crate) fn first_index(alias: &str) -> String {
    numbered_index(alias, 1)
}

/// The name of an index of this schema by its number.
pub(crate) fn numbered_index(alias: &str, number: u64) -> String {
    format!("{alias}-v{SCHEMA}-{number:06}")
}

/// The number in the name of an index that noren made for the alias, of any schema.
pub(crate) fn index_number(alias: &str, name: &str) -> Option<u64> {
    name.strip_prefix(alias)?.strip_prefix("-v")?.split_once('-')?.1.parse().ok()
}

/// The template for all indexes of this schema.
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
            // Counts and orders are exact on one shard; it holds some tens of millions of products.
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            // Deletes are documents here, so OpenSearch need not remember any; where one is removed by hand, its id can be
            // used again at once.
            "gc_deletes": "1s",
            // The writer refreshes by itself; this is for what a crash left behind.
            "refresh_interval": "10s",
            "mapping.total_fields.limit": 300,
            "analysis": {
                "filter": { "levels": { "type": "delimited_term_freq", "delimiter": BEFORE_WEIGHT.to_string() } },
                "analyzer": {
                    READY_WORDS: { "type": "custom", "tokenizer": "whitespace" },
                    WEIGHED_WORDS: { "type": "custom", "tokenizer": "whitespace", "filter": ["levels"] },
                },
            },
            "similarity": {
                BY_WEIGHT: { "type": "scripted", "script": { "source": BY_WEIGHT_SCRIPT } },
            },
        },
    })
}

fn mappings() -> Value {
    let ready = |options| json!({ "type": "text", "analyzer": READY_WORDS, "norms": false, "index_options": options });
    let weighed = json!({
        "type": "text", "analyzer": WEIGHED_WORDS, "norms": false, "index_options": "freqs", "similarity": BY_WEIGHT,
    });
    let keyword = json!({ "type": "keyword" });
    let column = json!({ "type": "long", "index": false });
    json!({
        // A field that nobody foresaw is an error, not a new field.
        "dynamic": "strict",
        "_source": { "includes": [field::PRODUCT, field::STATE, field::PRINT] },
        // There are fewer than two hundred currencies.
        "dynamic_templates": [{ "prices": { "path_match": "price.*", "mapping": { "type": "long" } } }],
        "properties": {
            field::ID: keyword,
            field::STATE: keyword,
            field::MADE: column,
            field::PRINT: { "type": "keyword", "index": false, "doc_values": false },
            field::DELETED_AT: { "type": "long" },
            field::PRODUCT: { "type": "object", "enabled": false },
            field::WORDS: weighed,
            field::BEGINNINGS: ready("docs"),
            // Between two runs OpenSearch leaves a gap of a hundred places, so that no phrase reaches from one into the
            // other.
            field::RUNS: ready("positions"),
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
