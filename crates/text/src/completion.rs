//! Query completions, taken from the texts of the products that the query finds.

use std::cell::OnceCell;
use std::cmp::Reverse;

use domain::search::{MAX_QUERY_CHARS, MAX_QUERY_WORDS, SearchRequest};
use domain::{Content, Language};
use foldhash::HashMap;

use crate::analysis::{Purpose, Token, has_digit, query_words, tokens, words};
use crate::cjk::spellings;
use crate::dictionary::Dictionary;
use crate::forms::normal_form;
use crate::grammar::is_function_word;
use crate::markup::plain_text;
use crate::misspelt::Misspelt;
use crate::operators::Operators;
use crate::product::{Part, for_each_text};
use crate::query::{Query, Word};
use crate::signs::is_conjunction;
use crate::terms::Terms;
use crate::units::spelt_out;
use crate::weights::Weigher;
use crate::written::Written;

/// The most words that a completion adds, including function words.
const MAX_MORE_WORDS: usize = 3;
/// The signs that stand for a conjunction in names, see [`crate::signs::conjunction`].
const CONJUNCTION_SIGNS: [char; 2] = ['&', '+'];
/// The longest word of a completion, in characters.
const MAX_TOKEN_CHARS: usize = 40;

/// Returns at most `limit` completions of the words of `request`. `hits` are products that a search for it found.
///
/// A completion consists of the typed words with typos corrected, of which the last one is completed, alone or followed by the
/// next words of a name, brand, category, tag or attribute. Words that no hit has together with the others are omitted. Each
/// completion finds at least one of the hits without typos. Completions that occur in attributes only come last; otherwise those
/// that most hits contain come first.
pub fn completions<'a>(
    request: &SearchRequest,
    hits: impl IntoIterator<Item = &'a Content>,
    limit: usize,
    language: Language,
) -> Vec<String> {
    let Some(typed) = Typed::new(request, language) else { return Vec::new() };
    let products: Vec<Product<'_>> =
        hits.into_iter().map(|content| Product::new(content, language)).collect();
    let mut collector = Collector::new(language);
    for (number, product) in products.iter().enumerate() {
        let Some(CompletedWord { texts, part, .. }) = typed.last_in(product.content) else { continue };
        let (start, omitted) = typed.start(product);
        for text in texts.into_iter().flatten() {
            collector.add(&format!("{start}{text}"), number, omitted, part);
        }
    }
    let typed_key = key(&typed.query.to_lowercase(), language);
    let mut completions = collector.best_first();
    completions.retain(|completion| completion.key != typed_key);
    let is_found = |completion: &Completion| products[completion.hit].has_all(&completion.text, request);
    completions.into_iter().filter(is_found).take(limit).map(|completion| completion.text).collect()
}

/// A hit.
struct Product<'a> {
    content: &'a Content,
    language: Language,
    /// Created on demand: computing the terms is slow, and the name and brand suffice for most products.
    terms: OnceCell<Terms>,
}

impl<'a> Product<'a> {
    fn new(content: &'a Content, language: Language) -> Self {
        Self { content, language, terms: OnceCell::new() }
    }

    fn terms(&self) -> &Terms {
        self.terms.get_or_init(|| Terms::new(self.content, &mut Weigher::new(self.language)))
    }

    /// Returns true if the product has a word without typos.
    fn has(&self, word: &Word) -> bool {
        self.is_named(word) || self.has_anywhere(word)
    }

    fn is_named(&self, word: &Word) -> bool {
        let mut is_there = false;
        for text in [Some(&self.content.name), self.content.brand.as_ref()].into_iter().flatten() {
            words(&plain_text(text), Purpose::Document, |own, _| is_there |= word.matches_exactly(own));
        }
        is_there
    }

    fn has_anywhere(&self, word: &Word) -> bool {
        word.alternatives.iter().any(|alternative| self.terms().weight(alternative).is_some())
    }

