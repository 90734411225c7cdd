//! The words of a query, and the terms that each of them matches.

use std::ops::Range;

use domain::Language;
use domain::search::{MatchMode, SearchRequest, Synonym};

use crate::analysis::{has_digit, query_words};
use crate::cjk::{self, is_cjk};
use crate::dictionary::Dictionary;
use crate::forms::normal_form;
use crate::pairs::for_each_pair;
use crate::score::Spelling;
use crate::typos::Pattern;

/// The most words of a query; the rest is ignored. Only long texts in scripts without spaces have more.
const MAX_WORDS: usize = domain::search::MAX_QUERY_WORDS;
/// The most characters of a short word. Short words occur in many products: frequent words are short (Zipf, *The
/// Psycho-Biology of Language*, 1935). Length stands in for rarity, which would make scores depend on other products.
const MAX_SHORT_CHARS: usize = 3;

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The folded word.
    pub text: String,
    /// Its bytes in the query.
    pub span: Range<usize>,
    /// True if it also matches as a prefix: the last word of a query.
    pub is_prefix: bool,
    /// The language whose normal forms apply.
    pub language: Language,
    /// The terms that match it without typos and not as a prefix. One alternative is enough.
    pub alternatives: Vec<Alternative>,
}

/// Terms that match a word together: a product must have all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// The terms, at least one. The first one determines the weight.
    pub terms: Vec<Term>,
    /// True if they are the bigrams of one run, which must be adjacent and in this order.
    pub is_phrase: bool,
    /// The difference from the typed word.
    pub spelling: Spelling,
}

/// A term of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Its dictionary.
    pub dictionary: Dictionary,
    /// The folded word.
    pub text: String,
}

impl Term {
    /// Returns the term that every product with any form of this word has.
    fn normalized(word: &str, language: Language) -> Self {
        let (dictionary, form) = normal_form(word, language);
        Self { dictionary, text: form.into_owned() }
    }

    /// Returns the term of two adjacent words of a product that this word joins.
    fn joined_pair(word: &str, language: Language) -> Self {
        Self { dictionary: Dictionary::Pairs, text: normal_form(word, language).1.into_owned() }
    }
}

impl Alternative {
    fn one(term: Term, spelling: Spelling) -> Self {
        Self { terms: vec![term], is_phrase: false, spelling }
    }

    /// Returns the alternative of a run: its bigrams, adjacent and in order.
    fn run(run: &str, spelling: Spelling) -> Self {
        let terms: Vec<Term> = terms_of_run(run).collect();
        Self { is_phrase: terms.len() > 1, terms, spelling }
    }

    /// Returns the alternatives of a synonym.
    fn synonyms(text: &str, language: Language) -> Vec<Self> {
        let words = query_words(text);
        if let [(run, _)] = words.as_slice()
            && is_cjk(run)
        {
            return cjk::spellings(run).iter().map(|run| Self::run(run, Spelling::Synonym)).collect();
        }
        let mut terms = Vec::new();
        for (word, _) in words.into_iter().take(MAX_WORDS) {
            match is_cjk(&word) {
                true => cjk::spellings(&word).iter().take(1).for_each(|run| terms.extend(terms_of_run(run))),
                false => terms.push(Term::normalized(&word, language)),
            }
        }
        let alternative = Self { terms, is_phrase: false, spelling: Spelling::Synonym };
        (!alternative.terms.is_empty()).then_some(alternative).into_iter().collect()
    }
}

fn terms_of_run(run: &str) -> impl Iterator<Item = Term> {
    cjk::bigrams(run).map(|bigram| Term { dictionary: Dictionary::of_word(bigram), text: bigram.to_owned() })
}

impl Word {
    fn new(text: String, span: Range<usize>, language: Language) -> Self {
        let joined = |text: &str| Alternative::one(Term::joined_pair(text, language), Spelling::Joined);
        let alternatives = if is_cjk(&text) {
            let spellings = cjk::spellings(&text);
            let alternatives = spellings.iter().map(|run| Alternative::run(run, Spelling::Same));
            alternatives.chain(spellings.iter().map(|run| joined(run))).collect()
        } else {
            vec![Alternative::one(Term::normalized(&text, language), Spelling::Same), joined(&text)]
        };
        Self { text, span, is_prefix: false, language, alternatives }
    }

