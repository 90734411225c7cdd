//! The kind of thing that a product is: a lamp is a lamp, and a bulb for a lamp is not.
//!
//! The narrowest categories of a product, its name and attributes such as `type` say what it is. The last word of a compound names the
//! thing, and words after `for` and `with` do not, see [`crate::compound`]. In languages that put the thing first, the first word names
//! it. Each such word is a term of its own in the index, so that a search can count the products of a kind: if enough of the products
//! that have the word `lamp` are lamps, then lamps rank above their accessories.

use std::ops::Range;

use domain::Language;

use crate::analysis::query_words;
use crate::compound::CompoundReader;
use crate::counting::is_counting_word;
use crate::dictionary::{Dictionary, Term};
use crate::forms::normal_form;
use crate::grammar::is_joining_word;
use crate::signs::conjunction;
use crate::units::is_only_unit;

/// Precedes a kind in [`Dictionary::Pairs`], where no pair begins with it.
const KIND_MARK: char = '=';
/// Precedes a word that names a group of kinds there.
const GROUP_MARK: char = '#';
/// Precedes a word of a brand there.
const BRAND_MARK: char = '@';
/// The fewest letters of a word that names a kind.
const MIN_LETTERS: usize = 2;

/// The certainty that a word names the kind of a product: the weight of its term. A category is worth only a little more than a
/// name, so that a product without a category does not rank below all that have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KindSource {
    /// A category level above the narrowest one, or one that names several things: `Pots & Pans`. The word does not change the ranking,
    /// but becomes optional later than others, see [`crate::relaxing`].
    Group = 1,
    /// An attribute such as `type`. In some catalogues it has variants of a thing: `type: over-ear`.
    Attribute = 7,
    /// A name. It also has words after the thing: colours, models, series.
    Name = 8,
    /// The narrowest level of a category.
    Label = 9,
}

impl KindSource {
    /// Returns the term of the products whose kind or group the word names, according to this source.
    pub(crate) fn term(self, word: &str, language: Language) -> Term {
        match self {
            Self::Group => group_term(word, language),
            Self::Attribute | Self::Name | Self::Label => kind_term(word, language),
        }
    }
}

/// Returns true if a word names a kind of things in a catalogue: of the products that have the word, at least three in ten are of
/// the kind, and at least as many as have the word in their brand.
pub fn names_kind(as_kind: u64, as_brand: u64, as_word: u64) -> bool {
    as_kind > 0 && as_kind >= as_brand && as_kind.saturating_mul(10) >= as_word.saturating_mul(3)
}

/// Returns the term of the products that are of the kind that a word names.
pub fn kind_term(word: &str, language: Language) -> Term {
    marked(KIND_MARK, word, language)
}

/// Returns the term of the products that belong to the group of kinds that a word names, and are not of a kind that it names.
pub fn group_term(word: &str, language: Language) -> Term {
    marked(GROUP_MARK, word, language)
}

/// Returns the term of the products whose brand has this word.
pub fn brand_term(word: &str, language: Language) -> Term {
    marked(BRAND_MARK, word, language)
}

fn marked(mark: char, word: &str, language: Language) -> Term {
    let form = normal_form(word, language).1;
    Term { dictionary: Dictionary::Pairs, text: format!("{mark}{form}") }
}

/// Returns true for a word that can name a thing.
pub(crate) fn may_name(word: &str, language: Language) -> bool {
    !is_counting_word(word, language)
        && !is_only_unit(word)
        && word.chars().nth(MIN_LETTERS - 1).is_some()
        && word.chars().all(char::is_alphabetic)
        && !is_joining_word(word, language)
}

/// Returns true if the level of a category names several things: `Pots & Pans`, `Ollas y sartenes`, `Sofas, Armchairs`. A product in
/// it is one of them, and the level does not say which.
pub(crate) fn names_several_things(level: &str, language: Language) -> bool {
    let is_and = |word: &str| word == "and" || word == conjunction(language);
    level.contains(['&', ',']) || query_words(level).iter().any(|(word, _)| is_and(word))
}

/// Returns true for a language that puts the thing before what describes it: `lampe de bureau`.
pub(crate) fn is_thing_first(language: Language) -> bool {
    matches!(
        language,
        Language::Arabic
            | Language::Catalan
            | Language::French
            | Language::Italian
            | Language::Portuguese
            | Language::Romanian
            | Language::Spanish
    )
}

/// The role of a word in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueryRole {
    /// It follows `for`, `with` and the like, or precedes `of`.
    Aside,
    /// It describes the thing: `laptop` in `laptop bag`.
    Modifier,
    /// It names the thing.
    Thing,
}

