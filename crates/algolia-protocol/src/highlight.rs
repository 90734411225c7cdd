//! Highlights in Algolia's form: the text, with the request's marks around matching words.

use domain::search::{HIGHLIGHT_END, HIGHLIGHT_START};
use serde::Serialize;
use text::markup::plain_text;

/// The most characters of a snippet without matches.
const SNIPPET_CHARS: usize = 200;

/// The text before and after each marked word: `highlightPreTag` and `highlightPostTag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The text before a word.
    pub start: String,
    /// The text after a word.
    pub end: String,
}

/// A text in which the words of the query are marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Highlighted {
    /// The text, not escaped: clients escape it, and keep the marks.
    value: String,
    match_level: MatchLevel,
    /// The marked words, as written in the text but in lower case, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_words: Option<Vec<String>>,
}

/// An estimate of how much of the query a text matches: `Full` if it has at least as many distinct marked words as the query has
/// words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum MatchLevel {
    None,
    Partial,
    Full,
}

impl Highlighted {
    /// Creates the highlight of a text without matches. Its markup is removed, as in the highlights of the index.
    pub(crate) fn plain(text: &str) -> Self {
        Self {
            value: plain_text(text).into_owned(),
            match_level: MatchLevel::None,
            matched_words: Some(Vec::new()),
        }
    }

    /// Converts a highlight of the index, which is HTML. `query_words` is the number of words of the query.
    pub(crate) fn of_html(html: &str, marks: &Marks, query_words: usize) -> Self {
        let mut value = String::with_capacity(html.len());
        let mut words: Vec<String> = Vec::new();
        for (at, part) in html.split(HIGHLIGHT_START).enumerate() {
            // Before the first mark there is no word.
            let (word, rest) = match at {
                0 => ("", part),
                _ => part.split_once(HIGHLIGHT_END).unwrap_or(("", part)),
            };
            if at > 0 {
                let word = unescape(word);
                value.push_str(&marks.start);
                value.push_str(&word);
                value.push_str(&marks.end);
                let word = word.to_lowercase();
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            value.push_str(&unescape(rest));
        }
        let match_level = match words.len() {
            0 => MatchLevel::None,
            some if some < query_words => MatchLevel::Partial,
            _ => MatchLevel::Full,
        };
        Self { value, match_level, matched_words: Some(words) }
    }

    /// Returns the text as a snippet, which has no list of words. A text without matches is cut to [`SNIPPET_CHARS`].
    pub(crate) fn snippet(&self) -> Self {
        let mut value = self.value.clone();
        if self.match_level == MatchLevel::None
            && let Some((end, _)) = value.char_indices().nth(SNIPPET_CHARS)
        {
            value.truncate(end);
            value.push('…');
        }
        Self { value, match_level: self.match_level, matched_words: None }
    }
}

/// Marks the first occurrence of the prefix at the start of a word. Returns the value unchanged if there is none.
pub(crate) fn mark_prefix(value: &str, prefix: &str, marks: &Marks) -> String {
    let wanted = prefix.trim().to_lowercase();
    let is_start = |at: usize| value[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
    let starts = value.char_indices().map(|(at, _)| at).filter(|at| is_start(*at));
    let found = starts.filter(|_| !wanted.is_empty()).find_map(|start| {
        // Lower case may differ in length (`İ` becomes two characters), so ends are tried one by one.
        let rest = &value[start..];
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(wanted.chars().count() + 2);
        let end = ends.into_iter().find(|end| rest[..*end].to_lowercase() == wanted)?;
        Some(start..start + end)
    });
    match found {
        Some(span) => {
            format!(
                "{}{}{}{}{}",
                &value[..span.start],
                marks.start,
                &value[span.clone()],
                marks.end,
                &value[span.end..]
            )
        }
        None => value.to_owned(),
    }
}

/// Reverses the escaping of the index's highlights.
fn unescape(html: &str) -> String {
    // The ampersand comes last: otherwise `&amp;lt;` would become `<`.
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(html.to_owned(), |text, (entity, character)| match text.contains(entity) {
        true => text.replace(entity, character),
        false => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_of_the_request_and_the_text_is_not_escaped() {
        let marks = Marks { start: "__ais-highlight__".to_owned(), end: "__/ais-highlight__".to_owned() };
        let html = "<em>Tea</em> &amp;lt; <em>pot</em> &lt;em&gt; <em>tea</em>";
        let found = Highlighted::of_html(html, &marks, 3);
        assert_eq!(
            found.value,
            "__ais-highlight__Tea__/ais-highlight__ &lt; __ais-highlight__pot__/ais-highlight__ <em> \
             __ais-highlight__tea__/ais-highlight__"
        );
        assert_eq!(found.matched_words.as_deref(), Some(&["tea".to_owned(), "pot".to_owned()][..]));
        assert_eq!(found.match_level, MatchLevel::Partial);
        assert_eq!(Highlighted::of_html(html, &marks, 2).match_level, MatchLevel::Full);
        assert_eq!(Highlighted::of_html("a", &marks, 1).match_level, MatchLevel::None);
    }

    #[test]
    fn a_prefix_is_marked_where_a_word_begins() {
        let marks = Marks { start: "<b>".to_owned(), end: "</b>".to_owned() };
        let mark = |value: &str, prefix: &str| mark_prefix(value, prefix, &marks);
        assert_eq!(mark("Home > Lamps", "la"), "Home > <b>La</b>mps");
        assert_eq!(mark("clamp lamp", " Lamp "), "clamp <b>lamp</b>");
        assert_eq!(mark("Lamp", ""), "Lamp");
        assert_eq!(mark("Lamp", "lampshade"), "Lamp");
        assert_eq!(mark("İstanbul", "i\u{307}s"), "<b>İs</b>tanbul");
        assert_eq!(mark("Ärmel", "är"), "<b>Är</b>mel");
    }
}
