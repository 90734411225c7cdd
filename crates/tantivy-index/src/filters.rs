//! The filters of a search, made ready: values become numbers, once for all segments, or ordinals of one.

use std::ops::Range;

use domain::search::{AttributeFilter, Field, Filters};
use domain::{CategoryPath, Currency, PriceRange};
use tantivy::DocId;
use tantivy::columnar::{BytesColumn, StrColumn, TermOrdHit};
use text::attributes::{attribute_term, key_prefix, number_sort_key, prefix_end};

use crate::columns::{AllValues, NO_VALUE, Prices, ValueId, Values};
use crate::document::number_term;
use crate::snapshot::Segment;

/// The filters of a search in one segment.
pub(crate) struct SegmentFilters<'a> {
    /// The cheapest first.
    checks: Vec<(Field, Check<'a>)>,
}

/// What the filters say of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passes.
    Passes,
    /// It fails one field, the one with this number.
    FailsOnly(usize),
    /// It fails more.
    Fails,
}

enum Check<'a> {
    InStock {
        wanted: bool,
    },
    Price {
        prices: Prices<'a>,
        ranges: &'a [PriceRange],
    },
    Brand(Vec<ValueId>),
    /// For each number of a category, whether it is one that is wanted or lies under one.
    Category(Vec<bool>),
    Tags(Vec<ValueId>),
    Attribute {
        texts: Option<(&'a StrColumn, Vec<u64>)>,
        numbers: Option<(&'a BytesColumn, Vec<Range<u64>>)>,
    },
    Never,
}

impl<'a> SegmentFilters<'a> {
    pub(crate) fn new(
        filters: &'a Filters,
        currency: Currency,
        segment: &'a Segment,
        values: &AllValues,
    ) -> tantivy::Result<Self> {
        let Filters { category, brand, tags, price, in_stock, attributes } = filters;
        let mut checks = Vec::new();
        if let Some(wanted) = *in_stock {
            checks.push((Field::Stock, Check::InStock { wanted }));
        }
        let mut add = |field, check| checks.push((field, check));
        if !price.is_empty() {
            add(Field::Price, Check::Price { prices: segment.columns().prices(currency), ranges: price });
        }
        if !brand.is_empty() {
            add(Field::Brand, Check::Brand(numbers(brand, &values.brands)));
        }
        if !category.is_empty() {
            add(Field::Category, Check::Category(within(category, &values.categories)));
        }
        if !tags.is_empty() {
            add(Field::Tags, Check::Tags(numbers(tags, &values.tags)));
        }
        for (key, filters) in attributes.iter().filter(|(_, filters)| !filters.is_empty()) {
            add(Field::Attribute(key.clone()), attribute_check(segment, key, filters)?);
        }
        Ok(Self { checks })
    }

    /// The number of the field in [`Verdict::FailsOnly`], when it has a filter.
    pub(crate) fn number_of(&self, field: &Field) -> Option<usize> {
        self.checks.iter().position(|(checked, _)| checked == field)
    }

    /// Looks at a document until more than one field fails.
    pub(crate) fn verdict(&self, document: DocId, segment: &Segment) -> Verdict {
        let mut verdict = Verdict::Passes;
        for (number, (_, check)) in self.checks.iter().enumerate() {
            if !check.accepts(document, segment) {
                if verdict != Verdict::Passes {
                    return Verdict::Fails;
                }
                verdict = Verdict::FailsOnly(number);
            }
        }
        verdict
    }
}

impl Check<'_> {
    fn accepts(&self, document: DocId, segment: &Segment) -> bool {
        let at = document as usize;
        let columns = segment.columns();
        match self {
            Self::Never => false,
            Self::InStock { wanted } => columns.is_in_stock(document) == *wanted,
            Self::Price { prices, ranges } => {
                prices.of(document).is_some_and(|price| ranges.iter().any(|range| range.contains(price)))
            }
            Self::Brand(wanted) => wanted.contains(&columns.brand[at]),
            Self::Category(wanted) => wanted.get(columns.category[at] as usize) == Some(&true),
            Self::Tags(wanted) => columns.tags.of(document).iter().any(|tag| wanted.contains(tag)),
            Self::Attribute { texts, numbers } => {
                texts.as_ref().is_some_and(|(column, ordinals)| has_one_of(column, ordinals, document))
                    || numbers.as_ref().is_some_and(|(column, ranges)| {
                        let mut values = column.ords().values_for_doc(document);
                        values.any(|ordinal| ranges.iter().any(|range| range.contains(&ordinal)))
                    })
            }
        }
    }
}

