//! The words of a query marked in the texts of a product.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use domain::search::{HIGHLIGHT_END, HIGHLIGHT_START};
use domain::{Content, Language};

use crate::analysis::{Purpose, Token, has_digit, joined, tokens};
use crate::cjk::{is_cjk, spellings};
use crate::dictionary::Dictionary;
use crate::forms::normal_form;
use crate::query::Word;
use crate::typos::{Letters, Pattern, typos_allowed};
use crate::weights::Pairs;

/// The most characters of a description that are shown, around the place with the most words.
const SNIPPET_CHARS: usize = 200;
/// Characters before the first word of a snippet.
const CHARS_BEFORE: usize = 40;
/// Places of a description that are compared for the best one.
const MAX_WINDOWS: usize = 100;
/// Stands where a snippet leaves text out.
const ELLIPSIS: char = '…';

/// What is marked in products: the words of a search in every way in which they may be found.
#[derive(Debug)]
pub struct Marks<'a> {
    language: Language,
    words: HashSet<&'a str>,
    stems: HashSet<&'a str>,
    pairs: HashSet<&'a str>,
    /// Runs of scripts without spaces.
    runs: Vec<String>,
    /// What words may begin with.
    beginnings: Vec<&'a str>,
    /// What words may be near to.
    patterns: Vec<Pattern>,
}

impl<'a> Marks<'a> {
    /// For words of a search, each with whether typos were looked for.
    pub fn new(words: impl IntoIterator<Item = (&'a Word, bool)>) -> Self {
        let mut marks = Self {
            language: Language::default(),
            words: HashSet::new(),
            stems: HashSet::new(),
            pairs: HashSet::new(),
            runs: Vec::new(),
            beginnings: Vec::new(),
            patterns: Vec::new(),
        };
        for (word, with_typos) in words {
            marks.language = word.language;
            if is_cjk(&word.text) {
                marks.runs.extend(spellings(&word.text));
            }
            for term in word
                .alternatives
                .iter()
                .filter(|alternative| !alternative.is_phrase)
                .flat_map(|alternative| &alternative.terms)
            {
                let list = match term.dictionary {
                    Dictionary::Words | Dictionary::Codes => &mut marks.words,
                    Dictionary::Stems => &mut marks.stems,
                    Dictionary::Pairs => &mut marks.pairs,
                };
                list.insert(&term.text);
            }
            if word.is_last {
                marks.beginnings.push(&word.text);
            }
            let allowed = typos_allowed(&word.text);
            marks.patterns.extend(Pattern::new(&word.text, allowed).filter(|_| with_typos && allowed > 0));
        }
        marks
    }

    fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
            || self.beginnings.iter().any(|beginning| word.starts_with(beginning))
            || self.has_base(word)
    }

    fn has_base(&self, word: &str) -> bool {
        match normal_form(word, self.language) {
            (Dictionary::Stems, stem) => self.stems.contains(&*stem),
            (_, base) => self.words.contains(&*base),
        }
    }

    /// The patterns that a word is near to, by their places.
    fn near(&self, word: &str) -> impl Iterator<Item = usize> {
        let may_be_near = !self.patterns.is_empty() && !has_digit(word);
        let letters = may_be_near.then(|| Letters::of(word));
        let is_near = move |pattern: &Pattern| {
            letters.is_some_and(|letters| pattern.may_be_near(letters)) && pattern.typos(word).is_some()
        };
        self.patterns.iter().enumerate().filter(move |(_, pattern)| is_near(pattern)).map(|(at, _)| at)
    }

    fn has_pair(&self, pair: &str) -> bool {
        self.pairs.contains(pair) || self.pairs.contains(&*normal_form(pair, self.language).1)
    }
}

/// The fields with words that were looked for, each of them marked and everything else escaped for HTML. Words that are
/// near to one that was looked for are marked where the product does not have that one itself.
pub fn highlights(content: &Content, marks: &Marks<'_>) -> BTreeMap<String, String> {
    let mut seeker = Seeker { marks, known: vec![false; marks.patterns.len()] };
    let mut fields: Vec<(&str, Cow<'_, str>, Places)> = Vec::new();
    let category = content.category.as_ref().map(ToString::to_string);
    let tags = (!content.tags.is_empty()).then(|| content.tags.join(", "));
    let texts = [
        ("name", Some(Cow::from(&content.name))),
        ("brand", content.brand.as_ref().map(Cow::from)),
        ("category", category.map(Cow::from)),
        ("tags", tags.map(Cow::from)),
        ("sku", content.sku.as_ref().map(Cow::from)),
        ("description", content.description.as_ref().map(Cow::from)),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            let places = match field {
                "sku" if marks.has_word(&joined(&text)) => Places::whole(&text),
                _ => seeker.places(&text),
            };
            fields.push((field, text, places));
        }
    }
    let known = seeker.known;
    let shown = fields.into_iter().filter_map(|(field, text, places)| {
        let spans = places.spans(&known);
        let html = match field {
            _ if spans.is_empty() => return None,
            "description" => snippet(&text, &spans),
            _ => marked(&text, 0..text.len(), &spans),
        };
        Some((field.to_owned(), html))
    });
    shown.collect()
}

