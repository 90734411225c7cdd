//! The products that the operators of a query leave out.

use std::sync::Arc;

use domain::ports::PortError;
use domain::search::SearchRequest;
use tantivy::DocId;
use text::operand::{Operand, Operands, Sequence};
use text::query::Alternative;
use text::score::Tier;

use crate::error::search_error;
use crate::layout::document::stored_product;
use crate::search::deadline::Deadline;
use crate::search::expand::terms_of_alternative;
use crate::search::expansion::DocumentList;
use crate::search::postings::each_document;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The number of stored products that are read between two checks of the deadline.
const READS_PER_CHECK: usize = 256;

/// The documents that the operators of a query leave out: those that have a word or phrase after a minus, and those that lack a
/// phrase in quotation marks.
#[derive(Default)]
pub(crate) struct LeftOut {
    /// For each document of each segment, true if it is left out. Empty without operators.
    segments: Vec<Vec<bool>>,
}

impl LeftOut {
    /// Finds the documents.
    ///
    /// # Errors
    /// [`Unavailable`](domain::ports::PortErrorKind::Unavailable) if the deadline passes.
    pub(crate) fn new(
        request: &SearchRequest,
        snapshot: &Snapshot,
        deadline: Deadline,
    ) -> Result<Self, PortError> {
        let operands = Operands::new(request, snapshot.language);
        let mut segments = Vec::new();
        if !operands.is_empty() {
            for segment in &snapshot.segments {
                let finder = Finder { snapshot, segment, deadline };
                segments.push(finder.left_out(&operands)?);
            }
        }
        Ok(Self { segments })
    }

    /// Returns true if the query has no operators.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Returns true if the document is left out.
    pub(crate) fn has(&self, document: DocId, segment: &Segment) -> bool {
        self.segments.get(segment.number as usize).is_some_and(|left_out| left_out[document as usize])
    }
}

/// Finds the documents of a segment that have operands.
struct Finder<'a> {
    snapshot: &'a Snapshot,
    segment: &'a Segment,
    deadline: Deadline,
}

impl Finder<'_> {
    fn left_out(&self, operands: &Operands) -> Result<Vec<bool>, PortError> {
        let mut left_out = vec![false; self.segment.reader.max_doc() as usize];
        for operand in &operands.required {
            let has = self.have(operand)?;
            left_out.iter_mut().zip(has).for_each(|(left_out, has)| *left_out |= !has);
        }
        for operand in &operands.excluded {
            let has = self.have(operand)?;
            left_out.iter_mut().zip(has).for_each(|(left_out, has)| *left_out |= has);
        }
        Ok(left_out)
    }

    /// Returns true for each document that has the operand. The value for a deleted document is undefined.
    fn have(&self, operand: &Operand) -> Result<Vec<bool>, PortError> {
        self.deadline.check()?;
        let mut has = vec![false; self.segment.reader.max_doc() as usize];
        for alternative in &operand.alternatives {
            self.each(alternative, |document| has[document as usize] = true)?;
        }
        if let Some(sequence) = &operand.sequence {
            for document in self.with_sequence(sequence, &has)?.iter() {
                has[*document as usize] = true;
            }
        }
        Ok(has)
    }

    /// Returns the documents with a sequence of words, except those that are `known` to have it.
    fn with_sequence(&self, sequence: &Sequence, known: &[bool]) -> Result<Arc<[DocId]>, PortError> {
        let key = sequence.key();
        if let Some(documents) = self.segment.sequences().get(&key) {
            return Ok(documents);
        }
        let mut candidates = Vec::new();
        self.each(&sequence.terms, |document| candidates.push(document))?;
        candidates.retain(|document| !known[*document as usize]);
        let mut documents = Vec::new();
        for (read, document) in candidates.into_iter().enumerate() {
            if read % READS_PER_CHECK == 0 {
                self.deadline.check()?;
            }
            if self.segment.reader.is_deleted(document) {
                continue;
            }
            let product = stored_product(&self.snapshot.searcher, self.segment.address(document));
            if sequence.is_in(&product.map_err(search_error)?.content) {
                documents.push(document);
            }
        }
        let documents = documents.into();
        self.segment.sequences().insert(key, &documents);
        Ok(documents)
    }

    /// Calls `each` with every document that matches an alternative.
    fn each(&self, alternative: &Alternative, mut each: impl FnMut(DocId)) -> Result<(), PortError> {
        let terms = terms_of_alternative(alternative, self.segment).map_err(search_error)?;
        let Some(terms) = terms else { return Ok(()) };
        let list = DocumentList { tier: Tier::Exact, weight_factor: 1, terms };
        let read = each_document(&list, self.segment, |document, _| {
            each(document);
            true
        });
        read.map(drop).map_err(search_error)
    }
}
