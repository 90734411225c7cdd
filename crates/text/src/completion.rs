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
use crate::terms::Terms;
use crate::weights::Weigher;

/// The most words that a completion adds, including function words.
const MAX_MORE_WORDS: usize = 3;
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

    /// Returns everything before the last word with typos corrected from the product, and the number of words that the product
    /// lacks, which are omitted.
    fn start(&self, product: &Product<'_>) -> (String, usize) {
        let before = self.before();
        let (mut start, mut copied, mut omitted) = (String::with_capacity(before.len()), 0, 0);
        for word in self.others.iter().filter(|word| !product.has(word)) {
            if word.span.start < copied || word.span.end > before.len() {
                continue;
            }
            start.push_str(&before[copied..word.span.start]);
            copied = word.span.end;
            match nearest(product.terms(), word) {
                Some(near) => start.push_str(near),
                None => omitted += 1,
            }
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
        let joined = &before[before.rfind(char::is_whitespace).map_or(0, |space| space + 1)..];
        let written = text[..at].chars().rev();
        let mut typed = joined.chars().rev().zip(written.map(Some).chain(std::iter::repeat(None)));
        typed.all(|(typed, written)| {
            written.is_some_and(|written| written.to_lowercase().eq(typed.to_lowercase()))
        })
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
                if best.as_ref().is_none_or(|known| fit < known.fit) && self.continues(text, at.start) {
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
                    self.fit(word).into_iter().for_each(|fit| offer(fit, at.clone(), is_written(fit)));
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
        [Some(word), more]
    }

    /// Returns the words that follow in a text, up to the first one that is not a function word; `None` if one of them was typed, or
    /// none of the next [`MAX_MORE_WORDS`] is such a word.
    fn more(&self, rest: &str) -> Option<String> {
        let mut end = 0;
        for _ in 0..MAX_MORE_WORDS {
            let start = end + rest[end..].find(|c: char| c != ' ')?;
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
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;
    use domain::search::{Synonym, Tuning};

    fn content(json: &str) -> Content {
        read_product(json.as_bytes(), Currency::USD).unwrap().content
    }

    fn named(name: &str) -> Content {
        content(&format!("{{\"name\":{name:?}}}"))
    }

    fn completed(query: &str, hits: &[Content]) -> Vec<String> {
        let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
        completions(&request, hits, 10, Language::default())
    }

    fn of_names(query: &str, names: &[&str]) -> Vec<String> {
        completed(query, &names.iter().map(|name| named(name)).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_word_is_completed_and_goes_on() {
        let names = ["HP Laptop bag", "Laptop bag, black", "Lapland mug", "Laptop"];
        assert_eq!(
            of_names("lap", &names),
            ["laptop", "laptop bag", "lapland", "lapland mug"],
            "by how many products have it"
        );
        assert_eq!(of_names("Laptop", &names), ["laptop bag"]);
        assert_eq!(of_names("hp lap", &names[..1]), ["hp laptop", "hp laptop bag"]);
    }

    #[test]
    fn a_completion_does_not_end_with_a_word_that_only_joins() {
        assert_eq!(of_names("case", &["Case for the phone"]), ["case for the phone"]);
        assert_eq!(of_names("case", &["Case with"]), [""; 0]);
        assert_eq!(of_names("case", &["Case of the and or"]), [""; 0]);
    }

    #[test]
    fn typos_are_corrected_as_the_products_have_the_words() {
        assert_eq!(
            of_names("procesor int", &["Intel Core processor"]),
            ["processor intel", "processor intel core"]
        );
        assert_eq!(of_names("kettel", &["Steel kettle 2 l"]), ["kettle", "kettle 2"]);
    }

    #[test]
    fn words_are_omitted_where_no_product_has_them_with_the_others() {
        let names = ["Steel kettle", "Purple kettle"];
        assert_eq!(of_names("purple kett", &names), ["purple kettle"]);
        assert_eq!(of_names("purple kett", &names[..1]), ["kettle"]);
        assert_eq!(of_names("kett purple", &["Steel kettle"]), [""; 0]);
    }

    #[test]
    fn one_word_in_two_numbers_is_one_completion() {
        assert_eq!(of_names("prin", &["Printer", "Printers", "Printer"]), ["printer"]);
        assert_eq!(of_names("printers", &["Printer paper"]), ["printer paper"], "as the products write it");
        assert_eq!(of_names("knifes", &["Knives set"]), ["knives set"]);
    }

    #[test]
    fn what_punctuation_joins_is_completed_where_products_join_it() {
        assert_eq!(of_names("h&m", &["Mug"]), [""; 0]);
        assert_eq!(of_names("<b", &["Book"]), ["book"]);
        assert_eq!(of_names("lamp (b", &["Lamp black"]), ["lamp black"]);
        assert_eq!(of_names("wi-f", &["Wi-Fi router"]), ["wi-fi", "wi-fi router"]);
        assert_eq!(of_names("men's sh", &["Men's shoes"]), ["men's shoes"]);
    }

    #[test]
    fn what_joins_words_stays() {
        assert_eq!(of_names("wh", &["Sony WH-1000XM4 black"]), ["wh-1000xm4", "wh-1000xm4 black"]);
        assert_eq!(of_names("head pho", &["Headphones Sony"]), [""; 0], "joined words are no beginning");
        assert_eq!(of_names("head phones", &["Headphones Sony"]), ["head phones sony"]);
        assert_eq!(of_names("lamp", &["Lamp (red)", "Lamp - blue"]), [""; 0]);
        assert_eq!(of_names("crème", &["Crème brûlée"]), ["crème brûlée"]);
    }

    #[test]
    fn brands_categories_and_attributes_complete_as_well() {
        let product = content(
            r#"{"name":"M185 mouse","brand":"Logitech","category":"Computers > Input devices","tags":["office"],
                "attributes":{"material":"stainless steel"},"description":"Stapler"}"#,
        );
        for (query, completion) in [
            ("logi", &["logitech"][..]),
            ("inp", &["input", "input devices"]),
            ("off", &["office"]),
            ("mouse stainl", &["mouse stainless", "mouse stainless steel"]),
            ("stapl", &[]),
            ("s", &["stainless", "stainless steel"]),
        ] {
            assert_eq!(completed(query, std::slice::from_ref(&product)), completion, "{query}");
        }
    }

    #[test]
    fn scripts_without_spaces_complete_to_the_end_of_their_run() {
        assert_eq!(
            of_names("トナ", &["HP トナーカートリッジ 黒"]),
            ["トナーカートリッジ", "トナーカートリッジ 黒"]
        );
        assert_eq!(of_names("日本語", &["日本語辞書"]), ["日本語辞書"]);
    }

    #[test]
    fn a_synonym_keeps_what_was_typed() {
        let synonym = Synonym { from: "cell phone".to_owned(), to: vec!["mobile".to_owned()] };
        let tuning = Tuning { synonyms: vec![synonym], ..Tuning::default() };
        let words = "cell phone".to_owned();
        let request = SearchRequest { words, tuning, ..SearchRequest::all(Currency::USD) };
        assert_eq!(
            completions(&request, [&named("Mobile charger")], 9, Language::default()),
            ["cell phone charger"]
        );
    }

    #[test]
    fn names_come_before_what_only_attributes_say() {
        let hits = [
            content(r#"{"name":"Teapot"}"#),
            content(r#"{"name":"Lamp","attributes":{"colour":"teal"}}"#),
            content(r#"{"name":"Mug","attributes":{"colour":"teal"}}"#),
        ];
        assert_eq!(completed("tea", &hits), ["teapot", "teal"]);
    }
}
