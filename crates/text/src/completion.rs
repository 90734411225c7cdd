//! What a shopper may be about to type: queries that go on as the names of the products found do.

use std::cell::OnceCell;
use std::cmp::Reverse;

use domain::search::{MAX_QUERY_CHARS, MAX_QUERY_WORDS, SearchRequest};
use domain::{Content, Language};
use foldhash::HashMap;

use crate::analysis::{Purpose, Token, has_digit, query_words, tokens, words};
use crate::cjk::spellings;
use crate::dictionary::Dictionary;
use crate::forms::normal_form;
use crate::function_words::is_function_word;
use crate::product::{Part, for_each_text};
use crate::query::{Query, Word};
use crate::terms::Terms;
use crate::typos::{Pattern, typos_allowed};
use crate::weights::Weigher;

/// The most words that a completion goes on by, those included that only join others.
const MAX_MORE_WORDS: usize = 3;
/// The longest word that is offered, in characters.
const MAX_TOKEN_CHARS: usize = 40;

/// Queries that complete the words of `request`, at most `limit`: those first that most of the `hits` agree with, which
/// are products that a search for it found; what only their attributes say comes last.
///
/// A completion has the words that were typed, misspelt ones corrected, with the last one complete, or with the words
/// that follow it in a name, brand, category, tag or attribute. Words that none of the hits has together with the others
/// are left out. It finds at least one of the hits, without any typo.
pub fn completions<'a>(
    request: &SearchRequest,
    hits: impl IntoIterator<Item = &'a Content>,
    limit: usize,
    language: Language,
) -> Vec<String> {
    let Some(typed) = Typed::of(request, language) else { return Vec::new() };
    let products: Vec<Product<'_>> =
        hits.into_iter().map(|content| Product::new(content, language)).collect();
    let mut gathered = Gathered::new(language);
    for (number, product) in products.iter().enumerate() {
        let Some(Last { texts, part, .. }) = typed.last_in(product.content) else { continue };
        let (start, left_out) = typed.start(product);
        for text in texts.into_iter().flatten() {
            gathered.add(&format!("{start}{text}"), number, left_out, part);
        }
    }
    let what_is_there = key(&typed.query.to_lowercase(), language);
    let mut completions = gathered.best_first();
    completions.retain(|offered| offered.key != what_is_there);
    let finds = |offered: &Offered| products[offered.hit].has_all(&offered.text, request);
    completions.into_iter().filter(finds).take(limit).map(|offered| offered.text).collect()
}

/// A product that was found.
struct Product<'a> {
    content: &'a Content,
    language: Language,
    /// Weighing a product takes a while, and most are told by their names.
    terms: OnceCell<Terms>,
}

impl<'a> Product<'a> {
    fn new(content: &'a Content, language: Language) -> Self {
        Self { content, language, terms: OnceCell::new() }
    }

    fn terms(&self) -> &Terms {
        self.terms.get_or_init(|| Terms::new(self.content, &mut Weigher::new(self.language)))
    }

    /// Whether the product has a word without any typo.
    fn has(&self, word: &Word) -> bool {
        self.is_named(word) || self.has_anywhere(word)
    }

    fn is_named(&self, word: &Word) -> bool {
        let mut is_there = false;
        for text in [Some(&self.content.name), self.content.brand.as_ref()].into_iter().flatten() {
            words(text, Purpose::Document, |own, _| is_there |= word.matches_exactly(own));
        }
        is_there
    }

    fn has_anywhere(&self, word: &Word) -> bool {
        word.alternatives.iter().any(|alternative| self.terms().weight(alternative).is_some())
    }

    /// Whether it has all words of a query.
    fn has_all(&self, query: &str, request: &SearchRequest) -> bool {
        let is_allowed =
            query.chars().count() <= MAX_QUERY_CHARS && query.split_whitespace().count() <= MAX_QUERY_WORDS;
        let request = SearchRequest { words: query.to_owned(), ..request.clone() };
        is_allowed && Query::new(&request, self.language).words.iter().all(|word| self.has_anywhere(word))
    }
}

/// What was typed.
struct Typed<'a> {
    query: &'a str,
    language: Language,
    /// All words but the last one.
    others: Vec<Word>,
    last: Word,
    /// For a last word that may be misspelt.
    last_pattern: Option<Pattern>,
    /// For a last word in a script without spaces: how products may spell it.
    last_runs: Vec<String>,
}

impl<'a> Typed<'a> {
    /// None without words.
    fn of(request: &'a SearchRequest, language: Language) -> Option<Self> {
        let mut others = Query::new(request, language).words;
        let last = others.pop()?;
        let last_pattern = pattern(&last);
        let is_cjk = crate::cjk::is_cjk(&last.text);
        let last_runs = if is_cjk { spellings(&last.text) } else { Vec::new() };
        Some(Self { query: &request.words, language, others, last, last_pattern, last_runs })
    }

    /// Everything before the last word, as a product has it, with typos corrected; and how many words it lacks, which are
    /// left out.
    fn start(&self, product: &Product<'_>) -> (String, usize) {
        let before = &self.query[..self.last.span.start];
        let (mut start, mut copied, mut left_out) = (String::with_capacity(before.len()), 0, 0);
        for word in self.others.iter().filter(|word| !product.has(word)) {
            if word.span.start < copied || word.span.end > before.len() {
                continue;
            }
            start.push_str(&before[copied..word.span.start]);
            copied = word.span.end;
            match nearest(product.terms(), word) {
                Some(near) => start.push_str(near),
                None => left_out += 1,
            }
        }
        start.push_str(&before[copied..]);
        (start.to_lowercase(), left_out)
    }

