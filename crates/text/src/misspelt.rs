//! The words of products that a misspelt word of a query may stand for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use domain::Language;

use crate::analysis::has_digit;
use crate::forms::{normal_form, possible_singular};
use crate::typos::{LetterSet, Pattern};

/// The most typos of a match.
const MAX_TYPOS: u8 = 2;

/// A word of a query that may be misspelt, prepared for comparison with many words of products.
#[derive(Debug, Clone)]
pub struct Misspelt {
    /// The patterns of its forms; there is at least one.
    patterns: Vec<Pattern>,
    /// The normal forms of the other words of the query.
    other_forms: Arc<[String]>,
    language: Language,
}

impl Misspelt {
    /// Prepares a word of a query, given the normal forms of the other words; `None` if the word may have no typos.
    ///
    /// If the word may be a plural, its typos are also counted against its singular: products have the singular of each of their words as a
    /// term, so that `lapms` finds `lamp` as `lapm` does. A misspelt singular costs one more typo, so `windws` means `windows` rather
    /// than `window`.
    ///
    /// A correction never leads to another word of the same query, in any form: otherwise one word of a product would match two words,
    /// and `travel trowel` would find all that is for travel.
    pub(crate) fn new(word: &str, other_forms: &Arc<[String]>, language: Language) -> Option<Self> {
        let patterns: Vec<Pattern> =
            forms(word, language).filter_map(|form| Pattern::for_word(&form)).collect();
        let other_forms = Arc::clone(other_forms);
        (!patterns.is_empty()).then_some(Self { patterns, other_forms, language })
    }

    /// Returns the range of lengths, in characters, that a matching word may have.
    pub fn lengths(&self) -> Range<usize> {
        let lengths = self.patterns.iter().map(Pattern::lengths);
        lengths.reduce(|all, own| all.start.min(own.start)..all.end.max(own.end)).unwrap_or_default()
    }

    /// Returns false if no word with these letters can match.
    pub fn may_match(&self, letters: LetterSet) -> bool {
        self.patterns.iter().any(|pattern| pattern.may_match(letters))
    }

    /// Returns the number of typos between the word of the query and a word of a product; `None` if there are too many, or if the latter is
    /// a form of another word of the query. A word with digits is a code, to which nothing is corrected.
    pub fn typos(&self, word: &str) -> Option<u8> {
        if has_digit(word) {
            return None;
        }
        let typos = self.patterns.iter().enumerate().filter_map(|(at, pattern)| {
            let typos = pattern.typos(word)?;
            Some(if at > 0 && typos > 0 { (typos + 1).min(MAX_TYPOS) } else { typos })
        });
        let fewest = typos.min()?;
        let form = normal_form(word, self.language).1;
        (!self.other_forms.iter().any(|other| *other == form)).then_some(fewest)
    }
}

/// Returns the forms of a word of a query from which its typos are counted: as typed, and its singular if it may be a plural. The first
/// one is the longest.
pub(crate) fn forms(word: &str, language: Language) -> impl Iterator<Item = Cow<'_, str>> {
    std::iter::once(Cow::Borrowed(word)).chain(possible_singular(word, language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use domain::Currency;
    use domain::search::SearchRequest;

    fn misspelt(word: &str, query: &str, language: Language) -> Option<Misspelt> {
        let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
        let query = Query::new(&request, language);
        query.words.iter().find(|own| own.text == word)?.misspelt()
    }

    #[test]
    fn typos_in_a_plural_are_also_counted_against_its_singular() {
        for (typed, word, typos) in [
            ("lapms", "lamps", Some(1)),
            ("lapms", "lamp", Some(2)),
            ("lapm", "lamp", Some(1)),
            ("lampps", "lamp", Some(2)),
            ("lamps", "lamp", Some(0)),
            ("batteris", "battery", Some(2)),
            ("battreies", "battery", Some(2)),
            ("prniterss", "printer", None),
            ("tnets", "tent", Some(2)),
            // The number that the length of the singular allows: none in three letters.
            ("cpas", "cap", None),
            ("kettles", "kete", Some(2)),
            // No plurals.
            ("glsas", "glass", Some(1)),
            ("dresss", "dres", Some(2)),
            ("chses", "ches", Some(1)),
        ] {
            let misspelt = misspelt(typed, typed, Language::English).unwrap();
            assert_eq!(misspelt.typos(word), typos, "{typed} {word}");
            if typos.is_some() {
                assert!(misspelt.may_match(LetterSet::new(word)), "{typed} {word}");
                assert!(misspelt.lengths().contains(&word.chars().count()), "{typed} {word}");
            }
        }
        let german = misspelt("lapms", "lapms", Language::German).unwrap();
        assert_eq!((german.typos("lamps"), german.typos("lamp")), (Some(1), None));
    }

    #[test]
    fn a_correction_leads_to_no_other_word_of_the_query() {
        for (typed, query, word, typos) in [
            ("trowel", "trowel", "travel", Some(2)),
            ("trowel", "travel trowel", "travel", None),
            ("trowel", "travels trowel", "travel", None),
            ("trowel", "trowel travel", "travels", None),
            ("trowel", "travel trowel", "towel", Some(1)),
            ("moose", "mice moose", "mouse", None),
            ("lapms", "lamp lapms", "lamps", None),
            ("printr", "printr prin", "printer", Some(1)),
        ] {
            let misspelt = misspelt(typed, query, Language::English).unwrap();
            assert_eq!(misspelt.typos(word), typos, "{query}: {word}");
        }
        let german = misspelt("lanpe", "lampen lanpe", Language::German).unwrap();
        assert_eq!(german.typos("lampe"), None);
    }
}
