//! The order in which a search makes words optional when few products have them all.
//!
//! The words that carry the meaning stay longest: codes, then words that name kinds of things in this catalogue, then those that name
//! groups of kinds, then brands, then other words. Before all of them go function words, bare numbers, units and letters, then words
//! found only by a typo, then words after `for`, `with` and the like. Among equals the word that most products have goes first.

use std::cmp::Reverse;

use crate::grammar::is_function_word;
use crate::kinds::{QueryRole, names_kind};
use crate::query::Word;
use crate::signs;
use crate::units::is_unit;

/// The most words that a search makes optional one by one. After that, only the last one of the order must match.
pub const MAX_RELAXED_WORDS: usize = 6;

/// The fewest products of a kind or brand that make its word count as one.
const MIN_PRODUCTS: u64 = 2;
/// The fewest characters of a code.
const MIN_CODE_CHARS: usize = 4;
/// The fewest digits of a number that may be a name.
const MIN_NAME_DIGITS: usize = 3;
/// The fewest digits of an article number.
const MIN_ARTICLE_DIGITS: usize = 8;
/// The most letters of a unit that follows its number without a space: `256gb`, `20000mah`.
const MAX_UNIT_CHARS: usize = 3;

/// The document frequencies of a word of a query, without products that the shop hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordFrequencies {
    /// Products that have the word exactly.
    pub exactly: u64,
    /// Products that have it exactly or as a prefix.
    pub as_typed: u64,
    /// Products that have it in any way, also with typos.
    pub any_way: u64,
    /// Products of the [kind](crate::kinds) that it names.
    pub as_kind: u64,
    /// Products of the group of kinds that it names, such as a category above the narrowest one, which are not of a kind that it names.
    pub as_group: u64,
    /// Products whose brand has it.
    pub as_brand: u64,
}

/// The worth of a word for the meaning of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Function,
    Corrected,
    Aside,
    Other,
    Brand,
    /// Names a group of kinds.
    Group,
    /// Names a kind that describes another one: `laptop` in `laptop backpack`.
    DescribingKind,
    Kind,
    Code,
}

impl WordFrequencies {
    /// Returns the document frequency: exactly or, if no product has the word exactly, in any way.
    fn telling(&self) -> u64 {
        if self.exactly > 0 { self.exactly } else { self.any_way }
    }
}

/// Returns true if a word adds to the score of products that have it, once it is optional: function words do not.
pub fn is_scored_when_optional(word: &Word) -> bool {
    !is_function_word(&word.text, word.language)
}

/// The indices of the words of a query in the order in which they become optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelaxingOrder {
    /// The words that no product has, which all become optional first.
    pub unknown: Vec<usize>,
    /// The others.
    pub known: Vec<usize>,
    /// The number of words at the start of `known` that may become optional: one word stays required, unless a phrase in quotation
    /// marks does.
    pub most: usize,
}

/// Returns the order for the words of a query with these frequencies.
pub fn relaxing_order(words: &[&Word], frequencies: &[WordFrequencies]) -> RelaxingOrder {
    let places = (0..words.len().min(frequencies.len())).filter(|at| !words[*at].is_quoted);
    let (mut known, unknown): (Vec<usize>, Vec<usize>) =
        places.partition(|at| frequencies[*at].telling() > 0);
    let worth_at = |at: usize| {
        let before = at.checked_sub(1).map(|before| words[before]);
        worth(words[at], before, &frequencies[at])
    };
    let has_quoted = words.iter().any(|word| word.is_quoted);
    let has_meaning = |at: &usize| worth_at(*at) > Worth::Function || is_long_number(&words[*at].text);
    let have_meaning = |places: &[usize]| places.iter().any(has_meaning);
    if !has_quoted && (known.is_empty() || have_meaning(&unknown) && !have_meaning(&known)) {
        // Nothing would be left to look for: no product has any of the words that say what is meant.
        return RelaxingOrder::default();
    }
    known.sort_by_key(|at| (worth_at(*at), Reverse((frequencies[*at].telling(), *at))));
    let most = if has_quoted { known.len() } else { known.len().saturating_sub(1) };
    RelaxingOrder { unknown, known, most }
}

fn worth(word: &Word, before: Option<&Word>, frequencies: &WordFrequencies) -> Worth {
    let WordFrequencies { exactly, as_typed, as_kind, as_group, as_brand, .. } = *frequencies;
    let as_thing = as_kind + as_group;
    let text = word.text.as_str();
    let is_unit_of_number = || is_unit(text) && before.is_some_and(|before| is_number(&before.text));
    let is_letter = text.len() == 1;
    if is_function_word(text, word.language) || is_number(text) || is_letter || is_unit_of_number() {
        Worth::Function
    } else if as_typed == 0 {
        Worth::Corrected
    } else if word.role == QueryRole::Aside {
        Worth::Aside
    } else if is_code(text) {
        Worth::Code
    } else if as_kind >= MIN_PRODUCTS && names_kind(as_kind, as_brand, exactly) {
        if word.role == QueryRole::Thing { Worth::Kind } else { Worth::DescribingKind }
    } else if as_thing >= MIN_PRODUCTS && names_kind(as_thing, as_brand, exactly) {
        Worth::Group
    } else if as_brand >= MIN_PRODUCTS && names_kind(as_brand, 0, exactly) {
        Worth::Brand
    } else {
        Worth::Other
    }
}

/// Returns true for a number that is not an article number.
fn is_number(word: &str) -> bool {
    word.len() < MIN_ARTICLE_DIGITS && signs::is_number(word)
}