    /// The last word complete, and with what follows it, where the product tells. Texts come in the order of what says
    /// most about a product; of several places the one that fits best counts.
    fn last_in(&self, content: &Content) -> Option<Last> {
        let mut best: Option<Last> = None;
        for_each_text(content, |text, part| {
            if matches!(part, Part::Description | Part::Sku) {
                return;
            }
            let mut offer = |fit: u8, at: std::ops::Range<usize>| {
                if best.as_ref().is_none_or(|known| fit < known.fit) {
                    let texts = self.continued(text, at, fit != OTHER_FORM);
                    best = Some(Last { fit, texts, part });
                }
            };
            tokens(text, Purpose::Document, |token| match token {
                Token::Cjk(run) => {
                    let places = self.last_runs.iter().find_map(|spelling| run.find(spelling).next());
                    places.into_iter().for_each(|at| offer(0, at));
                }
                Token::Word(word, at) => self.fit(word).into_iter().for_each(|fit| offer(fit, at.clone())),
            });
        });
        best
    }

    /// How well a word of a product is the last one; the less, the better.
    fn fit(&self, word: &str) -> Option<u8> {
        if word.starts_with(&self.last.text) {
            return Some(0);
        }
        if self.last.matches_exactly(word) {
            return Some(OTHER_FORM);
        }
        let pattern = self.last_pattern.as_ref().filter(|_| !has_digit(word))?;
        pattern.typos(word).map(|typos| OTHER_FORM + typos)
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

    /// The words that follow in a text, up to the first that says something and was not typed.
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
            if !is_function_word(&token) {
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

fn pattern(word: &Word) -> Option<Pattern> {
    let allowed = typos_allowed(&word.text);
    Pattern::new(&word.text, allowed).filter(|_| allowed > 0)
}

/// The word of a product with the fewest typos.
fn nearest<'a>(product: &'a Terms, word: &Word) -> Option<&'a str> {
    let pattern = pattern(word)?;
    let words = product.iter().filter(|(term, _)| term.dictionary == Dictionary::Words);
    let near = words.filter_map(|(term, _)| Some((pattern.typos(&term.text)?, &*term.text)));
    near.min().map(|(_, text)| text)
}

/// How the last word goes on in a product.
struct Last {
    /// The less, the better.
    fit: u8,
    /// The word complete, and with what follows it.
    texts: [Option<String>; 2],
    part: Part,
}

/// The word is there in another number or spelling, or as a synonym: what was typed stays.
const OTHER_FORM: u8 = 1;

/// Where the word ends that goes on at `from`: with what hyphens and points join, as in `wi-fi` and `wh-1000xm4`.
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

/// What makes two completions one: the words, in whichever number.
fn key(text: &str, language: Language) -> String {
    let base = |(word, _): (String, _)| normal_form(&word, language).1.into_owned();
    let words: Vec<String> = query_words(text).into_iter().map(base).collect();
    words.join(" ")
}

/// A completion.
struct Offered {
    key: String,
    text: String,
    /// The first product that has it.
    hit: usize,
    /// Words that were typed and are not in it.
    left_out: usize,
    /// Whether it goes on as a product is named, and not only by an attribute.
    is_named: bool,
    /// How many products have it.
    count: usize,
}

/// The completions so far, in the order found.
struct Gathered {
    language: Language,
    offered: Vec<Offered>,
    places: HashMap<String, usize>,
}

impl Gathered {
    fn new(language: Language) -> Self {
        Self { language, offered: Vec::new(), places: HashMap::default() }
    }

    fn add(&mut self, text: &str, hit: usize, left_out: usize, part: Part) {
        let is_named = part != Part::Attributes;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = key(&text, self.language);
        match self.places.get(&key) {
            Some(place) => {
                let known = &mut self.offered[*place];
                known.count += 1;
                known.is_named |= is_named;
            }
            None => {
                self.places.insert(key.clone(), self.offered.len());
                self.offered.push(Offered { key, text, hit, left_out, is_named, count: 1 });
            }
        }
    }

    /// Those that leave out the fewest words: first those that are names, of those the ones that most products have.
    fn best_first(mut self) -> Vec<Offered> {
        let fewest = self.offered.iter().map(|offered| offered.left_out).min().unwrap_or_default();
        self.offered.retain(|offered| offered.left_out == fewest);
        self.offered.sort_by_key(|offered| (!offered.is_named, Reverse(offered.count)));
        self.offered
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
    fn words_are_left_out_where_no_product_has_them_with_the_others() {
        let names = ["Steel kettle", "Purple kettle"];
        assert_eq!(of_names("purple kett", &names), ["purple kettle"]);
        assert_eq!(of_names("purple kett", &names[..1]), ["kettle"]);
        assert_eq!(of_names("kett purple", &["Steel kettle"]), [""; 0]);
    }

    #[test]
    fn one_word_in_two_numbers_is_one_completion() {
        assert_eq!(of_names("prin", &["Printer", "Printers", "Printer"]), ["printer"]);
        assert_eq!(of_names("printers", &["Printer paper"]), ["printers paper"]);
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
