//! Looks up the live document of an id. An update deletes the old document, so an index has at most one per id.

use domain::ProductId;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::SegmentPostings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED, Term};

use crate::layout::schema::Fields;

/// Returns the term that finds and deletes the documents of an id.
pub(crate) fn id_term(fields: Fields, id: &ProductId) -> Term {
    Term::from_field_text(fields.id, id.as_str())
}

/// Returns the live document of an id in a segment. `ids` is the segment's inverted index of ids.
pub(crate) fn live_document(
    reader: &SegmentReader,
    ids: &InvertedIndexReader,
    term: &Term,
) -> tantivy::Result<Option<DocId>> {
    let postings = ids.read_postings(term, IndexRecordOption::Basic)?;
    Ok(postings.and_then(|postings| first_live(reader, postings)))
}

/// Returns the first document of a posting list that is not deleted.
pub(crate) fn first_live(reader: &SegmentReader, mut postings: SegmentPostings) -> Option<DocId> {
    while postings.doc() != TERMINATED && reader.is_deleted(postings.doc()) {
        postings.advance();
    }
    (postings.doc() != TERMINATED).then(|| postings.doc())
}
