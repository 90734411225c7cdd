//! Explains the products of one search.

use domain::search::{MAX_BOOST, SearchRequest, Sort};
use domain::{Content, Language, Product};

use super::explanation::{Explanation, KindMatch, MatchKind, PhraseMatch, WordMatch};
use super::fields::for_each_field;
use super::locator::Locator;
use super::sums::choose_summands;
use crate::cjk::is_cjk;
use crate::dictionary::Dictionary;
use crate::field_weights::FieldWeights;
use crate::forms::normal_form;
use crate::misspelt::Misspelt;
use crate::operand::{Operand, Operands};
use crate::query::{Alternative, Kind, Phrase, Query, Term, Word};
use crate::relaxing::is_scored_when_optional;
use crate::score::{
    MAX_SCALED_PHRASE_WEIGHT, MAX_SCALED_WEIGHT, PHRASE_WEIGHT_FACTOR, STEP, Spelling, UNBOOSTED_STEPS,
    boost_steps, class_steps, every_word_steps, is_weighted, steps_per_scaled_weight, typed_form_steps,
};
use crate::terms::Terms;
use crate::typed_form::TypedForm;
use crate::weights::Weigher;

/// Explains the products of one search.
pub struct Explainer<'a> {
    request: &'a SearchRequest,
    query: Query,
    operands: Operands,
    misspelt: Vec<Option<Misspelt>>,
    weigher: Weigher,
    language: Language,
}

impl<'a> Explainer<'a> {
    /// Creates an explainer for a search in an index with these weights.
    pub fn new(request: &'a SearchRequest, language: Language, weights: FieldWeights) -> Self {
        let query = Query::new(request, language);
        let operands = Operands::new(request, language);
        let misspelt = query.words.iter().map(Word::misspelt).collect();
        let weigher = Weigher::new(language).with_weights(weights);
        Self { request, query, operands, misspelt, weigher, language }
    }

    /// Returns the operands that exclude a product, as typed: excluded ones that it has (`true`), and required phrases that it lacks
    /// (`false`).
    pub fn excluding_operands(&mut self, content: &Content) -> Vec<(String, bool)> {
        if self.operands.is_empty() {
            return Vec::new();
        }
        let terms = Terms::new(content, &mut self.weigher);
        let has = |operand: &&Operand| operand.is_in(content, &terms);
        let excluded = self.operands.excluded.iter().filter(has).map(|operand| (operand, true));
        let lacking = self.operands.required.iter().filter(|operand| !has(operand));
        let excluding = excluded.chain(lacking.map(|operand| (operand, false)));
        excluding.map(|(operand, has)| (self.typed(operand), has)).collect()
    }

    fn typed(&self, operand: &Operand) -> String {
        self.request.words.get(operand.span.clone()).unwrap_or_default().to_owned()
    }

