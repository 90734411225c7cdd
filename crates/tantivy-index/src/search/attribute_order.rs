//! The order of the products of a segment by the values of an attribute.
//!
//! The values of all attributes are terms of two columns, one for numbers and one for texts, in which those of a key are a
//! range. Within a segment, the *rank* of a value is its position among the numbers of its key, followed by the texts.

use std::ops::Range;

use domain::search::Direction;
use tantivy::DocId;
use tantivy::columnar::BytesColumn;
use text::attributes::key_prefix;
use text::sort_keys::{AttributeKey, number_key, text_key};

use crate::layout::encoding::number_term;
use crate::search::ordinals::{bytes_of, first_after, first_at_or_after, key_range};
use crate::search::segment::Segment;

/// An order by an attribute within one segment.
pub(crate) struct AttributeOrder<'a> {
    key: &'a str,
    pub(crate) direction: Direction,
    numbers: Values<'a>,
    texts: Values<'a>,
}

/// The values of one key in one column.
struct Values<'a> {
    column: Option<&'a BytesColumn>,
    ordinals: Range<u64>,
}

impl<'a> Values<'a> {
    fn new(column: Option<&'a BytesColumn>, key: &str) -> tantivy::Result<Self> {
        let ordinals = column.map_or(Ok(0..0), |column| key_range(column, key))?;
        Ok(Self { column, ordinals })
    }

    fn len(&self) -> u64 {
        self.ordinals.end.saturating_sub(self.ordinals.start)
    }

    /// Returns the position of a document's value; of several, the one that comes first in the direction.
    fn first(&self, document: DocId, direction: Direction) -> Option<u64> {
        if self.ordinals.is_empty() {
            return None;
        }
        let ordinals = self.column?.ords().values_for_doc(document);
        let own = ordinals.filter(|ordinal| self.ordinals.contains(ordinal));
        let first = match direction {
            Direction::Ascending => own.min(),
            Direction::Descending => own.max(),
        };
        first.map(|ordinal| ordinal - self.ordinals.start)
    }

    /// Returns the position of the first value at or after a term, and true if it equals the term.
    fn position(&self, term: &[u8]) -> tantivy::Result<(u64, bool)> {
        let Some(column) = self.column.filter(|_| !self.ordinals.is_empty()) else { return Ok((0, false)) };
        let at = first_at_or_after(column, term)?;
        let is_exact = first_after(column, term)? > at;
        let inside = at.clamp(self.ordinals.start, self.ordinals.end);
        Ok((inside - self.ordinals.start, is_exact && self.ordinals.contains(&at)))
    }
}

impl<'a> AttributeOrder<'a> {
    pub(crate) fn new(key: &'a str, direction: Direction, segment: &'a Segment) -> tantivy::Result<Self> {
        let numbers = Values::new(segment.numbers.as_ref(), key)?;
        let texts = Values::new(segment.attributes.as_deref(), key)?;
        Ok(Self { key, direction, numbers, texts })
    }

    /// Returns a key that orders hits within the segment; `None` if the document lacks the attribute.
    pub(crate) fn key(&self, document: DocId) -> Option<u64> {
        // A number is in the column of texts as well.
        let number = self.numbers.first(document, self.direction);
        let rank = number.or_else(|| {
            let text = self.texts.first(document, self.direction)?;
            Some(self.numbers.len() + text)
        });
        rank.map(|rank| match self.direction {
            Direction::Ascending => rank,
            Direction::Descending => self.ranks() - 1 - rank,
        })
    }

    /// Returns the key of a value, see [`text::sort_keys`], and true if the segment has it; otherwise the first key after it, and
    /// false. Returns `None` if the text is not a value.
    pub(crate) fn position(&self, value: &str) -> tantivy::Result<Option<(u64, bool)>> {
        let (rank, is_exact) = match AttributeKey::decode(value) {
            None => return Ok(None),
            Some(AttributeKey::Number(number)) => self.numbers.position(&number_term(self.key, number))?,
            Some(AttributeKey::Text(text)) => {
                let (at, is_exact) = self.texts.position((key_prefix(self.key) + text).as_bytes())?;
                (self.numbers.len() + at, is_exact)
            }
        };
        let key = match self.direction {
            Direction::Ascending => rank,
            // Without the value itself, the next one is that of the rank before.
            Direction::Descending => self.ranks() - rank - u64::from(is_exact),
        };
        Ok(Some((key, is_exact)))
    }

    /// Returns the value of each key, see [`text::sort_keys`], in the order of the keys; `None` for a key without a value.
    pub(crate) fn values(&self, keys: impl Iterator<Item = u64>) -> tantivy::Result<Vec<Option<String>>> {
        let ranks: Vec<Option<u64>> = keys.map(|key| self.rank(key)).collect();
        let count = self.numbers.len();
        let of_numbers = ranks.iter().flatten().filter(|rank| **rank < count);
        let of_numbers = of_numbers.map(|rank| self.numbers.ordinals.start + rank);
        let numbers = bytes_of(self.numbers.column, of_numbers)?;
        let of_texts = ranks.iter().flatten().filter(|rank| **rank >= count);
        let of_texts = of_texts.map(|rank| self.texts.ordinals.start + rank - count);
        let texts = bytes_of(self.texts.column, of_texts)?;
        let prefix = key_prefix(self.key);
        let value = |rank: &Option<u64>| {
            let rank = (*rank)?;
            match rank < count {
                true => {
                    let term = numbers.get(&(self.numbers.ordinals.start + rank))?;
                    let number = term.get(prefix.len()..)?.try_into().ok()?;
                    Some(number_key(u64::from_be_bytes(number)))
                }
                false => {
                    let term = texts.get(&(self.texts.ordinals.start + rank - count))?;
                    Some(text_key(&String::from_utf8_lossy(term.get(prefix.len()..)?)))
                }
            }
        };
        Ok(ranks.iter().map(value).collect())
    }

    /// Returns the rank of a key; `None` if no value has it.
    fn rank(&self, key: u64) -> Option<u64> {
        let rank = match self.direction {
            Direction::Ascending => key,
            Direction::Descending => self.ranks().checked_sub(1)?.checked_sub(key)?,
        };
        (rank < self.ranks()).then_some(rank)
    }

    /// Returns the number of values in the segment.
    fn ranks(&self) -> u64 {
        self.numbers.len() + self.texts.len()
    }
}
