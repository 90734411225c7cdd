//! Empty indexes to fill and to ask, without a service around them.

use domain::ProductId;
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use tempfile::TempDir;

use super::opensearch_options;
use crate::services;

/// An empty index in a folder of its own.
pub(crate) fn tantivy() -> (TempDir, TantivyWriter, TantivySearcher) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let writer = TantivyWriter::open(folder.path(), WriterOptions::default()).expect("a new folder opens");
    let searcher = TantivySearcher::open(folder.path(), SearcherOptions::default());
    (folder, writer, searcher.expect("the index is there"))
}

/// An empty index in OpenSearch, whose name begins with `name`; none where that cannot be had.
pub(crate) async fn opensearch(name: &str) -> Option<(OpenSearchWriter, OpenSearchSearcher)> {
    let options =
        opensearch_options(services::opensearch().await?, &format!("{name}-{}", ProductId::generate()));
    let writer = OpenSearchWriter::create(&options).await.expect("an index can be made");
    Some((writer, OpenSearchSearcher::open(&options).await.expect("the index is there")))
}
