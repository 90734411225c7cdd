//! The operators of a query: `-red` leaves out products with a word, and `"new balance"` is a phrase.
//!
//! 1. A minus (or a dash, which phones type instead) at the start or after a space, before a letter, a phrase or `.NET`, excludes
//!    the phrase, or the text up to the next space. `-5` and `t-shirt` have no operator.
//! 2. A quotation mark at the start or after a space opens a phrase, if another one closes it. A mark after a digit means inches,
//!    unless no other one closes the phrase: `"27" monitor"`, `"iphone 15"`.

use std::ops::Range;

use domain::search::SearchRequest;

/// A query without its operators, and the operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operators {
    /// The query with spaces in place of quotation marks, and of each minus with everything that it excludes. As long as the query,
    /// so that positions in it are positions in the query.
    pub plain: String,
    /// The phrases that products must have, without their quotation marks, as positions in the query.
    pub phrases: Vec<Range<usize>>,
    /// The words and phrases that products must not have, without the operators, as positions in the query.
    pub excluded: Vec<Range<usize>>,
}

impl Operators {
    /// Parses the query of a search.
    pub fn of(request: &SearchRequest) -> Self {
        match request.operators {
            true => Self::parse(&request.words),
            false => Self { plain: request.words.clone(), phrases: Vec::new(), excluded: Vec::new() },
        }
    }

    /// Returns true if the query ends with an operand, so that there is no word to complete.
    pub(crate) fn end_with_operand(&self) -> bool {
        let end = self.plain.trim_end().len();
        self.phrases.iter().any(|phrase| phrase.end >= end) || self.excluded.iter().any(|word| word.end > end)
    }

    /// Parses a query.
    pub fn parse(query: &str) -> Self {
        let mut operators = Self { plain: query.to_owned(), phrases: Vec::new(), excluded: Vec::new() };
        let mut at = 0;
        while let Some(c) = query[at..].chars().next() {
            let is_start = query[..at].chars().next_back().is_none_or(char::is_whitespace);
            at = match is_start.then(|| operator(query, at)).flatten() {
                Some(operator) => operators.add(operator),
                None => at + c.len_utf8(),
            };
        }
        operators
    }

    /// Adds an operator, and returns its end.
    fn add(&mut self, operator: Operator) -> usize {
        let Operator { whole, operand, leaves_out } = operator;
        if leaves_out {
            self.blank(whole.clone());
            self.excluded.push(operand);
        } else {
            self.blank(whole.start..operand.start);
            self.blank(operand.end..whole.end);
            self.phrases.push(operand);
        }
        whole.end
    }

    fn blank(&mut self, range: Range<usize>) {
        let spaces = " ".repeat(range.len());
        self.plain.replace_range(range, &spaces);
    }
}

/// One operator with its operand.
struct Operator {
    whole: Range<usize>,
    operand: Range<usize>,
    leaves_out: bool,
}

/// Returns the operator that begins at a position, which is the start of the query or follows a space.
fn operator(query: &str, at: usize) -> Option<Operator> {
    let first = query[at..].chars().next()?;
    if !matches!(first, '-' | '\u{2212}' | '\u{2013}' | '\u{FF0D}') {
        let (operand, end) = phrase(query, at)?;
        return Some(Operator { whole: at..end, operand, leaves_out: false });
    }
    let start = at + first.len_utf8();
    if let Some((operand, end)) = phrase(query, start) {
        return Some(Operator { whole: at..end, operand, leaves_out: true });
    }
    // The closing mark may not be typed yet: `-"dark`.
    let start = query.len() - query[start..].trim_start_matches(is_quotation_mark).len();
    let word = query[start..].split(char::is_whitespace).next().unwrap_or_default();
    let is_word = word.trim_start_matches('.').starts_with(char::is_alphabetic);
    let end = start + word.len();
    is_word.then_some(Operator { whole: at..end, operand: start..end, leaves_out: true })
}

