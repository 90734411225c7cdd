//! Cursors: the positions in a list at which the next page begins.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::product::ProductId;
use crate::search::limits::MAX_QUERY_WORDS;
use crate::search::sort::{Sort, SortKey};

/// The position of a product in a sorted list. The next page begins after it, whatever is inserted or removed before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order of the list.
    #[serde(rename = "s")]
    pub sort: Sort,
    /// The product's key in that order; `None` if it has no value there.
    #[serde(rename = "k")]
    pub key: Option<SortKey>,
    /// The product.
    #[serde(rename = "i")]
    pub id: ProductId,
    /// The interpretation of the query on the earlier pages, which later pages keep.
    #[serde(rename = "r", default, skip_serializing_if = "QueryInterpretation::is_as_typed")]
    pub interpretation: QueryInterpretation,
    /// The [fingerprint](crate::search::Restriction::fingerprint) of the restriction of the search.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub restriction: Option<u64>,
}

/// The interpretation of the words of a query by an index.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueryInterpretation {
    /// The words that may have typos, by their positions in the query, counted from 0.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub typos: Vec<u8>,
    /// The words that are optional, by their positions.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<u8>,
    /// The words that name a kind of things, by their positions.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<u8>,
}

impl QueryInterpretation {
    /// Returns true if every word must match as typed.
    pub fn is_as_typed(&self) -> bool {
        *self == Self::default()
    }
}

impl Cursor {
    /// Encodes the cursor as the opaque text that clients send back.
    pub fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Decodes the output of [`Cursor::encode`]; returns `None` for any other text.
    ///
    /// A client can forge a cursor, so the result need not be [valid](Self::is_valid).
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    /// Returns true if a search can have returned this cursor: the key fits the order, and the interpretation has no more
    /// words than a query may have. An index may rely on both.
    pub fn is_valid(&self) -> bool {
        let QueryInterpretation { typos, optional, kinds } = &self.interpretation;
        let most = typos.len().max(optional.len()).max(kinds.len());
        self.sort.has_key(self.key.as_ref()) && most <= MAX_QUERY_WORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_survives_the_wire(text in ".{0,20}", bits in any::<u32>(), number in any::<i64>()) {
            for key in [None, Some(SortKey::Score(bits)), Some(SortKey::Number(number)), Some(SortKey::Text(text))] {
                let positions = |count: u32| vec![bits as u8; (count % 3) as usize];
                let interpretation = QueryInterpretation {
                    typos: positions(bits),
                    optional: positions(bits / 3),
                    kinds: positions(bits / 7),
                };
                let restriction = bits.is_multiple_of(2).then_some(number.unsigned_abs());
                let sorts = [Sort::Name, Sort::parse("attributes.a b_desc").unwrap()];
                let sort = sorts[(bits % 2) as usize].clone();
                let cursor = Cursor { sort, key, id: ProductId::generate(), interpretation, restriction };
                prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
            }
        }

        #[test]
        fn no_text_makes_decoding_a_cursor_panic(text in "[A-Za-z0-9_-]{0,60}") {
            let _ = Cursor::decode(&text);
        }
    }

    #[test]
    fn only_keys_that_a_product_can_have_are_valid() {
        let number = || Some(SortKey::Number(1));
        let text = || Some(SortKey::Text("lamp".to_owned()));
        let by_width = || Sort::parse("attributes.width_desc").unwrap();
        let score = |score: f32| Some(SortKey::Score(score.to_bits()));
        for (sort, key, is_valid) in [
            (Sort::Relevance, score(0.5), true),
            (Sort::Relevance, score(f32::NAN), false),
            (Sort::Relevance, None, false),
            (Sort::Relevance, number(), false),
            (Sort::PriceAsc, number(), true),
            (Sort::PriceDesc, None, true),
            (Sort::PriceDesc, text(), false),
            (Sort::Newest, number(), true),
            (Sort::Newest, None, false),
            (Sort::Name, text(), true),
            (Sort::Name, None, false),
            (by_width(), None, true),
            (by_width(), text(), true),
            (by_width(), number(), false),
        ] {
            let id = ProductId::generate();
            let interpretation = QueryInterpretation::default();
            let cursor = Cursor { sort, key, id, interpretation, restriction: None };
            assert_eq!(cursor.is_valid(), is_valid, "{cursor:?}");
        }
    }

    #[test]
    fn a_cursor_interprets_no_more_words_than_a_query_has() {
        let cursor = |words: usize| {
            let interpretation =
                QueryInterpretation { typos: vec![0; words], ..QueryInterpretation::default() };
            let id = ProductId::generate();
            Cursor { sort: Sort::PriceAsc, key: None, id, interpretation, restriction: None }
        };
        assert!(cursor(MAX_QUERY_WORDS).is_valid());
        assert!(!cursor(MAX_QUERY_WORDS + 1).is_valid());
    }
}
