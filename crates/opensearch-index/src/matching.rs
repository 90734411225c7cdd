//! The words of a query as one query of OpenSearch, with the score of [`text::score`].

use serde_json::{Value, json};
use text::dictionary::Dictionary;
use text::query::{Term, Way, Word};
use text::score::{STEP, Tier, steps_of_half_level};
use text::typos::typos_allowed;

use crate::filters::any_of;
use crate::schema::field;

/// The half levels of a word of the name that is found as a beginning or with typos: which word it is, and so its own
/// level, is not known here.
const HALF_LEVELS_OF_NAME: f32 = 30.0;

/// The ways to find a word.
const TIERS: [Tier; 4] = [Tier::Exact, Tier::Prefix, Tier::OneTypo, Tier::TwoTypos];

/// Products with every one of the words. There must be some.
pub(crate) fn words_query(words: &[Word]) -> Value {
    let must: Vec<Value> = words.iter().map(|word| word_query(word, words.len())).collect();
    json!({ "bool": { "must": must } })
}

/// Products with a word that this one finds, without a score.
pub(crate) fn has_word(word: &Word) -> Value {
    any_of(tiers(word).map(|tier| anywhere(word, tier)).collect())
}

/// Products with the word itself, without a score.
pub(crate) fn has_word_exactly(word: &Word) -> Value {
    anywhere(word, Tier::Exact)
}

/// Products with the word itself, or with one that it begins.
pub(crate) fn has_word_as_it_is(word: &Word) -> Value {
    any_of(tiers(word).filter(|tier| *tier >= Tier::Prefix).map(|tier| anywhere(word, tier)).collect())
}

/// The best way counts, and the level of the word found so.
fn word_query(word: &Word, words: usize) -> Value {
    let step = steps_of_half_level(words) as f32 * STEP;
    let queries = tiers(word).map(|tier| {
        let level = match tier {
            Tier::Exact => {
                let half_levels = |way: &Way| f32::from(way.spelling.half_levels());
                let ways = word.ways.iter().map(|way| in_way(way, step * half_levels(way)));
                json!({ "dis_max": { "queries": ways.collect::<Vec<_>>() } })
            }
            _ => constant(&in_field(field::NAME_WORDS, word, tier), HALF_LEVELS_OF_NAME * step),
        };
        json!({ "bool": {
            "must": [constant(&anywhere(word, tier), tier.points(words) as f32)],
            "should": [level],
        } })
    });
    json!({ "dis_max": { "queries": queries.collect::<Vec<_>>() } })
}

fn tiers(word: &Word) -> impl Iterator<Item = Tier> {
    let (is_last, typos) = (word.is_last, typos_allowed(&word.text));
    TIERS.into_iter().filter(move |tier| match tier {
        Tier::Exact => true,
        Tier::Prefix => is_last,
        Tier::OneTypo => typos >= 1,
        Tier::TwoTypos => typos >= 2,
    })
}

fn name_of(dictionary: Dictionary) -> &'static str {
    match dictionary {
        Dictionary::Words => field::WORDS,
        Dictionary::Codes => field::CODES,
        Dictionary::Pairs => field::PAIRS,
        Dictionary::Stems => field::STEMS,
    }
}

fn anywhere(word: &Word, tier: Tier) -> Value {
    match tier {
        Tier::Exact => any_of(word.ways.iter().map(|way| in_way(way, 1.0)).collect()),
        Tier::Prefix => any_of([field::WORDS, field::CODES].map(|name| in_field(name, word, tier)).into()),
        Tier::OneTypo | Tier::TwoTypos => in_field(field::WORDS, word, tier),
    }
}

/// Products that have the word as a beginning or with typos in one field.
fn in_field(name: &str, word: &Word, tier: Tier) -> Value {
    let value = &word.text;
    let fuzziness = match tier {
        Tier::Exact | Tier::Prefix => return json!({ "prefix": { name: { "value": value } } }),
        Tier::OneTypo => 1,
        Tier::TwoTypos => 2,
    };
    // Every word within reach counts alike: which ones they are does not depend on how many there are.
    json!({ "fuzzy": { name: {
        "value": value, "fuzziness": fuzziness, "prefix_length": 0, "transpositions": true,
        "rewrite": "constant_score",
    } } })
}

/// Products that have a word in this way, by the level of its first term.
fn in_way(way: &Way, boost: f32) -> Value {
    let mut terms = way.terms.iter();
    let first: Vec<Value> = terms.next().map(|term| scored(term, boost)).into_iter().collect();
    let others = match way.is_phrase {
        true => vec![neighbours(&way.terms)],
        false => terms.map(|term| scored(term, 1.0)).collect(),
    };
    json!({ "bool": { "must": first, "filter": others } })
}

/// Products with a run in which these pairs of characters follow each other.
fn neighbours(pairs: &[Term]) -> Value {
    // The analyser of the field splits at spaces and does nothing else.
    let pairs: Vec<&str> = pairs.iter().map(|pair| pair.text.as_str()).collect();
    json!({ "match_phrase": { field::RUNS: { "query": pairs.join(" ") } } })
}

/// Products with the word, by its level.
fn scored(term: &Term, boost: f32) -> Value {
    json!({ "term": { name_of(term.dictionary): { "value": term.text, "boost": boost } } })
}

fn constant(query: &Value, score: f32) -> Value {
    json!({ "constant_score": { "filter": query, "boost": score } })
}
