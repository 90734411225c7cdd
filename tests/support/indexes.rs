//! Empty indexes without a service.

use domain::{Language, ProductId};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use tempfile::TempDir;

use super::{opensearch_options, record};
use crate::services;

/// Creates an empty index in its own folder.
pub(crate) fn tantivy(language: Language) -> (TempDir, TantivyWriter, TantivySearcher) {
    record();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let options = WriterOptions { language, ..WriterOptions::default() };
    let writer = TantivyWriter::open(folder.path(), options).expect("a new folder opens");
    let options = SearcherOptions { language, ..SearcherOptions::default() };
    let searcher = TantivySearcher::open(folder.path(), options).expect("the index is there");
    (folder, writer, searcher)
}

/// Creates an empty index in OpenSearch whose name begins with `name`, or returns `None` if there is no server.
pub(crate) async fn opensearch(
    name: &str,
    language: Language,
) -> Option<(OpenSearchWriter, OpenSearchSearcher)> {
    let server = services::opensearch().await?;
    let options = opensearch_options(server, &format!("{name}-{}", ProductId::generate()));
    let options = opensearch_index::Options { language, ..options };
    let writer = OpenSearchWriter::create(&options).await.expect("an index can be made");
    Some((writer, OpenSearchSearcher::open(&options).await.expect("the index is there")))
}