/// Returns the words of a query with their roles.
pub(crate) fn query_roles(text: &str, language: Language) -> Vec<(Range<usize>, QueryRole)> {
    let mut reader = CompoundReader::new(language);
    let mut roles = Vec::<(Range<usize>, QueryRole)>::new();
    let mut has_thing = false;
    for (word, span) in query_words(text) {
        let relation = reader.next(text, &word, &span, false);
        if let Some((_, before)) = roles.last_mut()
            && (relation.introduces_contents || relation.links_before)
        {
            *before = QueryRole::Aside;
        }
        if let Some((_, before)) = roles.last_mut()
            && relation.continues_name
            && *before == QueryRole::Thing
            && !relation.counts
            && !is_thing_first(language)
        {
            *before = if word == "of" { QueryRole::Aside } else { QueryRole::Modifier };
        }
        let may_name = !relation.counts && may_name(&word, language);
        let role = match (relation.is_linked, may_name) {
            (true, _) => QueryRole::Aside,
            (false, true) if !(has_thing && is_thing_first(language)) => QueryRole::Thing,
            (false, _) => QueryRole::Modifier,
        };
        has_thing |= role == QueryRole::Thing;
        roles.push((span, role));
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn things(text: &str, language: Language) -> Vec<&str> {
        let roles = query_roles(text, language).into_iter();
        roles.filter(|(_, role)| *role == QueryRole::Thing).map(|(span, _)| &text[span]).collect()
    }

    #[test]
    fn a_query_names_a_thing() {
        for (text, expected) in [
            ("laptop bag", vec!["bag"]),
            ("headphones with mic", vec!["headphones"]),
            ("set of 6 mugs", vec!["mugs"]),
            ("bike helmet for adults", vec!["helmet"]),
            ("t-shirt", vec!["shirt"]),
            ("lamp, red", vec!["lamp", "red"]),
            ("rtx 4070", vec!["rtx"]),
            ("for kids", vec!["kids"]),
            ("x", vec![]),
        ] {
            assert_eq!(things(text, Language::English), expected, "{text}");
        }
        for (language, text, thing) in [
            (Language::French, "lampe de bureau", "lampe"),
            (Language::German, "Schreibtisch Lampe", "Lampe"),
            (Language::German, "Lampe mit Schalter", "Lampe"),
            (Language::German, "Satz Tassen", "Tassen"),
            (Language::French, "jeu de société", "jeu"),
            (Language::Spanish, "juego de mesa", "juego"),
            (Language::English, "knife set with block", "knife"),
            (Language::English, "chips", "chips"),
            (Language::English, "headphones without mic", "headphones"),
            (Language::Turkish, "çocuklar için kulaklık", "kulaklık"),
            (Language::Finnish, "lapsia varten kuulokkeet", "kuulokkeet"),
            (Language::Hungarian, "gyerekek számára fejhallgató", "fejhallgató"),
        ] {
            assert_eq!(things(text, language), [thing], "{text}");
        }
    }

    #[test]
    fn what_a_set_consists_of_is_the_thing() {
        for (language, text, thing) in [
            (Language::English, "set with 6 mugs", "mugs"),
            (Language::English, "pack of 6 red mugs", "mugs"),
            (Language::German, "Set mit 6 Tassen", "Tassen"),
            (Language::German, "6er Set von Tassen", "Tassen"),
            (Language::French, "lot de 6 verres", "verres"),
            (Language::French, "jeu de 6 verres", "verres"),
            (Language::Spanish, "juego de 6 vasos", "vasos"),
            (Language::Italian, "confezione da 6 bicchieri", "bicchieri"),
            (Language::Portuguese, "conjunto de 6 copos", "copos"),
            (Language::Romanian, "set de 6 pahare", "pahare"),
            (Language::Catalan, "joc de 6 gots", "gots"),
            (Language::Dutch, "set van 6 glazen", "glazen"),
            (Language::Dutch, "set met 6 glazen", "glazen"),
            (Language::Swedish, "set med 6 glas", "glas"),
            (Language::Danish, "sæt med 6 kopper", "kopper"),
            (Language::Norwegian, "sett med 6 kopper", "kopper"),
            (Language::Polish, "zestaw z 6 kubkami", "kubkami"),
            (Language::Czech, "sada ze 6 hrnků", "hrnků"),
            (Language::Russian, "набор из 6 стаканов", "стаканов"),
            (Language::Ukrainian, "набір з 6 склянок", "склянок"),
            (Language::Greek, "σετ με 6 ποτήρια", "ποτήρια"),
        ] {
            assert_eq!(things(text, language), [thing], "{text}");
            let roles = query_roles(text, language);
            assert!(roles.iter().any(|(_, role)| *role == QueryRole::Aside), "{text}: the set is aside");
        }
        assert_eq!(things("set for 6 mugs", Language::English), [""; 0]);
    }
}
