//! Counting the values of attributes, by their ordinals within a segment. However many facets there are, each column is
//! read once: a look into a packed column costs several times as much as finding out whose value it holds.

use std::collections::HashMap;
use std::ops::Range;

use domain::search::{FacetValue, NumberFacet, number_facet};
use tantivy::columnar::BytesColumn;
use tantivy::{DocAddress, DocId};
use text::attributes::{full_value, key_prefix, number_from_sort_key, truncated_part};
use text::facets::{TermCount, top_terms};

use crate::filters::key_range;
use crate::order::texts;
use crate::search::product_at;
use crate::snapshot::{Segment, Snapshot};

/// The counts of one attribute over the segments so far.
pub(crate) struct AttributeCounter {
    key: String,
    /// Products by value, with one of them.
    values: HashMap<String, (u64, DocAddress)>,
    /// Products by number, as [`text::attributes::number_sort_key`] writes it.
    numbers: HashMap<u64, u64>,
}

/// The counts of one attribute in one column of one segment.
struct Tally {
    /// The ordinals of its values.
    range: Range<u64>,
    /// For each of them the products, and one of these.
    counts: Vec<(u32, DocId)>,
}

/// Counts products of a segment: those that pass all filters for each attribute, those that fail only one field for the
/// attribute that they stand beside.
pub(crate) fn count(
    mut counters: Vec<(&mut AttributeCounter, &[DocId])>,
    passing: &[DocId],
    segment: &Segment,
    number: u32,
) -> tantivy::Result<()> {
    // As their values follow each other in the columns.
    counters.sort_by_cached_key(|(counter, _)| key_prefix(&counter.key));
    if let Some(column) = &segment.attributes {
        for (tally, (counter, _)) in tallies(column, &counters, passing)?.into_iter().zip(&mut counters) {
            let prefix = key_prefix(&counter.key);
            for (ordinal, term) in texts(Some(column), tally.counted().map(|(ordinal, ..)| ordinal))? {
                let (count, example) = tally.of(ordinal);
                let value = term.strip_prefix(&prefix).unwrap_or(&term);
                let known = counter.values.entry(value.to_owned());
                known.or_insert((0, DocAddress::new(number, example))).0 += u64::from(count);
            }
        }
    }
    if let Some(column) = &segment.numbers {
        for (tally, (counter, _)) in tallies(column, &counters, passing)?.into_iter().zip(&mut counters) {
            let mut counts = tally.counted();
            let ordinals: Vec<u64> = tally.counted().map(|(ordinal, ..)| ordinal).collect();
            column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
                let order = term.last_chunk().map(|order| u64::from_be_bytes(*order));
                if let (Some((_, count, _)), Some(order)) = (counts.next(), order) {
                    *counter.numbers.entry(order).or_default() += u64::from(count);
                }
            })?;
        }
    }
    Ok(())
}

/// The counts of each attribute in a column.
fn tallies(
    column: &BytesColumn,
    counters: &[(&mut AttributeCounter, &[DocId])],
    passing: &[DocId],
) -> tantivy::Result<Vec<Tally>> {
    let tally = |(counter, _): &(&mut AttributeCounter, &[DocId])| -> tantivy::Result<Tally> {
        let range = key_range(column, &counter.key)?;
        Ok(Tally { counts: vec![(0, 0); (range.end - range.start) as usize], range })
    };
    let mut tallies: Vec<Tally> = counters.iter().map(tally).collect::<tantivy::Result<_>>()?;
    if tallies.iter().all(|tally| tally.range.is_empty()) {
        return Ok(tallies);
    }
    let starts: Vec<u64> = tallies.iter().map(|tally| tally.range.start).collect();
    for document in passing {
        for ordinal in column.ords().values_for_doc(*document) {
            let behind = starts.partition_point(|start| *start <= ordinal);
            if let Some(tally) = behind.checked_sub(1).and_then(|at| tallies.get_mut(at)) {
                tally.add(ordinal, *document);
            }
        }
    }
    for (tally, (_, failing)) in tallies.iter_mut().zip(counters) {
        for document in *failing {
            column.ords().values_for_doc(*document).for_each(|ordinal| tally.add(ordinal, *document));
        }
    }
    Ok(tallies)
}

impl Tally {
    /// Counts a value, when it is one of the attribute.
    fn add(&mut self, ordinal: u64, document: DocId) {
        if self.range.contains(&ordinal) {
            let (count, example) = &mut self.counts[(ordinal - self.range.start) as usize];
            *count += 1;
            *example = document;
        }
    }

    fn of(&self, ordinal: u64) -> (u32, DocId) {
        self.counts[(ordinal - self.range.start) as usize]
    }

    /// The values that occur, in their order.
    fn counted(&self) -> impl Iterator<Item = (u64, u32, DocId)> {
        let counts = self.range.clone().zip(&self.counts);
        counts
            .filter(|(_, (count, _))| *count > 0)
            .map(|(ordinal, (count, example))| (ordinal, *count, *example))
    }
}

impl AttributeCounter {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: key.to_owned(), values: HashMap::new(), numbers: HashMap::new() }
    }

    /// What there are numbers of.
    pub(crate) fn numbers(&self) -> Option<NumberFacet> {
        let counted = self.numbers.iter().map(|(order, count)| (number_from_sort_key(*order), *count));
        number_facet(&counted.collect::<Vec<_>>())
    }

    /// The most frequent values that fit a prefix, and how many values there are.
    pub(crate) fn most_frequent(
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
                Some(_) => {
                    let product = product_at(snapshot, example)?;
                    full_value(&self.key, &term, product.content.attributes.get(&self.key)).unwrap_or(term)
                }
                None => term,
            };
            values.push(FacetValue { value, count });
        }
        Ok((values, distinct))
    }
}
