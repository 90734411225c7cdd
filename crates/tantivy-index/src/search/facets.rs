//! Counts the values of facets. Attributes are counted in [`attribute_facets`].
//!
//! A facet counts products that pass every filter but those on its own field. One pass over the matches is enough for all
//! facets: a product that passes all filters counts in each, and a product that fails the filter of one field only counts in
//! the facet of that field.

use std::sync::Arc;

use domain::Currency;
use domain::ports::{PortError, PortErrorKind};
use domain::search::{Facet, FacetValue, Field, price_facet};
use tantivy::DocId;
use text::facets::{TermCount, compare_values, top_terms, top_values};

use crate::layout::value_field::{VALUE_FIELDS, ValueShape};
use crate::search::attribute_facets::{self, AttributeCounter};
use crate::search::columns::ValueColumn;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;
use crate::search::values::{NO_VALUE, ValueId, ValueTable, ValueTables};

/// The counts of one facet, over the segments so far.
pub(crate) enum FacetCounter {
    /// The counts of a row of [`VALUE_FIELDS`].
    Values { row: usize, table: Arc<ValueTable>, counts: ValueCounts },
    /// The counts of an attribute.
    Attribute(AttributeCounter),
    /// A price and 1 for each product.
    Price { currency: Currency, prices: Vec<(i64, u64)> },
}

/// Counts products of a segment in every facet. `failing_only` has for each facet the products that fail the filter of its
/// field only.
pub(crate) fn count_segment(
    counters: &mut [FacetCounter],
    passing: &[DocId],
    failing_only: &[Vec<DocId>],
    segment: &Segment,
) -> tantivy::Result<()> {
    let mut attributes = Vec::new();
    for (counter, failing) in counters.iter_mut().zip(failing_only) {
        match counter {
            FacetCounter::Attribute(counter) => attributes.push((counter, failing.as_slice())),
            counter => counter.count(passing.iter().chain(failing).copied(), segment),
        }
    }
    attribute_facets::count_segment(attributes, passing, segment)
}

impl FacetCounter {
    /// Creates a counter.
    ///
    /// # Errors
    /// [`PortErrorKind::Internal`] for a field that cannot be counted.
    pub(crate) fn new(field: &Field, currency: Currency, values: &ValueTables) -> Result<Self, PortError> {
        match field {
            Field::Price => return Ok(Self::Price { currency, prices: Vec::new() }),
            Field::Attribute(key) => return Ok(Self::Attribute(AttributeCounter::new(key))),
            _ => {}
        }
        let row = VALUE_FIELDS.iter().position(|row| row.field == *field).ok_or_else(|| {
            PortError::bare(PortErrorKind::Internal, format!("the field `{field}` cannot be counted"))
        })?;
        let table = Arc::clone(&values.0[row]);
        Ok(Self::Values { row, counts: ValueCounts::new(table.len()), table })
    }

    /// Counts products of a segment. Attributes are counted by [`attribute_facets::count_segment`].
    fn count(&mut self, documents: impl Iterator<Item = DocId>, segment: &Segment) {
        let columns = segment.columns();
        match self {
            Self::Values { row, counts, table } => {
                let has_paths = VALUE_FIELDS[*row].shape == ValueShape::Paths;
                match &columns.values[*row] {
                    ValueColumn::Single(column) => {
                        documents.for_each(|document| counts.add(column[document as usize]));
                    }
                    ValueColumn::List(column) if has_paths => {
                        documents.for_each(|document| counts.add_paths(column.get(document), table));
                    }
                    ValueColumn::List(column) => documents.for_each(|document| {
                        column.get(document).iter().for_each(|value| counts.add(*value))
                    }),
                }
            }
            Self::Price { currency, prices } => {
                let column = columns.prices(*currency);
                prices.extend(documents.filter_map(|document| Some((column.get(document)?, 1))));
            }
            Self::Attribute(_) => {}
        }
    }

    /// Returns the facet with at most `limit` values.
    pub(crate) fn facet(self, limit: usize, snapshot: &Snapshot) -> tantivy::Result<Facet> {
        let (numbers, dates) = match self {
            Self::Price { prices, .. } => return Ok(Facet::Price(price_facet(&prices))),
            Self::Attribute(ref counter) => (counter.numbers(), counter.dates()),
            Self::Values { .. } => (None, None),
        };
        let (values, distinct) = self.top_values("", limit, snapshot)?;
        Ok(Facet::Values { values, distinct, numbers, dates })
    }

