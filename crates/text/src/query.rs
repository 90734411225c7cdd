//! The words of a query, and which words of a product each of them finds.

use std::ops::Range;

use domain::Language;
use domain::search::{MatchMode, SearchRequest, Synonym};

use crate::analysis::{has_digit, query_words};
use crate::cjk::{self, is_cjk};
use crate::dictionary::Dictionary;
use crate::forms::normal_form;
use crate::score::Spelling;
use crate::typos::{Pattern, typos_allowed};
use crate::weights::for_each_pair;

/// The most words of a query that count. More come only from long texts in scripts without spaces.
const MAX_WORDS: usize = domain::search::MAX_QUERY_WORDS;
/// Words of so few letters are found nearly everywhere. Zipf (*The Psycho-Biology of Language*, 1935): the more a word
/// is used, the shorter it is. Its length stands in for its rarity, which would make scores depend on other products.
const MAX_SHORT_CHARS: usize = 3;

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, folded.
    pub text: String,
    /// Its place in the query, in bytes.
    pub span: Range<usize>,
    /// Whether it also counts as a beginning.
    pub is_prefix: bool,
    /// Whose forms of a word are one.
    pub language: Language,
    /// What must be in a product, in one way or another, so that it is found without typos, as itself.
    pub alternatives: Vec<Alternative>,
}

/// One way to find a word: terms that must all be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// The terms; there is at least one. The first one tells what finding them is worth.
    pub terms: Vec<Term>,
    /// Whether they are the pairs of characters of one run, next to each other and in this order.
    pub is_phrase: bool,
    /// How this differs from what was typed.
    pub spelling: Spelling,
}

/// A term of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Where it stands.
    pub dictionary: Dictionary,
    /// The folded word.
    pub text: String,
}

impl Term {
    /// The term that every product with this word, in whichever form, has.
    fn normalized(word: &str, language: Language) -> Self {
        let (dictionary, base) = normal_form(word, language);
        Self { dictionary, text: base.into_owned() }
    }

    /// The term of neighbours that are written as one in the query.
    fn joined_pair(word: &str, language: Language) -> Self {
        Self { dictionary: Dictionary::Pairs, text: normal_form(word, language).1.into_owned() }
    }
}

impl Alternative {
    fn one(term: Term, spelling: Spelling) -> Self {
        Self { terms: vec![term], is_phrase: false, spelling }
    }

    /// A run of a script without spaces: its pairs of characters, next to each other.
    fn run(run: &str, spelling: Spelling) -> Self {
        let terms: Vec<Term> = terms_of_run(run).collect();
        Self { is_phrase: terms.len() > 1, terms, spelling }
    }

    /// The ways to find a text that stands for what was typed.
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

    /// How many half levels each level counts of what is spelt so. A short word says less than a long one.
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

/// What the words of a search look for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The words: each once, the last one also when it came before; those that the shop wants ignored only where there
    /// are no others.
    pub words: Vec<Word>,
    /// Words that follow each other, as products have them that are neighbours there too. They need not be found.
    pub phrases: Vec<Phrase>,
}

/// Two words of a query that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// What a product has in which they are neighbours.
    pub term: Term,
    /// The place of the first one among the words of the query.
    pub first: usize,
    /// The place of the second one among the words of the query.
    pub second: usize,
}

impl Phrase {
    /// The same with other words in place of those that were misspelt.
    pub fn corrected(&self, first: &str, second: &str, language: Language) -> Self {
        Self { term: Term::joined_pair(&format!("{first}{second}"), language), ..self.clone() }
    }
}

