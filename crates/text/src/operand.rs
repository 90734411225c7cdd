//! The words and phrases that the operators of a query require or leave out, see [`crate::operators`].

use std::ops::Range;

use domain::search::SearchRequest;
use domain::{Content, Language};

use crate::analysis::{Purpose, Token, query_words, tokens};
use crate::cjk::{is_cjk, spellings};
use crate::joins::is_measure;
use crate::neighbours::{attached, read_units};
use crate::operators::Operators;
use crate::pairs::for_each_pair;
use crate::product::for_each_text;
use crate::query::{Alternative, Term, Word};
use crate::score::Spelling;
use crate::signs::{is_conjunction, is_digits, is_number};
use crate::terms::Terms;
use crate::units::{is_unit, parts_of_size, without_zeros};

/// The most words of a phrase; the rest is ignored.
const MAX_PHRASE_WORDS: usize = 16;

/// A word or phrase that an operator requires or leaves out. It matches in all forms of its words, without typos, prefixes and
/// synonyms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// The bytes of the operand in the query, without its operator.
    pub span: Range<usize>,
    /// The terms of products that have it. One alternative is enough.
    pub alternatives: Vec<Alternative>,
    /// The words of a phrase, because terms alone do not show that words are adjacent; `None` for one word.
    pub sequence: Option<Sequence>,
}

/// Several words, adjacent and in this order in one text of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The terms that every product with the sequence has.
    pub terms: Alternative,
    words: Vec<Word>,
    /// The terms of numbers that are written together with their units, each with the position of its number.
    sizes: Vec<(usize, Term)>,
    language: Language,
}

/// The operands of a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operands {
    /// The phrases in quotation marks: products without them do not match.
    pub required: Vec<Operand>,
    /// The words and phrases after a minus: products with them do not match.
    pub excluded: Vec<Operand>,
}

impl Operands {
    /// Returns the operands of a search in products in a language.
    pub fn new(request: &SearchRequest, language: Language) -> Self {
        let Operators { phrases, excluded, .. } = Operators::of(request);
        let operands = |spans: Vec<Range<usize>>| {
            spans.into_iter().filter_map(|span| Operand::new(&request.words, span, language)).collect()
        };
        Self { required: operands(phrases), excluded: operands(excluded) }
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.required.is_empty() && self.excluded.is_empty()
    }
}

impl Operand {
    /// Creates the operand at a span of a query; `None` if it has no words.
    pub(crate) fn new(query: &str, span: Range<usize>, language: Language) -> Option<Self> {
        let text = &query[span.clone()];
        let words = with_sizes_apart(query_words(text));
        let mut words: Vec<Word> =
            words.into_iter().map(|(word, span)| Word::new(word, span, text, language)).collect();
        read_units(&mut words, text, language);
        if words.len() > 2 {
            let mut at = 0;
            let last = words.len() - 1;
            words.retain(|word| {
                at += 1;
                at == 1 || at > last || !is_conjunction(&word.text, language)
            });
        }
        words.truncate(MAX_PHRASE_WORDS);
        if words.len() < 2 {
            return Some(Self { span, alternatives: words.pop()?.alternatives, sequence: None });
        }
        // The term of a pair shows that two words are adjacent, but not all pairs of a text are terms.
        let mut alternatives = Vec::new();
        if words.len() == 2 {
            for_each_pair(text, language, |pair, _| {
                alternatives.push(Alternative::one(Term::joined_pair(pair, language), Spelling::Same));
            });
            alternatives.extend(with_unit_attached(&words[0], &words[1], language));
        }
        Some(Self { span, alternatives, sequence: Some(Sequence::new(words, language)) })
    }

    /// Returns true if a product has the word or phrase.
    pub(crate) fn is_in(&self, content: &Content, terms: &Terms) -> bool {
        self.alternatives.iter().any(|alternative| terms.weight(alternative).is_some())
            || self.sequence.as_ref().is_some_and(|sequence| sequence.is_in(content))
    }
}

/// Writes numbers apart from their units and without zeros at the end of decimals, `jug 2 l` for `jug 2.0l`, if there are words besides.
fn with_sizes_apart(words: Vec<(String, Range<usize>)>) -> Vec<(String, Range<usize>)> {
    let is_besides = |word: &str| !word.starts_with(|c: char| c.is_ascii_digit()) && !is_unit(word);
    if !words.iter().any(|(word, _)| is_besides(word)) {
        return words;
    }
    let mut apart = Vec::with_capacity(words.len() + 1);
    for (word, Range { start, end }) in words {
        if let Some((number, unit)) = parts_of_size(&word) {
            apart.push((number.to_owned(), start..end));
            apart.push((unit.to_owned(), end..end));
        } else {
            apart.push((word, start..end));
        }
    }
    for at in 1..apart.len() {
        let (number, _) = &apart[at - 1];
        if is_unit(&apart[at].0) && is_number(number) {
            let length = without_zeros(number).len();
            apart[at - 1].0.truncate(length);
        }
    }
    apart
}

