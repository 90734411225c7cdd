//! The words of a query, and the terms that each of them matches.

use std::ops::Range;

use domain::Language;
use domain::search::{MatchMode, SearchRequest, Synonym};

use crate::analysis::{INCH, has_digit, query_signs, query_words};
use crate::cjk::{self, is_cjk};
use crate::closed_compounds::{ending_term, has_ending};
use crate::dictionary::Dictionary;
pub use crate::dictionary::Term;
use crate::forms::normal_form;
use crate::kinds::{QueryRole, brand_term, is_thing_first, kind_term, may_name, query_roles};
use crate::operators::Operators;
use crate::pairs::for_each_pair;
use crate::score::Spelling;
use crate::signs::is_conjunction;
use crate::typed_form::TypedForm;
use crate::typos::{Pattern, typos_allowed};

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
    /// Its relation to the thing that the query names.
    pub role: QueryRole,
    /// True if it is part of a phrase in quotation marks, which products must have: it has no typos and is never optional.
    pub is_quoted: bool,
    /// The language whose normal forms apply.
    pub language: Language,
    /// The terms that match it without typos and not as a prefix. One alternative is enough.
    pub alternatives: Vec<Alternative>,
    /// The test whether a product has it as typed, to order equal matches; `None` if the word has one form only.
    pub typed_form: Option<TypedForm>,
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

impl Term {
    /// Returns the term that every product with any form of this word has.
    fn normalized(word: &str, language: Language) -> Self {
        let (dictionary, form) = normal_form(word, language);
        Self { dictionary, text: form.into_owned() }
    }

    /// Returns the term of two adjacent words of a product that this word joins.
    pub(crate) fn joined_pair(word: &str, language: Language) -> Self {
        Self { dictionary: Dictionary::Pairs, text: normal_form(word, language).1.into_owned() }
    }
}

impl Alternative {
    pub(crate) fn one(term: Term, spelling: Spelling) -> Self {
        Self { terms: vec![term], is_phrase: false, spelling }
    }

    /// Returns the alternative of products that have a word in their sku only, where it is a code; `None` if this is not a single word.
    fn in_sku(&self) -> Option<Self> {
        match self.terms.as_slice() {
            [Term { dictionary: Dictionary::Words, text }] => {
                let term = Term { dictionary: Dictionary::Codes, text: text.clone() };
                Some(Self { terms: vec![term], ..self.clone() })
            }
            _ => None,
        }
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
        let in_sku = alternative.in_sku();
        [alternative].into_iter().filter(|own| !own.terms.is_empty()).chain(in_sku).collect()
    }
}