    /// Explains a product, given the score that an index gave it. Without a score, or if no combination adds up to it, it returns
    /// the likeliest matches. It ignores the score of a pinned product.
    pub fn explain(&mut self, product: &Product, score: Option<f32>) -> Explanation {
        let terms = Terms::new(&product.content, &mut self.weigher);
        let words: Vec<Vec<Candidate>> =
            (0..self.query.words.len()).map(|index| self.candidates(index, &terms)).collect();
        let phrases = self.query.phrases.iter().map(|phrase| self.phrase_steps(phrase, &words, &terms));
        let kinds = self.query.kinds.iter().map(|kind| self.kind_steps(kind, &words, &terms));
        let phrase_and_kind_steps: Vec<Vec<u32>> = phrases.chain(kinds).collect();
        let (base, boost) = self.base_and_boost(&product.content);
        let tuning = &self.request.tuning;
        let is_pinned = self.request.sort == Sort::Relevance
            && tuning.pinned.contains(&product.id)
            && !tuning.hidden.contains(&product.id);
        let steps: Vec<Vec<u32>> = words
            .iter()
            .map(|candidates| candidates.iter().map(|candidate| candidate.steps).collect())
            .chain(phrase_and_kind_steps)
            .collect();
        let target = score.filter(|_| !is_pinned).map(|score| (score / STEP).round() as i64);
        let target = target.map(|target| target - i64::from(base) - i64::from(boost));
        let add_up = |every_word: u32| {
            let target = target.and_then(|target| u32::try_from(target - i64::from(every_word)).ok());
            target.and_then(|target| choose_summands(&steps, target))
        };
        // A product gets these steps only if it has every word and some words are optional, which depends on the index.
        let every_word = every_word_steps(words.len());
        let has_every_word = |chosen: &Vec<usize>| {
            let candidates = chosen.iter().zip(&words);
            let mut kinds = candidates.map(|(candidate_index, candidates)| candidates[*candidate_index].kind);
            words.len() > 1 && kinds.all(|kind| kind != MatchKind::Missing)
        };
        let (chosen, every_word) = match add_up(every_word).filter(has_every_word) {
            Some(chosen) => (chosen, every_word),
            None => (add_up(0).unwrap_or_else(|| vec![0; steps.len()]), 0),
        };
        let chosen_steps: Vec<u32> =
            chosen.iter().zip(&steps).map(|(candidate_index, steps)| steps[*candidate_index]).collect();
        let (phrase_steps, kind_steps) = chosen_steps[words.len()..].split_at(self.query.phrases.len());
        let matches = chosen.iter().zip(&words).enumerate();
        Explanation {
            base: score_of(base + every_word),
            words: matches
                .map(|(index, (candidate_index, candidates))| {
                    self.word_match(index, &candidates[*candidate_index], &product.content)
                })
                .collect(),
            phrases: self
                .query
                .phrases
                .iter()
                .zip(phrase_steps)
                .filter_map(|(phrase, steps)| self.phrase_match(phrase, *steps))
                .collect(),
            kinds: self
                .query
                .kinds
                .iter()
                .zip(kind_steps)
                .filter_map(|(kind, steps)| self.kind_match(kind, *steps))
                .collect(),
            required: self.operands.required.iter().map(|operand| self.typed(operand)).collect(),
            excluded: self.operands.excluded.iter().map(|operand| self.typed(operand)).collect(),
            boost: boost as f32 * STEP,
            is_pinned,
        }
    }

    fn base_and_boost(&self, content: &Content) -> (u32, i32) {
        let boosts = &self.request.tuning.boosts;
        if self.query.words.is_empty() && boosts.is_empty() {
            return (0, 0);
        }
        let currency = self.request.currency;
        let passing = boosts.iter().filter(|boost| boost.filters.failed_by(content, currency).is_empty());
        let max_boost = boost_steps(MAX_BOOST);
        let boost = passing.map(|boost| boost_steps(boost.by)).fold(0, i32::saturating_add);
        (UNBOOSTED_STEPS, boost.clamp(-max_boost, max_boost))
    }

    /// Returns the possible matches of a word, the likeliest first.
    fn candidates(&self, index: usize, terms: &Terms) -> Vec<Candidate> {
        let word = &self.query.words[index];
        let candidate = |kind: MatchKind, weight: u8, spelling: Spelling| {
            let scaled_weight =
                weight.saturating_mul(word.weight_factor(spelling)).clamp(1, MAX_SCALED_WEIGHT);
            Candidate { kind, weight, steps: self.steps(index, kind, u32::from(scaled_weight)) }
        };
        let exact_match = |alternative: &Alternative| {
            let kind = match alternative.spelling {
                Spelling::Same => MatchKind::Exact,
                Spelling::Joined => MatchKind::Joined,
                Spelling::Synonym => MatchKind::Synonym,
            };
            Some(candidate(kind, terms.weight(alternative)?, alternative.spelling))
        };
        // Among equals, the first alternative is the closest to the typed word; `max_by_key` returns the last.
        let exact =
            word.alternatives.iter().rev().filter_map(exact_match).max_by_key(|candidate| candidate.steps);
        let missing = Candidate { kind: MatchKind::Missing, weight: 0, steps: 0 };
        if let Some(exact) = exact {
            let steps = exact.steps + self.typed_form_steps(index, terms);
            let exact = Candidate { steps, ..exact };
            // An optional function word adds nothing to the score, even if the product has it.
            return if is_scored_when_optional(word) { vec![exact] } else { vec![exact, missing] };
        }
        let prefix =
            prefix_weight(word, terms).map(|weight| candidate(MatchKind::Beginning, weight, Spelling::Same));
        let typo = self.misspelt[index].as_ref().and_then(|misspelt| nearest(misspelt, terms, self.language));
        let typo = typo.map(|(kind, weight)| candidate(kind, weight, Spelling::Same));
        prefix.into_iter().chain(typo).chain([missing]).collect()
    }

