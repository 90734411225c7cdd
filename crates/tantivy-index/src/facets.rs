//! Counting the values of facets: fields with few values by numbers that are the same in all segments, attributes by
//! ordinals within a segment.

use std::collections::HashMap;
use std::sync::Arc;

use domain::Currency;
use domain::search::{Facet, FacetField, FacetValue, number_facet, price_facet};
use tantivy::{DocAddress, DocId};
use text::attributes::{beginning, key_prefix, number_of_order, whole_value};
use text::facets::{Counted, listed, most_frequent};

use crate::columns::{AllValues, NO_VALUE, ValueId, Values};
use crate::filters::key_range;
use crate::order::texts;
use crate::search::product_at;
use crate::snapshot::{Segment, Snapshot};

/// The counts of one facet over the segments so far.
pub(crate) enum FacetCounter {
    /// Of a field whose values have numbers.
    Numbered { field: NumberedField, values: Arc<Values>, counts: Vec<u32> },
    /// Of an attribute: counts by value, with a product that has it, and its numbers.
    Attribute { key: String, values: HashMap<String, (u64, DocAddress)>, numbers: HashMap<u64, u64> },
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

impl FacetCounter {
    pub(crate) fn new(field: &FacetField, currency: Currency, values: &AllValues) -> Self {
        let numbered = |field, values: &Arc<Values>| Self::Numbered {
            field,
            values: Arc::clone(values),
            counts: vec![0; values.len()],
        };
        match field {
            FacetField::Brand => numbered(NumberedField::Brand, &values.brands),
            FacetField::Category => numbered(NumberedField::Category, &values.categories),
            FacetField::Tags => numbered(NumberedField::Tags, &values.tags),
            FacetField::Price => Self::Price { currency, prices: Vec::new() },
            FacetField::Attribute(key) => {
                Self::Attribute { key: key.clone(), values: HashMap::new(), numbers: HashMap::new() }
            }
        }
    }

    /// Counts products of a segment.
    pub(crate) fn count(
        &mut self,
        documents: impl Iterator<Item = DocId>,
        segment: &Segment,
        number: u32,
    ) -> tantivy::Result<()> {
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
                Ok(())
            }
            Self::Price { currency, prices } => {
                let column = columns.prices(*currency);
                prices.extend(documents.filter_map(|at| Some((column.of(at)?, 1))));
                Ok(())
            }
            Self::Attribute { key, values, numbers } => {
                let documents: Vec<DocId> = documents.collect();
                count_texts(key, &documents, values, segment, number)?;
                count_numbers(key, &documents, numbers, segment)
            }
        }
    }

    /// The answer, with at most `limit` values.
    pub(crate) fn facet(self, limit: usize, snapshot: &Snapshot) -> tantivy::Result<Facet> {
        let (distinct, numbers) = match self {
            Self::Price { prices, .. } => return Ok(Facet::Price(price_facet(&prices))),
            Self::Attribute { ref values, ref numbers, .. } => {
                let counted = numbers.iter().map(|(order, count)| (number_of_order(*order), *count));
                (values.len(), number_facet(&counted.collect::<Vec<_>>()))
            }
            Self::Numbered { .. } => (0, None),
        };
        let (values, counted) = self.listed("", limit, snapshot)?;
        Ok(Facet::Values { values, distinct: distinct.max(counted), numbers })
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
                let counted = counted.into_iter().map(|(count, number)| Counted {
                    term: values.text(number).to_owned(),
                    count: u64::from(count),
                    known: (),
                });
                let value = |Counted { term, count, .. }| FacetValue { value: term, count };
                let values = most_frequent(counted, prefix, limit).into_iter().map(value).collect();
                Ok((listed(values, prefix, limit), distinct))
            }
            Self::Attribute { key, values, .. } => {
                let distinct = values.len();
                let counted = values.into_iter().map(|(term, (count, known))| Counted { term, count, known });
                let mut values = Vec::new();
                for Counted { term, count, known: example } in most_frequent(counted, prefix, limit) {
                    let value = match beginning(&term) {
                        Some(_) => {
                            let product = product_at(snapshot, example)?;
                            whole_value(&key, &term, product.content.attributes.get(&key)).unwrap_or(term)
                        }
                        None => term,
                    };
                    values.push(FacetValue { value, count });
                }
                Ok((listed(values, prefix, limit), distinct))
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

fn count_texts(
    key: &str,
    documents: &[DocId],
    values: &mut HashMap<String, (u64, DocAddress)>,
    segment: &Segment,
    number: u32,
) -> tantivy::Result<()> {
    let Some(column) = &segment.attributes else { return Ok(()) };
    let range = key_range(column, key)?;
    if range.is_empty() {
        return Ok(());
    }
    let mut counts = vec![(0_u32, 0); (range.end - range.start) as usize];
    for document in documents {
        for ordinal in column.ords().values_for_doc(*document).filter(|ordinal| range.contains(ordinal)) {
            let (count, example) = &mut counts[(ordinal - range.start) as usize];
            *count += 1;
            *example = *document;
        }
    }
    let counted = counts.iter().zip(range.clone()).filter(|((count, _), _)| *count > 0);
    let prefix = key_prefix(key);
    for (ordinal, term) in texts(Some(column), counted.map(|(_, ordinal)| ordinal))? {
        let (count, example) = counts[(ordinal - range.start) as usize];
        let value = term.strip_prefix(&prefix).unwrap_or(&term);
        let example = DocAddress::new(number, example);
        values.entry(value.to_owned()).or_insert((0, example)).0 += u64::from(count);
    }
    Ok(())
}

fn count_numbers(
    key: &str,
    documents: &[DocId],
    numbers: &mut HashMap<u64, u64>,
    segment: &Segment,
) -> tantivy::Result<()> {
    let Some(column) = &segment.numbers else { return Ok(()) };
    let range = key_range(column, key)?;
    if range.is_empty() {
        return Ok(());
    }
    let mut counts = vec![0_u64; (range.end - range.start) as usize];
    for document in documents {
        for ordinal in column.ords().values_for_doc(*document).filter(|ordinal| range.contains(ordinal)) {
            counts[(ordinal - range.start) as usize] += 1;
        }
    }
    let counted: Vec<u64> = counts
        .iter()
        .zip(range.clone())
        .filter(|(count, _)| **count > 0)
        .map(|(_, ordinal)| ordinal)
        .collect();
    let mut next = counted.iter();
    column.dictionary().sorted_ords_to_term_cb(&counted, |term| {
        let order = term.last_chunk().map(|order| u64::from_be_bytes(*order));
        if let (Some(ordinal), Some(order)) = (next.next(), order) {
            *numbers.entry(order).or_default() += counts[(ordinal - range.start) as usize];
        }
    })?;
    Ok(())
}