    /// Returns a typed word that the product has with the accents of the name and the brand; `None` if they write it as typed.
    fn accented(&self, word: &Word, typed: &str) -> Option<String> {
        let mut written = [Written::as_typed(&word.text)];
        for text in [Some(&self.content.name), self.content.brand.as_ref()].into_iter().flatten() {
            // Plain letters have no accents.
            if !plain_text(text).is_ascii() {
                Written::read_text(&mut written, &plain_text(text));
            }
        }
        written[0].accented(typed)
    }

    /// Returns the correction of a misspelt word as the product writes it; `None` if the product has no word like it.
    fn corrected(&self, word: &Word) -> Option<String> {
        let near = nearest(self.terms(), word)?;
        let mut written = [Written::correction(&word.text, near, self.language)];
        Written::read(&mut written, self.content);
        Some(written[0].text().unwrap_or(near).to_owned())
    }

    /// Returns true if the product has all words of a query.
    fn has_all(&self, query: &str, request: &SearchRequest) -> bool {
        let is_allowed =
            query.chars().count() <= MAX_QUERY_CHARS && query.split_whitespace().count() <= MAX_QUERY_WORDS;
        let request = SearchRequest { words: query.to_owned(), ..request.clone() };
        is_allowed && Query::new(&request, self.language).words.iter().all(|word| self.has_anywhere(word))
    }
}

/// The typed query.
struct Typed<'a> {
    query: &'a str,
    language: Language,
    /// All words but the last one.
    others: Vec<Word>,
    last: Word,
    /// The last word, if it may have typos.
    misspelt_last: Option<Misspelt>,
    /// The spellings of a last word in a script without spaces.
    last_spellings: Vec<String>,
}

impl<'a> Typed<'a> {
    /// Returns `None` for a query without words, and for one that ends with an operand.
    fn new(request: &'a SearchRequest, language: Language) -> Option<Self> {
        if Operators::of(request).end_with_operand() {
            return None;
        }
        let mut others = Query::new(request, language).words;
        let last = others.pop()?;
        let misspelt_last = last.misspelt();
        let is_cjk = crate::cjk::is_cjk(&last.text);
        let last_spellings = if is_cjk { spellings(&last.text) } else { Vec::new() };
        Some(Self { query: &request.words, language, others, last, misspelt_last, last_spellings })
    }

    /// Returns everything before the last word as the product writes it, with typos corrected, and the number of words that the
    /// product lacks, which are omitted.
    fn start(&self, product: &Product<'_>) -> (String, usize) {
        let before = self.before();
        let (mut start, mut copied, mut omitted) = (String::with_capacity(before.len()), 0, 0);
        for word in &self.others {
            if word.span.start < copied || word.span.end > before.len() {
                continue;
            }
            let text = if product.has(word) {
                let Some(accented) = product.accented(word, &before[word.span.clone()]) else { continue };
                accented
            } else {
                let corrected = product.corrected(word);
                omitted += usize::from(corrected.is_none());
                corrected.unwrap_or_default()
            };
            start.push_str(&before[copied..word.span.start]);
            start.push_str(&text);
            copied = word.span.end;
        }
        start.push_str(&before[copied..]);
        (start.to_lowercase(), omitted)
    }

    /// Returns the query before the last word, without punctuation at its end that joins no word: `<` in `<book`.
    fn before(&self) -> &str {
        let before = &self.query[..self.last.span.start];
        let is_sign = |c: char| !c.is_whitespace() && !c.is_alphanumeric();
        let words = before.trim_end_matches(is_sign);
        if words.ends_with(char::is_alphanumeric) { before } else { words }
    }

    /// Returns true if the word at a position of a text continues what was typed: `fi` in `Wi-Fi` continues `wi-`, but `mug` does not
    /// continue `h&`.
    fn continues(&self, text: &str, at: usize) -> bool {
        let before = self.before();
        let joined = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let written = text[..at].chars().rev();
        let mut typed = joined.chars().rev().zip(written.map(Some).chain(std::iter::repeat(None)));
        typed.all(|(typed, written)| {
            written.is_some_and(|written| written.to_lowercase().eq(typed.to_lowercase()))
        })
    }