/// The places of what was looked for in one text.
#[derive(Default)]
struct Places {
    found: Vec<Range<usize>>,
    /// Words that are near to a pattern only, with its place.
    near: Vec<(Range<usize>, usize)>,
}

impl Places {
    fn whole(text: &str) -> Self {
        Self { found: std::iter::once(0..text.len()).collect(), near: Vec::new() }
    }

    /// The spans in order and apart from each other, without what is near to a word that is `known` to be there.
    fn spans(self, known: &[bool]) -> Vec<Range<usize>> {
        let near = self.near.into_iter().filter(|(_, pattern)| !known[*pattern]).map(|(at, _)| at);
        let mut spans = self.found;
        spans.extend(near);
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

/// Looks through the texts of one product.
struct Seeker<'a> {
    marks: &'a Marks<'a>,
    /// Of each pattern whether the product has a word within its reach that was looked for.
    known: Vec<bool>,
}

impl Seeker<'_> {
    fn places(&mut self, text: &str) -> Places {
        let (marks, known) = (self.marks, &mut self.known);
        let mut places = Places::default();
        let mut pairs = Pairs::default();
        tokens(text, Purpose::Document, |token| {
            if let Some(pair) = pairs.next(&token)
                && marks.has_pair(pair.text)
            {
                places.found.push(pair.at);
            }
            if let Token::Cjk(run) = &token {
                marks.runs.iter().for_each(|spelling| places.found.extend(run.find(spelling)));
                return;
            }
            token.each_word(Purpose::Document, |word, at| {
                if marks.has_word(word) {
                    marks.near(word).for_each(|pattern| known[pattern] = true);
                    places.found.push(at);
                } else {
                    places.near.extend(marks.near(word).map(|pattern| (at.clone(), pattern)));
                }
            });
        });
        places
    }
}

fn snippet(text: &str, spans: &[Range<usize>]) -> String {
    if text.chars().count() <= SNIPPET_CHARS {
        return marked(text, 0..text.len(), spans);
    }
    // Two characters are kept for what stands where text is left out.
    let window = |span: &Range<usize>| {
        let start = back(text, span.start, CHARS_BEFORE);
        start..forward(text, start, SNIPPET_CHARS - 2)
    };
    let candidates = &spans[..spans.len().min(MAX_WINDOWS)];
    let best = candidates.iter().map(window).reduce(|best, next| {
        if inside(candidates, &next).count() > inside(candidates, &best).count() { next } else { best }
    });
    let Some(mut window) = best else { return String::new() };
    // Words are not cut where that leaves what was found.
    let (first, last) = (inside(spans, &window).next(), inside(spans, &window).last());
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

fn inside<'a>(spans: &'a [Range<usize>], part: &Range<usize>) -> impl Iterator<Item = &'a Range<usize>> {
    let part = part.clone();
    spans.iter().filter(move |span| part.start <= span.start && span.end <= part.end)
}

fn back(text: &str, from: usize, chars: usize) -> usize {
    text[..from].char_indices().rev().take(chars).last().map_or(from, |(at, _)| at)
}

fn forward(text: &str, from: usize, chars: usize) -> usize {
    text[from..].char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

/// A part of the text with the spans inside it marked.
fn marked(text: &str, part: Range<usize>, spans: &[Range<usize>]) -> String {
    let mut html = String::with_capacity(part.len() + spans.len() * 9);
    let mut at = part.start;
    for span in inside(spans, &part) {
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
    fn what_is_near_a_word_is_marked_only_where_the_word_is_not() {
        use crate::query::Query;
        use domain::input::read_product;
        use domain::search::SearchRequest;
        let request =
            SearchRequest { words: "core cabel".to_owned(), ..SearchRequest::all(domain::Currency::USD) };
        let query = Query::of(&request, Language::English);
        let marks = Marks::new(query.words.iter().map(|word| (word, true)));
        let marked = |json: &str| {
            let content = read_product(json.as_bytes(), domain::Currency::USD).unwrap().content;
            highlights(&content, &marks)
        };
        let both = marked(r#"{"name":"More cable","tags":["cores"],"description":"One more cable"}"#);
        assert_eq!(both["name"], "More <em>cable</em>");
        assert_eq!((&*both["tags"], &*both["description"]), ("<em>cores</em>", "One more <em>cable</em>"));
        let near = marked(r#"{"name":"More cable"}"#);
        assert_eq!(near["name"], "<em>More</em> <em>cable</em>");
    }
}