/// Returns the alternative for products that write a number or a measure and its unit as one word: `5l` for `5 l`, `20x30cm` for
/// `20 x 30 cm`; `None` if the second word is no unit. A measure has terms for its numbers and for its unit, which have one span.
fn with_unit_attached(number: &Word, unit: &Word, language: Language) -> Option<Alternative> {
    if !unit.is_unit {
        return None;
    }
    if !is_measure(&number.text) {
        return Some(Alternative::one(attached(number, unit, language), Spelling::Same));
    }
    let terms = [number, unit].into_iter().filter_map(|word| word.alternatives.first());
    let terms = terms.flat_map(|alternative| alternative.terms.clone()).collect();
    Some(Alternative { terms, is_phrase: false, spelling: Spelling::Same })
}

impl Sequence {
    fn new(words: Vec<Word>, language: Language) -> Self {
        let pairs = words.iter().zip(words.iter().skip(1)).enumerate();
        let mut sizes: Vec<_> = pairs
            .filter(|(_, (number, unit))| unit.is_unit && !number.is_unit && !is_measure(&number.text))
            .map(|(at, (number, unit))| (at, attached(number, unit, language)))
            .collect();
        if 2 * sizes.len() == words.len() {
            // Without other words, no term would be required.
            sizes.clear();
        }
        let is_size = |at: usize| sizes.iter().any(|(number, _)| (*number..number + 2).contains(&at));
        let mut terms: Vec<Term> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            // Neither a run, which may have several spellings, nor a number that may be one word with its unit is required.
            if !is_cjk(&word.text) && !is_size(at) {
                // The first alternative is the word itself.
                terms.extend(word.alternatives.iter().take(1).flat_map(|own| own.terms.clone()));
            }
        }
        if terms.is_empty() {
            terms.extend(words[0].alternatives.iter().take(1).flat_map(|first| first.terms.clone()));
        }
        let terms = Alternative { terms, is_phrase: false, spelling: Spelling::Same };
        Self { terms, words, sizes, language }
    }

    /// Returns a cache key: sequences with equal keys occur in the same products.
    pub fn key(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Returns true if a text of a product has the words, adjacent and in order.
    pub fn is_in(&self, content: &Content) -> bool {
        let mut is_found = false;
        for_each_text(content, |text, _| is_found = is_found || self.is_in_text(text));
        is_found
    }

    fn is_in_text(&self, text: &str) -> bool {
        let mut places = Places::default();
        let mut is_known = vec![false; self.words.len()];
        // The whole word comes before its parts.
        let mut whole = (0..0, String::new());
        tokens(text, Purpose::Document, |token| {
            if let Token::Cjk(run) = &token {
                for (at, word) in self.words.iter().enumerate().filter(|(_, word)| is_cjk(&word.text)) {
                    for spelling in spellings(&word.text) {
                        run.find(&spelling).for_each(|span| {
                            is_known[at] = true;
                            places.0.push((span, Some(at..at + 1)));
                        });
                    }
                }
            }
            token.for_each_word(Purpose::Document, |form, span| {
                if is_conjunction(form, self.language) {
                    return;
                }
                if whole.0 != span {
                    whole = (span.clone(), form.to_owned());
                }
                places.0.push((span.clone(), None));
                if is_part_of_number(form, &whole.1) {
                    return;
                }
                let words = self.words.iter().enumerate();
                let one = words.filter(|(_, word)| !is_cjk(&word.text) && word.is_form(form));
                let size =
                    self.sizes.iter().filter(|(_, size)| Term::normalized(form, self.language) == *size);
                for found in one.map(|(at, _)| at..at + 1).chain(size.map(|(at, _)| *at..at + 2)) {
                    is_known[found.clone()].fill(true);
                    places.0.push((span.clone(), Some(found)));
                }
            });
        });
        if is_known.contains(&false) {
            return false;
        }
        places.0.sort_by_key(|(span, _)| span.start);
        places.0.iter().any(|(span, words)| {
            words.as_ref().is_some_and(|words| {
                words.start == 0 && places.continues(span.end, words.end, self.words.len())
            })
        })
    }
}

/// Returns true for a number that is a part of another one, as `5` is of `1.5` and of `5/8`, but not of `5.0`.
fn is_part_of_number(form: &str, whole: &str) -> bool {
    is_digits(form)
        && whole.contains(['.', '/'])
        && whole.starts_with(|c: char| c.is_ascii_digit())
        && without_zeros(whole) != form
}

/// The words of a text in order, each with the positions in the sequence that it may have. Forms of one word overlap.
#[derive(Default)]
struct Places(Vec<(Range<usize>, Option<Range<usize>>)>);