    /// Returns true if the query ends with the sign `&` or `+`, which only names complete in which it follows: `ben &`.
    fn ends_with_conjunction(&self) -> bool {
        is_conjunction_sign(self.query[self.last.span.end..].trim())
    }

    /// Returns true if the sign after the last word, or the word for that sign, is next in a text.
    fn goes_on(&self, text: &str, end: usize) -> bool {
        let rest = text[end..].trim_start();
        let next = rest.split(char::is_whitespace).next().unwrap_or_default();
        !self.ends_with_conjunction()
            || rest.starts_with(CONJUNCTION_SIGNS)
            || is_conjunction(&next.to_lowercase(), self.language)
    }

    /// Returns the last word completed from the product, by the word that fits best. Of equal fits the first one counts,
    /// because the texts that describe the product best come first.
    fn last_in(&self, content: &Content) -> Option<CompletedWord> {
        let mut best: Option<CompletedWord> = None;
        for_each_text(content, |text, part| {
            if matches!(part, Part::Description | Part::Sku) {
                return;
            }
            let mut offer = |fit: u8, at: std::ops::Range<usize>, is_written: bool| {
                let is_best = best.as_ref().is_none_or(|known| fit < known.fit);
                if is_best && self.continues(text, at.start) && self.goes_on(text, at.end) {
                    let texts = self.continued(text, at, is_written);
                    best = Some(CompletedWord { fit, texts, part });
                }
            };
            tokens(text, Purpose::Document, |token| match token {
                Token::Cjk(run) => {
                    let places = self.last_spellings.iter().find_map(|spelling| run.find(spelling).next());
                    places.into_iter().for_each(|at| offer(0, at, true));
                }
                Token::Sign(..) => {}
                Token::Word(word, at) => {
                    let is_written = |fit: u8| fit != OTHER_FORM || self.last.is_form(word);
                    // `2 lit` is completed from `2 Liter`, not from `2 L`.
                    let is_other = || spelt_out(&text[at.clone()].to_lowercase()) == Some(word);
                    let fit = self.fit(word).filter(|_| !is_other());
                    fit.into_iter().for_each(|fit| offer(fit, at.clone(), is_written(fit)));
                }
            });
        });
        best
    }

    /// Returns the fit of a word of a product to the last word; lower is better.
    fn fit(&self, word: &str) -> Option<u8> {
        if word.starts_with(&self.last.text) {
            return Some(0);
        }
        if self.last.matches_exactly(word) {
            return Some(OTHER_FORM);
        }
        let misspelt = self.misspelt_last.as_ref().filter(|_| !has_digit(word))?;
        misspelt.typos(word).map(|typos| OTHER_FORM + typos)
    }

    fn continued(&self, text: &str, at: std::ops::Range<usize>, is_replaced: bool) -> [Option<String>; 2] {
        let end = token_end(text, at.end);
        let word = match is_replaced {
            true => text[at.start..end].to_lowercase(),
            false => self.query[self.last.span.clone()].to_lowercase(),
        };
        if word.chars().count() > MAX_TOKEN_CHARS {
            return [None, None];
        }
        let more = self.more(&text[end..]).map(|more| format!("{word}{more}"));
        let lacks_sign = end == at.end && self.ends_with_conjunction();
        [(!lacks_sign).then_some(word), more]
    }

    /// Returns the words that follow in a text, up to the first one that is neither a function word nor `&`; `None` if one of them was typed, or
    /// none of the next [`MAX_MORE_WORDS`] is such a word.
    fn more(&self, rest: &str) -> Option<String> {
        let mut end = 0;
        for _ in 0..MAX_MORE_WORDS {
            let start = end + rest[end..].find(|c: char| c != ' ')?;
            if start > end && rest[start..].starts_with(CONJUNCTION_SIGNS) {
                end = start + 1;
                continue;
            }
            if start == end || !rest[start..].starts_with(char::is_alphanumeric) {
                return None;
            }
            end = token_end(rest, start);
            let token = rest[start..end].to_lowercase();
            if token.chars().count() > MAX_TOKEN_CHARS || self.is_typed(&token) {
                return None;
            }
            if !is_function_word(&token, self.language) {
                return Some(rest[..end].to_lowercase());
            }
        }
        None
    }

