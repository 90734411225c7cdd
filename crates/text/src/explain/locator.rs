//! Locates the matches of a word in the texts of a product.

use std::ops::Range;

use super::explanation::MatchKind;
use super::fields::Field;
use crate::analysis::{Purpose, Token, joined, tokens};
use crate::cjk::{is_cjk, spellings};
use crate::misspelt::Misspelt;
use crate::pairs::Pairs;
use crate::query::Word;
use crate::score::Tier;

/// Locates a word in texts, given the kind of its match.
pub(super) struct Locator<'a> {
    pub(super) word: &'a Word,
    pub(super) kind: MatchKind,
    pub(super) misspelt: Option<&'a Misspelt>,
    /// True once a text contained the word as typed.
    pub(super) has_typed_word: bool,
}

impl Locator<'_> {
    /// Returns the first match in a text, as written there.
    pub(super) fn locate(&mut self, field: Field<'_>, text: &str) -> Option<String> {
        let mut found = None::<Range<usize>>;
        let mut pairs = Pairs::new(self.word.language);
        tokens(text, Purpose::Document, |token| {
            let pair = pairs.next(&token).filter(|_| self.is_exact()).and_then(|pair| {
                let triple = pair.triple.filter(|(triple, _)| self.word.matches_pair(triple));
                let pair = self.word.matches_pair(pair.text).then_some(pair.span);
                triple.map(|(_, span)| span).or(pair)
            });
            let span = match token {
                Token::Word(word, span) => self.is_match(word).then_some(span),
                Token::Cjk(run) if self.is_exact() && is_cjk(&self.word.text) => {
                    spellings(&self.word.text).iter().find_map(|spelling| run.find(spelling).next())
                }
                Token::Cjk(_) => None,
                Token::Sign(sign, span) => self.is_match(sign).then_some(span),
            };
            if found.is_none() {
                found = span.or(pair);
            }
        });
        if found.is_none() && field == Field::Sku && self.is_match(&joined(text)) {
            found = Some(0..text.len());
        }
        found.map(|span| text[span].to_owned())
    }

    fn is_exact(&self) -> bool {
        self.kind.tier() == Some(Tier::Exact)
    }

    fn is_match(&mut self, word: &str) -> bool {
        let is_typed_word = word == self.word.text;
        self.has_typed_word |= is_typed_word && self.is_exact();
        match self.kind {
            MatchKind::Exact | MatchKind::OtherForm | MatchKind::Joined | MatchKind::Synonym => {
                self.word.matches_exactly(word)
            }
            MatchKind::Beginning => !is_typed_word && word.starts_with(&self.word.text),
            MatchKind::OneTypo => self.typos(word) == Some(1),
            MatchKind::TwoTypos => self.typos(word) == Some(2),
            MatchKind::Missing => false,
        }
    }

    fn typos(&self, word: &str) -> Option<u8> {
        self.misspelt?.typos(word)
    }
}
