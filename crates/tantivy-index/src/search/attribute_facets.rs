//! Counts the values of attributes, by their ordinals within a segment. One reading of a column per product serves all attributes:
//! reading a packed column costs several times as much as finding the attribute of a value.

use std::collections::HashMap;
use std::ops::Range;

use domain::search::{DateFacet, FacetValue, NumberFacet, date_facet, number_facet};
use tantivy::columnar::BytesColumn;
use tantivy::{DocAddress, DocId};
use text::attributes::{date_key, full_value, key_prefix, number_from_sort_key, truncated_part};
use text::facets::{TermCount, top_terms};

use crate::layout::document::stored_product;
use crate::search::ordinals::{key_range, terms_of};
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The counts of one attribute, over the segments so far.
pub(crate) struct AttributeCounter {
    key: String,
    /// For each value, the number of products and one of them.
    values: HashMap<String, (u64, DocAddress)>,
    /// The number of products by number, encoded by [`text::attributes::number_sort_key`].
    numbers: HashMap<u64, u64>,
    /// The number of products by date in milliseconds, encoded in the same way.
    dates: HashMap<u64, u64>,
}

/// The counts of one attribute in one column of one segment.
struct OrdinalCounts {
    /// The ordinals of the attribute's values.
    range: Range<u64>,
    /// For each ordinal, the number of products and one of them.
    counts: Vec<(u32, DocId)>,
}

/// Counts products of a segment. The products in `passing` pass all filters and count for every attribute. The products that come
/// with a counter fail only the filter of its attribute, and count only for that.
pub(crate) fn count_segment(
    mut counters: Vec<(&mut AttributeCounter, &[DocId])>,
    passing: &[DocId],
    segment: &Segment,
) -> tantivy::Result<()> {
    // This is the order of the attributes' ranges in the columns.
    counters.sort_by_cached_key(|(counter, _)| key_prefix(&counter.key));
    if let Some(column) = &segment.attributes {
        let counted = count_column(column, &counters, passing, |key| key.to_owned())?;
        for (ordinals, (counter, _)) in counted.iter().zip(&mut counters) {
            let prefix = key_prefix(&counter.key);
            for (ordinal, term) in terms_of(Some(column), ordinals.counted().map(|(ordinal, ..)| ordinal))? {
                let (count, example) = ordinals.get(ordinal);
                let value = term.strip_prefix(&prefix).unwrap_or(&term);
                let known = counter.values.entry(value.to_owned());
                known.or_insert((0, segment.address(example))).0 += u64::from(count);
            }
        }
    }
    if let Some(column) = &segment.numbers {
        let counted = count_column(column, &counters, passing, |key| key.to_owned())?;
        for (ordinals, (counter, _)) in counted.iter().zip(&mut counters) {
            add_numbers(ordinals, column, &mut counter.numbers)?;
        }
        // Keys have no control characters, so the ranges of dates have the same order.
        let counted = count_column(column, &counters, passing, date_key)?;
        for (ordinals, (counter, _)) in counted.iter().zip(&mut counters) {
            add_numbers(ordinals, column, &mut counter.dates)?;
        }
    }
    Ok(())
}

/// Adds the counts of encoded numbers.
fn add_numbers(
    ordinals: &OrdinalCounts,
    column: &BytesColumn,
    numbers: &mut HashMap<u64, u64>,
) -> tantivy::Result<()> {
    let mut counts = ordinals.counted();
    let ordinals: Vec<u64> = ordinals.counted().map(|(ordinal, ..)| ordinal).collect();
    column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
        let order = term.last_chunk().map(|order| u64::from_be_bytes(*order));
        if let (Some((_, count, _)), Some(order)) = (counts.next(), order) {
            *numbers.entry(order).or_default() += u64::from(count);
        }
    })?;
    Ok(())
}