    /// Returns the steps that the product gets for having the word as typed; 0 if it has another form.
    fn typed_form_steps(&self, index: usize, terms: &Terms) -> u32 {
        let is_typed = match &self.query.words[index].typed_form {
            Some(TypedForm::Marked(marker)) => terms.weight_of(marker).is_some(),
            Some(TypedForm::Unmarked(marker)) => terms.weight_of(marker).is_none(),
            None => false,
        };
        if is_typed { typed_form_steps(index, self.query.words.len()) } else { 0 }
    }

    fn steps(&self, index: usize, kind: MatchKind, scaled_weight: u32) -> u32 {
        let words = self.query.words.len();
        let Some(tier) = kind.tier() else { return 0 };
        let scaled_weight = if is_weighted(index) { scaled_weight } else { 0 };
        class_steps(tier.points(words)) + scaled_weight * steps_per_scaled_weight(words)
    }

    /// Returns the possible steps of a phrase: with corrected words, as typed, or 0 if the product does not have it.
    fn phrase_steps(&self, phrase: &Phrase, words: &[Vec<Candidate>], terms: &Terms) -> Vec<u32> {
        let steps = |term: &Term| {
            let weight = terms.weight_of(term)?;
            let scaled_weight =
                weight.saturating_mul(PHRASE_WEIGHT_FACTOR).clamp(1, MAX_SCALED_PHRASE_WEIGHT);
            let scaled_weight = if is_weighted(phrase.second) { u32::from(scaled_weight) } else { 0 };
            Some(scaled_weight * steps_per_scaled_weight(self.query.words.len()))
        };
        let meant_word = |index: usize| self.meant(index, &words[index], terms);
        let corrected = meant_word(phrase.first)
            .zip(meant_word(phrase.second))
            .map(|(first, second)| phrase.corrected(first, second, self.language).term);
        let mut all: Vec<u32> = corrected.iter().chain([&phrase.term]).filter_map(steps).chain([0]).collect();
        all.dedup();
        // With one candidate per word, the first value is certain.
        let is_certain = [phrase.first, phrase.second].iter().all(|index| words[*index].len() == 1);
        all.truncate(if is_certain { 1 } else { all.len() });
        all
    }

    /// Returns the word that the query probably means by a word: the nearest word of the product if the likeliest match has typos,
    /// otherwise the word as typed.
    fn meant<'b>(&'b self, index: usize, candidates: &[Candidate], terms: &'b Terms) -> Option<&'b str> {
        match candidates.first()?.kind {
            MatchKind::OneTypo | MatchKind::TwoTypos => nearest_text(self.misspelt[index].as_ref()?, terms),
            _ => Some(self.query.words[index].text.as_str()),
        }
    }

    /// Returns the possible steps of a kind: with a corrected word, as typed, or 0 if the word names no kind in the catalogue.
    fn kind_steps(&self, kind: &Kind, words: &[Vec<Candidate>], terms: &Terms) -> Vec<u32> {
        let steps = |term: &Term| {
            let weight = u32::from(terms.weight_of(term)?) * u32::from(kind.factor);
            Some(weight * steps_per_scaled_weight(self.query.words.len()))
        };
        let meant = self.meant(kind.word, &words[kind.word], terms);
        let corrected = meant.map(|word| kind.corrected(word, self.language).term);
        let mut all: Vec<u32> = corrected.iter().chain([&kind.term]).filter_map(steps).chain([0]).collect();
        all.dedup();
        all
    }

