//! The fields of the tantivy index.

use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, STORED, STRING, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};

use crate::layout::tokenizers::{CJK_BIGRAMS, WEIGHTED_TERMS};
use crate::layout::value_field::{VALUE_FIELD_COUNT, VALUE_FIELDS};

/// The format of the indexes that this version creates. Increase it with every change of the schema or of the encodings;
/// a change of the analysis of texts increases [`text::ANALYSIS`] instead. An index of an older format is rebuilt.
pub(crate) const FORMAT: u32 = 7;

/// The oldest format that this version can search and write until a rebuild has replaced it: its schema and encodings
/// equal those of [`FORMAT`]. If a change breaks that, set this to the new [`FORMAT`]; then searches are unavailable until
/// the rebuild is complete.
pub(crate) const READABLE_FROM: u32 = 5;

/// The state of a document that searches can find.
pub(crate) const STATE_ACTIVE: u64 = 0;
/// The state of a product that searches do not show: a draft, or archived.
pub(crate) const STATE_HIDDEN: u64 = 1;
/// The state of a tombstone.
pub(crate) const STATE_DELETED: u64 = 2;

/// The names of columns. Those of [`VALUE_FIELDS`] are in their rows.
pub(crate) mod column {
    pub(crate) const ID: &str = "id";
    pub(crate) const VERSION: &str = "version";
    pub(crate) const STATE: &str = "state";
    pub(crate) const FIELDS_HASH: &str = "print";
    pub(crate) const ATTRIBUTES: &str = "attributes";
    pub(crate) const NUMBERS: &str = "numbers";
    pub(crate) const PRICE: &str = "price";
    pub(crate) const CURRENCY: &str = "currency";
    pub(crate) const IN_STOCK: &str = "in_stock";
    pub(crate) const CREATED_AT: &str = "created_at";
    pub(crate) const NAME: &str = "name";
}

/// The fields by role. Every document has [`Fields::id`], [`Fields::version`], [`Fields::state`] and [`Fields::fields_hash`].
/// Only active products have the others, so hidden products and tombstones match nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// The product's id. Looks up versions, deletes documents, and orders products that are otherwise equal.
    pub(crate) id: Field,
    /// The version.
    pub(crate) version: Field,
    /// One of the `STATE_` constants.
    pub(crate) state: Field,
    /// The lower half of the fingerprint, see [`text::projection::Projection::fields_hash`].
    pub(crate) fields_hash: Field,
    /// Words without digits, from the whole product. The term frequency is not the number of occurrences but the word's
    /// weight in the product, see [`text::weights`].
    pub(crate) words: Field,
    /// Words with digits, also with weights. They have a term dictionary of their own because typos are looked for among
    /// words without digits only.
    pub(crate) codes: Field,
    /// Pairs of neighbouring words joined into one, also with weights.
    pub(crate) pairs: Field,
    /// Stems of words, also with weights.
    pub(crate) stems: Field,
    /// Bigrams of scripts without spaces, with positions. Those of one run of characters have consecutive positions.
    pub(crate) runs: Field,
    /// The fields of [`VALUE_FIELDS`], in that order.
    pub(crate) values: [Field; VALUE_FIELD_COUNT],
    /// Every value of every attribute, as a term of [`text::attributes::attribute_term`]. One column holds all keys: the
    /// values of a key are a range of its dictionary.
    pub(crate) attributes: Field,
    /// Every numeric attribute, as a term of [`number_term`](crate::layout::encoding::number_term).
    pub(crate) numbers: Field,
    /// The price in minor units.
    pub(crate) price: Field,
    /// The currency of the price, see [`currency_number`](crate::layout::encoding::currency_number).
    pub(crate) currency: Field,
    /// 1 if at least one item is in stock, otherwise 0.
    pub(crate) in_stock: Field,
    /// Milliseconds since 1970.
    pub(crate) created_at: Field,
    /// The key of the name, see [`text::collation`].
    pub(crate) name: Field,
    /// The product as JSON.
    pub(crate) json: Field,
}

/// Returns the schema and its fields.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut builder = SchemaBuilder::default();
    let weighted = TextFieldIndexing::default()
        .set_tokenizer(WEIGHTED_TERMS)
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(false);
    let weighted = TextOptions::default().set_indexing_options(weighted);
    let runs = TextFieldIndexing::default()
        .set_tokenizer(CJK_BIGRAMS)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions)
        .set_fieldnorms(false);
    let runs = TextOptions::default().set_indexing_options(runs);
    let number = NumericOptions::default() | FAST;
    // The order of the fields is part of the schema on disk.
    let fields = Fields {
        id: builder.add_text_field(column::ID, STRING | FAST),
        version: builder.add_u64_field(column::VERSION, number.clone()),
        state: builder.add_u64_field(column::STATE, number.clone()),
        fields_hash: builder.add_u64_field(column::FIELDS_HASH, number.clone()),
        words: builder.add_text_field("words", weighted.clone()),
        codes: builder.add_text_field("codes", weighted.clone()),
        pairs: builder.add_text_field("pairs", weighted.clone()),
        stems: builder.add_text_field("stems", weighted),
        runs: builder.add_text_field("runs", runs),
        values: VALUE_FIELDS.each_ref().map(|field| builder.add_text_field(field.column, FAST)),
        attributes: builder.add_text_field(column::ATTRIBUTES, FAST),
        numbers: builder.add_bytes_field(column::NUMBERS, BytesOptions::default() | FAST),
        price: builder.add_i64_field(column::PRICE, number.clone()),
        currency: builder.add_u64_field(column::CURRENCY, number.clone()),
        in_stock: builder.add_u64_field(column::IN_STOCK, number.clone()),
        created_at: builder.add_i64_field(column::CREATED_AT, number),
        name: builder.add_text_field(column::NAME, FAST),
        json: builder.add_bytes_field("json", STORED),
    };
    (builder.build(), fields)
}
