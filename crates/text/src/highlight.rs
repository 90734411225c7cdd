//! The words of a query marked in the texts of a product.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::Content;
use domain::search::{HIGHLIGHT_END, HIGHLIGHT_START};

use crate::analysis::{Purpose, joined, pieces};
use crate::weights::Pairs;

/// The most characters of a description that are shown, around the place with the most words.
const SNIPPET_CHARS: usize = 200;
/// Characters before the first word of a snippet.
const CHARS_BEFORE: usize = 40;
/// Places of a description that are compared for the best one.
const MAX_WINDOWS: usize = 100;
/// Stands where a snippet leaves text out.
const ELLIPSIS: char = '…';

/// Says which words of a product were looked for.
pub struct Sought<W, P> {
    /// Whether this word was.
    pub word: W,
    /// Whether these two neighbours, written as one, were.
    pub pair: P,
}

/// The fields with words that were looked for, each of them marked and everything else escaped for HTML.
pub fn highlights<W, P>(content: &Content, sought: &Sought<W, P>) -> BTreeMap<String, String>
where
    W: Fn(&str) -> bool,
    P: Fn(&str) -> bool,
{
    let mut highlights = BTreeMap::new();
    let mut whole = |field: &str, text: &str, spans: &[Range<usize>]| {
        if !spans.is_empty() {
            highlights.insert(field.to_owned(), marked(text, 0..text.len(), spans));
        }
    };
    whole("name", &content.name, &spans(&content.name, sought));
    if let Some(brand) = &content.brand {
        whole("brand", brand, &spans(brand, sought));
    }
    if let Some(category) = content.category.as_ref().map(ToString::to_string) {
        whole("category", &category, &spans(&category, sought));
    }
    let tags = content.tags.join(", ");
    whole("tags", &tags, &spans(&tags, sought));
    if let Some(sku) = &content.sku {
        let all = joined(sku);
        match (sought.word)(&all) {
            true => whole("sku", sku, std::slice::from_ref(&(0..sku.len()))),
            false => whole("sku", sku, &spans(sku, sought)),
        }
    }
    if let Some(description) = &content.description {
        let spans = spans(description, sought);
        if !spans.is_empty() {
            highlights.insert("description".to_owned(), snippet(description, &spans));
        }
    }
    highlights
}

/// The places of the query's words, in order and apart from each other.
fn spans<W, P>(text: &str, sought: &Sought<W, P>) -> Vec<Range<usize>>
where
    W: Fn(&str) -> bool,
    P: Fn(&str) -> bool,
{
    let mut found = Vec::<Range<usize>>::new();
    let mut pairs = Pairs::default();
    pieces(text, Purpose::Document, |piece| {
        if let Some(pair) = pairs.next(&piece)
            && (sought.pair)(pair.text)
        {
            found.push(pair.at);
        }
        piece.each_word(Purpose::Document, |word, at| {
            if (sought.word)(word) {
                found.push(at);
            }
        });
    });
    found.sort_unstable_by_key(|span| (span.start, span.end));
    found.dedup_by(|next, span| {
        let overlaps = next.start < span.end;
        if overlaps {
            span.end = span.end.max(next.end);
        }
        overlaps
    });
    found
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
}
