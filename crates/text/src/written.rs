//! The spelling of words in products, with the accents that folded words lack.

use domain::{Content, Language};

use crate::analysis::{Purpose, Token, tokens};
use crate::forms::normal_form;
use crate::product::{Part, for_each_naming_text, for_each_other_text};
use crate::typos::Pattern;

/// Finds out how products write a word, in lower case.
pub(crate) struct Written<'a> {
    wanted: Wanted<'a>,
    found: Option<(u8, String)>,
}

/// The words of products that count as the wanted one.
enum Wanted<'a> {
    /// The folded word itself.
    Word(&'a str),
    /// A word with this normal form; best is the one with the fewest typos.
    Form { form: String, typed: Option<Pattern>, language: Language },
}

impl<'a> Written<'a> {
    /// Looks for a folded word.
    pub(crate) fn as_typed(word: &'a str) -> Self {
        Self { wanted: Wanted::Word(word), found: None }
    }

    /// Looks for any form of the correction of a folded word, and prefers the one that is nearest to the typed word.
    pub(crate) fn correction(typed: &str, correction: &str, language: Language) -> Self {
        let form = normal_form(correction, language).1.into_owned();
        let typed = Pattern::new(typed, u8::MAX);
        Self { wanted: Wanted::Form { form, typed, language }, found: None }
    }

    /// Reads the words of a product. Of equally near forms, the first one counts.
    pub(crate) fn read(all: &mut [Self], content: &Content) {
        Self::read_names(all, content);
        Self::read_other_texts(all, content);
    }

    /// Reads the words of the name and the brand of a product.
    pub(crate) fn read_names(all: &mut [Self], content: &Content) {
        for_each_naming_text(content, |text, part| {
            if part != Part::Sku {
                Self::read_text(all, text);
            }
        });
    }

    /// Reads the words of the texts of a product that [`Self::read_names`] leaves out, except the sku.
    pub(crate) fn read_other_texts(all: &mut [Self], content: &Content) {
        for_each_other_text(content, |text, _| Self::read_text(all, text));
    }

    /// Reads the words of one text.
    pub(crate) fn read_text(all: &mut [Self], text: &str) {
        tokens(text, Purpose::Document, |token| {
            let Token::Word(word, span) = token else { return };
            for written in all.iter_mut() {
                written.consider(word, &text[span.clone()]);
            }
        });
    }

    /// Returns the spelling of the word; `None` if no product had it.
    pub(crate) fn text(&self) -> Option<&str> {
        self.found.as_ref().map(|(_, text)| text.as_str())
    }

    /// Returns the typed word with the accents that products write, and its own capitals; `None` if they write it in the same way, or
    /// the typed word has accents already.
    pub(crate) fn accented(&self, typed: &str) -> Option<String> {
        let text = self.text()?;
        let is_plain = matches!(self.wanted, Wanted::Word(word) if typed.to_lowercase() == word);
        if !is_plain || text.chars().count() != typed.chars().count() || text == typed.to_lowercase() {
            return None;
        }
        let mut accented = String::with_capacity(text.len());
        for (own, typed) in text.chars().zip(typed.chars()) {
            if typed.is_uppercase() { accented.extend(own.to_uppercase()) } else { accented.push(own) }
        }
        Some(accented)
    }

    fn consider(&mut self, word: &str, text: &str) {
        let fewest = self.found.as_ref().map(|(typos, _)| *typos);
        if fewest == Some(0) {
            return;
        }
        let typos = match &self.wanted {
            Wanted::Word(wanted) => (word == *wanted).then_some(0),
            Wanted::Form { form, typed, language } => {
                let is_form = normal_form(word, *language).1 == form.as_str();
                is_form.then(|| typed.as_ref().and_then(|typed| typed.typos(word)).unwrap_or(u8::MAX))
            }
        };
        if let Some(typos) = typos.filter(|typos| fewest.is_none_or(|fewest| *typos < fewest)) {
            self.found = Some((typos, text.to_lowercase()));
        }
    }
}