/// Counts the values of each attribute in a column, which has them under the key `key_in_column`. The counters must be in the
/// order of their ranges.
fn count_column(
    column: &BytesColumn,
    counters: &[(&mut AttributeCounter, &[DocId])],
    passing: &[DocId],
    key_in_column: impl Fn(&str) -> String,
) -> tantivy::Result<Vec<OrdinalCounts>> {
    let empty = |(counter, _): &(&mut AttributeCounter, &[DocId])| -> tantivy::Result<OrdinalCounts> {
        let range = key_range(column, &key_in_column(&counter.key))?;
        Ok(OrdinalCounts { counts: vec![(0, 0); (range.end - range.start) as usize], range })
    };
    let mut all: Vec<OrdinalCounts> = counters.iter().map(empty).collect::<tantivy::Result<_>>()?;
    if all.iter().all(|ordinals| ordinals.range.is_empty()) {
        return Ok(all);
    }
    let starts: Vec<u64> = all.iter().map(|ordinals| ordinals.range.start).collect();
    for document in passing {
        for ordinal in column.ords().values_for_doc(*document) {
            let after = starts.partition_point(|start| *start <= ordinal);
            if let Some(ordinals) = after.checked_sub(1).and_then(|at| all.get_mut(at)) {
                ordinals.add(ordinal, *document);
            }
        }
    }
    for (ordinals, (_, failing)) in all.iter_mut().zip(counters) {
        for document in *failing {
            column.ords().values_for_doc(*document).for_each(|ordinal| ordinals.add(ordinal, *document));
        }
    }
    Ok(all)
}

impl OrdinalCounts {
    /// Counts a value if it belongs to the attribute.
    fn add(&mut self, ordinal: u64, document: DocId) {
        if self.range.contains(&ordinal) {
            let (count, example) = &mut self.counts[(ordinal - self.range.start) as usize];
            *count += 1;
            *example = document;
        }
    }

    fn get(&self, ordinal: u64) -> (u32, DocId) {
        self.counts[(ordinal - self.range.start) as usize]
    }

    /// Returns the values that occur as (ordinal, count, example), ascending.
    fn counted(&self) -> impl Iterator<Item = (u64, u32, DocId)> {
        let counts = self.range.clone().zip(&self.counts);
        counts
            .filter(|(_, (count, _))| *count > 0)
            .map(|(ordinal, (count, example))| (ordinal, *count, *example))
    }
}

impl AttributeCounter {
    pub(crate) fn new(key: &str) -> Self {
        let (values, numbers, dates) = Default::default();
        Self { key: key.to_owned(), values, numbers, dates }
    }

    /// Returns the facet of the values that are numbers.
    pub(crate) fn numbers(&self) -> Option<NumberFacet> {
        let counted = self.numbers.iter().map(|(order, count)| (number_from_sort_key(*order), *count));
        number_facet(&counted.collect::<Vec<_>>())
    }

    /// Returns the facet of the values that are dates.
    pub(crate) fn dates(&self) -> Option<DateFacet> {
        let counted = self.dates.iter().map(|(order, count)| (number_from_sort_key(*order) as i64, *count));
        date_facet(&counted.collect::<Vec<_>>())
    }

    /// Returns the most frequent values that match a prefix, and the number of distinct values. There may be more than `limit`
    /// values if long ones were truncated in the index.
    pub(crate) fn top_values(
        self,
        prefix: &str,
        limit: usize,
        snapshot: &Snapshot,
    ) -> tantivy::Result<(Vec<FacetValue>, usize)> {
        let distinct = self.values.len();
        let counted =
            self.values.into_iter().map(|(term, (count, known))| TermCount { term, count, payload: known });
        let mut values = Vec::new();
        for TermCount { term, count, payload: example } in top_terms(counted, prefix, limit) {
            let value = match truncated_part(&term) {
                // The dictionary has only the beginning of a long value; the example has all of it.
                Some(_) => {
                    let product = stored_product(&snapshot.searcher, example)?;
                    full_value(&self.key, &term, product.content.attributes.get(&self.key)).unwrap_or(term)
                }
                None => term,
            };
            values.push(FacetValue { value, count });
        }
        Ok((values, distinct))
    }
}