    fn kind_match(&self, kind: &Kind, steps: u32) -> Option<KindMatch> {
        let word = self.request.words.get(self.query.words[kind.word].span.clone())?.to_owned();
        (steps > 0).then(|| KindMatch { word, score: score_of(steps) })
    }

    fn phrase_match(&self, phrase: &Phrase, steps: u32) -> Option<PhraseMatch> {
        let (first, last) = (&self.query.words[phrase.first], &self.query.words[phrase.second]);
        let words = self.request.words.get(first.span.start..last.span.end)?;
        (steps > 0).then(|| PhraseMatch { words: words.to_owned(), score: score_of(steps) })
    }

    fn word_match(&self, index: usize, candidate: &Candidate, content: &Content) -> WordMatch {
        let word = &self.query.words[index];
        let mut locator = Locator {
            word,
            kind: candidate.kind,
            misspelt: self.misspelt[index].as_ref(),
            has_typed_word: false,
        };
        let (mut fields, mut matched_text) = (Vec::<String>::new(), None);
        for_each_field(content, |field, text| {
            let Some(located) = locator.locate(field, text) else { return };
            matched_text.get_or_insert(located);
            let field = field.to_string();
            if fields.last() != Some(&field) {
                fields.push(field);
            }
        });
        let has_typed_word = locator.has_typed_word || is_cjk(&word.text);
        let kind = match candidate.kind {
            MatchKind::Exact if !has_typed_word => MatchKind::OtherForm,
            kind => kind,
        };
        WordMatch {
            word: self.request.words.get(word.span.clone()).unwrap_or(&word.text).to_owned(),
            kind,
            matched_text: matched_text.filter(|_| kind != MatchKind::Exact),
            fields,
            weight: candidate.weight,
            score: score_of(candidate.steps),
        }
    }
}

fn score_of(steps: u32) -> f32 {
    steps as f32 * STEP
}

/// A possible match of a word.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    kind: MatchKind,
    weight: u8,
    steps: u32,
}

/// Returns the highest weight of the words that begin with the query word, if that is a prefix.
fn prefix_weight(word: &Word, terms: &Terms) -> Option<u8> {
    let begins = |term: &Term| {
        matches!(term.dictionary, Dictionary::Words | Dictionary::Codes)
            && term.text.len() > word.text.len()
            && term.text.starts_with(&word.text)
    };
    terms.iter().filter(|(term, _)| word.is_prefix && begins(term)).map(|(_, weight)| weight).max()
}

/// Returns the words that a misspelt word may stand for, each after the number of its typos.
fn typo_matches<'a>(misspelt: &'a Misspelt, terms: &'a Terms) -> impl Iterator<Item = (u8, &'a str)> {
    let words = terms.iter().filter(|(term, _)| term.dictionary == Dictionary::Words);
    words.filter_map(|(term, _)| Some((misspelt.typos(&term.text).filter(|typos| *typos > 0)?, &*term.text)))
}

fn nearest_text<'a>(misspelt: &'a Misspelt, terms: &'a Terms) -> Option<&'a str> {
    typo_matches(misspelt, terms).min().map(|(_, text)| text)
}

/// Returns the kind and weight of the match with the fewest typos; among equals the highest weight.
fn nearest(misspelt: &Misspelt, terms: &Terms, language: Language) -> Option<(MatchKind, u8)> {
    let fewest = typo_matches(misspelt, terms).map(|(typos, _)| typos).min()?;
    let weight = |text: &str| {
        let (dictionary, form) = normal_form(text, language);
        let term = Term { dictionary, text: form.into_owned() };
        terms
            .weight_of(&term)
            .or_else(|| terms.weight_of(&Term { dictionary: Dictionary::Words, text: text.to_owned() }))
    };
    let nearest = typo_matches(misspelt, terms).filter(|(typos, _)| *typos == fewest);
    let weight = nearest.filter_map(|(_, text)| weight(text)).max()?;
    Some((if fewest == 1 { MatchKind::OneTypo } else { MatchKind::TwoTypos }, weight))
}
