//! An empty index in a folder of its own, for tests.

use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use tempfile::TempDir;

use crate::Settings;

/// Returns the folder, which is removed when it is dropped, and the index in it.
pub(crate) fn empty() -> (TempDir, TantivyWriter, TantivySearcher) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let writer =
        TantivyWriter::open(folder.path(), WriterOptions::default()).expect("a new folder can be opened");
    let searcher =
        TantivySearcher::open(folder.path(), SearcherOptions::default()).expect("the index is there");
    (folder, writer, searcher)
}

/// Returns settings with a small cache.
pub(crate) fn settings() -> Settings {
    Settings { cache_seconds: 60, answer_cache_mb: 1, ..Settings::default() }
}