    /// Returns the factor of the weight of a match with this spelling. A short word counts half of a long one.
    pub fn weight_factor(&self, spelling: Spelling) -> u8 {
        let is_short = self.text.chars().count() <= MAX_SHORT_CHARS;
        if is_short && !has_digit(&self.text) && !is_cjk(&self.text) { 1 } else { spelling.weight_factor() }
    }

    fn add(&mut self, alternative: Alternative) {
        if !self.alternatives.iter().any(|known| known.terms == alternative.terms) {
            self.alternatives.push(alternative);
        }
    }
}

/// The words and phrases of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The words, each once, except that the last one is kept even if it occurred before. Stop words are removed unless there
    /// are no others.
    pub words: Vec<Word>,
    /// Adjacent words. Products in which they are adjacent too score higher; matching them is optional.
    pub phrases: Vec<Phrase>,
}

/// Two adjacent words of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The term of products in which the words are adjacent.
    pub term: Term,
    /// The index of the first word in [`Query::words`].
    pub first: usize,
    /// The index of the second word in [`Query::words`].
    pub second: usize,
}

impl Phrase {
    /// Returns the phrase with corrected words.
    pub fn corrected(&self, first: &str, second: &str, language: Language) -> Self {
        Self { term: Term::joined_pair(&format!("{first}{second}"), language), ..self.clone() }
    }
}

impl Query {
    /// Creates the query of a search, with the shop's synonyms and stop words, in the language of the products.
    pub fn new(request: &SearchRequest, language: Language) -> Self {
        let text = &request.words;
        let mut found: Vec<Word> = Vec::new();
        for (word, span) in query_words(text).into_iter().take(MAX_WORDS) {
            found.push(Word::new(word, span, language));
        }
        let mut pairs = Vec::new();
        for_each_pair(text, |pair, span| {
            for word in
                found.iter_mut().filter(|word| span.start <= word.span.start && word.span.end <= span.end)
            {
                word.add(Alternative::one(Term::normalized(pair, language), Spelling::Joined));
            }
            pairs.push((Term::joined_pair(pair, language), span));
        });
        for synonym in &request.tuning.synonyms {
            add_synonym(&mut found, synonym, language);
        }
        if let Some(last) = found.last_mut() {
            // The beginning of the last word in a run is unknown, so the run cannot be a prefix.
            last.is_prefix = request.match_mode != MatchMode::Any && !is_cjk(&last.text);
        }
        without_stop_words(&mut found, &request.tuning.stop_words, language);
        let words = distinct(found);
        let phrase = |(term, span): (Term, Range<usize>)| {
            let first = words.iter().position(|word| word.span.start == span.start)?;
            let second = words.iter().position(|word| word.span.end == span.end)?;
            Some(Phrase { term, first, second })
        };
        let phrases = pairs.into_iter().filter_map(phrase).collect();
        Self { words, phrases }
    }
}

/// Adds the synonym's alternatives to each word of each occurrence of its `from` in the query.
fn add_synonym(words: &mut [Word], synonym: &Synonym, language: Language) {
    let term = |word: &str| Term::normalized(word, language);
    let from: Vec<Term> = query_words(&synonym.from).iter().map(|(word, _)| term(word)).collect();
    if from.is_empty() {
        return;
    }
    let alternatives: Vec<Alternative> =
        synonym.to.iter().flat_map(|to| Alternative::synonyms(to, language)).collect();
    let is_here = |part: &[Word]| part.iter().zip(&from).all(|(word, from)| term(&word.text) == *from);
    let starts: Vec<usize> =
        (0..words.len()).filter(|at| words[*at..].len() >= from.len() && is_here(&words[*at..])).collect();
    for word in starts.into_iter().flat_map(|at| at..at + from.len()) {
        alternatives.iter().for_each(|alternative| words[word].add(alternative.clone()));
    }
}

fn without_stop_words(words: &mut Vec<Word>, stop_words: &[String], language: Language) {
    let term = |word: &str| Term::normalized(word, language);
    let stop: Vec<Term> = stop_words.iter().map(|word| term(&crate::analysis::joined(word))).collect();
    let is_stop = |word: &Word| stop.contains(&term(&word.text));
    if words.iter().any(|word| !is_stop(word)) {
        words.retain(|word| !is_stop(word));
    }
}

fn distinct(found: Vec<Word>) -> Vec<Word> {
    let mut words = Vec::<Word>::with_capacity(found.len());
    for word in found {
        match words.iter_mut().find(|known| known.text == word.text && !word.is_prefix) {
            Some(known) => word.alternatives.into_iter().for_each(|alternative| known.add(alternative)),
            None => words.push(word),
        }
    }
    words
}

