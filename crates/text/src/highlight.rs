//! Marks the words of a query in the texts of a product.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use domain::search::{HIGHLIGHT_END, HIGHLIGHT_START};
use domain::{CategoryPath, Content, Language};
use foldhash::{HashSet, HashSetExt as _};

use crate::analysis::{Purpose, Token, joined, tokens};
use crate::cjk::{is_cjk, spellings};
use crate::closed_compounds::has_ending;
use crate::dictionary::Dictionary;
use crate::forms::other_form;
use crate::markup::plain_text;
use crate::misspelt::Misspelt;
use crate::pairs::Pairs;
use crate::query::Word;
use crate::typos::LetterSet;

/// The most characters of a snippet, which is the part of a description with the most matches.
const SNIPPET_CHARS: usize = 200;
/// The number of characters of context before the first match of a snippet.
const CHARS_BEFORE: usize = 40;
/// The most candidates for a snippet that are compared. Each begins at a match.
const MAX_WINDOWS: usize = 100;
/// Marks omitted text at the ends of a snippet.
const ELLIPSIS: char = '…';

/// Marks the words of one search in products, in every form in which they match.
#[derive(Debug)]
pub struct Highlighter<'a> {
    language: Language,
    words: HashSet<&'a str>,
    stems: HashSet<&'a str>,
    pairs: HashSet<&'a str>,
    cjk_runs: Vec<String>,
    /// Words that also match as a prefix.
    prefixes: Vec<&'a str>,
    /// Words that also match with typos.
    misspelt: Vec<Misspelt>,
}

impl<'a> Highlighter<'a> {
    /// Creates a highlighter for the words of a search. The flag of a word is true if it also matches with typos.
    pub fn new(words: impl IntoIterator<Item = (&'a Word, bool)>) -> Self {
        let mut highlighter = Self {
            language: Language::default(),
            words: HashSet::new(),
            stems: HashSet::new(),
            pairs: HashSet::new(),
            cjk_runs: Vec::new(),
            prefixes: Vec::new(),
            misspelt: Vec::new(),
        };
        for (word, with_typos) in words {
            highlighter.add(word, with_typos);
        }
        highlighter
    }

    fn add(&mut self, word: &'a Word, with_typos: bool) {
        self.language = word.language;
        if is_cjk(&word.text) {
            self.cjk_runs.extend(spellings(&word.text));
        }
        let alternatives = word.alternatives.iter().filter(|alternative| !alternative.is_phrase);
        for term in alternatives.flat_map(|alternative| &alternative.terms) {
            let terms = match term.dictionary {
                Dictionary::Words | Dictionary::Codes => &mut self.words,
                Dictionary::Stems => &mut self.stems,
                Dictionary::Pairs => &mut self.pairs,
            };
            terms.insert(&term.text);
        }
        if word.is_prefix {
            self.prefixes.push(&word.text);
        }
        if with_typos {
            self.misspelt.extend(word.misspelt());
        }
    }

    fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
            || self.prefixes.iter().any(|prefix| word.starts_with(prefix))
            || self.has_other_form(word)
            || has_ending(word, self.language, |ending| self.pairs.contains(ending))
    }

    /// Returns true if a word, which is none of the words itself, has the normal form of one.
    fn has_other_form(&self, word: &str) -> bool {
        match other_form(word, self.language) {
            Some((Dictionary::Stems, stem)) => self.stems.contains(&*stem),
            Some((_, form)) => self.words.contains(&*form),
            None => false,
        }
    }

    /// Returns the indices of the misspelt words that may stand for the word.
    fn misspelt_near(&self, word: &str) -> impl Iterator<Item = usize> {
        let letters = (!self.misspelt.is_empty()).then(|| LetterSet::new(word));
        let is_match = move |misspelt: &Misspelt| {
            letters.is_some_and(|letters| misspelt.may_match(letters)) && misspelt.typos(word).is_some()
        };
        self.misspelt.iter().enumerate().filter(move |(_, misspelt)| is_match(misspelt)).map(|(at, _)| at)
    }

