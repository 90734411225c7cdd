//! The form in which the name of a product has a word: `Rod` or `Rød`, `Hoodie` or `Hoodies`. It orders products that match a query
//! equally well: those whose names have the word as typed come first.
//!
//! An index has one term for all forms of a word, see [`crate::forms::normal_form`]. A word of a name in another form than the normal
//! one adds *markers* to the terms of pairs: `^rød` for the form itself and, unless the name also has the normal form, `~rod`.

use std::borrow::Cow;
use std::ops::Range;

use domain::Language;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::analysis::has_digit;
use crate::cjk::is_cjk;
use crate::dictionary::{Dictionary, Term};
use crate::fold::is_format;
use crate::forms::{normal_form, other_form};

/// Precedes a form, other than the normal one, that a name has.
const HAS: char = '^';
/// Precedes a normal form that a name lacks, although it has another form of the word.
const LACKS: char = '~';

/// The test whether a product that matches a word has it as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedForm {
    /// A product with this marker has the word as typed.
    Marked(Term),
    /// A product without this marker has the word as typed.
    Unmarked(Term),
}

impl TypedForm {
    /// Returns the test for a folded word of a query and its text as typed; `None` for codes and words of scripts without spaces,
    /// which have one form.
    pub(crate) fn new(word: &str, typed: &str, language: Language) -> Option<Self> {
        let form = form(word, typed)?;
        let normal = normal_form(word, language).1;
        Some(if form == normal {
            Self::Unmarked(marker(LACKS, &form))
        } else {
            Self::Marked(marker(HAS, &form))
        })
    }
}

fn marker(kind: char, form: &str) -> Term {
    Term { dictionary: Dictionary::Pairs, text: format!("{kind}{form}") }
}

/// Returns a word as it is written, in lower case; `None` if it has one form only. `word` is the folded word.
fn form<'a>(word: &'a str, written: &str) -> Option<Cow<'a, str>> {
    if has_digit(word) || is_cjk(word) {
        return None;
    }
    if written.is_ascii() {
        return written.eq_ignore_ascii_case(word).then_some(Cow::Borrowed(word));
    }
    let form: String = written.nfkc().filter(|c| !is_format(*c)).flat_map(char::to_lowercase).collect();
    form.chars().all(|c| c.is_alphanumeric() || is_combining_mark(c)).then_some(Cow::Owned(form))
}

/// Collects the forms of the words of one name. Reuses its memory from one name to the next.
#[derive(Debug, Default)]
pub(crate) struct NameForms {
    /// The normal forms that the name has, each between line breaks.
    normal: String,
    /// Each other form with its normal form.
    others: Vec<(String, String)>,
}

impl NameForms {
    /// Adds a word of the name: folded, and its span in the name.
    pub(crate) fn add(&mut self, word: &str, name: &str, span: Range<usize>, language: Language) {
        let Some(form) = name.get(span).and_then(|written| form(word, written)) else { return };
        let normal = other_form(word, language).map_or(Cow::Borrowed(word), |(_, normal)| normal);
        if form == normal {
            self.normal.extend(["\n", &normal, "\n"]);
        } else {
            self.others.push((normal.into_owned(), form.into_owned()));
        }
    }

    /// Calls `emit` with each marker once, and forgets the forms.
    pub(crate) fn drain(&mut self, mut emit: impl FnMut(&str)) {
        if !self.others.is_empty() {
            let has = |normal: &str| self.normal.contains(&format!("\n{normal}\n"));
            let lacking = self.others.iter().filter(|(normal, _)| !has(normal));
            let lacking = lacking.map(|(normal, _)| format!("{LACKS}{normal}"));
            let mut markers: Vec<String> =
                self.others.iter().map(|(_, form)| format!("{HAS}{form}")).chain(lacking).collect();
            markers.sort_unstable();
            markers.dedup();
            markers.iter().for_each(|marker| emit(marker));
        }
        self.normal.clear();
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;

    /// Returns the words of a text, folded and as written.
    fn words(text: &str) -> Vec<(String, Range<usize>)> {
        query_words(text)
    }

    /// Returns true if a product of this name, which matches the word, has it as typed.
    fn is_typed(query: &str, name: &str, language: Language) -> bool {
        let mut forms = NameForms::default();
        words(name).into_iter().for_each(|(word, span)| forms.add(&word, name, span, language));
        let mut markers = Vec::new();
        forms.drain(|marker| markers.push(marker.to_owned()));
        let (word, span) = words(query).remove(0);
        match TypedForm::new(&word, &query[span], language) {
            Some(TypedForm::Marked(term)) => markers.contains(&term.text),
            Some(TypedForm::Unmarked(term)) => !markers.contains(&term.text),
            None => false,
        }
    }

    #[test]
    fn a_name_has_the_form_as_typed_or_another_one() {
        for (typed, other, language) in [
            ("rod", "Rød", Language::English),
            ("resume", "Résumé", Language::English),
            ("résumé", "Resume", Language::English),
            ("résumé", "Resumé", Language::English),
            ("hoodie", "Hoodies", Language::English),
            ("hoodies", "Hoodie", Language::English),
            ("knife", "Knives", Language::English),
            ("schuh", "Schuhe", Language::German),
            ("schuhe", "Schuh", Language::German),
            ("straße", "Strasse", Language::German),
            ("strasse", "Straße", Language::German),
            ("чёрный", "Черный", Language::Russian),
        ] {
            assert!(is_typed(typed, &format!("A {typed} x"), language), "{typed}");
            assert!(is_typed(typed, &format!("{other}, {typed}"), language), "{typed} beside {other}");
            assert!(!is_typed(typed, other, language), "{typed} is not in {other}");
            // The upper case of ß is another form.
            let upper = typed.to_uppercase();
            assert!(
                typed.contains('ß') || is_typed(&upper, typed, language) && is_typed(typed, &upper, language)
            );
        }
    }

    #[test]
    fn the_form_does_not_depend_on_how_a_letter_is_encoded() {
        assert!(is_typed("re\u{301}sume\u{301}", "Résumé", Language::English));
        assert!(is_typed("ｒｏｄ", "ROD", Language::English));
        assert!(is_typed("hood\u{AD}ie", "Hoodie", Language::English));
    }

    #[test]
    fn codes_and_scripts_without_spaces_have_one_form() {
        for word in ["wh1000", "c++", "東京"] {
            assert_eq!(TypedForm::new(word, word, Language::English), None, "{word}");
        }
    }
}
