//! Ordinals: positions of terms in the sorted dictionary of a column. Within one segment, ordinals have the same order as their
//! terms.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::columnar::{BytesColumn, StrColumn, TermOrdHit};
use text::attributes::{key_prefix, number_sort_key, prefix_end};

use crate::layout::encoding::number_term;

/// Returns the ordinals of an attribute's numbers from `min` to `max`, both inclusive; a bound of `None` is open. Returns `None`
/// if a bound is NaN.
pub(crate) fn number_range(
    column: &BytesColumn,
    key: &str,
    min: Option<f64>,
    max: Option<f64>,
) -> tantivy::Result<Option<Range<u64>>> {
    if min.is_some_and(f64::is_nan) || max.is_some_and(f64::is_nan) {
        return Ok(None);
    }
    let keys = key_range(column, key)?;
    let start = match min {
        Some(min) => first_at_or_after(column, &number_term(key, number_sort_key(min)))?,
        None => keys.start,
    };
    let end = match max {
        Some(max) => first_after(column, &number_term(key, number_sort_key(max)))?,
        None => keys.end,
    };
    Ok(Some(start..end))
}

/// Returns the ordinals of all values of an attribute; the range is empty if it has none.
pub(crate) fn key_range(column: &BytesColumn, key: &str) -> tantivy::Result<Range<u64>> {
    let prefix = key_prefix(key);
    let start = first_at_or_after(column, prefix.as_bytes())?;
    Ok(start..first_at_or_after(column, &prefix_end(&prefix))?)
}

/// Returns the ordinal of the first term at or after `term`; the number of terms if there is none.
pub(crate) fn first_at_or_after(column: &BytesColumn, term: &[u8]) -> tantivy::Result<u64> {
    let (ordinal, _) = position(column, term)?;
    Ok(ordinal)
}

/// Returns the ordinal of the first term after `term`; the number of terms if there is none.
pub(crate) fn first_after(column: &BytesColumn, term: &[u8]) -> tantivy::Result<u64> {
    let (ordinal, is_exact) = position(column, term)?;
    Ok(ordinal + u64::from(is_exact))
}

/// Returns the ordinal of the first term at or after `term`, and true if it equals `term`.
fn position(column: &BytesColumn, term: &[u8]) -> tantivy::Result<(u64, bool)> {
    let terms = column.num_terms() as u64;
    Ok(match column.dictionary().term_ord_or_next(term)? {
        TermOrdHit::Exact(ordinal) => (ordinal, true),
        TermOrdHit::Next(ordinal) => (ordinal.min(terms), false),
    })
}

/// Returns the term of each ordinal as text, see [`bytes_of`].
pub(crate) fn terms_of(
    column: Option<&StrColumn>,
    ordinals: impl Iterator<Item = u64>,
) -> tantivy::Result<HashMap<u64, String>> {
    let terms = bytes_of(column.map(|column| &**column), ordinals)?;
    let text = |term: Vec<u8>| String::from_utf8_lossy(&term).into_owned();
    Ok(terms.into_iter().map(|(ordinal, term)| (ordinal, text(term))).collect())
}

/// Returns the term of each ordinal, and reads equal ordinals once. Leaves out ordinals that have no term.
pub(crate) fn bytes_of(
    column: Option<&BytesColumn>,
    ordinals: impl Iterator<Item = u64>,
) -> tantivy::Result<HashMap<u64, Vec<u8>>> {
    let Some(column) = column else { return Ok(HashMap::new()) };
    let count = column.dictionary().num_terms() as u64;
    let mut ordinals: Vec<u64> = ordinals.filter(|ordinal| *ordinal < count).collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    let mut terms = HashMap::with_capacity(ordinals.len());
    let mut next = ordinals.iter();
    column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
        if let Some(ordinal) = next.next() {
            terms.insert(*ordinal, term.to_vec());
        }
    })?;
    Ok(terms)
}
