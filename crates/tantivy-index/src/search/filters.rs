//! The filters of a search, prepared for one segment: values are looked up once as value ids or ordinals.

use std::ops::Range;

use domain::search::{AttributeFilter, Clause, Field, Filters, SearchRequest, facet_text};
use domain::{Currency, PriceRange};
use tantivy::DocId;
use tantivy::columnar::{BytesColumn, StrColumn};
use text::attributes::{attribute_term, date_key};

use crate::layout::value_field::{VALUE_FIELDS, ValueShape};
use crate::search::columns::{Prices, ValueColumn, ValueLists};
use crate::search::ordinals::number_range;
use crate::search::segment::Segment;
use crate::search::values::{NO_VALUE, ValueId, ValueTable, ValueTables};

/// The filters of a search in one segment.
pub(crate) struct SegmentFilters<'a> {
    /// The filter of each field, the cheapest first.
    fields: Vec<(Field, FieldFilter<'a>)>,
    clauses: Vec<SegmentClause<'a>>,
}

/// The filters of the alternatives of a [`Clause`], each with true if it is negated.
struct SegmentClause<'a>(Vec<(SegmentFilters<'a>, bool)>);

/// The result of applying all filters to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passes.
    Passes,
    /// It fails one field only, the one with this [position](SegmentFilters::position).
    FailsOnly(usize),
    /// It fails several fields, or a clause.
    Fails,
}

/// The filter of one field.
enum FieldFilter<'a> {
    InStock {
        column: &'a [bool],
        wanted: bool,
    },
    Price {
        prices: Prices<'a>,
        ranges: &'a [PriceRange],
    },
    /// The value is one of these.
    OneOf {
        column: &'a [ValueId],
        wanted: Vec<ValueId>,
    },
    /// The path is accepted. `is_accepted` is indexed by value id.
    Within {
        column: &'a [ValueId],
        is_accepted: Vec<bool>,
    },
    /// One of the paths is accepted. `is_accepted` is indexed by value id.
    AnyWithin {
        column: &'a ValueLists,
        is_accepted: Vec<bool>,
    },
    /// One of the values is one of these.
    AnyOf {
        column: &'a ValueLists,
        wanted: Vec<ValueId>,
    },
    /// A value of the attribute is one of these, or in one of these ranges; by ordinal.
    Attribute {
        values: Option<(&'a StrColumn, Vec<u64>)>,
        numbers: Option<(&'a BytesColumn, Vec<Range<u64>>)>,
    },
    /// No document of the segment passes.
    Never,
}

impl<'a> SegmentFilters<'a> {
    pub(crate) fn new(
        filters: &'a Filters,
        currency: Currency,
        segment: &'a Segment,
        values: &ValueTables,
    ) -> tantivy::Result<Self> {
        // Each filter is named, so that the compiler finds one that is forgotten here. The first three are in `VALUE_FIELDS`.
        let Filters { category: _, brand: _, tags: _, price, in_stock, attributes } = filters;
        let columns = segment.columns();
        let mut fields = Vec::new();
        if let Some(wanted) = *in_stock {
            fields.push((Field::Stock, FieldFilter::InStock { column: &columns.in_stock, wanted }));
        }
        if !price.is_empty() {
            let filter = FieldFilter::Price { prices: columns.prices(currency), ranges: price };
            fields.push((Field::Price, filter));
        }
        for ((field, column), table) in VALUE_FIELDS.iter().zip(&columns.values).zip(&values.0) {
            let wanted = (field.wanted)(filters);
            if !wanted.is_empty() {
                fields.push((field.field.clone(), FieldFilter::values(&wanted, field.shape, column, table)));
            }
        }
        for (key, filters) in attributes.iter().filter(|(_, filters)| !filters.is_empty()) {
            fields.push((Field::Attribute(key.clone()), FieldFilter::attribute(segment, key, filters)?));
        }
        Ok(Self { fields, clauses: Vec::new() })
    }

    /// Prepares the filters and the clauses of a request.
    pub(crate) fn of_request(
        request: &'a SearchRequest,
        segment: &'a Segment,
        values: &ValueTables,
    ) -> tantivy::Result<Self> {
        let filters = |filters| Self::new(filters, request.currency, segment, values);
        let clause = |Clause(alternatives): &'a Clause| {
            let alternatives = alternatives.iter().map(|one| Ok((filters(&one.filters)?, one.is_negated)));
            Ok(SegmentClause(alternatives.collect::<tantivy::Result<_>>()?))
        };
        let clauses = request.clauses.iter().map(clause).collect::<tantivy::Result<_>>()?;
        Ok(Self { clauses, ..filters(&request.filters)? })
    }

    /// Returns true if every document passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.clauses.is_empty()
    }

    /// Returns the position of the field's filter in [`Verdict::FailsOnly`]; `None` if the field has no filter.
    pub(crate) fn position(&self, field: &Field) -> Option<usize> {
        self.fields.iter().position(|(filtered, _)| filtered == field)
    }

    /// Returns true if the document passes all filters and clauses.
    pub(crate) fn pass(&self, document: DocId) -> bool {
        self.fields.iter().all(|(_, filter)| filter.accepts(document)) && self.meets_clauses(document)
    }

    fn meets_clauses(&self, document: DocId) -> bool {
        let holds = |(filters, is_negated): &(Self, bool)| filters.pass(document) != *is_negated;
        self.clauses.iter().all(|SegmentClause(alternatives)| alternatives.iter().any(holds))
    }

    /// Applies the filters and clauses to a document.
    pub(crate) fn verdict(&self, document: DocId) -> Verdict {
        let mut verdict = Verdict::Passes;
        for (position, (_, filter)) in self.fields.iter().enumerate() {
            if !filter.accepts(document) {
                if verdict != Verdict::Passes {
                    return Verdict::Fails;
                }
                verdict = Verdict::FailsOnly(position);
            }
        }
        if self.meets_clauses(document) { verdict } else { Verdict::Fails }
    }
}

