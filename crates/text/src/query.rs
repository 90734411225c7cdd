//! The words of a query, and which words each of them finds.

use std::ops::Range;

use crate::analysis::{has_digit, query_words};

/// The most words of a query that count. More come only from long texts in scripts without spaces.
const MAX_WORDS: usize = domain::search::MAX_QUERY_WORDS;

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, folded.
    pub text: String,
    /// Its place in the query, in bytes.
    pub at: Range<usize>,
    /// Whether it also counts as a beginning.
    pub is_last: bool,
}

/// The words of a query that must be found: each once, the last one also when it came before.
pub fn distinct_words(query: &str) -> Vec<Word> {
    let mut found = query_words(query);
    found.truncate(MAX_WORDS);
    let Some((last, last_at)) = found.pop() else { return Vec::new() };
    let mut words = Vec::<Word>::with_capacity(found.len() + 1);
    for (text, at) in found {
        if !words.iter().any(|word| word.text == text) {
            words.push(Word { text, at, is_last: false });
        }
    }
    words.push(Word { text: last, at: last_at, is_last: true });
    words
}

/// How many typos a word may have, by its letters.
pub fn typos_allowed(word: &str) -> u8 {
    if has_digit(word) {
        return 0;
    }
    match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    }
}

impl Word {
    /// Whether a product with this word has what is looked for, without any typo.
    pub fn is_begun_by(&self, word: &str) -> bool {
        word == self.text || (self.is_last && word.starts_with(&self.text))
    }

    /// Whether a word of a product is one that this one finds.
    pub fn finds(&self, word: &str) -> bool {
        self.is_begun_by(word) || self.typos(word).is_some()
    }

    /// How many typos lie between this word and another, when it may have so many.
    pub fn typos(&self, word: &str) -> Option<u8> {
        let allowed = typos_allowed(&self.text);
        if allowed == 0 || has_digit(word) {
            return None;
        }
        distance(&self.text, word, usize::from(allowed)).and_then(|typos| u8::try_from(typos).ok())
    }
}

/// Letters to insert, remove, replace, or swap with their neighbour, up to `most`.
fn distance(from: &str, to: &str, most: usize) -> Option<usize> {
    let from: Vec<char> = from.chars().collect();
    // Most words are told apart by their length.
    if to.len() > (from.len() + most) * 4 {
        return None;
    }
    let to: Vec<char> = to.chars().collect();
    if from.len().abs_diff(to.len()) > most {
        return None;
    }
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=to.len()).collect());
    for (i, letter) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(letter != other);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == to[j - 1] && from[i - 1] == *other {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        if row.iter().min().is_some_and(|least| *least > most) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|typos| *typos <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_grow_with_the_letters() {
        for (word, typos) in [
            ("tv", 0),
            ("hdd", 1),
            ("mouse", 1),
            ("camera", 2),
            ("日本語版辞書", 2),
            ("ps5", 0),
            ("wh1000xm4", 0),
        ] {
            assert_eq!(typos_allowed(word), typos, "{word}");
        }
    }

    #[test]
    fn neighbours_that_swap_are_one_typo() {
        for (from, to, typos) in [
            ("mouse", "mouse", Some(0)),
            ("mouse", "muose", Some(1)),
            ("mouse", "moues", Some(1)),
            ("mouse", "muoes", Some(2)),
            ("mouse", "ouse", Some(1)),
            ("mouse", "mouuse", Some(1)),
            ("mouse", "house", Some(1)),
            ("mouse", "hose", Some(2)),
            ("mouse", "mice", None),
            // Swapped letters are not changed again.
            ("ca", "abc", None),
        ] {
            assert_eq!(distance(from, to, 2), typos, "{from} {to}");
        }
    }

    #[test]
    fn only_the_last_word_is_a_beginning_and_may_come_twice() {
        let words = distinct_words("Desk lamp, desk LAMP");
        let texts: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.is_last)).collect();
        assert_eq!(texts, [("desk", false), ("lamp", false), ("lamp", true)]);
        assert!(words[2].finds("lampshade") && !words[1].finds("lampshade"));
        assert!(words[1].finds("lamb") && !words[1].finds("lam9"));
    }
}