/// Returns initials without their dots: `elf` for `e.l.f`.
fn initials(word: &str) -> Option<String> {
    let is_initials = word.contains('.') && word.split('.').all(|part| part.len() == 1 && part != "x");
    let letters = word.replace('.', "");
    (is_initials && letters.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(letters)
}

/// Returns the alternative of a product that writes the letters and digits of a code apart: `RTX 4070 Ti` for `rtx4070ti`. Each part
/// must be adjacent to the next one. Returns `None` for two parts, which the term of the pair covers.
fn split(word: &str, language: Language) -> Option<Alternative> {
    if !word.is_ascii() || !has_digit(word) {
        return None;
    }
    let is_alike = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
    let parts: Vec<&str> =
        word.as_bytes().chunk_by(is_alike).filter_map(|part| str::from_utf8(part).ok()).collect();
    let is_code =
        (3..=MAX_CODE_PARTS).contains(&parts.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| {
        let terms = parts.windows(2).map(|pair| Term::joined_pair(&pair.concat(), language));
        Alternative { terms: terms.collect(), is_phrase: false, spelling: Spelling::Joined }
    })
}

/// Returns true for a measure of numbers only: `8x25`.
fn is_measure(word: &str) -> bool {
    word.contains('x')
        && word.split('x').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the alternative of a product that writes the letter of a measure apart: `M 8 x 25` for `m8x25`.
fn letter_apart(word: &str, language: Language) -> Option<Alternative> {
    let (letter, measure) = word.split_at_checked(1)?;
    (letter.as_bytes()[0].is_ascii_lowercase() && is_measure(measure)).then(|| {
        let terms = [measure, letter].into_iter().map(|part| Term::normalized(part, language)).collect();
        Alternative { terms, is_phrase: false, spelling: Spelling::Joined }
    })
}

/// The most parts of a code that products may write apart.
const MAX_CODE_PARTS: usize = 6;
/// The most words of a query that products may write as one.
const MAX_JOINED_WORDS: usize = 4;

/// Lets `in` after a number mean inches as well.
fn add_inches(words: &mut [Word], language: Language) {
    for at in 1..words.len() {
        let is_number = words[at - 1].text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && words[at].text == "in" {
            words[at].add(Alternative::one(Term::normalized(INCH, language), Spelling::Same));
        }
    }
}

/// Adds to each word the alternative that a product writes it and its neighbours as one: `rtx 4070 ti` and `RTX4070Ti`, `d i y` and
/// `DIY`. Two words are a pair. Three or four are joined only if some of them, but not all, are numbers, or if each has one character.
fn add_rows(words: &mut [Word], language: Language) {
    let is_number = |word: &Word| word.text.bytes().all(|byte| byte.is_ascii_digit());
    let may_join = |word: &Word| is_number(word) || word.text.bytes().all(|byte| byte.is_ascii_lowercase());
    for at in 1..words.len() {
        let (letters, measure) = (&words[at - 1].text, &words[at].text);
        if letters.len() == 1 && may_join(&words[at - 1]) && is_measure(measure) {
            let whole = Term::normalized(&format!("{letters}{measure}"), language);
            let alternative = Alternative::one(whole, Spelling::Joined);
            words[at - 1..=at].iter_mut().for_each(|word| word.add(alternative.clone()));
        }
    }
    for length in 3..=MAX_JOINED_WORDS {
        for start in 0..(words.len() + 1).saturating_sub(length) {
            let row = &words[start..start + length];
            let is_row = row.iter().all(may_join)
                && (row.iter().any(is_number) != row.iter().all(is_number)
                    || row.iter().all(|word| word.text.len() == 1));
            let whole: String = row.iter().map(|word| word.text.as_str()).collect();
            if is_row && whole.len() <= MAX_ROW_BYTES {
                let alternative = Alternative::one(Term::normalized(&whole, language), Spelling::Joined);
                words[start..start + length].iter_mut().for_each(|word| word.add(alternative.clone()));
            }
        }
    }
}

/// The most bytes of words that are joined.
const MAX_ROW_BYTES: usize = 40;

fn terms_of_run(run: &str) -> impl Iterator<Item = Term> {
    cjk::bigrams(run).map(|bigram| Term { dictionary: Dictionary::of_word(bigram), text: bigram.to_owned() })
}

impl Word {
    /// Creates the word at `span` of a query.
    pub(crate) fn new(text: String, span: Range<usize>, query: &str, language: Language) -> Self {
        let typed_form = query.get(span.clone()).and_then(|typed| TypedForm::new(&text, typed, language));
        let joined = |text: &str| Alternative::one(Term::joined_pair(text, language), Spelling::Joined);
        let alternatives = if is_cjk(&text) {
            let spellings = cjk::spellings(&text);
            let alternatives = spellings.iter().map(|run| Alternative::run(run, Spelling::Same));
            alternatives.chain(spellings.iter().map(|run| joined(run))).collect()
        } else {
            let same = Alternative::one(Term::normalized(&text, language), Spelling::Same);
            let initials = initials(&text)
                .map(|word| Alternative::one(Term::normalized(&word, language), Spelling::Joined));
            let in_sku = same.in_sku();
            let ending = ending_term(&text, language).map(|term| Alternative::one(term, Spelling::Joined));
            [same]
                .into_iter()
                .chain(in_sku)
                .chain(initials)
                .chain(ending)
                .chain(letter_apart(&text, language))
                .chain([joined(&text)])
                .chain(split(&text, language))
                .collect()
        };
        let role = QueryRole::Thing;
        Self { text, span, is_prefix: false, is_quoted: false, role, language, alternatives, typed_form }
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
    /// The kinds that the query may ask for. Products of them score higher.
    pub kinds: Vec<Kind>,
}

/// A word that may name the kind of thing that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The term of the products of this kind.
    pub term: Term,
    /// The index of the word in [`Query::words`].
    pub word: usize,
    /// The factor of the weight: 2 for the thing that the query names, 1 for the word before it, which may be the thing as well:
    /// `lamp red`. In languages that put the thing first, it is the word after it.
    pub factor: u8,
}

impl Kind {
    /// Returns the terms whose document frequencies decide whether the word names a kind, see [`names_kind`](crate::kinds::names_kind):
    /// of the kind, of brands, and of the word itself.
    pub fn counted_terms(word: &str, language: Language) -> [Term; 3] {
        [kind_term(word, language), brand_term(word, language), Term::normalized(word, language)]
    }

    /// Returns the kind with a corrected word.
    pub fn corrected(&self, word: &str, language: Language) -> Self {
        Self { term: kind_term(word, language), ..self.clone() }
    }
}

/// Returns the kinds that the words of a query may name: those of the last two words that can name a thing or, in languages that
/// put the thing first, of the first two.
fn kinds(words: &[Word], language: Language) -> Vec<Kind> {
    let may_name = |at: &usize| words[*at].role != QueryRole::Aside && may_name(&words[*at].text, language);
    let mut named: Vec<usize> = (0..words.len()).filter(may_name).collect();
    if !is_thing_first(language) {
        named.reverse();
    }
    let kind =
        |(factor, at): (u8, usize)| Kind { term: kind_term(&words[at].text, language), word: at, factor };
    [2, 1].into_iter().zip(named).map(kind).collect()
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
        let operators = Operators::of(request);
        let text = &operators.plain;
        let mut found: Vec<Word> = Vec::new();
        for (word, span) in query_words(text).into_iter().take(MAX_WORDS) {
            found.push(Word::new(word, span, text, language));
        }
        let mut pairs = Vec::new();
        if found.is_empty() {
            let signs = query_signs(text).into_iter().take(MAX_WORDS);
            found.extend(signs.map(|(sign, span)| Word::new(sign, span, text, language)));
        }
        for_each_pair(text, language, |pair, span| {
            for word in
                found.iter_mut().filter(|word| span.start <= word.span.start && word.span.end <= span.end)
            {
                word.add(Alternative::one(Term::normalized(pair, language), Spelling::Joined));
            }
            pairs.push((Term::joined_pair(pair, language), span));
        });
        add_rows(&mut found, language);
        add_inches(&mut found, language);
        for synonym in &request.tuning.synonyms {
            add_synonym(&mut found, synonym, language);
        }
        for word in &mut found {
            let is_in =
                |phrase: &Range<usize>| phrase.start <= word.span.start && word.span.end <= phrase.end;
            word.is_quoted = operators.phrases.iter().any(is_in);
        }
        if let Some(last) = found.last_mut() {
            // The beginning of the last word in a run is unknown, so the run cannot be a prefix.
            last.is_prefix = request.match_mode != MatchMode::Any && !last.is_quoted && !is_cjk(&last.text);
        }
        let roles = query_roles(text, language);
        for word in &mut found {
            let role = roles.iter().find(|(span, _)| *span == word.span);
            word.role = role.map_or(QueryRole::Modifier, |(_, role)| *role);
        }
        without_conjunctions(&mut found, language);
        without_stop_words(&mut found, &request.tuning.stop_words, language);
        let words = distinct(found);
        let phrase = |(term, span): (Term, Range<usize>)| {
            let first = words.iter().position(|word| word.span.start == span.start)?;
            let second = words.iter().position(|word| word.span.end == span.end)?;
            Some(Phrase { term, first, second })
        };
        let phrases = pairs.into_iter().filter_map(phrase).collect();
        let kinds = kinds(&words, language);
        Self { words, phrases, kinds }
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

/// Removes the words that mean the same as `&`, which is not a word of a query: `salt and pepper`. Keeps the first and the last
/// word, which may mean something else, such as the beginning of a longer word.
fn without_conjunctions(words: &mut Vec<Word>, language: Language) {
    let last = words.len().saturating_sub(1);
    let mut at = 0;
    words.retain(|word| {
        let is_between = at > 0 && at < last;
        at += 1;
        !(is_between && is_conjunction(&word.text, language))
    });
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
            Some(known) => {
                known.is_quoted |= word.is_quoted;
                word.alternatives.into_iter().for_each(|alternative| known.add(alternative));
            }
            None => words.push(word),
        }
    }
    words
}

impl Word {
    /// Returns true if the word may have typos.
    pub fn may_have_typos(&self) -> bool {
        !self.is_quoted && typos_allowed(&self.text) > 0
    }

    /// Returns the pattern of the words that match it with typos; `None` if it may have none.
    pub fn pattern(&self) -> Option<Pattern> {
        if self.is_quoted { None } else { Pattern::for_word(&self.text) }
    }

    /// Returns true if a word of a product is this word in any of its forms.
    pub(crate) fn is_form(&self, word: &str) -> bool {
        normal_form(word, self.language).1 == normal_form(&self.text, self.language).1
    }

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
            || self.ends_compound(word)
    }

    /// Returns true if a word of a product is a compound that ends with this word.
    fn ends_compound(&self, word: &str) -> bool {
        let own = ending_term(&self.text, self.language);
        own.is_some_and(|own| has_ending(word, self.language, |ending| ending == own.text))
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
        if has_digit(word) { None } else { self.pattern()?.typos(word) }
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