impl<'a> FieldFilter<'a> {
    fn values(wanted: &[String], shape: ValueShape, column: &'a ValueColumn, table: &ValueTable) -> Self {
        // A value without an id is in no product.
        let wanted = wanted.iter().filter_map(|text| table.id(text)).collect::<Vec<_>>();
        match (shape, column) {
            (ValueShape::Paths, ValueColumn::Single(column)) => {
                Self::Within { column, is_accepted: is_within(&wanted, table) }
            }
            (ValueShape::Paths, ValueColumn::List(column)) => {
                Self::AnyWithin { column, is_accepted: is_within(&wanted, table) }
            }
            (_, ValueColumn::Single(column)) => Self::OneOf { column, wanted },
            (_, ValueColumn::List(column)) => Self::AnyOf { column, wanted },
        }
    }

    fn attribute(segment: &'a Segment, key: &str, filters: &[AttributeFilter]) -> tantivy::Result<Self> {
        let (mut ordinals, mut ranges) = (Vec::new(), Vec::new());
        for filter in filters {
            match filter {
                AttributeFilter::Equals(value) => {
                    if let Some(column) = &segment.attributes {
                        ordinals
                            .extend(column.dictionary().term_ord(attribute_term(key, &facet_text(value)))?);
                    }
                }
                AttributeFilter::Range { min, max } => {
                    if let Some(column) = &segment.numbers {
                        let range = number_range(column, key, *min, *max)?;
                        ranges.extend(range.filter(|range| !range.is_empty()));
                    }
                }
                AttributeFilter::Dates { min, max } => {
                    if let Some(column) = &segment.numbers {
                        let moment = |end: Option<i64>| end.map(|end| end as f64);
                        let range = number_range(column, &date_key(key), moment(*min), moment(*max))?;
                        ranges.extend(range.filter(|range| !range.is_empty()));
                    }
                }
            }
        }
        let values =
            segment.attributes.as_ref().filter(|_| !ordinals.is_empty()).map(|column| (column, ordinals));
        let numbers = segment.numbers.as_ref().filter(|_| !ranges.is_empty()).map(|column| (column, ranges));
        Ok(match (&values, &numbers) {
            (None, None) => Self::Never,
            _ => Self::Attribute { values, numbers },
        })
    }

    #[inline]
    fn accepts(&self, document: DocId) -> bool {
        let at = document as usize;
        match self {
            Self::Never => false,
            Self::InStock { column, wanted } => column[at] == *wanted,
            Self::Price { prices, ranges } => {
                prices.get(document).is_some_and(|price| ranges.iter().any(|range| range.contains(price)))
            }
            Self::OneOf { column, wanted } => wanted.contains(&column[at]),
            Self::Within { column, is_accepted } => is_accepted.get(column[at] as usize) == Some(&true),
            Self::AnyWithin { column, is_accepted } => {
                column.get(document).iter().any(|path| is_accepted.get(*path as usize) == Some(&true))
            }
            Self::AnyOf { column, wanted } => column.get(document).iter().any(|value| wanted.contains(value)),
            Self::Attribute { values, numbers } => has_attribute(document, values.as_ref(), numbers.as_ref()),
        }
    }
}

/// Returns true if a value of the document is one of these, or in one of these ranges; by ordinal. Not inlined, so that the other
/// filters stay small enough to be.
#[inline(never)]
fn has_attribute(
    document: DocId,
    values: Option<&(&StrColumn, Vec<u64>)>,
    numbers: Option<&(&BytesColumn, Vec<Range<u64>>)>,
) -> bool {
    values.is_some_and(|(column, wanted)| {
        column.ords().values_for_doc(document).any(|ordinal| wanted.contains(&ordinal))
    }) || numbers.is_some_and(|(column, ranges)| {
        let mut ordinals = column.ords().values_for_doc(document);
        ordinals.any(|ordinal| ranges.iter().any(|range| range.contains(&ordinal)))
    })
}

/// Returns for each value id true if its value or one of its ancestors is wanted.
fn is_within(wanted: &[ValueId], table: &ValueTable) -> Vec<bool> {
    let is_within = |id: ValueId| {
        let path = std::iter::successors(Some(id), |id| {
            Some(table.parent(*id)).filter(|parent| *parent != NO_VALUE)
        });
        path.into_iter().any(|id| wanted.contains(&id))
    };
    (0..table.len() as ValueId).map(is_within).collect()
}
