//! The orders of a search. The order by an attribute is in [`attribute_order`](crate::search::attribute_order).

use std::cmp::Reverse;

use domain::Currency;
use domain::search::{Criterion, Cursor, Direction, Sort, SortKey};
use tantivy::DocId;
use tantivy::columnar::{Column, StrColumn};
use text::collation::Collation;

use crate::search::attribute_order::AttributeOrder;
use crate::search::columns::Prices;
use crate::search::ordinals::{first_after, first_at_or_after};
use crate::search::segment::Segment;

/// The key of a product without a value in the order: it sorts last.
pub(crate) const MISSING: u64 = u64::MAX;

/// Encodes a number so that keys compare in this direction.
fn encode(number: i64, direction: Direction) -> u64 {
    let key = tantivy::i64_to_u64(number);
    match direction {
        Direction::Ascending => key,
        Direction::Descending => !key,
    }
}

/// Reverses [`encode`].
fn decode(key: u64, direction: Direction) -> i64 {
    tantivy::u64_to_i64(match direction {
        Direction::Ascending => key,
        Direction::Descending => !key,
    })
}

/// A key that orders hits across segments.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The key in an order by numbers; 0 in an order by texts; [`MISSING`] without a value.
    pub(crate) number: u64,
    /// The text in an ascending order by texts, otherwise empty.
    pub(crate) text: String,
    /// The text in a descending order by texts, otherwise empty.
    pub(crate) reversed_text: Reverse<String>,
}

impl Key {
    /// Creates the key of an order without texts, or of a product without a value.
    pub(crate) fn of_number(number: u64) -> Self {
        Self { number, text: String::new(), reversed_text: Reverse(String::new()) }
    }

    /// Creates the key of an order by texts.
    pub(crate) fn of_text(text: String, direction: Direction) -> Self {
        match direction {
            Direction::Ascending => Self { text, ..Self::of_number(0) },
            Direction::Descending => Self { reversed_text: Reverse(text), ..Self::of_number(0) },
        }
    }

    /// Converts the key of a product to a cursor's key; `None` if the product has no value. `score` and `name` are those of the
    /// product.
    pub(crate) fn to_sort_key(&self, sort: &Sort, score: f32, name: &str) -> Option<SortKey> {
        if self.number == MISSING {
            return None;
        }
        Some(match sort.criterion() {
            Criterion::Score => SortKey::Score(score.to_bits()),
            Criterion::Price(direction) | Criterion::CreatedAt(direction) => {
                SortKey::Number(decode(self.number, direction))
            }
            Criterion::Name => SortKey::Text(name.to_owned()),
            // One of the two is empty.
            Criterion::Attribute(..) => SortKey::Text(format!("{}{}", self.text, self.reversed_text.0)),
        })
    }
}

/// An order within one segment, with the column that it compares.
pub(crate) enum SegmentOrder<'a> {
    Score,
    Price(Prices<'a>, Direction),
    Number(Option<&'a Column<i64>>, Direction),
    /// Compares by ordinal. The column holds collation keys or, without a collation, lower-case names.
    Name(Option<&'a StrColumn>, Option<&'a Collation>),
    Attribute(AttributeOrder<'a>),
}

/// The position of a cursor among the keys of a segment.
pub(crate) struct CursorPosition {
    pub(crate) key: u64,
    /// True if `key` is the key of the cursor; otherwise it is the first key of the segment after that.
    pub(crate) is_exact: bool,
    /// The ordinal of the first id after that of the cursor.
    id: u64,
}

impl CursorPosition {
    /// Returns true if a product with this key and id comes after the cursor.
    pub(crate) fn is_before(&self, key: u64, id: u64) -> bool {
        key > self.key || (key == self.key && (!self.is_exact || id >= self.id))
    }
}

impl<'a> SegmentOrder<'a> {
    /// Creates the order. `collation` is that of names, see [`Self::Name`].
    pub(crate) fn new(
        sort: &'a Sort,
        currency: Currency,
        collation: Option<&'a Collation>,
        segment: &'a Segment,
    ) -> tantivy::Result<Self> {
        Ok(match sort.criterion() {
            Criterion::Score => Self::Score,
            Criterion::Price(direction) => Self::Price(segment.columns().prices(currency), direction),
            Criterion::CreatedAt(direction) => Self::Number(segment.created_at.as_ref(), direction),
            Criterion::Name => Self::Name(segment.name.as_ref(), collation),
            Criterion::Attribute(key, direction) => {
                Self::Attribute(AttributeOrder::new(key, direction, segment)?)
            }
        })
    }

    /// Returns a key that orders hits within the segment.
    #[inline]
    pub(crate) fn key(&self, document: DocId, score: f32) -> u64 {
        match self {
            Self::Score => score_key(score.to_bits()),
            _ => self.column_key(document).unwrap_or(MISSING),
        }
    }

    /// Returns the key of a document in an order other than by score; `None` if the document has no value.
    fn column_key(&self, document: DocId) -> Option<u64> {
        match self {
            Self::Score => None,
            Self::Price(prices, direction) => prices.get(document).map(|price| encode(price, *direction)),
            Self::Number(column, direction) => {
                column.and_then(|column| column.first(document)).map(|number| encode(number, *direction))
            }
            Self::Attribute(order) => order.key(document),
            Self::Name(column, _) => column.and_then(|column| column.ords().first(document)),
        }
    }

    /// Returns the position of a valid cursor of this order. `ids` is the column of ids.
    pub(crate) fn position(
        &self,
        cursor: &Cursor,
        ids: Option<&StrColumn>,
    ) -> tantivy::Result<CursorPosition> {
        let (key, is_exact) = match (&cursor.key, self) {
            (Some(SortKey::Score(bits)), _) => (score_key(*bits), true),
            (Some(SortKey::Number(number)), Self::Price(_, direction) | Self::Number(_, direction)) => {
                (encode(*number, *direction), true)
            }
            (Some(SortKey::Text(text)), Self::Attribute(order)) => {
                order.position(text)?.unwrap_or((MISSING, true))
            }
            (Some(SortKey::Text(name)), Self::Name(Some(names), collation)) => {
                let key = collation.map_or_else(|| name.to_lowercase(), |collation| collation.key(name));
                let at = first_at_or_after(names, key.as_bytes())?;
                (at, first_after(names, key.as_bytes())? > at)
            }
            _ => (MISSING, true),
        };
        let id = ids.map_or(Ok(0), |ids| first_after(ids, cursor.id.as_str().as_bytes()))?;
        Ok(CursorPosition { key, is_exact, id })
    }
}

fn score_key(bits: u32) -> u64 {
    // Non-negative floats compare like their bits, which are inverted so that the highest score comes first.
    u64::from(!bits)
}