/// Returns the phrase that a quotation mark at this position opens, and its end with the closing mark.
fn phrase(query: &str, at: usize) -> Option<(Range<usize>, usize)> {
    let open = query[at..].chars().next().filter(|c| is_quotation_mark(*c))?;
    let start = at + open.len_utf8();
    let (mut before, mut after_digit) = (open, None);
    for (offset, c) in query[start..].char_indices() {
        let (here, last) = (start + offset, std::mem::replace(&mut before, c));
        if !is_quotation_mark(c) {
            continue;
        }
        if last.is_whitespace() {
            // The next phrase begins.
            break;
        }
        let found = (start..here, here + c.len_utf8());
        if !last.is_numeric() {
            return Some(found).filter(|(operand, _)| has_word(&query[operand.clone()]));
        }
        after_digit.get_or_insert(found);
    }
    after_digit
}

fn has_word(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

fn is_quotation_mark(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '＂')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(query: &str) -> (String, Vec<&str>, Vec<&str>) {
        let Operators { plain, phrases, excluded } = Operators::parse(query);
        let texts = |ranges: Vec<Range<usize>>| ranges.into_iter().map(|range| &query[range]).collect();
        (plain.split_whitespace().collect::<Vec<_>>().join(" "), texts(phrases), texts(excluded))
    }

    #[test]
    fn a_minus_before_a_letter_leaves_out() {
        for (query, plain, excluded) in [
            ("lamp -red", "lamp", vec!["red"]),
            ("-red lamp -Wi-Fi", "lamp", vec!["red", "Wi-Fi"]),
            ("−rot Lampe", "Lampe", vec!["rot"]),
            ("lamp -\"dark red\" oak", "lamp oak", vec!["dark red"]),
            ("靴 -赤", "靴", vec!["赤"]),
            ("lamp - red", "lamp - red", vec![]),
            ("lamp -5 -3.5", "lamp -5 -3.5", vec![]),
            ("t-shirt wi-fi", "t-shirt wi-fi", vec![]),
            ("lamp --red -", "lamp --red -", vec![]),
            ("lamp –red – oak", "lamp – oak", vec!["red"]),
            ("language -.net", "language", vec![".net"]),
            ("lamp -\"dark re", "lamp re", vec!["dark"]),
        ] {
            assert_eq!(parse(query), (plain.to_owned(), vec![], excluded), "{query}");
        }
    }

    #[test]
    fn quotation_marks_are_around_a_phrase() {
        for (query, plain, phrases) in [
            ("\"new balance\" shoes", "new balance shoes", vec!["new balance"]),
            ("shoes “new balance”", "shoes new balance", vec!["new balance"]),
            ("„neue Schuhe“ «ou»", "neue Schuhe «ou»", vec!["neue Schuhe"]),
            ("\"iphone 15\" case", "iphone 15 case", vec!["iphone 15"]),
            ("\"27\" monitor\" stand", "27\" monitor stand", vec!["27\" monitor"]),
            ("\"iphone 15\" \"27\" tv\"", "iphone 15 27\" tv", vec!["iphone 15", "27\" tv"]),
            ("monitor 27\" and 32\"", "monitor 27\" and 32\"", vec![]),
            ("\"new bal", "\"new bal", vec![]),
            ("5\" pipe\"", "5\" pipe\"", vec![]),
            ("\"\" \" \" \"-\"", "\"\" \" \" \"-\"", vec![]),
        ] {
            assert_eq!(parse(query), (plain.to_owned(), phrases, vec![]), "{query}");
        }
    }

    proptest! {
        #[test]
        fn positions_stay(query in "[a\"“ 7é\u{2212}-]{0,24}") {
            let operators = Operators::parse(&query);
            prop_assert_eq!(operators.plain.len(), query.len());
            for range in operators.phrases.iter().chain(&operators.excluded) {
                prop_assert!(query.get(range.clone()).is_some());
            }
        }
    }
}
