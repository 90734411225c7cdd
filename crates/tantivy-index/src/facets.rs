//! Counting the values of facets: fields with few values by numbers that are the same in all segments. Attributes have a
//! module of their own.

use std::sync::Arc;

use domain::Currency;
use domain::ports::{PortError, PortErrorKind};
use domain::search::{Facet, FacetValue, Field, price_facet};
use tantivy::DocId;
use text::facets::{TermCount, top_terms, top_values};

use crate::attribute_facets::{self, AttributeCounter};
use crate::columns::{AllValues, NO_VALUE, ValueId, Values};
use crate::snapshot::{Segment, Snapshot};

/// The counts of one facet over the segments so far.
pub(crate) enum FacetCounter {
    /// Of a field whose values have numbers.
    Numbered { field: NumberedField, values: Arc<Values>, counts: Vec<u32> },
    /// Of an attribute.
    Attribute(AttributeCounter),
    /// A price and 1 for each product.
    Price { currency: Currency, prices: Vec<(i64, u64)> },
}

/// A field whose values have numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberedField {
    Brand,
    Category,
    Tags,
}

/// Counts products of a segment in every facet: those that pass all filters in each, those that fail only one field in
/// the facet of that field.
pub(crate) fn count(
    counters: &mut [FacetCounter],
    passing: &[DocId],
    failing_only: &[Vec<DocId>],
    segment: &Segment,
    number: u32,
) -> tantivy::Result<()> {
    let mut attributes = Vec::new();
    for (counter, failing) in counters.iter_mut().zip(failing_only) {
        match counter {
            FacetCounter::Attribute(counter) => attributes.push((counter, failing.as_slice())),
            field => field.count_field(passing.iter().chain(failing).copied(), segment),
        }
    }
    attribute_facets::count(attributes, passing, segment, number)
}

impl FacetCounter {
    pub(crate) fn new(field: &Field, currency: Currency, values: &AllValues) -> Result<Self, PortError> {
        let numbered = |field, values: &Arc<Values>| Self::Numbered {
            field,
            values: Arc::clone(values),
            counts: vec![0; values.len()],
        };
        Ok(match field {
            Field::Brand => numbered(NumberedField::Brand, &values.brands),
            Field::Category => numbered(NumberedField::Category, &values.categories),
            Field::Tags => numbered(NumberedField::Tags, &values.tags),
            Field::Price => Self::Price { currency, prices: Vec::new() },
            Field::Attribute(key) => Self::Attribute(AttributeCounter::new(key)),
            Field::Stock => return Err(PortError::bare(PortErrorKind::Internal, "the stock is no facet")),
        })
    }

    /// Counts products of a segment, unless this is the facet of an attribute.
    fn count_field(&mut self, documents: impl Iterator<Item = DocId>, segment: &Segment) {
        let columns = segment.columns();
        match self {
            Self::Numbered { field, counts, .. } => {
                let mut count = |value: ValueId| {
                    if let Some(count) = counts.get_mut(value as usize) {
                        *count += 1;
                    }
                };
                match field {
                    NumberedField::Brand => documents.for_each(|at| count(columns.brand[at as usize])),
                    // Those above are added in the end.
                    NumberedField::Category => documents.for_each(|at| count(columns.category[at as usize])),
                    NumberedField::Tags => {
                        documents.for_each(|at| columns.tags.of(at).iter().for_each(|tag| count(*tag)));
                    }
                }
            }
            Self::Price { currency, prices } => {
                let column = columns.prices(*currency);
                prices.extend(documents.filter_map(|at| Some((column.of(at)?, 1))));
            }
            Self::Attribute(_) => {}
        }
    }

    /// The answer, with at most `limit` values.
    pub(crate) fn facet(self, limit: usize, snapshot: &Snapshot) -> tantivy::Result<Facet> {
        let numbers = match self {
            Self::Price { prices, .. } => return Ok(Facet::Price(price_facet(&prices))),
            Self::Attribute(ref counter) => counter.numbers(),
            Self::Numbered { .. } => None,
        };
        let (values, distinct) = self.listed("", limit, snapshot)?;
        Ok(Facet::Values { values, distinct, numbers })
    }

    /// The values that fit a prefix, as [`domain::search::FacetRequest`] says.
    pub(crate) fn most_frequent(
        self,
        prefix: &str,
        limit: usize,
        snapshot: &Snapshot,
    ) -> tantivy::Result<Vec<FacetValue>> {
        Ok(self.listed(prefix, limit, snapshot)?.0)
    }

    /// The most frequent values, and how many there are.
    fn listed(
        self,
        prefix: &str,
        limit: usize,
        snapshot: &Snapshot,
    ) -> tantivy::Result<(Vec<FacetValue>, usize)> {
        match self {
            Self::Price { .. } => Ok((Vec::new(), 0)),
            Self::Numbered { field, values, mut counts } => {
                if field == NumberedField::Category {
                    add_to_those_above(&mut counts, &values);
                }
                let counted = counts.iter().zip(0..).filter(|(count, _)| **count > 0);
                let mut counted: Vec<(u32, ValueId)> =
                    counted.map(|(count, number)| (*count, number)).collect();
                let distinct = counted.len();
                if prefix.is_empty() && limit > 0 && limit < distinct {
                    // Only those that are listed become texts.
                    counted.select_nth_unstable_by(limit - 1, |(a_count, a), (b_count, b)| {
                        b_count.cmp(a_count).then_with(|| values.text(*a).cmp(values.text(*b)))
                    });
                    counted.truncate(limit);
                }
                let counted = counted.into_iter().map(|(count, number)| TermCount {
                    term: values.text(number).to_owned(),
                    count: u64::from(count),
                    payload: (),
                });
                let value = |TermCount { term, count, .. }| FacetValue { value: term, count };
                let values = top_terms(counted, prefix, limit).into_iter().map(value).collect();
                Ok((top_values(values, prefix, limit), distinct))
            }
            Self::Attribute(counter) => {
                let (values, distinct) = counter.most_frequent(prefix, limit, snapshot)?;
                Ok((top_values(values, prefix, limit), distinct))
            }
        }
    }
}

fn add_to_those_above(counts: &mut [u32], values: &Values) {
    // A category's number is above that of those above it, so each is complete when its turn comes.
    for number in (0..counts.len()).rev() {
        let above = values.parent(number as ValueId);
        if above != NO_VALUE {
            counts[above as usize] += counts[number];
        }
    }
}
