//! The options of the writing side.

use domain::Language;
use text::field_weights::FieldWeights;

/// Options of a [`TantivyWriter`](crate::TantivyWriter).
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// The most bytes that each indexing thread buffers before it writes a segment; at least 15 MB.
    pub heap_bytes: usize,
    /// The number of indexing threads.
    pub threads: usize,
    /// The language that texts of products are analysed for; searchers of the folder must use the same.
    pub language: Language,
    /// The field weights of products that are written from now on.
    pub weights: FieldWeights,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let (language, weights) = (Language::default(), FieldWeights::default());
        Self { heap_bytes: 64_000_000, threads: 1, language, weights }
    }
}