fn has_one_of(column: &StrColumn, ordinals: &[u64], document: DocId) -> bool {
    column.ords().values_for_doc(document).any(|ordinal| ordinals.contains(&ordinal))
}

/// The numbers of values, without those that no product has.
fn numbers(wanted: &[String], values: &Values) -> Vec<ValueId> {
    wanted.iter().filter_map(|text| values.number(text)).collect()
}

fn within(wanted: &[CategoryPath], values: &Values) -> Vec<bool> {
    let paths: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let wanted = numbers(&paths, values);
    let is_within = |number: ValueId| {
        let above = std::iter::successors(Some(number), |number| {
            Some(values.parent(*number)).filter(|parent| *parent != NO_VALUE)
        });
        above.into_iter().any(|number| wanted.contains(&number))
    };
    (0..values.len() as ValueId).map(is_within).collect()
}

fn attribute_check<'a>(
    segment: &'a Segment,
    key: &str,
    filters: &[AttributeFilter],
) -> tantivy::Result<Check<'a>> {
    let (mut ordinals, mut ranges) = (Vec::new(), Vec::new());
    for filter in filters {
        match filter {
            AttributeFilter::Equals(value) => {
                if let Some(column) = &segment.attributes {
                    ordinals.extend(column.dictionary().term_ord(attribute_term(key, value))?);
                }
            }
            AttributeFilter::Range { min, max } => {
                if let Some(column) = &segment.numbers {
                    let range = number_range(column, key, *min, *max)?;
                    ranges.extend(range.filter(|range| !range.is_empty()));
                }
            }
        }
    }
    let texts = segment.attributes.as_ref().filter(|_| !ordinals.is_empty()).map(|column| (column, ordinals));
    let numbers = segment.numbers.as_ref().filter(|_| !ranges.is_empty()).map(|column| (column, ranges));
    Ok(if texts.is_none() && numbers.is_none() { Check::Never } else { Check::Attribute { texts, numbers } })
}

/// The ordinals of the numbers of a key between two ends, both included.
fn number_range(
    column: &BytesColumn,
    key: &str,
    min: Option<f64>,
    max: Option<f64>,
) -> tantivy::Result<Option<Range<u64>>> {
    if min.is_some_and(f64::is_nan) || max.is_some_and(f64::is_nan) {
        return Ok(None);
    }
    let prefix = key_prefix(key);
    let start = match min {
        Some(min) => first_at_or_after(column, &number_term(key, number_sort_key(min)))?,
        None => first_at_or_after(column, prefix.as_bytes())?,
    };
    let end = match max {
        Some(max) => first_after(column, &number_term(key, number_sort_key(max)))?,
        None => first_at_or_after(column, &prefix_end(&prefix))?,
    };
    Ok(Some(start..end))
}

/// The ordinals of all values of an attribute.
pub(crate) fn key_range(column: &BytesColumn, key: &str) -> tantivy::Result<Range<u64>> {
    let prefix = key_prefix(key);
    let start = first_at_or_after(column, prefix.as_bytes())?;
    Ok(start..first_at_or_after(column, &prefix_end(&prefix))?)
}

/// The ordinal of the first term that is not before this one; the number of terms when all are.
pub(crate) fn first_at_or_after(column: &BytesColumn, term: &[u8]) -> tantivy::Result<u64> {
    let (ordinal, _) = place_of(column, term)?;
    Ok(ordinal)
}

/// The ordinal of the first term behind this one.
pub(crate) fn first_after(column: &BytesColumn, term: &[u8]) -> tantivy::Result<u64> {
    let (ordinal, is_there) = place_of(column, term)?;
    Ok(ordinal + u64::from(is_there))
}

fn place_of(column: &BytesColumn, term: &[u8]) -> tantivy::Result<(u64, bool)> {
    let terms = column.num_terms() as u64;
    Ok(match column.dictionary().term_ord_or_next(term)? {
        TermOrdHit::Exact(ordinal) => (ordinal, true),
        TermOrdHit::Next(ordinal) => (ordinal.min(terms), false),
    })
}
