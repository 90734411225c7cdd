//! Converts the words of a query to one OpenSearch query with the scores of [`text::score`].
//!
//! A product may match a word in several ways, each with a class and the weight of the word in that product. The boost
//! of a term encodes both: the field's similarity scores the integral part for the class, plus the fraction times the
//! weight.

use domain::Language;
use serde_json::{Value, json};
use text::dictionary::Dictionary;
use text::forms::normal_form;
use text::query::{Alternative, Kind, Term};
use text::relaxing::is_scored_when_optional;
use text::score::{
    PHRASE_WEIGHT_FACTOR, STEP, Spelling, Tier, class_steps, every_word_steps, is_weighted,
    steps_per_scaled_weight, typed_form_steps,
};
use text::typed_form::TypedForm;
use text::weights::MAX_WEIGHT;

use crate::layout::schema::field;
use crate::layout::terms::{prefix_term, word_term};
use crate::search::query_dsl::{all_of, any_of, best_of, constant_score, prefix, term};
use crate::search::words::{QueryWord, QueryWords};

/// The most terms of all words together that are scored by their weights; further terms score as the lowest weight.
/// OpenSearch allows 1,024 clauses in a query.
const MAX_SCORED_TERMS: usize = 600;

/// One way in which a product may match a word, other than by a prefix.
struct WordMatch {
    tier: Tier,
    /// The factor of the weight of the first term.
    weight_factor: u8,
    /// Terms that a product must all have.
    terms: Vec<Term>,
    /// True if the terms are the pairs of a CJK run, which must be adjacent.
    is_phrase: bool,
}

/// The scale of scores, which depends on the number of words.
struct ScoreScale {
    words: usize,
}

/// Returns the query for products with every required word, or with at least one word if none is required, scored by
/// how well they match. `added_score` matches all products and adds to their scores. There must be words.
pub(super) fn words_query(query: &QueryWords, added_score: Value) -> Value {
    let scale = ScoreScale { words: query.words.len() };
    let (mut must, mut should) = (Vec::new(), Vec::new());
    let optional = &query.interpretation.optional;
    let is_scored =
        |at: usize| !optional.contains(&(at as u8)) || is_scored_when_optional(&query.words[at].word);
    for (position, word) in query.words.iter().enumerate().filter(|(at, _)| is_scored(*at)) {
        let clauses = if word.is_required { &mut must } else { &mut should };
        clauses.push(scale.word(word, position));
    }
    if must.is_empty() {
        must.push(any_of(std::mem::take(&mut should)));
    }
    must.push(added_score);
    if !query.interpretation.optional.is_empty() {
        should.push(constant_score(&has_every_word(query), scale.every_word()));
    }
    // Phrases, kinds and forms only affect the order.
    let phrases = query.phrases().filter(|phrase| is_weighted(phrase.second));
    should.extend(phrases.map(|phrase| scored_term(&phrase.term, scale.per_weight(PHRASE_WEIGHT_FACTOR))));
    should.extend(query.kinds().map(|kind| scored_term(&kind.term, scale.per_weight(kind.factor))));
    let scored = query.words.iter().enumerate().filter(|(at, _)| is_scored(*at));
    should.extend(scored.filter_map(|(at, word)| scale.typed_form(word, at)));
    json!({ "bool": { "must": must, "should": should } })
}

/// Returns the filters for the products that have each term of [`Kind::counted_terms`].
pub(super) fn has_kind_terms(word: &str, language: Language) -> [Value; Kind::COUNTED_TERMS] {
    Kind::counted_terms(word, language).each_ref().map(has_term)
}

/// Returns the filter for products with every word, including the optional ones.
pub(super) fn has_every_word(query: &QueryWords) -> Value {
    all_of(query.words.iter().map(has_word).collect())
}

/// Returns the filter for products with the word exactly.
pub(super) fn has_exact_word(word: &QueryWord) -> Value {
    any_of(filters_of(word_matches(word).iter().filter(|way| way.tier == Tier::Exact)))
}

/// Returns the filter for products that match the word in any way.
pub(super) fn has_word(word: &QueryWord) -> Value {
    let mut filters = filters_of(word_matches(word).iter());
    if word.is_prefix() {
        filters.push(has_prefix(&word.word.text));
    }
    any_of(filters)
}

/// Returns the filter for products that match one of the alternatives.
pub(super) fn has_alternative(alternatives: &[Alternative]) -> Value {
    if alternatives.is_empty() {
        return json!({ "match_none": {} });
    }
    let ways: Vec<WordMatch> = alternatives.iter().map(|own| WordMatch::of_alternative(own, 1)).collect();
    any_of(filters_of(ways.iter()))
}

