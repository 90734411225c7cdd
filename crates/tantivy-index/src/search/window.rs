//! The page of a search: which part of the ordered list to keep, and the cursor of the next page.

use std::collections::HashMap;

use domain::ports::{PortError, PortErrorKind};
use domain::search::{Cursor, PageStart, QueryInterpretation, SearchRequest, Sort};
use domain::{Currency, Product};
use tantivy::DocAddress;
use text::collation::Collation;

use crate::search::order::Key;
use crate::search::ordinals::terms_of;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The part of the ordered list that a page shows.
pub(crate) struct Window<'a> {
    pub(crate) sort: &'a Sort,
    pub(crate) currency: Currency,
    /// The order of names, see [`Snapshot::collation`].
    pub(crate) collation: Option<&'a Collation>,
    pub(crate) after: Option<&'a Cursor>,
    /// The number of products before the page.
    skip: usize,
    size: usize,
    /// The fingerprint of the restriction.
    restriction: Option<u64>,
}

/// A matching product, comparable with those of other segments.
pub(crate) struct RankedProduct {
    pub(crate) key: Key,
    /// The ordinal of the id in its segment.
    pub(crate) id: u64,
    pub(crate) score: f32,
    pub(crate) address: DocAddress,
}

impl<'a> Window<'a> {
    /// Creates the window of a request to a snapshot.
    ///
    /// # Errors
    /// [`PortErrorKind::Internal`] if the cursor does not belong to the order and the restriction of the request.
    pub(crate) fn new(request: &'a SearchRequest, snapshot: &'a Snapshot) -> Result<Self, PortError> {
        let size = request.page.size;
        let (skip, after) = match &request.page.start {
            PageStart::Number(number) => (number.saturating_sub(1).saturating_mul(size), None),
            PageStart::After(cursor) => (0, Some(cursor)),
        };
        let restriction = request.restriction.fingerprint();
        let is_of_request =
            |cursor: &Cursor| cursor.sort == request.sort && cursor.restriction == restriction;
        if after.is_some_and(|cursor| !is_of_request(cursor) || !cursor.is_valid()) {
            let context = "the cursor belongs to another order or restriction";
            return Err(PortError::bare(PortErrorKind::Internal, context));
        }
        let (sort, currency, collation) = (&request.sort, request.currency, snapshot.collation.as_ref());
        Ok(Self { sort, currency, collation, after, skip, size, restriction })
    }

    /// Creates a window that keeps no product.
    pub(crate) fn empty(request: &'a SearchRequest) -> Self {
        let (sort, currency) = (&request.sort, request.currency);
        Self { sort, currency, collation: None, after: None, skip: 0, size: 0, restriction: None }
    }

    /// Returns the interpretation of the query on the earlier pages; `None` on the first page.
    pub(crate) fn interpretation(&self) -> Option<&'a QueryInterpretation> {
        self.after.map(|cursor| &cursor.interpretation)
    }

    /// Returns the number of products that each segment must keep: those up to the end of the page, and one more, which shows
    /// that there is another page.
    pub(crate) fn keep(&self) -> usize {
        if self.size == 0 { 0 } else { self.skip.saturating_add(self.size).saturating_add(1) }
    }

    /// Returns the products of the page in order, and true if more follow. `products` are those that the segments kept.
    pub(crate) fn page(
        &self,
        mut products: Vec<RankedProduct>,
        segments: &[Segment],
    ) -> tantivy::Result<(Vec<RankedProduct>, bool)> {
        // Only within one segment do the ordinals of ids have the same order as the ids.
        products.sort_unstable_by(|a, b| {
            let id = |product: &RankedProduct| (product.address.segment_ord, product.id);
            a.key.cmp(&b.key).then_with(|| id(a).cmp(&id(b)))
        });
        let page = self.skip..self.skip.saturating_add(self.size);
        let mut start = 0;
        for equal in products.chunk_by_mut(|a, b| a.key == b.key) {
            let end = start + equal.len();
            let segment = equal[0].address.segment_ord;
            let is_one_segment = equal.iter().all(|product| product.address.segment_ord == segment);
            if start <= page.end && page.start < end && !is_one_segment {
                sort_by_id(equal, segments)?;
            }
            start = end;
        }
        let has_more = products.len() > page.end;
        Ok((products.into_iter().skip(self.skip).take(self.size).collect(), has_more))
    }

    /// Returns the cursor of the page that begins after this product.
    pub(crate) fn cursor(
        &self,
        ranked: &RankedProduct,
        product: &Product,
        interpretation: &QueryInterpretation,
    ) -> Cursor {
        let key = ranked.key.to_sort_key(self.sort, ranked.score, &product.content.name);
        let (interpretation, restriction) = (interpretation.clone(), self.restriction);
        let (sort, id) = (self.sort.clone(), product.id.clone());
        Cursor { sort, key, id, interpretation, restriction }
    }
}

/// Sorts products of several segments by id. Reading the ids is the most expensive part of ordering a page.
fn sort_by_id(products: &mut [RankedProduct], segments: &[Segment]) -> tantivy::Result<()> {
    let mut ids = HashMap::new();
    for segment in segments {
        let of_segment = products.iter().filter(|product| product.address.segment_ord == segment.number);
        let terms = terms_of(segment.id.as_ref(), of_segment.map(|product| product.id))?;
        ids.extend(terms.into_iter().map(|(ordinal, id)| ((segment.number, ordinal), id)));
    }
    products.sort_by(|a, b| {
        let id = |product: &RankedProduct| ids.get(&(product.address.segment_ord, product.id));
        id(a).cmp(&id(b))
    });
    Ok(())
}
