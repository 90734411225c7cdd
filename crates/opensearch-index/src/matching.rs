//! The words of a query as one query of OpenSearch, with the score of [`text::score`].
//!
//! What has a word may have it in several ways, each of which is worth a class and the level of the word there. The
//! boost of a term says both: the similarity of the field takes its whole part for the class, and its fraction times the
//! level for the rest.

use serde_json::{Value, json};
use text::dictionary::Dictionary;
use text::forms::normal_form;
use text::query::Term;
use text::score::{
    PHRASE_WEIGHT_FACTOR, STEP, Spelling, Tier, class_steps, is_weighted, steps_per_scaled_weight,
};
use text::weights::MAX_WEIGHT;

use crate::document::{beginning_term, word_term};
use crate::filters::{all_of, any_of, constant, term};
use crate::reading::{Read, ReadWord};
use crate::schema::field;

/// The most terms of all words whose levels are looked at: OpenSearch takes 1,024 parts in one query. Further ones count
/// as the lowest level.
const MAX_SCORED_TERMS: usize = 600;

/// One way to have a word.
struct List {
    tier: Tier,
    /// What each level of the first term counts.
    half_weights: u8,
    /// Terms that must all be there.
    terms: Vec<Term>,
    /// Whether they are the pairs of a run, one behind the other.
    is_phrase: bool,
}

/// What the ways to have a word are worth in one query.
struct Ranking {
    words: usize,
}

/// Products with every required word, or with one of them where none is required, by how well they match. `added` has
/// all products and what else their score is. There must be words.
pub(crate) fn words_query(read: &Read, added: Value) -> Value {
    let ranking = Ranking { words: read.words.len() };
    let (mut must, mut should) = (Vec::new(), Vec::new());
    for (place, word) in read.words.iter().enumerate() {
        let part = if word.is_required { &mut must } else { &mut should };
        part.push(ranking.word(word, place));
    }
    if must.is_empty() {
        must.push(any_of(std::mem::take(&mut should)));
    }
    must.push(added);
    // Neighbours that are neighbours in the products too only change the order.
    let phrases = read.phrases().filter(|phrase| is_weighted(phrase.second));
    should.extend(phrases.map(|phrase| scored(&phrase.term, ranking.word_weights(PHRASE_WEIGHT_FACTOR))));
    json!({ "bool": { "must": must, "should": should } })
}

/// Products with the word itself, without a score.
pub(crate) fn has_itself(word: &ReadWord) -> Value {
    any_of(filters_of(lists(word).iter().filter(|list| list.tier == Tier::Exact)))
}

/// Products with a word in any way, without a score.
pub(crate) fn has_word(word: &ReadWord) -> Value {
    let mut ways = filters_of(lists(word).iter());
    if word.is_beginning() {
        ways.push(is_begun(&word.word.text));
    }
    any_of(ways)
}

impl Ranking {
    /// Products with the word, by the best way in which they have it.
    fn word(&self, word: &ReadWord, place: usize) -> Value {
        let word_weights =
            |half_weights| if is_weighted(place) { self.word_weights(half_weights) } else { 0.0 };
        let (mut ways, mut rest) = (Vec::new(), lists(word));
        let mut room = MAX_SCORED_TERMS / self.words;
        let taken = rest.iter().take_while(|list| {
            let fits = list.terms.len() <= room;
            room = room.saturating_sub(list.terms.len());
            fits
        });
        let behind = rest.split_off(taken.count());
        ways.extend(
            rest.iter().map(|list| list.scored(self.class(list.tier) + word_weights(list.half_weights))),
        );
        for lists in behind.chunk_by(|a, b| a.tier == b.tier) {
            let worth = self.class(lists[0].tier) + word_weights(1);
            ways.push(constant(&any_of(filters_of(lists.iter())), worth));
        }
        if word.is_beginning() {
            let (text, class) = (&word.word.text, self.class(Tier::Prefix));
            if is_weighted(place) {
                let each = self.word_weights(word.word.weight_factor(Spelling::Same));
                let begun = |weight| begins(field::BEGINNINGS, &beginning_term(weight, text));
                ways.extend(
                    (1..=MAX_WEIGHT).map(|weight| constant(&begun(weight), class + f32::from(weight) * each)),
                );
            } else {
                ways.push(constant(&is_begun(text), class));
            }
        }
        json!({ "dis_max": { "queries": ways } })
    }

    /// What a word is worth for being there: a whole number.
    fn class(&self, tier: Tier) -> f32 {
        class_steps(tier.points(self.words)) as f32 * STEP
    }

    /// What each of its levels is worth: a fraction.
    fn word_weights(&self, half_weights: u8) -> f32 {
        (u32::from(half_weights) * steps_per_scaled_weight(self.words)) as f32 * STEP
    }
}

/// The ways to have a word, those that are worth most first, without those as a beginning.
fn lists(word: &ReadWord) -> Vec<List> {
    let (word, near) = (&word.word, &word.near);
    let exact = word.alternatives.iter().map(|alternative| List {
        tier: Tier::Exact,
        half_weights: word.weight_factor(alternative.spelling),
        terms: alternative.terms.clone(),
        is_phrase: alternative.is_phrase,
    });
    let mut lists: Vec<List> = exact.collect();
    for near in near {
        let (dictionary, base) = normal_form(&near.text, word.language);
        let terms = vec![Term { dictionary, text: base.into_owned() }];
        if lists.iter().all(|list| list.tier == Tier::Exact || list.terms != terms) {
            let tier = if near.typos == 1 { Tier::OneTypo } else { Tier::TwoTypos };
            let half_weights = word.weight_factor(Spelling::Same);
            lists.push(List { tier, half_weights, terms, is_phrase: false });
        }
    }
    lists
}