impl ScoreScale {
    /// Returns the query for products with the word, scored by the best way in which they match.
    fn word(&self, word: &QueryWord, position: usize) -> Value {
        let per_weight =
            |weight_factor| if is_weighted(position) { self.per_weight(weight_factor) } else { 0.0 };
        let mut scored = word_matches(word);
        let mut free_terms = MAX_SCORED_TERMS / self.words;
        let fitting = scored.iter().take_while(|way| {
            let fits = way.terms.len() <= free_terms;
            free_terms = free_terms.saturating_sub(way.terms.len());
            fits
        });
        let rest = scored.split_off(fitting.count());
        let score = |way: &WordMatch| way.scored(self.class(way.tier) + per_weight(way.weight_factor));
        let mut queries: Vec<Value> = scored.iter().map(score).collect();
        for ways in rest.chunk_by(|a, b| a.tier == b.tier) {
            let lowest = self.class(ways[0].tier) + per_weight(1);
            queries.push(constant_score(&any_of(filters_of(ways.iter())), lowest));
        }
        if word.is_prefix() {
            let (text, class) = (&word.word.text, self.class(Tier::Prefix));
            if is_weighted(position) {
                let per_weight = self.per_weight(word.word.weight_factor(Spelling::Same));
                queries.extend((1..=MAX_WEIGHT).map(|weight| {
                    let filter = prefix(field::PREFIXES, &prefix_term(weight, text));
                    constant_score(&filter, class + f32::from(weight) * per_weight)
                }));
            } else {
                queries.push(constant_score(&has_prefix(text), class));
            }
        }
        best_of(&queries)
    }

    /// Returns the query for products that have the word exactly and as typed.
    fn typed_form(&self, word: &QueryWord, position: usize) -> Option<Value> {
        let steps = typed_form_steps(position, self.words);
        let typed = match word.word.typed_form.as_ref().filter(|_| steps > 0)? {
            TypedForm::Marked(marker) => has_term(marker),
            TypedForm::Unmarked(marker) => {
                json!({ "bool": { "filter": [has_exact_word(word)], "must_not": [has_term(marker)] } })
            }
        };
        Some(constant_score(&typed, steps as f32 * STEP))
    }

    /// Returns the score of a match of this tier, without its weight: an integer.
    fn class(&self, tier: Tier) -> f32 {
        class_steps(tier.points(self.words)) as f32 * STEP
    }

    /// Returns the score of having every word when some are optional: an integer.
    fn every_word(&self) -> f32 {
        every_word_steps(self.words) as f32 * STEP
    }

    /// Returns the score per unit of weight: a fraction.
    fn per_weight(&self, weight_factor: u8) -> f32 {
        (u32::from(weight_factor) * steps_per_scaled_weight(self.words)) as f32 * STEP
    }
}

/// Returns the ways to match a word, except as a prefix, best first.
fn word_matches(query_word: &QueryWord) -> Vec<WordMatch> {
    let word = &query_word.word;
    let exact = word
        .alternatives
        .iter()
        .map(|alternative| WordMatch::of_alternative(alternative, word.weight_factor(alternative.spelling)));
    let mut ways: Vec<WordMatch> = exact.collect();
    for candidate in &query_word.candidates {
        let (dictionary, text) = normal_form(&candidate.text, word.language);
        let terms = vec![Term { dictionary, text: text.into_owned() }];
        // Two candidates may have the same normal form.
        if ways.iter().all(|way| way.tier == Tier::Exact || way.terms != terms) {
            let tier = if candidate.typos == 1 { Tier::OneTypo } else { Tier::TwoTypos };
            let weight_factor = word.weight_factor(Spelling::Same);
            ways.push(WordMatch { tier, weight_factor, terms, is_phrase: false });
        }
    }
    ways
}

impl WordMatch {
    fn of_alternative(alternative: &Alternative, weight_factor: u8) -> Self {
        let Alternative { terms, is_phrase, .. } = alternative.clone();
        Self { tier: Tier::Exact, weight_factor, terms, is_phrase }
    }

    /// Returns the filter for products with all terms.
    fn filter(&self) -> Value {
        if self.is_phrase { self.phrase() } else { all_of(self.terms.iter().map(has_term).collect()) }
    }

    /// Returns the query for products with all terms, scored by the first term.
    fn scored(&self, boost: f32) -> Value {
        match self.terms.as_slice() {
            [] => json!({ "match_none": {} }),
            [term] => scored_term(term, boost),
            [first, others @ ..] => {
                let filter =
                    if self.is_phrase { vec![self.phrase()] } else { others.iter().map(has_term).collect() };
                json!({ "bool": { "must": [scored_term(first, boost)], "filter": filter } })
            }
        }
    }

