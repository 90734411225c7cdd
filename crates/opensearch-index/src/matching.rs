//! The words of a query as one query of OpenSearch, with the score that ranks as the embedded index does.
//!
//! A score is a whole number that puts more words found exactly first, then those found as beginnings, then those
//! with one typo, and a fraction below one for everything else. All of it are multiples of 1/4096 below 4096, which
//! floats hold exactly: whatever the order of adding, a product's score is the same, and a cursor keeps its place.

use serde_json::{Value, json};
use text::analysis::has_digit;
use text::query::{Word, typos_allowed};

use crate::filters::any_of;
use crate::schema::field;

/// Fractions of a point.
const UNIT: f64 = 1.0 / 4096.0;
/// Units for all words of a query together.
const WORD_UNITS: usize = 3584;
/// Units for names that are short: so many for each limit that a name keeps.
const BREVITY_UNITS: u32 = 120;
/// Of two names with the word, the one with less beside it is more about it.
const SHORT_NAMES: [u32; 4] = [3, 6, 12, 24];

/// What the parts of a product are worth to a word found in them, in 16ths; a word that stands in the description
/// only is worth nothing.
const PARTS: [(&str, usize); 4] =
    [(field::NAME_WORDS, 8), (field::BRAND_WORDS, 4), (field::LABEL_WORDS, 2), (field::ATTRIBUTE_WORDS, 1)];

/// How a word of the index is the one looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Exact,
    Beginning,
    Typos(u8),
}

/// Products with every one of the words. There must be some.
pub(crate) fn words_query(words: &[Word]) -> Value {
    let short = SHORT_NAMES.iter().map(|most| {
        constant(
            &json!({ "range": { field::NAME_LENGTH: { "lte": most } } }),
            f64::from(BREVITY_UNITS) * UNIT,
        )
    });
    let must: Vec<Value> = words.iter().map(|word| word_query(word, words.len())).collect();
    json!({ "bool": { "must": must, "should": short.collect::<Vec<_>>() } })
}

/// Products with a word that this one finds, without a score.
pub(crate) fn has_word(word: &Word) -> Value {
    any_of(ways(word).into_iter().map(|way| anywhere(word, way)).collect())
}

/// Products with the word itself, or with one that it begins.
pub(crate) fn has_word_as_it_is(word: &Word) -> Value {
    let exact = ways(word).into_iter().filter(|way| !matches!(way, Way::Typos(_)));
    any_of(exact.map(|way| anywhere(word, way)).collect())
}

/// The best way counts, and the parts in which it was found so.
fn word_query(word: &Word, words: usize) -> Value {
    let queries = ways(word).into_iter().map(|way| {
        let points = points(way, words);
        let parts = PARTS.iter().filter(|(part, _)| {
            // Looking for typos costs, and most of what shoppers misspell are names.
            !matches!(way, Way::Typos(_)) || *part == field::NAME_WORDS
        });
        let worth = parts.map(|(part, sixteenths)| {
            let units = WORD_UNITS / words * sixteenths / 16;
            constant(&in_field(part, word, way), units as f64 * UNIT)
        });
        json!({ "bool": {
            "must": [constant(&anywhere(word, way), points)],
            "should": worth.collect::<Vec<_>>(),
        } })
    });
    json!({ "dis_max": { "queries": queries.collect::<Vec<_>>() } })
}

fn ways(word: &Word) -> Vec<Way> {
    let mut ways = vec![Way::Exact];
    if word.is_last {
        ways.push(Way::Beginning);
    }
    ways.extend((1..=typos_allowed(&word.text)).map(Way::Typos));
    ways
}

/// The whole part of the score that one word gives: among all words of a query, one found better outweighs any
/// number found worse.
fn points(way: Way, words: usize) -> f64 {
    let step = (words + 1) as f64;
    match way {
        Way::Exact => 2.0 * step,
        Way::Beginning => step,
        Way::Typos(1) => 1.0,
        Way::Typos(_) => 0.0,
    }
}

fn anywhere(word: &Word, way: Way) -> Value {
    match way {
        Way::Exact if has_digit(&word.text) => in_field(field::CODES, word, way),
        Way::Exact | Way::Typos(_) => in_field(field::WORDS, word, way),
        Way::Beginning => any_of([field::WORDS, field::CODES].map(|name| in_field(name, word, way)).into()),
    }
}

fn in_field(name: &str, word: &Word, way: Way) -> Value {
    let value = &word.text;
    match way {
        Way::Exact => json!({ "term": { name: { "value": value } } }),
        Way::Beginning => json!({ "prefix": { name: { "value": value } } }),
        // Every word within reach counts alike: which ones they are does not depend on how many there are.
        Way::Typos(typos) => json!({ "fuzzy": { name: {
            "value": value, "fuzziness": typos, "prefix_length": 0, "transpositions": true,
            "rewrite": "constant_score",
        } } }),
    }
}

fn constant(query: &Value, score: f64) -> Value {
    json!({ "constant_score": { "filter": query, "boost": score } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_never_add_up_to_a_point() {
        let sixteenths: usize = PARTS.iter().map(|(_, sixteenths)| sixteenths).sum();
        for words in 1..=domain::search::MAX_QUERY_WORDS {
            let units = words * (WORD_UNITS / words * sixteenths / 16);
            assert!((units + SHORT_NAMES.len() * BREVITY_UNITS as usize) as f64 * UNIT < 1.0, "{words}");
            let best = points(Way::Exact, words) * words as f64 + 1.0;
            assert!(best < 4096.0, "{words}");
            assert!(points(Way::Beginning, words) > words as f64 * points(Way::Typos(1), words));
        }
    }
}