/// Returns true for a number that may be a name of its own: `1984`, `501`.
fn is_long_number(word: &str) -> bool {
    word.len() >= MIN_NAME_DIGITS && is_number(word)
}

/// Returns true for an article number, for letters and digits that are not a number with its unit: `wh1000xm4`, and for a word with a
/// sign: `c#`, `.net`.
fn is_code(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_size =
        unit.len() < word.len() && unit.len() <= MAX_UNIT_CHARS && unit.chars().all(char::is_alphabetic);
    let is_article_number = word.len() >= MIN_ARTICLE_DIGITS && signs::is_digits(word);
    let has_sign = word.contains(['#', '+']) || word.starts_with('.');
    is_article_number
        || has_sign && word.bytes().any(|byte| byte.is_ascii_alphabetic())
        || word.len() >= MIN_CODE_CHARS
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !is_size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use domain::search::SearchRequest;
    use domain::{Currency, Language};

    /// Returns the words of a query in the order in which they become optional, given for each word the products that have it
    /// exactly and those of the kind, and for the words of `corrected` that they are found by typos only.
    fn order(text: &str, exactly: &[(u64, u64)], corrected: &[&str]) -> Vec<String> {
        let request = SearchRequest { words: text.to_owned(), ..SearchRequest::all(Currency::USD) };
        let words = Query::new(&request, Language::English).words;
        let frequencies: Vec<WordFrequencies> = words
            .iter()
            .zip(exactly)
            .map(|(word, (exactly, as_kind))| {
                let is_corrected = corrected.contains(&word.text.as_str());
                let as_typed = if is_corrected { 0 } else { *exactly };
                let own = if is_corrected { 0 } else { *exactly };
                let any_way = *exactly;
                WordFrequencies {
                    exactly: own,
                    as_typed,
                    any_way,
                    as_kind: *as_kind,
                    ..WordFrequencies::default()
                }
            })
            .collect();
        let words: Vec<&Word> = words.iter().collect();
        let RelaxingOrder { unknown, known, .. } = relaxing_order(&words, &frequencies);
        unknown.iter().chain(&known).map(|at| words[*at].text.clone()).collect()
    }

    /// Returns the frequencies of a word that so many products have, by what it says of them.
    fn frequencies(exactly: u64, as_group: u64, as_brand: u64) -> WordFrequencies {
        WordFrequencies { exactly, as_typed: exactly, any_way: exactly, as_kind: 0, as_group, as_brand }
    }

    #[test]
    fn a_group_of_kinds_outlives_a_brand_and_other_words() {
        let request =
            SearchRequest { words: "black penguin books".to_owned(), ..SearchRequest::all(Currency::USD) };
        let words = Query::new(&request, Language::English).words;
        let words: Vec<&Word> = words.iter().collect();
        let known = |books| {
            let frequencies = [frequencies(2, 0, 0), frequencies(5, 0, 5), books];
            relaxing_order(&words, &frequencies).known
        };
        assert_eq!(known(frequencies(40, 40, 0)), [0, 1, 2]);
        assert_eq!(known(frequencies(40, 11, 0)), [2, 0, 1], "few of the products with the word are books");
    }

    #[test]
    fn words_without_meaning_are_no_search() {
        for (text, exactly, expected) in [
            ("helmet for adults", &[(0, 0), (50, 0), (0, 0)][..], &[][..]),
            ("6 ft ladder", &[(9, 0), (9, 0), (0, 0)], &[]),
            ("6 ft", &[(9, 0), (0, 0)], &["ft", "6"]),
            ("1984 hardcover", &[(1, 0), (0, 0)], &["hardcover", "1984"]),
            ("2.5 litre", &[(1, 0), (0, 0)], &["litre", "2.5"]),
            ("c# novel", &[(2, 0), (90, 90)], &["novel", "c#"]),
        ] {
            assert_eq!(order(text, exactly, &[]), expected, "{text}");
        }
    }

    #[test]
    fn the_thing_outlives_what_is_said_about_it() {
        for (text, exactly, corrected, expected) in [
            (
                "headphones with mic",
                &[(80, 80), (0, 0), (5, 0)][..],
                &["mic"][..],
                &["with", "mic", "headphones"][..],
            ),
            ("6 ft ladder", &[(1, 0), (1, 0), (2, 2)], &[], &["ft", "6", "ladder"]),
            ("headphones for kids", &[(60, 60), (61, 0), (1, 0)], &[], &["for", "kids", "headphones"]),
            (
                "coffee machine with grinder",
                &[(2, 0), (2, 1), (0, 0), (0, 0)],
                &[],
                &["with", "grinder", "machine", "coffee"],
            ),
            ("set of 6 mugs", &[(9, 5), (50, 0), (7, 0), (20, 20)], &[], &["of", "6", "set", "mugs"]),
            ("red lamp", &[(40, 0), (90, 60)], &[], &["red", "lamp"]),
            ("wh1000xm4 headphones", &[(1, 0), (90, 90)], &[], &["headphones", "wh1000xm4"]),
            ("isbn 9780131103627", &[(9, 0), (1, 0)], &[], &["isbn", "9780131103627"]),
            ("256gb laptop", &[(3, 0), (90, 90)], &[], &["256gb", "laptop"]),
            ("zebra rug", &[(0, 0), (9, 0)], &[], &["zebra", "rug"]),
        ] {
            assert_eq!(order(text, exactly, corrected), expected, "{text}");
        }
    }
}