/// The most words that a search makes optional one by one. After that, only the rarest word must match.
pub const MAX_RELAXED_WORDS: usize = 6;

/// Returns the indices of the words in the order in which a search makes them optional when few products match them all: by
/// document frequency, highest first; among equals, the last word first.
pub fn most_frequent_first(document_frequencies: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..document_frequencies.len()).collect();
    order.sort_unstable_by_key(|at| std::cmp::Reverse((document_frequencies[*at], *at)));
    order
}

impl Word {
    /// Returns true if a word of a product matches exactly or by its prefix.
    pub fn matches_without_typos(&self, word: &str) -> bool {
        self.matches_exactly(word) || (self.is_prefix && word.starts_with(&self.text))
    }

    /// Returns true if a word of a product is a term of any alternative: another form of this word, this word joined with its
    /// neighbour, a synonym.
    pub fn matches_exactly(&self, word: &str) -> bool {
        let term = Term::normalized(word, self.language);
        let mut terms = self.alternatives.iter().flat_map(|alternative| &alternative.terms);
        terms.any(|own| *own == term || (own.dictionary == Dictionary::of_word(word) && own.text == word))
    }

    /// Returns true if two adjacent words of a product, written as one, are this word.
    pub fn matches_pair(&self, pair: &str) -> bool {
        let term = Term::joined_pair(pair, self.language);
        let mut terms = self.alternatives.iter().flat_map(|alternative| &alternative.terms);
        terms.any(|own| *own == term || (own.dictionary == Dictionary::Pairs && own.text == pair))
    }

    /// Returns true if a word of a product matches exactly, by its prefix, or with typos.
    pub fn matches(&self, word: &str) -> bool {
        self.matches_without_typos(word) || self.typos(word).is_some()
    }

    /// Returns the number of typos between this word and a word of a product; `None` if there are more than allowed.
    pub fn typos(&self, word: &str) -> Option<u8> {
        if has_digit(word) { None } else { Pattern::for_word(&self.text)?.typos(word) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::search::Tuning;

    fn words_in(language: Language, query: &str, tuning: Tuning) -> Vec<Word> {
        let request = SearchRequest { words: query.to_owned(), tuning, ..SearchRequest::all(Currency::USD) };
        Query::new(&request, language).words
    }

    fn words(query: &str, tuning: Tuning) -> Vec<Word> {
        words_in(Language::English, query, tuning)
    }

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn only_the_last_word_is_a_beginning_and_may_come_twice() {
        let words = words("Desk lamp, desk LAMP", Tuning::default());
        let texts: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.is_prefix)).collect();
        assert_eq!(texts, [("desk", false), ("lamp", false), ("lamp", true)]);
        assert!(words[2].matches("lampshade") && !words[1].matches("lampshade"));
        assert!(words[1].matches("lamb") && !words[1].matches("lam9"));
    }

    #[test]
    fn the_most_frequent_word_comes_first() {
        assert_eq!(most_frequent_first(&[5, 0, 2, 9, 2]), [3, 0, 4, 2, 1]);
    }

    #[test]
    fn a_word_is_found_in_either_number_and_written_with_its_neighbour() {
        let found = words("head phones 256 gb", Tuning::default());
        let alternatives = |word: &Word| -> Vec<(Dictionary, String)> {
            word.alternatives
                .iter()
                .flat_map(|alternative| &alternative.terms)
                .map(|term| (term.dictionary, term.text.clone()))
                .collect()
        };
        let term = |dictionary, text: &str| (dictionary, text.to_owned());
        assert_eq!(
            alternatives(&found[1]),
            [
                term(Dictionary::Words, "phone"),
                term(Dictionary::Pairs, "phone"),
                term(Dictionary::Words, "headphone"),
                term(Dictionary::Codes, "phones256"),
            ]
        );
        assert!(found[1].matches_exactly("phone") && found[1].matches_exactly("headphones"));
        assert!(found[2].matches_exactly("256gb") && !found[2].matches_exactly("2561"));
        let found = words("headphone", Tuning::default());
        assert!(found[0].matches_exactly("headphones") && found[0].matches_pair("headphone"));
    }

