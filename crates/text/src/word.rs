//! A word of a query, and the words of products that match it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use domain::Language;

use crate::alternatives::{Alternative, initials, letter_apart, split};
use crate::analysis::has_digit;
use crate::cjk::{self, is_cjk};
use crate::closed_compounds::{ending_term, has_ending};
use crate::dictionary::{Dictionary, Term};
use crate::forms::normal_form;
use crate::kinds::QueryRole;
use crate::misspelt::{self, Misspelt};
use crate::pairs::without_decimals;
use crate::score::Spelling;
use crate::typed_form::TypedForm;
use crate::typos::typos_allowed;
use crate::units::spelt_out;

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
    /// True if it is the unit of the number before it, which has no typos.
    pub(crate) is_unit: bool,
    /// The language whose normal forms apply.
    pub language: Language,
    /// The alternatives that match it without typos and not as a prefix. A product needs one of them.
    pub alternatives: Vec<Alternative>,
    /// The test whether a product has it as typed, to order equal matches; `None` if the word has one form only.
    pub typed_form: Option<TypedForm>,
    /// The normal forms of the other words of the query. The word, if it is misspelt, stands for none of them.
    pub other_forms: Arc<[String]>,
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
            let initials = initials(&text).map(|word| {
                [Alternative::one(Term::normalized(&word, language), Spelling::Joined), joined(&word)]
            });
            let in_sku = same.in_sku();
            let ending = ending_term(&text, language).map(|term| Alternative::one(term, Spelling::Joined));
            [same]
                .into_iter()
                .chain(in_sku)
                .chain(initials.into_iter().flatten())
                .chain(ending)
                .chain(letter_apart(&text, language))
                .chain([joined(&text)])
                .chain(split(&text, language))
                .collect()
        };
        let role = QueryRole::Thing;
        let other_forms = Arc::default();
        Self {
            text,
            span,
            is_prefix: false,
            is_quoted: false,
            is_unit: false,
            role,
            language,
            alternatives,
            typed_form,
            other_forms,
        }
    }

    /// Returns the factor of the weight of a match with this spelling. A short word counts half of a long one.
    pub fn weight_factor(&self, spelling: Spelling) -> u8 {
        let is_short = self.text.chars().count() <= MAX_SHORT_CHARS;
        if is_short && !has_digit(&self.text) && !is_cjk(&self.text) { 1 } else { spelling.weight_factor() }
    }

    /// Adds an alternative, unless another one has the same terms.
    pub(crate) fn add(&mut self, alternative: Alternative) {
        if !self.alternatives.iter().any(|known| known.terms == alternative.terms) {
            self.alternatives.push(alternative);
        }
    }

    /// Returns true if the word may have typos.
    pub fn may_have_typos(&self) -> bool {
        !self.is_quoted && !self.is_unit && typos_allowed(&self.text) > 0
    }

    /// Returns the forms of the word from which its typos are counted, see [`Misspelt`].
    pub fn misspelt_forms(&self) -> impl Iterator<Item = Cow<'_, str>> {
        misspelt::forms(&self.text, self.language)
    }

    /// Returns the word prepared for counting the typos between it and words of products; `None` if it may have none.
    pub fn misspelt(&self) -> Option<Misspelt> {
        if self.is_quoted || self.is_unit {
            None
        } else {
            Misspelt::new(&self.text, &self.other_forms, self.language)
        }
    }

    /// Returns true if a word of a product is this word in any of its forms.
    pub(crate) fn is_form(&self, word: &str) -> bool {
        normal_form(word, self.language).1 == normal_form(&self.text, self.language).1
            || self.is_unit && spelt_out(&self.text) == Some(word)
    }

    /// Returns true if a word of a product is a term of any alternative: another form of this word, this word joined with its
    /// neighbour, a synonym, or a compound that ends with this word.
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

    /// Returns true if adjacent words of a product, written as one, match this word: `head phones` for `headphones`, `usb 3.0` for `usb3`.
    pub fn matches_pair(&self, pair: &str) -> bool {
        let term = Term::joined_pair(pair, self.language);
        let is_pair = |text: &str| text == pair || without_decimals(pair) == Some(text);
        let mut terms = self.alternatives.iter().flat_map(|alternative| &alternative.terms);
        terms.any(|own| *own == term || (own.dictionary == Dictionary::Pairs && is_pair(&own.text)))
    }
}