impl Places {
    /// Returns true if the words of the sequence from `next` on follow at `end` without other words between.
    fn continues(&self, end: usize, next: usize, length: usize) -> bool {
        if next == length {
            return true;
        }
        let first = self.0.partition_point(|(span, _)| span.start < end);
        let Some((nearest, _)) = self.0.get(first) else { return false };
        let adjacent = self.0[first..].iter().take_while(|(span, _)| span.start == nearest.start);
        let mut matching = adjacent.filter_map(|(span, words)| Some((span, words.as_ref()?)));
        matching.any(|(span, words)| words.start == next && self.continues(span.end, words.end, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Weigher;
    use domain::Currency;
    use domain::input::read_product;

    fn has(json: &str, phrase: &str) -> bool {
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let operand = Operand::new(phrase, 0..phrase.len(), Language::English).unwrap();
        let terms = Terms::new(&content, &mut Weigher::new(Language::English));
        let is_in = operand.is_in(&content, &terms);
        if let Some(sequence) = &operand.sequence
            && sequence.is_in(&content)
        {
            assert!(terms.weight(&sequence.terms).is_some(), "{phrase} in {json}");
        }
        is_in
    }

    #[test]
    fn the_words_of_a_phrase_are_adjacent_in_one_text() {
        let product = r#"{"name":"Running shoe, New Balance 574 (black)","brand":"Nike","tags":["air","max"],
            "description":"A long text that tells of many things before it says deep oak wood or RTX-4070 Ti, AB12 CD34."}"#;
        for phrase in [
            "new balance",
            "NEW balances",
            "new-balance",
            "balance 574",
            "new balance 574 black",
            "deep oak wood",
            "rtx 4070 ti",
            "ab12 cd34",
            "nike",
        ] {
            assert!(has(product, phrase), "{phrase}");
        }
        for phrase in [
            "balance new",
            "new 574",
            "air max",
            "nike air",
            "black nike",
            "oak deep",
            "shoe balance",
            "new balanc",
        ] {
            assert!(!has(product, phrase), "{phrase}");
        }
    }

    #[test]
    fn a_unit_in_a_phrase_has_every_notation() {
        for name in ["Box 20 pcs steel 60 W bulb", "Box 20 pieces steel 60 Watts bulb"] {
            let json = format!(r#"{{"name":"{name}"}}"#);
            for phrase in
                ["20 pcs steel", "20 pieces steel", "60 w bulb", "60 watt bulb", "20 pcs", "60 watts"]
            {
                assert!(has(&json, phrase), "{phrase} in {name}");
            }
            assert!(!has(&json, "60 volt bulb") && !has(&json, "20 watts"), "{name}");
        }
    }

    #[test]
    fn a_phrase_finds_a_unit_that_is_attached_to_its_number() {
        for (names, phrases) in [
            (["Shelf 20x30cm", "Shelf 20 x 30 cm"], ["20x30cm", "20 x 30 cm"]),
            (["Bolt M8x40mm", "Bolt M8 x 40 mm"], ["m8x40mm", "m8 x 40 mm"]),
            (["Bottle 5l", "Bottle 5 litres"], ["5l", "5 l"]),
            (["Disk 1TB", "Disk 1 TB"], ["1 tb", "1tb"]),
            (["Rope 10m red", "Rope 10 meters red"], ["rope 10 m", "rope 10 m red"]),
            (["Pan 28cm", "Pan 28 cm"], ["pan 28 cm", "pan 28cm"]),
            (["Jug 2 l", "Jug 2.0l"], ["jug 2.0 l", "jug 2.00l"]),
            (["Rice 1kg 5min", "Rice 1 kg 5 min"], ["rice 1 kg 5 min", "rice 1kg 5 min"]),
        ] {
            for name in names {
                let json = format!(r#"{{"name":"{name}"}}"#);
                assert!(phrases.iter().all(|phrase| has(&json, phrase)), "{phrases:?} in {name}");
                assert!(!has(&json, "20x30mm") && !has(&json, "5 ml") && !has(&json, "1 gb"), "{name}");
                assert!(!has(&json, "rope 10 red") && !has(&json, "pan 28 mm") && !has(&json, "1 kg 8 min"));
            }
        }
    }

    #[test]
    fn a_number_in_a_phrase_is_no_part_of_another_one() {
        for (name, right, wrong) in [
            ("Bottle 1.5 l", "1.5 l", "5 l"),
            ("Bottle 1,5 L steel", "1,5 l steel", "5 l steel"),
            ("Bolt 3/4 inch", "3/4 inch", "4 inch"),
            ("Bottle 5.0 l", "5 l", "0 l"),
        ] {
            let json = format!(r#"{{"name":"{name}"}}"#);
            assert!(has(&json, right), "{right} in {name}");
            assert!(!has(&json, wrong), "{wrong} in {name}");
        }
    }

    #[test]
    fn a_conjunction_and_signs_part_no_words() {
        assert!(has(r#"{"name":"Salt & pepper mill"}"#, "salt and pepper"));
        assert!(has(r#"{"name":"Salt and pepper mill"}"#, "salt pepper mill"));
        assert!(!has(r#"{"name":"Salt with pepper"}"#, "salt pepper"));
    }

    #[test]
    fn runs_of_scripts_without_spaces_are_words_of_a_phrase() {
        assert!(has(r#"{"name":"東京タワー 赤い 靴"}"#, "赤い 靴"));
        assert!(has(r#"{"name":"東京タワー 赤い 靴"}"#, "東京タワー"));
        assert!(!has(r#"{"name":"東京タワー 赤い 靴"}"#, "東京 靴"));
    }
}