    #[test]
    fn a_short_word_counts_half() {
        let found = words("lg tv 4k ps5 mount テレビ", Tuning::default());
        let factors: Vec<u8> = found.iter().map(|word| word.weight_factor(Spelling::Same)).collect();
        assert_eq!(factors, [1, 1, 2, 2, 2, 2]);
        assert!(found.iter().all(|word| word.weight_factor(Spelling::Joined) == 1));
    }

    #[test]
    fn words_that_follow_each_other_are_phrases_also_when_they_are_corrected() {
        let request = SearchRequest {
            words: "red lasre printers x1000".to_owned(),
            ..SearchRequest::all(Currency::USD)
        };
        let phrases = Query::new(&request, Language::default()).phrases;
        let places: Vec<_> = phrases.iter().map(|phrase| (phrase.first, phrase.second)).collect();
        assert_eq!(places, [(0, 1), (1, 2)]);
        assert_eq!(phrases[1].term.text, "lasreprinter");
        let respelt = phrases[1].corrected("laser", "printers", Language::default());
        assert_eq!((respelt.term.text.as_str(), respelt.second), ("laserprinter", 2));
        assert_eq!(respelt.term.dictionary, Dictionary::Pairs);
    }

    #[test]
    fn a_synonym_stands_for_all_words_of_its_place() {
        let synonym = Synonym {
            from: "Cell phones".to_owned(),
            to: vec!["mobile".to_owned(), "smart handset".to_owned()],
        };
        let tuning = Tuning { synonyms: vec![synonym], ..Tuning::default() };
        let found = words("black cell phone", tuning.clone());
        let synonyms = |word: &Word| {
            word.alternatives.iter().filter(|alternative| alternative.spelling == Spelling::Synonym).count()
        };
        assert_eq!(found.iter().map(synonyms).collect::<Vec<_>>(), [0, 2, 2]);
        assert!(found[2].matches_exactly("mobiles") && found[2].matches_exactly("handset"));
        assert_eq!(words("phone cell", tuning).iter().map(synonyms).sum::<usize>(), 0);
    }

    #[test]
    fn stop_words_are_left_out_unless_they_are_all_there_is() {
        let tuning = Tuning { stop_words: vec!["for".to_owned(), "THE".to_owned()], ..Tuning::default() };
        assert_eq!(texts(&words("bag for the laptop", tuning.clone())), ["bag", "laptop"]);
        let last = words("laptop for", tuning.clone());
        assert!(texts(&last) == ["laptop"] && !last[0].is_prefix);
        assert_eq!(texts(&words("for the", tuning)), ["for", "the"]);
    }

    #[test]
    fn forms_of_a_word_are_those_of_the_language() {
        let found = words_in(Language::German, "schwarze Häuser 4k", Tuning::default());
        assert!(
            found[0].matches_exactly("schwarzer")
                && found[1].matches_exactly("haus")
                && found[2].matches_exactly("4k")
        );
        assert!(!found[1].matches_exactly("hausrat"));
        let lamps = &words_in(Language::German, "Stehlampen", Tuning::default())[0];
        assert!(lamps.matches_pair("stehlampe") && !lamps.matches_pair("lampe"));
        assert!(!words("Lampen", Tuning::default())[0].matches_exactly("lampe"));
    }

    #[test]
    fn a_run_is_a_phrase_of_its_pairs_also_as_a_synonym() {
        let texts = |alternative: &Alternative| {
            alternative.terms.iter().map(|term| term.text.clone()).collect::<Vec<_>>()
        };
        let synonym = |from: &str, to: &str| Synonym { from: from.to_owned(), to: vec![to.to_owned()] };
        let synonyms = vec![synonym("デジカメ", "デジタルカメラ"), synonym("本", "ノートPC")];
        let found = words("デジカメ 本", Tuning { synonyms, ..Tuning::default() });
        let phrases: Vec<_> =
            found[0].alternatives.iter().filter(|alternative| alternative.is_phrase).map(texts).collect();
        assert_eq!(phrases[0], ["デジ", "ジカ", "カメ"]);
        assert_eq!(phrases[1], ["デジ", "ジタ", "タル", "ルカ", "カメ", "メラ"]);
        let others: Vec<_> = found[1]
            .alternatives
            .iter()
            .map(|alternative| (texts(alternative), alternative.is_phrase))
            .collect();
        assert_eq!(others[0], (vec!["本".to_owned()], false));
        assert_eq!(others[2], (["ノー", "ート", "pc"].map(str::to_owned).into(), false));
    }
}