impl List {
    /// What has all terms, without a score.
    fn filter(&self) -> Value {
        if self.is_phrase { self.phrase() } else { all_of(self.terms.iter().map(has).collect()) }
    }

    /// The same, scored by the first term.
    fn scored(&self, boost: f32) -> Value {
        match self.terms.as_slice() {
            [] => json!({ "match_none": {} }),
            [term] => scored(term, boost),
            [first, others @ ..] => {
                let filter =
                    if self.is_phrase { vec![self.phrase()] } else { others.iter().map(has).collect() };
                json!({ "bool": { "must": [scored(first, boost)], "filter": filter } })
            }
        }
    }

    /// The pairs of a run, one behind the other. They have no spaces, which is all that the field's analyser looks at.
    fn phrase(&self) -> Value {
        let pairs: Vec<&str> = self.terms.iter().map(|term| term.text.as_str()).collect();
        json!({ "match_phrase": { field::RUNS: { "query": pairs.join(" ") } } })
    }
}

/// A query for all lists of one term, and one for each of the others.
fn filters_of<'a>(lists: impl Iterator<Item = &'a List>) -> Vec<Value> {
    let (mut terms, mut filters) = (Vec::new(), Vec::new());
    for list in lists {
        match list.terms.as_slice() {
            [term] => terms.push(word_term(term.dictionary, &term.text)),
            _ => filters.push(list.filter()),
        }
    }
    if !terms.is_empty() {
        filters.push(json!({ "terms": { field::WORDS: terms } }));
    }
    filters
}

fn has(wanted: &Term) -> Value {
    term(field::WORDS, word_term(wanted.dictionary, &wanted.text))
}

/// Products with the term, by its level as the boost says.
fn scored(term: &Term, boost: f32) -> Value {
    let value = word_term(term.dictionary, &term.text);
    json!({ "term": { field::WORDS: { "value": value, "boost": boost } } })
}

/// Products with a word that begins so, whatever its level.
fn is_begun(text: &str) -> Value {
    let dictionaries = [Dictionary::Words, Dictionary::Codes];
    any_of(dictionaries.map(|dictionary| begins(field::WORDS, &word_term(dictionary, text))).into())
}

fn begins(name: &str, text: &str) -> Value {
    json!({ "prefix": { name: { "value": text } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::{MAX_QUERY_WORDS, SearchRequest};
    use domain::{Currency, Language};

    use crate::near::Near;

    #[test]
    fn a_boost_tells_the_class_from_the_levels() {
        for words in 1..=MAX_QUERY_WORDS {
            let ranking = Ranking { words };
            for tier in [Tier::TwoTypos, Tier::OneTypo, Tier::Prefix, Tier::Exact] {
                assert!(ranking.class(tier).fract() == 0.0 && ranking.class(tier) >= 1.0, "{words} {tier:?}");
            }
            let spellings = [Spelling::Same, Spelling::Joined, Spelling::Synonym];
            for half_weights in
                spellings.map(Spelling::weight_factor).into_iter().chain([PHRASE_WEIGHT_FACTOR])
            {
                let each = ranking.word_weights(half_weights);
                assert!(each > 0.0 && each < 0.5, "{words} {half_weights}");
            }
        }
    }

    fn read(words: &str, near: impl Fn(usize) -> Vec<Near>) -> Read {
        let all = SearchRequest::all(Currency::USD);
        let request = SearchRequest { words: words.to_owned(), is_prefix_query: true, ..all };
        let mut read = Read::as_typed(&request, Language::English);
        for (at, word) in read.words.iter_mut().enumerate() {
            word.near = near(at);
        }
        read
    }

    /// What OpenSearch counts: parts that have no further ones.
    fn parts(query: &Value) -> usize {
        match query {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match name.as_str() {
                    "term" | "terms" | "prefix" | "match_phrase" | "match_all" => 1,
                    _ => parts(value),
                })
                .sum(),
            Value::Array(values) => values.iter().map(parts).sum(),
            _ => 0,
        }
    }

    #[test]
    fn the_longest_query_has_no_more_parts_than_are_allowed() {
        let word = |n: usize| format!("word{}", char::from(b'a' + n as u8 % 26)).repeat(1 + n / 26);
        let text: Vec<String> = (0..MAX_QUERY_WORDS).map(word).collect();
        let near = |n: usize| Near { text: format!("near{}", "x".repeat(n)), typos: 1 + u8::from(n > 9) };
        let read = read(&text.join(" "), |_| (0..50).map(near).collect());
        assert_eq!(read.words.len(), MAX_QUERY_WORDS);
        let query = words_query(&read, json!({ "match_all": {} }));
        assert!((MAX_SCORED_TERMS / 2..MAX_SCORED_TERMS + 100).contains(&parts(&query)), "{}", parts(&query));
    }

    #[test]
    fn a_word_near_in_two_forms_is_looked_for_once() {
        let near = |text: &str, typos| Near { text: text.to_owned(), typos };
        let read = read("printr", |_| vec![near("printer", 1), near("printers", 2)]);
        let lists = lists(&read.words[0]);
        let lists = lists.iter().filter(|list| list.tier < Tier::Exact);
        let typos: Vec<(Tier, &str)> = lists.map(|list| (list.tier, list.terms[0].text.as_str())).collect();
        assert_eq!(typos, [(Tier::OneTypo, "printer")]);
    }
}
