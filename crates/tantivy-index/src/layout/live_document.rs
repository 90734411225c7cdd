//! The document of an id that is not deleted: there is at most one in the whole index.

use domain::ProductId;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::SegmentPostings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED, Term};

use crate::layout::schema::Fields;

/// What documents of an id are found and deleted by.
pub(crate) fn id_term(fields: Fields, id: &ProductId) -> Term {
    Term::from_field_text(fields.id, id.as_str())
}

/// The living document of an id in a segment; `ids` is the list of ids of that segment.
pub(crate) fn living(
    reader: &SegmentReader,
    ids: &InvertedIndexReader,
    term: &Term,
) -> tantivy::Result<Option<DocId>> {
    let postings = ids.read_postings(term, IndexRecordOption::Basic)?;
    Ok(postings.and_then(|postings| first_living(reader, postings)))
}

/// The first of these documents that is not deleted.
pub(crate) fn first_living(reader: &SegmentReader, mut postings: SegmentPostings) -> Option<DocId> {
    while postings.doc() != TERMINATED && reader.is_deleted(postings.doc()) {
        postings.advance();
    }
    (postings.doc() != TERMINATED).then(|| postings.doc())
}
