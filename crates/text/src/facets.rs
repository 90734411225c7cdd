//! The selection and order of a facet's values.

use std::cmp::Ordering;

use domain::search::FacetValue;

use crate::analysis::{has_digit, query_words};
use crate::attributes::{truncated, truncated_part};
use crate::cjk::is_cjk;
use crate::typos::{LetterSet, Pattern};

/// A term of a facet and its count, with a payload that leads the index to the full value of a truncated term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermCount<T> {
    /// The term, without the key of an attribute.
    pub term: String,
    /// The number of products with it.
    pub count: u64,
    /// Data of the index, passed through.
    pub payload: T,
}

impl<T> TermCount<T> {
    fn text(&self) -> &str {
        truncated_part(&self.term).unwrap_or(&self.term)
    }
}

/// Compares values as lists of facets show them: by the number that they begin with, so that `9` and `9 cm` come before `10` and
/// `10 cm`, then by Unicode code points. Values without a number come last.
pub fn compare_values(a: &str, b: &str) -> Ordering {
    let order = match (leading_number(a), leading_number(b)) {
        (Some((a, a_rest)), Some((b, b_rest))) => a.total_cmp(&b).then_with(|| a_rest.cmp(b_rest)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    order.then_with(|| a.cmp(b))
}

/// Returns the number that a value begins with, and the rest of the value.
fn leading_number(value: &str) -> Option<(f64, &str)> {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let digits = |text: &str| text.bytes().take_while(|byte| is_digit(*byte)).count();
    let sign = usize::from(value.starts_with('-'));
    let whole = digits(&value[sign..]);
    if whole == 0 {
        return None;
    }
    let end = sign + whole;
    let fraction = match value[end..].strip_prefix('.') {
        Some(rest) => digits(rest),
        None => 0,
    };
    let end = if fraction > 0 { end + 1 + fraction } else { end };
    let number: f64 = value[..end].parse().ok()?;
    Some((number + 0.0, &value[end..]))
}

/// Returns the terms that fit a prefix as [`FacetRequest`](domain::search::FacetRequest) says: the best fits first, then the most
/// frequent, then by [`compare_values`].
///
/// Returns more than `limit` only if the last ones are equal except for the truncated part: the caller gets their full values
/// and calls [`top_values`].
pub fn top_terms<T>(
    counted: impl IntoIterator<Item = TermCount<T>>,
    prefix: &str,
    limit: usize,
) -> Vec<TermCount<T>> {
    let prefix = Prefix::new(prefix);
    let (mut fitting, mut others) = (Vec::new(), Vec::new());
    for counted in counted {
        match prefix.fit(counted.text()) {
            Some(fit) => fitting.push((fit, counted)),
            None => others.push(counted),
        }
    }
    if fitting.len() < limit {
        let near = |counted: TermCount<T>| Some((prefix.fit_with_typos(counted.text())?, counted));
        fitting.extend(others.into_iter().filter_map(near));
    }
    fitting.sort_unstable_by(|(a_fit, a), (b_fit, b)| {
        a_fit.cmp(b_fit).then(b.count.cmp(&a.count)).then_with(|| compare_values(&a.term, &b.term))
    });
    let mut counted: Vec<_> = fitting.into_iter().map(|(_, counted)| counted).collect();
    counted.truncate(end_with_ties(&counted, limit));
    counted
}

fn end_with_ties<T>(counted: &[TermCount<T>], limit: usize) -> usize {
    let Some(last) = limit.checked_sub(1).and_then(|at| counted.get(at)) else { return limit };
    match truncated_part(&last.term) {
        None => limit,
        Some(shared) => {
            let is_tie = |other: &&TermCount<T>| {
                other.count == last.count && truncated_part(&other.term) == Some(shared)
            };
            limit + counted[limit..].iter().take_while(is_tie).count()
        }
    }
}

/// Sorts the full values of the terms from [`top_terms`] and returns at most `limit` of them.
pub fn top_values(values: Vec<FacetValue>, prefix: &str, limit: usize) -> Vec<FacetValue> {
    let prefix = Prefix::new(prefix);
    let fit = |value: &str| prefix.fit(value).or_else(|| prefix.fit_with_typos(value));
    let mut values: Vec<_> = values.into_iter().map(|value| (fit(truncated(&value.value)), value)).collect();
    values.sort_by(|(a_fit, a), (b_fit, b)| {
        a_fit.cmp(b_fit).then(b.count.cmp(&a.count)).then_with(|| compare_values(&a.value, &b.value))
    });
    values.truncate(limit);
    values.into_iter().map(|(_, value)| value).collect()
}

/// The fit of a value to a prefix; lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The value begins with the prefix.
    Begins,
    /// A later word of the value begins with it.
    Inside,
    /// One of the two, but with this many typos.
    Typos(u8),
}

/// The most typos in all words of a prefix together.
const MAX_TYPOS: u8 = 2;

/// A prefix to match values with.
struct Prefix {
    lower: String,
    words: Vec<(String, Option<Pattern>)>,
}

impl Prefix {
    fn new(prefix: &str) -> Self {
        let words = query_words(prefix).into_iter().map(|(word, _)| (Pattern::for_word(&word), word));
        Self { lower: prefix.to_lowercase(), words: words.map(|(pattern, word)| (word, pattern)).collect() }
    }

    /// Returns the fit of a value without typos.
    fn fit(&self, value: &str) -> Option<Fit> {
        if self.lower.is_empty() {
            return Some(Fit::Begins);
        }
        let lower = value.to_lowercase();
        if lower.starts_with(&self.lower) {
            return Some(Fit::Begins);
        }
        let (first, _) = self.words.first()?;
        // A lower-cased ASCII value is already folded.
        if lower.is_ascii() && !lower.contains(first.as_str()) {
            return None;
        }
        let value = query_words(value);
        let at = value.windows(self.words.len()).position(|part| {
            self.word_pairs(part).all(|(own, word, is_last)| match is_last {
                true if is_cjk(own) => word.contains(own),
                true => word.starts_with(own),
                false => own == word,
            })
        })?;
        let begins = at == 0 && value[0].0.starts_with(first.as_str());
        Some(if begins { Fit::Begins } else { Fit::Inside })
    }

    /// Returns the fit of a value with typos.
    fn fit_with_typos(&self, value: &str) -> Option<Fit> {
        if self.words.iter().all(|(_, pattern)| pattern.is_none()) {
            return None;
        }
        // A lower-cased ASCII value is already folded, and its set of letters rules out most values.
        if value.is_ascii() {
            let letters = LetterSet::new(&value.to_ascii_lowercase());
            if self
                .words
                .iter()
                .any(|(_, pattern)| pattern.as_ref().is_some_and(|it| !it.may_match_prefix(letters)))
            {
                return None;
            }
        }
        let value = query_words(value);
        let typos = value.windows(self.words.len()).filter_map(|part| self.typos(part)).min();
        typos.filter(|typos| *typos <= MAX_TYPOS).map(Fit::Typos)
    }

    fn typos(&self, part: &[(String, std::ops::Range<usize>)]) -> Option<u8> {
        let mut all = 0;
        for ((_, pattern), (own, word, is_last)) in self.words.iter().zip(self.word_pairs(part)) {
            let is_exact = if is_last { word.starts_with(own) } else { own == word };
            if is_exact {
                continue;
            }
            let pattern = pattern.as_ref().filter(|_| !has_digit(word))?;
            all += if is_last { pattern.prefix_typos(word) } else { pattern.typos(word) }?;
        }
        Some(all)
    }

    /// Returns each word of the prefix with the value's word at its position, and true for the last one.
    fn word_pairs<'a>(
        &'a self,
        part: &'a [(String, std::ops::Range<usize>)],
    ) -> impl Iterator<Item = (&'a str, &'a str, bool)> {
        let last = self.words.len() - 1;
        let pairs = self.words.iter().zip(part).enumerate();
        pairs.map(move |(at, ((own, _), (word, _)))| (own.as_str(), word.as_str(), at == last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_their_order() {
        let mut values =
            ["b", "10", "9", "-1", "-10", "1.5", "1.25", "10 cm", "9 cm", "9.", "a 9", "a 10", "0.5 l"];
        values.sort_by(|a, b| compare_values(a, b));
        let expected =
            ["-10", "-1", "0.5 l", "1.25", "1.5", "9", "9 cm", "9.", "10", "10 cm", "a 10", "a 9", "b"];
        assert_eq!(values, expected);
    }

    #[test]
    fn ties_of_truncated_values_stay_together() {
        let counted = |term: &str, count| TermCount { term: term.to_owned(), count, payload: () };
        let terms = |limit, prefix: &str| -> Vec<String> {
            let all = [
                counted("b", 2),
                counted("long\0y", 1),
                counted("long\0x", 1),
                counted("A", 2),
                counted("z", 1),
            ];
            top_terms(all, prefix, limit).into_iter().map(|counted| counted.term).collect()
        };
        assert_eq!(terms(1, ""), ["A"]);
        assert_eq!(terms(3, ""), ["A", "b", "long\0x", "long\0y"]);
        assert_eq!(terms(5, "LONG"), ["long\0x", "long\0y"]);
        assert_eq!(terms(9, "a"), ["A"]);
    }

    fn narrowed(prefix: &str, limit: usize, values: &[&str]) -> Vec<String> {
        // Later values are more frequent.
        let counted = values.iter().zip(1..).map(|(value, count)| TermCount {
            term: (*value).to_owned(),
            count,
            payload: (),
        });
        top_terms(counted, prefix, limit).into_iter().map(|counted| counted.term).collect()
    }

    #[test]
    fn what_begins_so_comes_first_then_words_inside_then_typos() {
        let values = ["LaserJet", "HP LaserJet", "LasserJet", "HP Lazerjet 4", "Inkjet"];
        assert_eq!(narrowed("laserj", 9, &values), ["LaserJet", "HP LaserJet", "HP Lazerjet 4", "LasserJet"]);
        assert_eq!(narrowed("laserj", 2, &values), ["LaserJet", "HP LaserJet"]);
        assert_eq!(narrowed("laserj", 3, &values), ["LaserJet", "HP LaserJet", "HP Lazerjet 4"]);
        assert_eq!(narrowed("", 2, &values), ["Inkjet", "HP Lazerjet 4"]);
    }

    #[test]
    fn case_accents_and_what_stands_between_words_do_not_count() {
        for (prefix, value) in [
            ("cafe", "Café"),
            ("CAFÉ", "cafe"),
            ("home > l", "Home > Lamps"),
            ("wi fi", "Wi-Fi 6"),
            ("+", "+5 V"),
            ("カート", "トナーカートリッジ"),
            ("bang & o", "Bang & Olufsen"),
        ] {
            assert_eq!(narrowed(prefix, 9, &[value, "other"]), [value], "{prefix}");
        }
    }

    #[test]
    fn typos_grow_with_the_letters_of_each_word() {
        for (prefix, value, is_near) in [
            ("sm", "Sony", false),
            ("snoy", "Sony", true),
            ("soyn", "Sony", true),
            ("panosanic", "Panasonic", true),
            ("pnaa", "Panasonic", true),
            ("pnx", "Panasonic", false),
            ("wesrern digt", "Western Digital", true),
            ("wesrenr digt", "Western Digital", false),
            ("x10", "x1", false),
            ("mode", "m0de", false),
        ] {
            assert_eq!(!narrowed(prefix, 9, &[value]).is_empty(), is_near, "{prefix}");
        }
    }

    #[test]
    fn full_values_keep_the_order() {
        let value = |value: &str, count| FacetValue { value: value.to_owned(), count };
        let values = vec![value("HP Laser", 9), value("Laser", 1), value("Lasers", 2), value("Lasor", 99)];
        let top: Vec<_> = top_values(values, "laser", 3).into_iter().map(|value| value.value).collect();
        assert_eq!(top, ["Lasers", "Laser", "HP Laser"]);
    }
}
