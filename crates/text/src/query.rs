//! The words of a query, and which words each of them finds.

use std::ops::Range;

use crate::analysis::{has_digit, query_words};
use crate::dictionary::Dictionary;
use crate::forms::singular;
use crate::score::Spelling;
use crate::weights::each_pair;

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
    /// The words that are this one: itself, and its singular.
    pub forms: Vec<String>,
    /// What it is together with the word before it or behind it, when the two are written as one.
    pub joined: Vec<String>,
}

impl Word {
    fn new(text: String, at: Range<usize>) -> Self {
        let forms = std::iter::once(text.clone()).chain(singular(&text)).collect();
        Self { text, at, is_last: false, forms, joined: Vec::new() }
    }
}

/// The words of a query that must be found: each once, the last one also when it came before.
pub fn distinct_words(query: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    for (text, at) in query_words(query).into_iter().take(MAX_WORDS) {
        found.push(Word::new(text, at));
    }
    each_pair(query, |pair, at| {
        for word in found.iter_mut().filter(|word| at.start <= word.at.start && word.at.end <= at.end) {
            word.joined.push(pair.to_owned());
            word.joined.extend(singular(pair));
        }
    });
    let Some(mut last) = found.pop() else { return Vec::new() };
    last.is_last = true;
    let mut words = Vec::<Word>::with_capacity(found.len() + 1);
    for word in found {
        match words.iter_mut().find(|known| known.text == word.text) {
            Some(known) => known.joined.extend(word.joined),
            None => words.push(word),
        }
    }
    words.push(last);
    words
}

/// The words of a query in the order in which they are kept when no product has all of them: the most telling first,
/// and none that no product has.
///
/// `found` says how many products have each word exactly or, where none has it so, in any way: the fewer, the more it
/// tells. Beginning with the first, a word is kept when some product has it together with all that were kept before.
pub fn by_telling(found: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len()).filter(|at| found[*at] > 0).collect();
    order.sort_by_key(|at| (found[*at], *at));
    order
}

/// Keeps some of the words, one `bool` each, and answers those left out as they stand in the query; `at` says where.
pub fn leave_out<W>(
    words: &mut Vec<W>,
    kept: Vec<bool>,
    query: &str,
    at: impl Fn(&W) -> Range<usize>,
) -> Vec<String> {
    let (mut left_out, mut kept) = (Vec::new(), kept.into_iter());
    words.retain(|word| {
        let is_kept = kept.next().unwrap_or(true);
        if !is_kept {
            left_out.push(query[at(word)].to_owned());
        }
        is_kept
    });
    left_out
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
        self.is_exactly(word) || (self.is_last && word.starts_with(&self.text))
    }

    /// Whether a word of a product is this one, in another form or written together with its neighbour.
    pub fn is_exactly(&self, word: &str) -> bool {
        let is_one = |word: &str| self.forms.iter().chain(&self.joined).any(|own| own == word);
        is_one(word) || singular(word).is_some_and(|singular| is_one(&singular))
    }

    /// What this word looks like in an index when it is found exactly.
    pub fn spellings(&self) -> impl Iterator<Item = (Dictionary, &str, Spelling)> {
        let same = self.forms.iter().map(|form| (Dictionary::of(form), form.as_str(), Spelling::Same));
        let apart = self.forms.iter().map(|form| (Dictionary::Pairs, form.as_str(), Spelling::Joined));
        let joined = self.joined.iter().map(|one| (Dictionary::of(one), one.as_str(), Spelling::Joined));
        same.chain(apart).chain(joined)
    }

    /// Whether two neighbours of a product, written as one, are this word.
    pub fn is_pair(&self, pair: &str) -> bool {
        let is_form = |pair: &str| self.forms.iter().any(|form| form == pair);
        is_form(pair) || singular(pair).is_some_and(|singular| is_form(&singular))
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

    #[test]
    fn the_rarest_word_tells_most_and_an_unknown_one_nothing() {
        assert_eq!(by_telling(&[5, 0, 2, 9, 2]), [2, 4, 0, 3]);
        assert_eq!(by_telling(&[0, 0]), [0; 0]);
    }

    #[test]
    fn a_word_is_found_in_either_number_and_written_with_its_neighbour() {
        let words = distinct_words("head phones 256 gb");
        assert_eq!(words[1].forms, ["phones", "phone"]);
        assert_eq!(words[0].joined, ["headphones", "headphone"]);
        assert_eq!(words[1].joined, ["headphones", "headphone", "phones256"]);
        assert!(words[1].is_exactly("phone") && words[1].is_exactly("headphones"));
        assert!(words[2].is_exactly("256gb") && !words[2].is_exactly("2561"));
        let words = distinct_words("headphone");
        assert!(words[0].is_exactly("headphones") && words[0].is_pair("headphone"));
    }
}