    fn has_pair(&self, pair: &str) -> bool {
        self.pairs.contains(pair)
            || other_form(pair, self.language).is_some_and(|(_, form)| self.pairs.contains(&*form))
    }
}

impl Highlighter<'_> {
    /// Returns the fields that contain query words, as HTML without the markup of the product: matches are marked, and all text is
    /// escaped. A word that matches a query word only with typos is marked only if the product does not contain the query word itself.
    pub fn highlight(&self, content: &Content) -> BTreeMap<String, String> {
        let mut finder = Finder { highlighter: self, is_exact: vec![false; self.misspelt.len()] };
        let category = content.category().map(plain_path);
        let paths = content.categories.iter().map(plain_path);
        let categories = (content.categories.len() > 1).then(|| paths.collect::<Vec<_>>().join(", "));
        let tags = content.tags.iter().map(|tag| plain_text(tag));
        let tags = (!content.tags.is_empty()).then(|| tags.collect::<Vec<_>>().join(", "));
        let texts = [
            ("name", Some(plain_text(&content.name))),
            ("brand", content.brand.as_deref().map(plain_text)),
            ("category", category.map(Cow::from)),
            ("categories", categories.map(Cow::from)),
            ("tags", tags.map(Cow::from)),
            ("sku", content.sku.as_ref().map(Cow::from)),
            ("description", content.description.as_deref().map(plain_text)),
        ];
        let mut fields: Vec<(&str, Cow<'_, str>, Matches)> = Vec::new();
        for (field, text) in texts {
            if let Some(text) = text {
                let matches = match field {
                    "sku" if self.has_word(&joined(&text)) => Matches::whole(&text),
                    _ => finder.matches(&text),
                };
                fields.push((field, text, matches));
            }
        }
        let is_exact = finder.is_exact;
        let highlighted = fields.into_iter().filter_map(|(field, text, matches)| {
            let spans = matches.spans(&is_exact);
            let html = match field {
                _ if spans.is_empty() => return None,
                "description" => snippet(&text, &spans),
                _ => marked(&text, 0..text.len(), &spans),
            };
            Some((field.to_owned(), html))
        });
        highlighted.collect()
    }
}

/// Returns a category as products write it, each level without markup.
fn plain_path(category: &CategoryPath) -> String {
    let levels = category.levels().iter().map(|level| plain_text(level));
    levels.collect::<Vec<_>>().join(" > ")
}

/// The matches in one text.
#[derive(Default)]
struct Matches {
    spans: Vec<Range<usize>>,
    /// Words that a misspelt word may stand for: the span and the index of the misspelt word.
    with_typos: Vec<(Range<usize>, usize)>,
}

impl Matches {
    fn whole(text: &str) -> Self {
        Self { spans: std::iter::once(0..text.len()).collect(), with_typos: Vec::new() }
    }

    /// Returns the spans in order and without overlaps. A match with typos counts only if its misspelt word is not `is_exact`.
    fn spans(self, is_exact: &[bool]) -> Vec<Range<usize>> {
        let with_typos =
            self.with_typos.into_iter().filter(|(_, misspelt)| !is_exact[*misspelt]).map(|(span, _)| span);
        let mut spans = self.spans;
        spans.extend(with_typos);
        spans.sort_unstable_by_key(|span| (span.start, span.end));
        spans.dedup_by(|next, span| {
            let overlaps = next.start < span.end;
            if overlaps {
                span.end = span.end.max(next.end);
            }
            overlaps
        });
        spans
    }
}

/// Finds matches in the texts of one product.
struct Finder<'a> {
    highlighter: &'a Highlighter<'a>,
    /// For each misspelt word, true once a word that it may stand for was also found without typos.
    is_exact: Vec<bool>,
}

