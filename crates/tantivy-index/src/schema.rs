//! The fields of the tantivy index.

use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, STORED, STRING, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};

use crate::document::{RUNS, WEIGHED_WORDS};

/// Of documents that search may find.
pub(crate) const STATE_ACTIVE: u64 = 0;
/// Of products that exist but are not shown: drafts and archived ones.
pub(crate) const STATE_HIDDEN: u64 = 1;
/// Of tombstones.
pub(crate) const STATE_DELETED: u64 = 2;

/// Names of the columns, which are opened by name.
pub(crate) mod column {
    pub(crate) const ID: &str = "id";
    pub(crate) const VERSION: &str = "version";
    pub(crate) const STATE: &str = "state";
    pub(crate) const PRINT: &str = "print";
    pub(crate) const BRAND: &str = "brand";
    pub(crate) const CATEGORY: &str = "category";
    pub(crate) const TAGS: &str = "tags";
    pub(crate) const ATTRIBUTES: &str = "attributes";
    pub(crate) const NUMBERS: &str = "numbers";
    pub(crate) const PRICE: &str = "price";
    pub(crate) const CURRENCY: &str = "currency";
    pub(crate) const IN_STOCK: &str = "in_stock";
    pub(crate) const CREATED_AT: &str = "created_at";
    pub(crate) const NAME: &str = "name";
}

/// The fields by role. Only [`Fields::id`], [`Fields::version`], [`Fields::state`] and
/// [`Fields::print`] are there for every document;
/// the others for active products only, so that there is nothing to find in the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// The product's id: to find versions, to delete, and to order products that are equal otherwise.
    pub(crate) id: Field,
    /// The version.
    pub(crate) version: Field,
    /// One of the `STATE_` numbers.
    pub(crate) state: Field,
    /// What of the fingerprint is kept, see [`text::projection::Projection::fields_hash`].
    pub(crate) print: Field,
    /// Words without digits of the whole product. The frequency of a word in a document is not how often it
    /// occurs but what it is worth there, see [`text::weights`].
    pub(crate) words: Field,
    /// Words with digits, in the same way. They have a dictionary of their own so that typos are looked for
    /// among words only.
    pub(crate) codes: Field,
    /// Neighbours written as one word, in the same way.
    pub(crate) pairs: Field,
    /// What words are without their endings, in the same way.
    pub(crate) stems: Field,
    /// The pairs of characters of scripts without spaces, with their places: those of one run follow each other.
    pub(crate) runs: Field,
    /// The brand.
    pub(crate) brand: Field,
    /// The category and every category above it.
    pub(crate) category: Field,
    /// The tags.
    pub(crate) tags: Field,
    /// Every value of every attribute, as [`text::attributes::attribute_term`] writes it. One column for all keys:
    /// the values of one key are a range of its dictionary.
    pub(crate) attributes: Field,
    /// Every numeric attribute, as [`crate::document::number_term`] writes it.
    pub(crate) numbers: Field,
    /// The price in minor units.
    pub(crate) price: Field,
    /// The currency of the price, see [`crate::document::currency_number`].
    pub(crate) currency: Field,
    /// 1 when there is at least one piece.
    pub(crate) in_stock: Field,
    /// Milliseconds since 1970.
    pub(crate) created_at: Field,
    /// The name as sorting compares it.
    pub(crate) name: Field,
    /// The product as JSON.
    pub(crate) json: Field,
}

/// The schema and its fields.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut builder = SchemaBuilder::default();
    let weighed = TextFieldIndexing::default()
        .set_tokenizer(WEIGHED_WORDS)
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(false);
    let weighed = TextOptions::default().set_indexing_options(weighed);
    let runs = TextFieldIndexing::default()
        .set_tokenizer(RUNS)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions)
        .set_fieldnorms(false);
    let runs = TextOptions::default().set_indexing_options(runs);
    let number = NumericOptions::default() | FAST;
    let fields = Fields {
        id: builder.add_text_field(column::ID, STRING | FAST),
        version: builder.add_u64_field(column::VERSION, number.clone()),
        state: builder.add_u64_field(column::STATE, number.clone()),
        print: builder.add_u64_field(column::PRINT, number.clone()),
        words: builder.add_text_field("words", weighed.clone()),
        codes: builder.add_text_field("codes", weighed.clone()),
        pairs: builder.add_text_field("pairs", weighed.clone()),
        stems: builder.add_text_field("stems", weighed),
        runs: builder.add_text_field("runs", runs),
        brand: builder.add_text_field(column::BRAND, FAST),
        category: builder.add_text_field(column::CATEGORY, FAST),
        tags: builder.add_text_field(column::TAGS, FAST),
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