impl Query {
    /// Reads the words of a search in products of a language, with what the shop decided about them.
    pub fn new(request: &SearchRequest, language: Language) -> Self {
        let text = &request.words;
        let mut found: Vec<Word> = Vec::new();
        for (word, at) in query_words(text).into_iter().take(MAX_WORDS) {
            found.push(Word::new(word, at, language));
        }
        let mut pairs = Vec::new();
        for_each_pair(text, |pair, at| {
            for word in found.iter_mut().filter(|word| at.start <= word.span.start && word.span.end <= at.end)
            {
                word.add(Alternative::one(Term::normalized(pair, language), Spelling::Joined));
            }
            pairs.push((Term::joined_pair(pair, language), at));
        });
        for synonym in &request.tuning.synonyms {
            add_synonym(&mut found, synonym, language);
        }
        if let Some(last) = found.last_mut() {
            // Where a word of a run ends, nobody knows.
            last.is_prefix = request.match_mode != MatchMode::Any && !is_cjk(&last.text);
        }
        without_stop_words(&mut found, &request.tuning.stop_words, language);
        let words = distinct(found);
        let phrase = |(term, at): (Term, Range<usize>)| {
            let first = words.iter().position(|word| word.span.start == at.start)?;
            let second = words.iter().position(|word| word.span.end == at.end)?;
            Some(Phrase { term, first, second })
        };
        let phrases = pairs.into_iter().filter_map(phrase).collect();
        Self { words, phrases }
    }
}

/// Each word of the synonym's place in the query is also found as what stands for all of them.
fn add_synonym(words: &mut [Word], synonym: &Synonym, language: Language) {
    let term = |word: &str| Term::normalized(word, language);
    let from: Vec<Term> = query_words(&synonym.from).iter().map(|(word, _)| term(word)).collect();
    if from.is_empty() {
        return;
    }
    let alternatives: Vec<Alternative> =
        synonym.to.iter().flat_map(|to| Alternative::synonyms(to, language)).collect();
    let is_here = |part: &[Word]| part.iter().zip(&from).all(|(word, from)| term(&word.text) == *from);
    let places: Vec<usize> =
        (0..words.len()).filter(|at| words[*at..].len() >= from.len() && is_here(&words[*at..])).collect();
    for word in places.into_iter().flat_map(|at| at..at + from.len()) {
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

/// So many words are tried to be left out one after the other; then only the most telling one must be found.
pub const MAX_RELAXED_WORDS: usize = 6;

/// The words of a query in the order in which they need not be found where few products have all of them: the one that
/// the most products have first, of several the last one. `found` says how many products have each.
pub fn most_frequent_first(found: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_unstable_by_key(|at| std::cmp::Reverse((found[*at], *at)));
    order
}

impl Word {
    /// Whether a product with this word has what is looked for, without any typo.
    pub fn matches_without_typos(&self, word: &str) -> bool {
        self.matches_exactly(word) || (self.is_prefix && word.starts_with(&self.text))
    }

    /// Whether a word of a product is this one or a part of what stands for it: in another form, written together with
    /// its neighbour, a synonym.
    pub fn matches_exactly(&self, word: &str) -> bool {
        let term = Term::normalized(word, self.language);
        let mut terms = self.alternatives.iter().flat_map(|alternative| &alternative.terms);
        terms.any(|own| *own == term || (own.dictionary == Dictionary::of_word(word) && own.text == word))
    }

    /// Whether two neighbours of a product, written as one, are this word.
    pub fn matches_pair(&self, pair: &str) -> bool {
        let term = Term::joined_pair(pair, self.language);
        let mut terms = self.alternatives.iter().flat_map(|alternative| &alternative.terms);
        terms.any(|own| *own == term || (own.dictionary == Dictionary::Pairs && own.text == pair))
    }

    /// Whether a word of a product is one that this one finds.
    pub fn matches(&self, word: &str) -> bool {
        self.matches_without_typos(word) || self.typos(word).is_some()
    }

    /// How many typos lie between this word and another, when it may have so many.
    pub fn typos(&self, word: &str) -> Option<u8> {
        let allowed = typos_allowed(&self.text);
        if allowed == 0 || has_digit(word) {
            return None;
        }
        Pattern::new(&self.text, allowed)?.typos(word)
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
    fn what_most_products_have_tells_least() {
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
        let half_weights: Vec<u8> = found.iter().map(|word| word.weight_factor(Spelling::Same)).collect();
        assert_eq!(half_weights, [1, 1, 2, 2, 2, 2]);
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