impl Finder<'_> {
    fn matches(&mut self, text: &str) -> Matches {
        let (highlighter, is_exact) = (self.highlighter, &mut self.is_exact);
        let mut matches = Matches::default();
        let mut pairs = Pairs::new(highlighter.language);
        tokens(text, Purpose::Document, |token| {
            if let Some(pair) = pairs.next(&token) {
                if highlighter.has_pair(pair.text) {
                    matches.spans.push(pair.span);
                }
                matches.spans.extend(
                    pair.triple.filter(|(triple, _)| highlighter.has_pair(triple)).map(|(_, span)| span),
                );
            }
            if let Token::Cjk(run) = &token {
                highlighter.cjk_runs.iter().for_each(|spelling| matches.spans.extend(run.find(spelling)));
                return;
            }
            if let Token::Sign(sign, span) = token {
                matches.spans.extend(highlighter.words.contains(sign).then_some(span));
                return;
            }
            token.for_each_word(Purpose::Document, |word, span| {
                if highlighter.has_word(word) {
                    highlighter.misspelt_near(word).for_each(|misspelt| is_exact[misspelt] = true);
                    matches.spans.push(span);
                } else {
                    let misspelt = highlighter.misspelt_near(word);
                    matches.with_typos.extend(misspelt.map(|misspelt| (span.clone(), misspelt)));
                }
            });
        });
        matches
    }
}

/// Returns the part of a description with the most matches as HTML, or all of a short description.
fn snippet(text: &str, spans: &[Range<usize>]) -> String {
    if text.chars().count() <= SNIPPET_CHARS {
        return marked(text, 0..text.len(), spans);
    }
    // Two characters are reserved for the ellipses.
    let window = |span: &Range<usize>| {
        let start = back(text, span.start, CHARS_BEFORE);
        start..forward(text, start, SNIPPET_CHARS - 2)
    };
    let candidates = &spans[..spans.len().min(MAX_WINDOWS)];
    let best = candidates.iter().map(window).reduce(|best, next| {
        if spans_inside(candidates, &next).count() > spans_inside(candidates, &best).count() {
            next
        } else {
            best
        }
    });
    let Some(mut window) = best else { return String::new() };
    // Cut at spaces, as long as every match in the window stays whole.
    let (first, last) = (spans_inside(spans, &window).next(), spans_inside(spans, &window).last());
    if let (Some(first), Some(last)) = (first, last) {
        if window.start > 0
            && let Some(space) = text[window.start..first.start].find(' ')
        {
            window.start += space + 1;
        }
        if window.end < text.len()
            && let Some(space) = text[last.end..window.end].rfind(' ')
        {
            window.end = last.end + space;
        }
    }
    let mut snippet = String::new();
    if window.start > 0 {
        snippet.push(ELLIPSIS);
    }
    snippet.push_str(&marked(text, window.clone(), spans));
    if window.end < text.len() {
        snippet.push(ELLIPSIS);
    }
    snippet
}

/// Returns the spans that are completely inside a part of the text.
fn spans_inside<'a>(
    spans: &'a [Range<usize>],
    part: &Range<usize>,
) -> impl Iterator<Item = &'a Range<usize>> {
    let part = part.clone();
    spans.iter().filter(move |span| part.start <= span.start && span.end <= part.end)
}

/// Returns the index `chars` characters before `from`, or 0.
fn back(text: &str, from: usize, chars: usize) -> usize {
    text[..from].char_indices().rev().take(chars).last().map_or(from, |(at, _)| at)
}