    /// Returns the filter for products with the pairs of a CJK run, adjacent and in order. The field's analyser splits
    /// at spaces only, and pairs contain none.
    fn phrase(&self) -> Value {
        let pairs: Vec<&str> = self.terms.iter().map(|term| term.text.as_str()).collect();
        json!({ "match_phrase": { field::CJK_BIGRAMS: { "query": pairs.join(" ") } } })
    }
}

/// Returns one filter for all single terms, and one for each way that has several terms.
fn filters_of<'a>(ways: impl Iterator<Item = &'a WordMatch>) -> Vec<Value> {
    let (mut terms, mut filters) = (Vec::new(), Vec::new());
    for way in ways {
        match way.terms.as_slice() {
            [term] => terms.push(word_term(term.dictionary, &term.text)),
            _ => filters.push(way.filter()),
        }
    }
    if !terms.is_empty() {
        filters.push(json!({ "terms": { field::WORDS: terms } }));
    }
    filters
}

fn has_term(wanted: &Term) -> Value {
    term(field::WORDS, word_term(wanted.dictionary, &wanted.text))
}

/// Returns the query for products with the term. The boost encodes the class and the score per unit of weight.
fn scored_term(term: &Term, boost: f32) -> Value {
    let value = word_term(term.dictionary, &term.text);
    json!({ "term": { field::WORDS: { "value": value, "boost": boost } } })
}

/// Returns the filter for products with a word that has this prefix.
fn has_prefix(text: &str) -> Value {
    let dictionaries = [Dictionary::Words, Dictionary::Codes];
    any_of(dictionaries.map(|dictionary| prefix(field::WORDS, &word_term(dictionary, text))).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::{MAX_QUERY_WORDS, SearchRequest};
    use domain::{Currency, Language};

    use crate::search::spelling::SpellingCandidate;

    #[test]
    fn a_boost_tells_the_class_from_the_weights() {
        for words in 1..=MAX_QUERY_WORDS {
            let scale = ScoreScale { words };
            for tier in [Tier::TwoTypos, Tier::OneTypo, Tier::Prefix, Tier::Exact] {
                assert!(scale.class(tier).fract() == 0.0 && scale.class(tier) >= 1.0, "{words} {tier:?}");
            }
            let spellings = [Spelling::Same, Spelling::Joined, Spelling::Synonym];
            for weight_factor in
                spellings.map(Spelling::weight_factor).into_iter().chain([PHRASE_WEIGHT_FACTOR])
            {
                let per_weight = scale.per_weight(weight_factor);
                assert!(per_weight > 0.0 && per_weight < 0.5, "{words} {weight_factor}");
            }
        }
    }

    fn query(words: &str, candidates: impl Fn(usize) -> Vec<SpellingCandidate>) -> QueryWords {
        let all = SearchRequest::all(Currency::USD);
        let request = SearchRequest { words: words.to_owned(), is_prefix_query: true, ..all };
        let mut query = QueryWords::as_typed(&request, Language::English);
        for (at, word) in query.words.iter_mut().enumerate() {
            word.candidates = candidates(at);
        }
        query
    }

    /// Counts the clauses of a query as OpenSearch does: those without clauses of their own.
    fn clauses(query: &Value) -> usize {
        match query {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match name.as_str() {
                    "term" | "terms" | "prefix" | "match_phrase" | "match_all" => 1,
                    _ => clauses(value),
                })
                .sum(),
            Value::Array(values) => values.iter().map(clauses).sum(),
            _ => 0,
        }
    }

    #[test]
    fn the_longest_query_has_no_more_clauses_than_are_allowed() {
        let word = |n: usize| format!("word{}", char::from(b'a' + n as u8 % 26)).repeat(1 + n / 26);
        let text: Vec<String> = (0..MAX_QUERY_WORDS).map(word).collect();
        let candidate = |n: usize| SpellingCandidate {
            text: format!("near{}", "x".repeat(n)),
            typos: 1 + u8::from(n > 9),
        };
        let query = query(&text.join(" "), |_| (0..50).map(candidate).collect());
        assert_eq!(query.words.len(), MAX_QUERY_WORDS);
        let clauses = clauses(&words_query(&query, json!({ "match_all": {} })));
        assert!((MAX_SCORED_TERMS / 2..MAX_SCORED_TERMS + 100).contains(&clauses), "{clauses}");
    }

    #[test]
    fn a_candidate_in_two_forms_is_looked_for_once() {
        let candidate = |text: &str, typos| SpellingCandidate { text: text.to_owned(), typos };
        let query = query("printr", |_| vec![candidate("printer", 1), candidate("printers", 2)]);
        let ways = word_matches(&query.words[0]);
        let ways = ways.iter().filter(|way| way.tier < Tier::Exact);
        let typos: Vec<(Tier, &str)> = ways.map(|way| (way.tier, way.terms[0].text.as_str())).collect();
        assert_eq!(typos, [(Tier::OneTypo, "printer")]);
    }
}