    /// Returns at most `limit` values that match a prefix, selected and ordered as
    /// [`FacetRequest`](domain::search::FacetRequest) describes, and the number of distinct values.
    pub(crate) fn top_values(
        self,
        prefix: &str,
        limit: usize,
        snapshot: &Snapshot,
    ) -> tantivy::Result<(Vec<FacetValue>, usize)> {
        let (values, distinct) = match self {
            Self::Price { .. } => return Ok((Vec::new(), 0)),
            Self::Values { row, table, counts } => {
                let counts = match VALUE_FIELDS[row].shape {
                    ValueShape::Paths => counts.with_ancestors(&table),
                    ValueShape::Single | ValueShape::List => counts.by_value,
                };
                top_of_table(&counts, &table, prefix, limit)
            }
            Self::Attribute(counter) => counter.top_values(prefix, limit, snapshot)?,
        };
        Ok((top_values(values, prefix, limit), distinct))
    }
}

/// The counts of the values of a field, by value id.
pub(crate) struct ValueCounts {
    /// The counts of values. A count of a path applies to its ancestors as well.
    by_value: Vec<u32>,
    /// The counts of paths that do not apply to their ancestors, which are counted themselves.
    alone: Vec<u32>,
    /// The paths of one document and their ancestors. Reused from document to document.
    distinct: Vec<ValueId>,
}

impl ValueCounts {
    fn new(values: usize) -> Self {
        Self { by_value: vec![0; values], alone: Vec::new(), distinct: Vec::new() }
    }

    /// Counts a value; nothing for [`NO_VALUE`].
    fn add(&mut self, value: ValueId) {
        if let Some(count) = self.by_value.get_mut(value as usize) {
            *count += 1;
        }
    }

    /// Counts the paths of a document and their ancestors, each once.
    fn add_paths(&mut self, paths: &[ValueId], table: &ValueTable) {
        if let [only] = paths {
            return self.add(*only);
        }
        self.distinct.clear();
        for path in paths {
            let mut id = *path;
            // The ancestors of a known path are known.
            while id != NO_VALUE && !self.distinct.contains(&id) {
                self.distinct.push(id);
                id = table.parent(id);
            }
        }
        self.alone.resize(self.by_value.len(), 0);
        for id in &self.distinct {
            if let Some(count) = self.alone.get_mut(*id as usize) {
                *count += 1;
            }
        }
    }

    /// Returns the counts of paths, each with those of its descendants.
    fn with_ancestors(self, table: &ValueTable) -> Vec<u32> {
        let mut counts = self.by_value;
        // A path's id is greater than those of its ancestors, so in descending order each count is complete when it is added.
        for id in (0..counts.len()).rev() {
            let parent = table.parent(id as ValueId);
            if parent != NO_VALUE {
                counts[parent as usize] += counts[id];
            }
        }
        counts.iter_mut().zip(self.alone).for_each(|(count, alone)| *count += alone);
        counts
    }
}

/// Returns the most frequent values that match a prefix, and the number of distinct values.
fn top_of_table(counts: &[u32], table: &ValueTable, prefix: &str, limit: usize) -> (Vec<FacetValue>, usize) {
    let counted = counts.iter().zip(0..).filter(|(count, _)| **count > 0);
    let mut counted: Vec<(u32, ValueId)> = counted.map(|(count, id)| (*count, id)).collect();
    let distinct = counted.len();
    if prefix.is_empty() && limit > 0 && limit < distinct {
        // Only the values that are listed are converted to text.
        counted.select_nth_unstable_by(limit - 1, |(a_count, a), (b_count, b)| {
            b_count.cmp(a_count).then_with(|| compare_values(table.text(*a), table.text(*b)))
        });
        counted.truncate(limit);
    }
    let counted = counted.into_iter().map(|(count, id)| TermCount {
        term: table.text(id).to_owned(),
        count: u64::from(count),
        payload: (),
    });
    let value = |TermCount { term, count, .. }| FacetValue { value: term, count };
    (top_terms(counted, prefix, limit).into_iter().map(value).collect(), distinct)
}