/// Returns the index `chars` characters after `from`, or the end of the text.
fn forward(text: &str, from: usize, chars: usize) -> usize {
    text[from..].char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

/// Returns a part of the text as HTML, with the spans inside it marked.
fn marked(text: &str, part: Range<usize>, spans: &[Range<usize>]) -> String {
    let mut html = String::with_capacity(part.len() + spans.len() * 9);
    let mut at = part.start;
    for span in spans_inside(spans, &part) {
        escape(&text[at..span.start], &mut html);
        html.push_str(HIGHLIGHT_START);
        escape(&text[span.clone()], &mut html);
        html.push_str(HIGHLIGHT_END);
        at = span.end;
    }
    escape(&text[at..part.end], &mut html);
    html
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_surrounds_the_place_with_the_most_words() {
        let text =
            format!("one lamp here {} a desk lamp & a lamp {}", "filler ".repeat(60), "more ".repeat(60));
        let spans: Vec<_> = text.match_indices("lamp").map(|(at, word)| at..at + word.len()).collect();
        let snippet = snippet(&text, &spans);
        assert!(snippet.contains("desk <em>lamp</em> &amp; a <em>lamp</em>"), "{snippet}");
        assert!(snippet.starts_with("…filler") && snippet.ends_with("more…"), "{snippet}");
        let shown = snippet.replace("<em>", "").replace("</em>", "").replace("&amp;", "&");
        assert!(shown.chars().count() <= SNIPPET_CHARS, "{}", shown.chars().count());
    }

    #[test]
    fn categories_are_marked_in_both_fields_that_a_hit_shows() {
        use crate::query::Query;
        use domain::input::read_product;
        use domain::search::SearchRequest;
        let request = SearchRequest { words: "lamp".to_owned(), ..SearchRequest::all(domain::Currency::USD) };
        let query = Query::new(&request, Language::English);
        let highlighter = Highlighter::new(query.words.iter().map(|word| (word, false)));
        let marked = |json: &str| {
            let content = read_product(json.as_bytes(), domain::Currency::USD).unwrap().content;
            highlighter.highlight(&content)
        };
        let several = marked(r#"{"name":"A","categories":["Sale","Home > Lamps"]}"#);
        let expected = ("categories".to_owned(), "Sale, Home &gt; <em>Lamps</em>".to_owned());
        assert_eq!(several, BTreeMap::from([expected]));
        let one = marked(r#"{"name":"A","categories":["Home > Lamps"]}"#);
        let expected = ("category".to_owned(), "Home &gt; <em>Lamps</em>".to_owned());
        assert_eq!(one, BTreeMap::from([expected]));
    }

    #[test]
    fn a_word_with_typos_is_marked_only_if_the_product_lacks_the_query_word() {
        use crate::query::Query;
        use domain::input::read_product;
        use domain::search::SearchRequest;
        let request =
            SearchRequest { words: "core cabel".to_owned(), ..SearchRequest::all(domain::Currency::USD) };
        let query = Query::new(&request, Language::English);
        let highlighter = Highlighter::new(query.words.iter().map(|word| (word, true)));
        let marked = |json: &str| {
            let content = read_product(json.as_bytes(), domain::Currency::USD).unwrap().content;
            highlighter.highlight(&content)
        };
        let both = marked(r#"{"name":"Cure cable","tags":["cores"],"description":"One cure cable"}"#);
        assert_eq!(both["name"], "Cure <em>cable</em>");
        assert_eq!((&*both["tags"], &*both["description"]), ("<em>cores</em>", "One cure <em>cable</em>"));
        let near = marked(r#"{"name":"Cure cable"}"#);
        assert_eq!(near["name"], "<em>Cure</em> <em>cable</em>");
    }

    #[test]
    fn a_unit_is_marked_in_every_notation() {
        use crate::query::Query;
        use domain::input::read_product;
        use domain::search::SearchRequest;
        for (words, name, expected) in [
            ("20 pcs", "Screws 20 pieces", "Screws <em>20</em> <em>pieces</em>"),
            ("20 pieces", "Screws 20 pcs", "Screws <em>20</em> <em>pcs</em>"),
            ("20 pcs", "Screws 20pcs", "Screws <em>20pcs</em>"),
            ("20pcs", "Screws 20-piece", "Screws <em>20-piece</em>"),
            ("60 w", "Bulb 60 Watt", "Bulb <em>60</em> <em>Watt</em>"),
            ("60 watts", "Bulb 60 W", "Bulb <em>60</em> <em>W</em>"),
            ("27 in", "Monitor 27&quot;", "Monitor <em>27</em><em>&quot;</em>"),
            ("2 l", "Jug of a litre, size L", "Jug of a litre, size <em>L</em>"),
        ] {
            let request =
                SearchRequest { words: words.to_owned(), ..SearchRequest::all(domain::Currency::USD) };
            let query = Query::new(&request, Language::English);
            let highlighter = Highlighter::new(query.words.iter().map(|word| (word, false)));
            let content = Content {
                name: name.to_owned(),
                ..read_product(br#"{"name":"A"}"#, domain::Currency::USD).unwrap().content
            };
            assert_eq!(highlighter.highlight(&content)["name"], expected, "{words}");
        }
    }
}