    fn is_typed(&self, token: &str) -> bool {
        let token = key(token, self.language);
        let mut typed = self.others.iter().chain([&self.last]);
        typed.any(|word| normal_form(&word.text, self.language).1 == token)
    }
}

fn is_conjunction_sign(text: &str) -> bool {
    CONJUNCTION_SIGNS.iter().any(|sign| text.chars().eq([*sign]))
}

/// Returns the word of a product with the fewest typos.
fn nearest<'a>(product: &'a Terms, word: &Word) -> Option<&'a str> {
    let misspelt = word.misspelt()?;
    let words = product.iter().filter(|(term, _)| term.dictionary == Dictionary::Words);
    let near = words.filter_map(|(term, _)| Some((misspelt.typos(&term.text)?, &*term.text)));
    near.min().map(|(_, text)| text)
}

/// The last word completed from a product.
struct CompletedWord {
    /// Lower is better.
    fit: u8,
    /// The word alone, and the word with the words that follow it.
    texts: [Option<String>; 2],
    part: Part,
}

/// The fit of another form, another spelling or a synonym. For the latter two, the completion keeps the typed word.
const OTHER_FORM: u8 = 1;

/// Returns the end of the word that continues at `from`, including parts joined by hyphens and points, as in `wi-fi`.
fn token_end(text: &str, from: usize) -> usize {
    let mut end = from;
    let mut rest = text[from..].chars().peekable();
    while let Some(c) = rest.next() {
        let joins = matches!(c, '-' | '.' | '\'' | '’' | '&')
            && rest.peek().is_some_and(|next| next.is_alphanumeric())
            && end > 0;
        if !c.is_alphanumeric() && !joins {
            break;
        }
        end += c.len_utf8();
    }
    end
}

/// Returns the key that equal completions share: the normal forms of the words.
fn key(text: &str, language: Language) -> String {
    let form = |(word, _): (String, _)| normal_form(&word, language).1.into_owned();
    let words: Vec<String> = query_words(text).into_iter().map(form).collect();
    words.join(" ")
}

/// A completion.
struct Completion {
    key: String,
    text: String,
    /// The index of the first hit that has it.
    hit: usize,
    /// The number of typed words that it omits.
    omitted: usize,
    /// True if it occurs in another text than an attribute.
    is_named: bool,
    /// The number of hits that have it.
    count: usize,
}

/// Collects completions.
struct Collector {
    language: Language,
    /// In order of discovery.
    completions: Vec<Completion>,
    index_by_key: HashMap<String, usize>,
}

impl Collector {
    fn new(language: Language) -> Self {
        Self { language, completions: Vec::new(), index_by_key: HashMap::default() }
    }

    fn add(&mut self, text: &str, hit: usize, omitted: usize, part: Part) {
        let is_named = part != Part::Attributes;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = key(&text, self.language);
        match self.index_by_key.get(&key) {
            Some(index) => {
                let known = &mut self.completions[*index];
                known.count += 1;
                known.is_named |= is_named;
            }
            None => {
                self.index_by_key.insert(key.clone(), self.completions.len());
                self.completions.push(Completion { key, text, hit, omitted, is_named, count: 1 });
            }
        }
    }

    /// Returns the completions that omit the fewest words: names first, then by the number of hits.
    fn best_first(mut self) -> Vec<Completion> {
        let fewest = self.completions.iter().map(|completion| completion.omitted).min().unwrap_or_default();
        self.completions.retain(|completion| completion.omitted == fewest);
        self.completions.sort_by_key(|completion| (!completion.is_named, Reverse(completion.count)));
        self.completions
    }
}

#[cfg(test)]
#[path = "completion_tests.rs"]
mod tests;
