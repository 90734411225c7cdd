//! Counting the values of facets: by ordinal within a segment, by value over all segments.

use std::collections::HashMap;
use std::ops::Range;

use domain::Currency;
use domain::search::{Facet, FacetField, FacetValue, price_facet};
use tantivy::columnar::StrColumn;
use tantivy::{DocAddress, DocId};
use text::attributes::{beginning, key_prefix, whole_value};
use text::facets::{Counted, listed, most_frequent};

use crate::filters::{Prices, key_range};
use crate::order::texts;
use crate::search::product_at;
use crate::snapshot::{Segment, Snapshot};

/// The counts of one facet over the segments so far.
pub(crate) struct FacetTotals {
    field: FacetField,
    /// Counts by value, with a product that has it.
    values: HashMap<String, (u64, DocAddress)>,
    /// A price and 1 for each product.
    prices: Vec<(i64, u64)>,
}

/// Counts one facet in a segment.
pub(crate) struct SegmentCounter<'a>(Counter<'a>);

enum Counter<'a> {
    Nothing,
    Values {
        column: &'a StrColumn,
        /// The ordinals that count; those of one key in the column of all attributes.
        range: Range<u64>,
        counts: Vec<u32>,
        /// A product with the value.
        examples: Vec<DocId>,
    },
    Prices {
        prices: Prices<'a>,
        found: Vec<(i64, u64)>,
    },
}

impl<'a> SegmentCounter<'a> {
    pub(crate) fn new(field: &FacetField, currency: Currency, segment: &'a Segment) -> tantivy::Result<Self> {
        let column = match field {
            FacetField::Price => {
                return Ok(Self(Counter::Prices {
                    prices: Prices::new(segment, currency),
                    found: Vec::new(),
                }));
            }
            FacetField::Brand => &segment.brand,
            FacetField::Category => &segment.category,
            FacetField::Tags => &segment.tags,
            FacetField::Attribute(_) => &segment.attributes,
        };
        let Some(column) = column else { return Ok(Self(Counter::Nothing)) };
        let range = match field {
            FacetField::Attribute(key) => key_range(column, key)?,
            _ => 0..column.dictionary().num_terms() as u64,
        };
        if range.is_empty() {
            return Ok(Self(Counter::Nothing));
        }
        let values = (range.end - range.start) as usize;
        Ok(Self(Counter::Values { column, range, counts: vec![0; values], examples: vec![0; values] }))
    }

    /// Counts a product.
    pub(crate) fn add(&mut self, document: DocId) {
        match &mut self.0 {
            Counter::Nothing => {}
            Counter::Values { column, range, counts, examples } => {
                for ordinal in
                    column.ords().values_for_doc(document).filter(|ordinal| range.contains(ordinal))
                {
                    let at = (ordinal - range.start) as usize;
                    counts[at] += 1;
                    examples[at] = document;
                }
            }
            Counter::Prices { prices, found } => found.extend(prices.of(document).map(|price| (price, 1))),
        }
    }

    /// Adds what was counted to the totals.
    pub(crate) fn finish(self, totals: &mut FacetTotals, segment: u32) -> tantivy::Result<()> {
        match self.0 {
            Counter::Nothing => {}
            Counter::Prices { mut found, .. } => totals.prices.append(&mut found),
            Counter::Values { column, range, counts, examples } => {
                let prefix = match &totals.field {
                    FacetField::Attribute(key) => key_prefix(key),
                    _ => String::new(),
                };
                let counted = counts.iter().zip(range.clone()).filter(|(count, _)| **count > 0);
                for (ordinal, term) in texts(Some(column), counted.map(|(_, ordinal)| ordinal))? {
                    let at = (ordinal - range.start) as usize;
                    let value = term.strip_prefix(&prefix).unwrap_or(&term);
                    let example = DocAddress::new(segment, examples[at]);
                    match totals.values.get_mut(value) {
                        Some((count, _)) => *count += u64::from(counts[at]),
                        None => {
                            totals.values.insert(value.to_owned(), (u64::from(counts[at]), example));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl FacetTotals {
    pub(crate) fn new(field: &FacetField) -> Self {
        Self { field: field.clone(), values: HashMap::new(), prices: Vec::new() }
    }

    /// The answer, with at most `limit` values.
    pub(crate) fn facet(self, limit: usize, snapshot: &Snapshot) -> tantivy::Result<Facet> {
        if self.field == FacetField::Price {
            return Ok(Facet::Price(price_facet(&self.prices)));
        }
        let distinct = self.values.len();
        let values = self.most_frequent("", limit, snapshot)?;
        Ok(Facet::Values { values, distinct, numbers: None })
    }

    /// The most frequent values that begin with `prefix` in any case.
    pub(crate) fn most_frequent(
        self,
        prefix: &str,
        limit: usize,
        snapshot: &Snapshot,
    ) -> tantivy::Result<Vec<FacetValue>> {
        let counted = self.values.into_iter().map(|(term, (count, known))| Counted { term, count, known });
        let mut values = Vec::new();
        for Counted { term, count, known: example } in most_frequent(counted, prefix, limit) {
            let value = match &self.field {
                FacetField::Attribute(key) if beginning(&term).is_some() => {
                    let product = product_at(snapshot, example)?;
                    whole_value(key, &term, product.content.attributes.get(key)).unwrap_or(term)
                }
                _ => term,
            };
            values.push(FacetValue { value, count });
        }
        Ok(listed(values, limit))
    }
}
